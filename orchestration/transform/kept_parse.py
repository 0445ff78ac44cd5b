"""What dbt parsed of a project, kept beside it: no new warehouse begins from nothing.

A parse from nothing takes longer than the build of a small service. dbt keeps its own in the folder
of a warehouse, and takes it for that one alone.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

# of other vars, engines and states of the project, the latest
KEPT = 4


@dataclass(frozen=True)
class KeptParse:
    """The kept parse of the project in `root`, where `key` is all that it hangs on.

    It is a help and no need: where the folder can't be read or written to, dbt parses anew.
    """

    root: Path
    key: str

    @property
    def folder(self) -> Path:
        """Where all parses of the project are."""
        return parses_of(self.root)

    @property
    def file(self) -> Path:
        """The parse; missing if there was none yet."""
        return self.folder / f"{hashlib.sha256(self.key.encode()).hexdigest()}.msgpack"

    def lend(self, partial: Path) -> None:
        """Puts the parse, if one is kept, where dbt looks for its last one."""
        with suppress(OSError):
            _copy(self.file, partial)

    def take(self, partial: Path) -> None:
        """Keeps what dbt wrote of a parse, and lets go of the oldest ones."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            _copy(partial, self.file)
            kept = sorted(self.folder.glob("*.msgpack"), key=lambda path: path.stat().st_mtime)
            for path in kept[:-KEPT]:
                path.unlink(missing_ok=True)


def parses_of(root: Path) -> Path:
    """Where parses of a project are kept: in dbt's folder for what can be made again."""
    return root / "target" / "parses"


def _copy(source: Path, target: Path) -> None:
    """Copies a file, whole or not at all, whoever else does so meanwhile."""
    content = source.read_bytes()
    descriptor, name = mkstemp(dir=target.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
