"""The page of a release, and the file that it stands in."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard.cube import Cube
from dashboard.encode import encoded_cube, encoded_tables, packed, packed_text
from dashboard.extract import Extract, Origin, Table, read_release
from dashboard.sections import SECTIONS, Chart

HOME = Path(__file__).parent
LIBRARY = HOME / "vendor" / "echarts.min.js"

# more than that is slow to open and refused by some mail servers
MAX_BYTES = 1_950_000
# of which for what is neither the library nor data
OWN_BYTES = 200_000

# read back to see of which release a page is
RELEASE_MARK = '<meta name="tenure-release" content="'
MARK_WITHIN_BYTES = 4_000


def write_page(release_file: Path, page: Path, *, defaults: Mapping[str, str]) -> int:
    """Renders a release into a file, which is replaced in one step; returns its bytes.

    `defaults` are the project's vars, which hold where the release names no other value.
    """
    extract = read_release(release_file, room=_room)
    content = rendered(extract, defaults=defaults).encode("utf-8")
    draft = page.with_name(f".{page.name}")
    try:
        draft.write_bytes(content)
        draft.replace(page)
    finally:
        draft.unlink(missing_ok=True)
    return len(content)


def release_of(page: Path) -> str | None:
    """The id of the release that a page shows; None where there is no such page."""
    try:
        with page.open("rb") as file:
            beginning = file.read(MARK_WITHIN_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return None
    _, mark, rest = beginning.partition(RELEASE_MARK)
    return rest.partition('"')[0] if mark else None


def rendered(extract: Extract, *, defaults: Mapping[str, str]) -> str:
    """The page as HTML: one file that loads nothing, with a policy that lets it load nothing."""
    # only here: a command that does not render loads nothing
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HOME / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (HOME / "templates" / "page.css").read_text(encoding="utf-8")
    library = LIBRARY.read_text(encoding="utf-8")
    script = _own_scripts()
    origin = extract.origin
    parameters = _parameters(origin, defaults)
    about = {
        "months": [month.month_start for month in extract.months],
        "complete": [month.is_complete for month in extract.months],
        "currency": parameters.get("reporting_currency", ""),
        "release": origin.release_id,
        "tables": encoded_tables(extract.tables),
    }
    return environment.get_template("page.html.jinja").render(
        style=style,
        packed_library=packed_text(library),
        script=script,
        data=packed(about),
        cube=packed(encoded_cube(extract.cube) if extract.cube else None),
        style_source=_source(style),
        # the library is put into the page by the page's own script, once it is unpacked
        script_sources=f"{_source(library)} {_source(script)}",
        release_mark=RELEASE_MARK,
        sections=SECTIONS,
        reasons={chart.name: _why_absent(chart, extract) for s in SECTIONS for chart in s.charts},
        origin=origin,
        as_of=_told(origin.as_of),
        released_at=_told(origin.released_at),
        extract=extract,
        currency=parameters.get("reporting_currency", "reporting currency"),
        time_zone=parameters.get("reporting_timezone", "the reporting time zone"),
    )


def _room(tables: Mapping[str, Table]) -> Callable[[Cube], float]:
    """How much of the page's room for the cube a cube takes, beside these tables."""
    library = packed_text(LIBRARY.read_text(encoding="utf-8"))
    room = max(1, MAX_BYTES - OWN_BYTES - len(library) - len(packed(encoded_tables(tables))))
    return lambda cube: len(packed(encoded_cube(cube))) / room


def _own_scripts() -> str:
    paths = sorted((HOME / "scripts").glob("*.js"))
    # a file of its own each, that sees the others through one name only
    bodies = [path.read_text(encoding="utf-8") for path in paths]
    files = "\n".join(f"{{\n{body}}}" for body in bodies)
    return f'"use strict";\nconst Tenure = {{}};\n(async () => {{\n{files}\n}})();\n'


def _source(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _why_absent(chart: Chart, extract: Extract) -> str | None:
    if chart.when_none and all(extract.is_empty(need) for need in chart.needs):
        return chart.when_none
    reasons = [extract.absent[need] for need in chart.needs if need in extract.absent]
    return f"Absent: {' '.join(dict.fromkeys(reasons))}" if reasons else None


def _parameters(origin: Origin, defaults: Mapping[str, str]) -> Mapping[str, str]:
    named: Any = json.loads(origin.parameters) if origin.parameters else {}
    return {**defaults, **{name: str(value) for name, value in named.items() if value is not None}}


def _told(instant: datetime | None) -> str:
    if instant is None:
        return "unknown"
    return f"{instant.replace(tzinfo=instant.tzinfo or UTC):%Y-%m-%d %H:%M:%S} UTC"
