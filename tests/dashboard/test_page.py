"""The page without a browser: what is in it, what is harmless in it, what it says is absent."""

import base64
import hashlib
import re
import shutil
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboard import cube, render
from dashboard.extract import QUERIES, read_release
from dashboard.sections import CHARTS
from tests.dashboard.samples import (
    DEFAULTS,
    Page,
    cell,
    churn,
    contracts,
    insert_rows,
    keys,
    releases,
    small_service,
    write_release,
)

TABLE = r"\b(?:marts|quality)\.\w+"
HOSTILE = "</script><script>alert(1)</script>\u2028<!--"
MAX_BYTES = 2_000_000


class Elements(HTMLParser):
    """What a browser would make of the page: elements with attributes, and the text in scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._text: list[str] = []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside == "style":
            self.styles.append(data)
        else:
            self._text.append(data)

    def text_outside_scripts(self) -> str:
        return " ".join(self._text)


def page_of(path: Path) -> Page:
    return Page(render.rendered(read_release(path), defaults=DEFAULTS))


@pytest.fixture(scope="module")
def small_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("small") / "tenure.duckdb", small_service())


@pytest.fixture(scope="module")
def small(small_release: Path) -> Page:
    return page_of(small_release)


def test_the_data_keep_every_figure_of_the_marts(small_release: Path, small: Page) -> None:
    assert small.data["months"] == ["2026-03-01", "2026-04-01", "2026-05-01"]
    assert small.data["complete"] == [True, True, False]
    with duckdb.connect(str(small_release), read_only=True) as connection:
        for mart, measures in cube.MEASURES_OF.items():
            for measure in measures:
                sums = connection.execute(
                    f"select sum({measure}) from {mart} group by month_start order by month_start"
                ).fetchall()
                shown = [
                    sum(Decimal(str(value)) for value in row) for row in small.measure(measure)
                ]
                assert shown == [value for (value,) in sums], measure
    # by hand: 1100.05 + 1586.6667 at the end of April, of which 1586.6667 in Brazil
    combinations = small.cube["combinations"]
    countries = small.cube["dimensions"][1]["members"]
    april = small.measure("closing_mrr_amount")[1]
    assert sum(Decimal(str(value)) for value in april) == Decimal("2686.7167")
    brazil = [at for at, each in enumerate(combinations) if countries[each[1]] == "BR"]
    assert [april[at] for at in brazil] == [1586.6667]
    assert small.column("revenue", "arppu_amount") == [16, 20, 5]
    assert small.column("retention", "retained_subscribers") == [150, 144, None, 19, None, None]


def test_names_that_would_end_a_script_are_data(tmp_path: Path) -> None:
    service = small_service(plan=HOSTILE, country=None)
    service["quality.releases"] = releases(parameters={"reporting_timezone": HOSTILE})
    page = page_of(write_release(tmp_path / "tenure.duckdb", service))
    elements = Elements(page.text)
    assert [tag for tag, _ in elements.found].count("script") == 4
    assert "alert(1)</script>" not in page.text
    plans, countries, _ = page.cube["dimensions"]
    assert plans["members"] == [HOSTILE, "basic"]
    assert countries["members"] == [None, "US"]


def test_nothing_is_loaded_and_the_policy_forbids_it(small: Page) -> None:
    elements = Elements(small.text)
    for tag, attributes in elements.found:
        assert tag not in {"img", "iframe", "object", "embed", "base", "link"}
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")], attributes
        for name in ("src", "href", "action", "srcset"):
            assert not attributes.get(name) or str(attributes[name]).startswith("#")
    (policy,) = [
        str(attributes["content"])
        for tag, attributes in elements.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules) == {"default-src", "script-src", "style-src", "base-uri", "form-action"}
    *_, own = elements.scripts
    run = [small.unpacked("library"), own]
    hashes = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in run]
    assert rules["script-src"] == " ".join(f"'sha256-{digest}'" for digest in hashes)
    (style,) = elements.styles
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert rules["style-src"] == f"'sha256-{digest}'"
    for path in [*(render.HOME / "scripts").glob("*.js"), *(render.HOME / "templates").iterdir()]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(
            r"https?://|//[a-z]+\.|\burl\(|@import|\bimport\(|\bfetch\(|\beval\(", text
        )


def test_every_query_asks_for_columns_that_the_contracts_name(tmp_path: Path) -> None:
    extract = read_release(write_release(tmp_path / "tenure.duckdb", {}))
    assert set(extract.absent) == {
        *(path.stem for path in QUERIES.glob("*.sql")),
        "mrr",
        "subscribers",
    }
    for name, reason in extract.absent.items():
        assert reason.endswith("has no rows to show."), (name, reason)


def test_an_empty_service_opens_and_says_so(tmp_path: Path) -> None:
    empty = write_release(tmp_path / "tenure.duckdb", {"quality.releases": releases()})
    page = page_of(empty)
    assert (page.data["months"], page.cube) == ([], None)
    assert "This release has no month with anything in it" in page.text
    assert page.text.count('class="absent"') == len(CHARTS) - 1
    assert "No row is quarantined." in page.text
    assert 'data-chart="releases"' in page.text


def read_tables() -> list[str]:
    """The tables that the page reads, the two of the cube included."""
    queries = [path.read_text(encoding="utf-8") for path in QUERIES.glob("*.sql")]
    named = {table for query in queries for table in re.findall(TABLE, query)}
    return sorted({*named, cube.CHURN, cube.BRIDGE})


@pytest.mark.parametrize("missing", read_tables())
def test_a_missing_mart_is_named_where_it_is_missed(
    small_release: Path, tmp_path: Path, missing: str
) -> None:
    path = Path(shutil.copy(small_release, tmp_path))
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"drop table {missing}")
    page = page_of(path)
    users = {
        chart.name
        for chart in CHARTS
        if any(re.search(rf"\b{missing}\b", _query_of(need)) for need in chart.needs)
    }
    for name in users:
        article = page.text.split(f'id="chart-{name}"')[1].split("</article>")[0]
        assert f"Absent: {missing} is not in this release." in article
    assert page.text.count(f"{missing} is not in this release.") == len(users)


def _query_of(need: str) -> str:
    marts = {"mrr": cube.BRIDGE, "subscribers": cube.CHURN}
    return marts.get(need) or (QUERIES / f"{need}.sql").read_text(encoding="utf-8")


def test_a_file_of_no_release_at_all_opens(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "bare.duckdb")) as connection:
        connection.execute("create table somebody_elses as select 1 as one")
    page = page_of(tmp_path / "bare.duckdb")
    assert page.text.count('class="absent"') == len(CHARTS)
    assert 'content="unknown"' in page.text


def test_a_mart_of_another_version_is_told_of(tmp_path: Path) -> None:
    path = write_release(tmp_path / "tenure.duckdb", small_service())
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table marts.revenue_monthly drop column refunded_amount")
    assert "The mart does not have what is shown here" in page_of(path).text


def test_one_month_and_one_plan(tmp_path: Path) -> None:
    only = cell(date(2026, 3, 1), "basic", "US", "organic")
    service = {
        "quality.releases": releases(),
        "marts.churn_monthly": [churn(only, opening=0, new=1)],
    }
    page = page_of(write_release(tmp_path / "tenure.duckdb", service))
    assert page.cube["combinations"] == [[0, 0, 0]]
    assert page.measure("closing_subscribers") == [[1]]
    article = page.text.split('id="chart-mrr_trend"')[1].split("</article>")[0]
    assert "Absent: marts.mrr_bridge_monthly has no rows to show." in article


def test_the_currency_is_that_of_the_release(tmp_path: Path) -> None:
    service = small_service()
    service["quality.releases"] = releases(parameters={"reporting_currency": "BRL"})
    page = page_of(write_release(tmp_path / "tenure.duckdb", service))
    assert page.data["currency"] == "BRL"
    assert "BRL per month" in page.text
    assert "USD" not in Elements(page.text).text_outside_scripts()


def test_a_curve_is_read_at_any_day_as_the_mart_has_it(tmp_path: Path) -> None:
    """Half of the yearly ones leave on day 366, which is no first day of a step of the picture."""
    curve: list[dict[str, Any]] = [
        {
            "stratum": "billing_period",
            "stratum_value": "year",
            "tenure_days": day,
            "at_risk": 2000 - day,
            "churned": 0,
            "survival": (1.0 if day < 366 else 0.5 if day < 731 else 0.3) - day / 10000,
        }
        for day in range(1095)
    ]
    path = write_release(tmp_path / "tenure.duckdb", {"quality.releases": releases()})
    insert_rows(path, {"marts.survival_curves": curve})
    page = page_of(path)
    shown = dict(
        zip(
            page.column("survival", "tenure_days"), page.column("survival", "survival"), strict=True
        )
    )
    assert len(shown) < 350
    for point in curve:
        day = point["tenure_days"]
        read = shown[max(each for each in shown if each <= day)]
        assert -1e-8 < read - point["survival"] < 0.005, day
    # what is told in words, and the end
    assert shown[365] == pytest.approx(1 - 0.0365)
    assert shown[1094] == pytest.approx(0.3 - 0.1094)


def test_a_page_knows_its_release_and_is_replaced_whole(
    small_release: Path, tmp_path: Path
) -> None:
    page = tmp_path / "index.html"
    assert render.release_of(page) is None
    page.write_text("something else", encoding="utf-8")
    assert render.release_of(page) is None
    size = render.write_page(small_release, page, defaults=DEFAULTS)
    assert page.stat().st_size == size < MAX_BYTES
    assert render.release_of(page) == "20260510T000000Z"
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    first = page.read_bytes()
    render.write_page(small_release, page, defaults=DEFAULTS)
    assert page.read_bytes() == first


BIG = """
    create table marts.churn_monthly as
    select
        cast(date '2015-01-01' + to_months(cast(month as integer)) as date) as month_start,
        'plan ' || plan as plan_tier,
        'country ' || country as country_code,
        'channel ' || channel as acquisition_channel,
        cast(1000 + hash(month, plan, country, channel) % 1000000 as bigint) as opening_subscribers,
        {zeros},
        month < 130 as is_complete
    from
        range(131) months(month),
        range(6) plans(plan),
        range(60) countries(country),
        range(9) channels(channel)
