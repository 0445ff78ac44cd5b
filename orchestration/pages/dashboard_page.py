"""The page of the release that stands: where it is, when it is written, how it is opened."""

import webbrowser
from collections.abc import Mapping
from pathlib import Path

import duckdb

from dashboard import render
from orchestration.database.warehouse import Warehouse, private_files
from orchestration.errors import BuildError, Fault, InputError
from orchestration.releases.kept import current_release
from orchestration.transform.parameters import check_parameters


def write(place: Warehouse, project_dir: Path) -> int:
    """Writes the page of the release that stands, in one step; returns its bytes.

    Raises BuildError where it can't be written: the release stands all the same.
    """
    with private_files(), place.release_lock():
        try:
            return render.write_page(
                place.release_file, place.dashboard_page, defaults=_defaults(project_dir)
            )
        except (OSError, duckdb.Error) as error:
            raise BuildError(
                f"the release stands, but its page {place.dashboard_page} could not be written:"
                f" {error}. Once that is mended, `tenure dashboard` writes it"
            ) from error


def brought_up_to_date(place: Warehouse, project_dir: Path) -> Path:
    """The page of the release that stands, written anew where it shows another or is missing.

    Raises InputError where there is no release yet.
    """
    current = current_release(place)
    if current is None:
        raise InputError(
            (
                Fault(
                    f"there is no release in {place.root} yet",
                    f"Make one: tenure run --raw DIR {place.option}",
                ),
            )
        )
    if render.release_of(place.dashboard_page) != current.release_id:
        write(place, project_dir)
    return place.dashboard_page


def opened(page: Path) -> bool:
    """Whether a browser with a window took the page; one in the terminal could not draw it."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    is_in_terminal = type(browser) is webbrowser.GenericBrowser
    return not is_in_terminal and browser.open(page.absolute().as_uri())


def _defaults(project_dir: Path) -> Mapping[str, str]:
    defaults = check_parameters(project_dir).parameters.defaults
    return {name: str(value) for name, value in defaults.items() if value is not None}
