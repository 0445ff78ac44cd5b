"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer


def folder(text: str) -> Path:
    """The folder that an option names: a shell's variable that is not set names none.

    Raises BadParameter where it is empty, which would be the folder that somebody happens to be in.
    """
    if not text:
        raise typer.BadParameter("it is empty; `.` is the folder that you are in")
    return Path(text)


RawOption = Annotated[
    Path | None,
    typer.Option(
        "--raw",
        help="Folder with <table>/*.parquet or <table>/*.csv; or TENURE_RAW.",
        parser=folder,
        metavar="<path>",
        show_default=False,
    ),
]
WarehouseOption = Annotated[
    Path | None,
    typer.Option(
        "--warehouse",
        help="Folder of the build and its releases; or TENURE_WAREHOUSE.",
        parser=folder,
        metavar="<path>",
        show_default=False,
    ),
]