"""
BIG_BRIDGE = """
    create table marts.mrr_bridge_monthly as
    select
        month_start, plan_tier, country_code, acquisition_channel, {amounts}, is_complete
    from marts.churn_monthly
"""


def test_a_large_and_long_service_stays_small(tmp_path: Path) -> None:
    path = write_release(
        tmp_path / "tenure.duckdb",
        {"quality.releases": releases()},
        without=["marts.churn_monthly", "marts.mrr_bridge_monthly"],
    )
    varied = "cast(hash(month, plan, country, channel, {at}) % 100000 as bigint) as {name}"
    zeros = ", ".join(
        varied.format(at=at, name=name) for at, name in enumerate(cube.SUBSCRIBER_MEASURES) if at
    )
    amounts = ", ".join(
        f"cast(hash(month_start, plan_tier, country_code, acquisition_channel, {at}) % 100000000"
        f" / 10000.0 as decimal(18, 4)) as {name}"
        for at, name in enumerate(cube.MRR_MEASURES)
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute(BIG.format(zeros=zeros))
        connection.execute(BIG_BRIDGE.format(amounts=amounts))
        fill_the_rest(connection)
    page = tmp_path / "index.html"
    assert render.write_page(path, page, defaults=DEFAULTS) < MAX_BYTES
    shown = Page(page.read_text(encoding="utf-8"))
    assert len(shown.data["months"]) == 61
    assert "Shown are the last 61 months; 70 earlier ones are in the marts." in shown.text
    countries = shown.cube["dimensions"][1]
    assert countries["folded"] == 60 - (len(countries["members"]) - 1)
    assert f"{countries['folded']} countries with the least opening MRR are folded" in shown.text
    with duckdb.connect(str(path), read_only=True) as connection:
        for name, mart in (("closing_mrr_amount", cube.BRIDGE), ("new_subscribers", cube.CHURN)):
            sums = connection.execute(
                f"select sum({name}) from {mart} group by month_start order by month_start"
            ).fetchall()
            folded = [sum(Decimal(str(value)) for value in row) for row in shown.measure(name)]
            assert folded == [value for (value,) in sums][-61:]
        # those with the most MRR keep their names
        named = [member for member in countries["members"] if member]
        largest = connection.execute(
            "select country_code from marts.mrr_bridge_monthly where month_start >= ?"
            " group by 1 order by sum(opening_mrr_amount) desc limit ?",
            [shown.data["months"][0], len(named)],
        ).fetchall()
        assert named == [member for (member,) in largest]


def fill_the_rest(
    connection: duckdb.DuckDBPyConnection,
    *,
    first_month: str = "2015-01-01",
    months: int = 131,
    members: int = 300,
) -> None:
    """Gives the tables that the page reads as many different rows as their keys allow.

    The releases and the two marts of the cube are left as they are. The last month is open.
    """
    connection.execute(f"set variable first = date '{first_month}'")
    connection.execute(f"set variable months = {months}")
    for table in sorted({*read_tables()} - {"quality.releases", cube.CHURN, cube.BRIDGE}):
        columns = contracts()[table]
        values = ", ".join(
            f"{_invented(name, kind, at)} as {name}"
            for at, (name, kind) in enumerate(columns.items())
        )
        connection.execute(
            f"insert into {table} select distinct on ({', '.join(keys()[table])}) {values}"
            f" from range({months}) m(month), range({members}) s(member)"
        )


LISTS = {
    "stratum": ["plan_tier", "overall", "billing_period", "country", "channel"],
    "circumstance": [
        "churn_type",
        "churn_reason",
        "cancel_feedback",
        "viewing",
        "playback",
        "genre",
    ],
    "segmentation": ["lifecycle_stage", "engagement_tier", "rfm_segment", "value_tier", "taste"],
    "metric": ["rows"],
    "device_type": ["tv", "mobile", "tablet", "web", "console", "other"],
    "stage": ["reach", "acquisition", "conversion", "retention", "loyalty", "advocacy"],
    "definition": [f"definition {at}" for at in range(11)],
    "outcome": ["ended", "voluntary", "involuntary", "other"],
    "part": ["validation", "test"],
    "predictor": ["model", "rule"],
    "risk_decile": [str(at) for at in range(1, 11)],
}


def _invented(name: str, kind: str, at: int) -> str:
    number = f"hash(month, member, {at})"
    if name in LISTS:
        members = LISTS[name]
        picked = (
            "[" + ", ".join(f"'{member}'" for member in members) + f"][1 + member % {len(members)}]"
        )
        return f"cast({picked} as {kind})"
    if name in {"month_start", "cohort_month"}:
        return "cast(getvariable('first') + to_months(cast(month as integer)) as date)"
    texts = f"'a name of some length {at} ' || {number} % 40"
    by_name = {
        "month_start": "cast(getvariable('first') + to_months(cast(month as integer)) as date)",
        "months_since_start": f"cast(least(member, getvariable('months') - 1 - month) as {kind})",
        "tenure_days": f"cast(member * 10 + month % 10 as {kind})",
        "is_complete": "month < getvariable('months') - 1",
        # what goes with the second of the strata
        "stratum_value": f"case when member % 5 = 1 then 'all' else {texts} end",
    }
    by_kind = {
        "date": f"date '2025-01-01' + cast({number} % 400 as integer)",
        "timestamp": f"timestamp '2025-01-01' + to_seconds({number} % 9999999)",
        "boolean": f"{number} % 2 = 0",
        "varchar": texts,
        "double": f"{number} % 1000000007 / 1000000007.0",
    }
    by_name["cohort_month"] = by_name["month_start"]
    return by_name.get(name) or by_kind.get(kind) or f"cast({number} % 1000000 as {kind})"
