"""All files that Superset imports, and whether those on disk are what the project says now."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from dashboard.superset.charts import charts_and_dashboard
from dashboard.superset.datasets import DATABASE_FILE, DEMO_RELEASE, VERSION, database, datasets
from orchestration.transform.manifest import Manifest

HERE = Path(__file__).parent
PAGE_FILE = HERE / "dashboard.yml"
# what is in the repository, for the release that `make demo` leaves
COMMITTED = HERE / "assets"

METADATA_FILE = Path("metadata.yaml")


def assets(
    manifest: Manifest, *, release: Path = DEMO_RELEASE, page_file: Path = PAGE_FILE
) -> dict[Path, str]:
    """The text of every file by its place: connection, datasets, charts, dashboard.

    Raises ValueError where `page_file` names what the dbt project does not have.
    """
    page = yaml.safe_load(page_file.read_text(encoding="utf-8"))
    documents = {
        METADATA_FILE: {"version": VERSION},
        DATABASE_FILE: database(release),
        **datasets(manifest),
        **charts_and_dashboard(manifest, page),
    }
    return {
        place: yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
        for place, document in sorted(documents.items())
    }


def write(files: Mapping[Path, str], folder: Path) -> None:
    """Lays the files into the folder, in place of all assets that were there."""
    for kind in sorted({place.parts[0] for place in files if len(place.parts) > 1}):
        shutil.rmtree(folder / kind, ignore_errors=True)
    for place, text in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def stale(files: Mapping[Path, str], folder: Path) -> list[Path]:
    """The places where the folder has another text, none, or a file too many."""
    found = {
        path.relative_to(folder): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.yaml")
    }
    return sorted(place for place in {*files, *found} if files.get(place) != found.get(place))
