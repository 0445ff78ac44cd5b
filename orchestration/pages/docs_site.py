"""`tenure docs`: dbt's own site of all models and columns, as one page that needs no network."""

import shutil
from collections.abc import Callable
from pathlib import Path

from orchestration.database.warehouse import Warehouse, private_files
from orchestration.errors import BuildError, Fault, InputError
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtProject


def build(
    place: Warehouse, project: DbtProject, *, on_wait: Callable[[], None] = lambda: None
) -> Path:
    """Builds the site from the project and the tables of the last build; returns its page.

    Calls `on_wait` where a run builds there, which it waits for.

    Raises InputError where nothing was built yet, and BuildError with dbt's words where dbt fails.
    """
    if not place.build_file.exists():
        raise InputError(
            (Fault(f"nothing was built in {place.root} yet", "Build it: tenure run --raw DIR"),)
        )
    parameters = check_parameters(project.root).parameters
    with private_files(), place.build_lock(on_wait=on_wait):
        made = project.document(place, parameters)
        if not made.exists():
            raise BuildError(f"dbt made no page of its documentation: see {place.dbt_dir}/dbt.log")
        draft = place.docs_page.with_name(f".{place.docs_page.name}")
        shutil.copyfile(made, draft)
        draft.replace(place.docs_page)
    return place.docs_page
