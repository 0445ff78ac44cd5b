"""Raw tables streamed to Parquet: part files of bounded size, the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from simulator.contract import RawTable

ROWS_PER_FILE = 600_000


class TableWriter:
    """Writes one raw table's part files into its folder; the last one closes with the writer.

    Part files are named by `prefix` and a number: a running one or, where they are out of order,
    one that says nothing of when a file was written. A table without a row gets one file without a
    row, unless it may be absent.
    """

    def __init__(
        self,
        folder: Path,
        raw: RawTable,
        *,
        prefix: str = "part",
        is_out_of_order: bool = False,
        may_be_absent: bool = False,
    ) -> None:
        self._folder = folder
        self._schema = raw.schema
        self._prefix = prefix
        self._is_out_of_order = is_out_of_order
        self._may_be_absent = may_be_absent
        self._file: pq.ParquetWriter | None = None
        self._files = 0
        self._rows_in_file = 0
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, table: pa.Table) -> None:
        """Append a table of the contract's schema."""
        if not len(table):
            return
        file = self._file or self._open()
        file.write_table(table, row_group_size=len(table))
        self._rows_in_file += len(table)
        if self._rows_in_file >= ROWS_PER_FILE:
            self._close_file()

    def close(self) -> None:
        """Finish the last file; a table that never had a row gets an empty one."""
        if not self._files and not self._may_be_absent:
            self._open()
        self._close_file()

    def _open(self) -> pq.ParquetWriter:
        # an odd factor meets each of the numbers once
        number = (self._files * 40_503 + 12_345) % 65_536 if self._is_out_of_order else self._files
        path = self._folder / f"{self._prefix}-{number:05d}.parquet"
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd", compression_level=1)
        self._files += 1
        self._rows_in_file = 0
        return self._file

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
