"""What an error of the engine may tell: what is wrong, and nothing that it quotes of a row."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.errors import HIDDEN, without_values

WHO = "zoe.o'hara@example.org"


def undecodable(place: Path) -> str:
    path = place / "it's.parquet"
    content = pa.array([f'"{WHO}" \xff'.encode("latin-1")], pa.binary()).buffers()
    pq.write_table(pa.table({"email": pa.Array.from_buffers(pa.string(), 1, content)}), path)
    return "from read_parquet(['" + str(path).replace("'", "''") + "'])"


def odd_line(place: Path) -> str:
    path = place / "odd.csv"
    # the line itself looks like the end of the message
    path.write_text(f'id,email\n1,a\n"{WHO}\n  file = x\n{WHO}",2,3\n')
    columns = "auto_detect = false, header = true, columns = {'id': 'VARCHAR', 'email': 'VARCHAR'}"
    return f"from read_csv('{path}', {columns})"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


QUOTING: dict[str, Callable[[Path], str]] = {
    "a cast": lambda _: f"select {literal(WHO)}::integer",
    "an instant": lambda _: f"select {literal(WHO)}::timestamp",
    "a format": lambda _: f"select strptime({literal(WHO)}, '%Y')",
    "a key": lambda _: (
        f"create table t (email varchar primary key); insert into t values ({literal(WHO)});"
        f" insert into t values ({literal(WHO)})"
    ),
    "a text of Parquet": undecodable,
    "a line of CSV": odd_line,
}


@pytest.mark.parametrize("quoting", QUOTING)
def test_a_value_is_not_told(quoting: str, tmp_path: Path) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as broken:
        connection.execute(QUOTING[quoting](tmp_path)).fetchall()
    assert "zoe" in str(broken.value), "nothing was there to be hidden"
    told = without_values(str(broken.value))
    assert "zoe" not in told
    assert "hara" not in told
    assert HIDDEN in told


def test_the_file_is_told(tmp_path: Path) -> None:
    for query in (undecodable(tmp_path), odd_line(tmp_path)):
        with duckdb.connect() as connection, pytest.raises(duckdb.Error) as broken:
            connection.execute(query).fetchall()
        (name,) = {"it's.parquet", "odd.csv"} & {
            path.name for path in tmp_path.iterdir() if path.name in query.replace("''", "'")
        }
        assert str(tmp_path / name) in without_values(str(broken.value))


def cut_in_half(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def cut_to_a_few_bytes(whole: bytes) -> bytes:
    return whole[:6]


def with_a_footer_longer_than_itself(whole: bytes) -> bytes:
    return whole[:-8] + b"\xff\xff\xff\x7f" + whole[-4:]


@pytest.mark.parametrize(
    "harm", [cut_in_half, cut_to_a_few_bytes, with_a_footer_longer_than_itself]
)
def test_the_file_that_is_not_whole_is_told(harm: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """As one is that is cut while a run reads it: without its name nobody knows which it is."""
    path = tmp_path / "it's.parquet"
    pq.write_table(pa.table({"email": [WHO] * 100}), path)
    path.write_bytes(harm(path.read_bytes()))
    query = f"from read_parquet([{literal(str(path))}])"
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as broken:
        connection.execute(query)
    assert str(path) in without_values(str(broken.value))


def test_names_are_told() -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as broken:
        connection.execute('select "closing" from (select 1 as opening)')
    assert without_values(str(broken.value)) == str(broken.value)
    assert "closing" in str(broken.value)
