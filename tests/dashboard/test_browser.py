"""The page in a real Chromium: nothing is asked for, every chart is drawn, figures are the marts'.

Left out where there is no Chromium or no Playwright; `make test-browser` brings Playwright and
axe-core.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboard import render
from dashboard.cube import BRIDGE, CHURN
from dashboard.sections import CHARTS
from tests.dashboard.samples import (
    DEFAULTS,
    Row,
    insert_rows,
    releases,
    small_service,
    write_release,
)
from tests.dashboard.test_page import HOSTILE, fill_the_rest

playwright = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: make test-browser brings it"
)

CHROMIUM = shutil.which(os.environ.get("CHROMIUM", "")) or next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
AXE = os.environ.get("AXE_CORE", "")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is found: install it, or name it in CHROMIUM"
)

# what would have the browser itself ask its makers for things
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

ENGAGEMENT = "(from marts.engagement_monthly where stratum_value = 'all')"
WIDTHS = (390, 1280, 1920)


# what a cell shows that has no value
NONE = "\u2013"


@dataclass
class Opened:
    """A page in the browser, with what it said and asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def table(self, chart: str) -> list[dict[str, str | None]]:
        """The rows of a chart's table as a person reads them, by column."""
        rows: list[dict[str, str | None]] = self.page.evaluate(
            """(name) => {
                const card = document.querySelector(`[data-chart="${name}"]`);
                const button = card.querySelector(".as-table");
                if (button.getAttribute("aria-pressed") === "false") button.click();
                const texts = (cells) => [...cells].map((cell) => cell.textContent);
                const heads = texts(card.querySelectorAll("thead th"));
                return [...card.querySelectorAll("tbody tr")].map((row) =>
                    Object.fromEntries(texts(row.children).map((text, at) => [heads[at], text])));
            }""",
            chart,
        )
        return rows

    def choose(self, **filters: str) -> None:
        """Sets filters by the words that a person sees."""
        for name, label in filters.items():
            self.page.select_option(f"#filter-{name}", label=label)

    def draw_all(self) -> None:
        """Waits until what is out of sight is drawn too."""
        self.page.wait_for_selector("html[data-drawn]", timeout=30_000)


OpenPage = Callable[..., Opened]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[OpenPage]:  # noqa: ANN401
    contexts = []

    def open_it(
        release: Path, *, width: int = 1280, scheme: str = "light", **options: bool
    ) -> Opened:
        page = tmp_path / "index.html"
        render.write_page(release, page, defaults=DEFAULTS)
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.on("console", lambda message: opened.said.append(message.text))
        opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.page.on("request", lambda request: opened.asked.append(request.url))
        opened.page.goto(page.as_uri())
        opened.page.wait_for_selector("html[data-ready]", timeout=10_000)
        return opened

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("small") / "tenure.duckdb", small_service())


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release in which every table has rows, the months of `small_service` among them."""
    service = small_service()
    path = write_release(tmp_path_factory.mktemp("full") / "tenure.duckdb", {})
    with duckdb.connect(str(path)) as connection:
        fill_the_rest(connection, first_month="2025-04-01", months=14, members=40)

    insert_rows(
        path, {name: service[name] for name in ("marts.churn_monthly", "marts.mrr_bridge_monthly")}
    )
    insert_rows(path, {"quality.releases": releases()})
    return path


def blank_plots(opened: Opened) -> list[str]:
    """The charts that are to be seen and have nothing drawn in them."""
    names: list[str] = opened.page.evaluate(
        """() => [...document.querySelectorAll("[data-chart]")].filter((card) => {
            const plot = card.querySelector(".plot");
            if (card.classList.contains("table-only")) return !card.querySelector("tbody tr");
            const canvas = plot.querySelector("canvas");
            if (!canvas) return true;
            const drawn = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const pixels = drawn.data;
            const colours = new Set();
            for (let at = 0; at < pixels.length; at += 4) {
                if (pixels[at + 3]) colours.add(pixels.slice(at, at + 3).join());
                if (colours.size > 3) return false;
            }
            return true;
        }).map((card) => card.dataset.chart)"""
    )
    return names


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_chart_is_drawn_and_nothing_is_asked_for(
    open_page: OpenPage, full: Path, width: int, scheme: str
) -> None:
    opened = open_page(full, width=width, scheme=scheme)
    opened.draw_all()
    drawn = opened.page.evaluate("document.querySelectorAll('[data-chart]').length")
    assert drawn == len(CHARTS)
    assert blank_plots(opened) == []
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith("file:")] == []
    assert len(opened.asked) == 1
    # nothing is wider than the screen
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_tiles_say_the_figures_of_the_last_whole_month(
    open_page: OpenPage, small: Path
) -> None:
    opened = open_page(small)
    tiles = {
        each.get_attribute("data-tile"): each.inner_text()
        for each in opened.page.query_selector_all(".tile")
    }
    # by hand: 1100.05 + 1586.6667, 111 + 53, 9 ÷ 150, and the mart's ARPPU and net revenue of April
    for name, value in {
        "MRR": "$2,687",
        "Subscribers": "164",
        "Churn rate": "6.00%",
        "ARPPU": "$20.00",
        "Net revenue": "$2,600",
    }.items():
        assert "Apr 2026" in tiles[name]
        assert value in tiles[name]
    # 2686.7167 ÷ 2500 − 1; no month of a year before
    assert "▲ 7.47% vs Mar \u201926" in tiles["MRR"]
    assert "no year before" in tiles["MRR"]
    assert "May 2026, open, so far: $2,707" in tiles["MRR"]
    assert "May 2026 is open: no figure yet" in tiles["Churn rate"]


def test_an_open_month_is_marked_and_has_no_rate(open_page: OpenPage, small: Path) -> None:
    opened = open_page(small)
    opened.choose(month="May 2026 (open)")
    churn = opened.page.inner_text('[data-tile="Churn rate"]')
    assert "May 2026, open, so far" in churn
    assert "%" not in churn
    last = opened.table("churn_trend")[-1]
    assert last == {
        "Month": "May 2026 open, so far",
        "Churned of the opening": "1",
        "Opening subscribers": "164",
        "Churn rate": NONE,
    }
    assert opened.table("mrr_retention")[-1]["Net retention"] == NONE


def test_filters_add_up_what_they_let_through(open_page: OpenPage, small: Path) -> None:
    opened = open_page(small)
    # of April: opening 100, churned 7 of it; all of basic is in US and organic
    for filters in ({"plan": "basic"}, {"country": "US"}, {"channel": "organic"}):
        opened.choose(**filters)
        april = opened.table("churn_trend")[1]
        assert (april["Churned of the opening"], april["Opening subscribers"]) == ("7", "100")
        assert april["Churn rate"] == "7.00%"
        assert "$1,100.05" in str(opened.table("mrr_trend")[1])
        opened.page.click("#filter-reset")
    # nobody is in basic and in Brazil
    opened.choose(plan="basic", country="BR")
    assert opened.table("subscriber_trend")[1]["Subscribers"] == "0"
    opened.page.click("#filter-reset")
    assert opened.table("subscriber_trend")[1]["Subscribers"] == "164"


def test_the_bridge_adds_up_and_shows_transfers_of_a_plan(open_page: OpenPage, small: Path) -> None:
    opened = open_page(small)

    def amounts() -> dict[str, float]:
        return {
            str(row["Term"]): float(
                str(row["MRR"]).replace("−", "-").replace("$", "").replace(",", "")
            )
            for row in opened.table("mrr_bridge")
        }

    whole = amounts()
    assert whole["Opening"] == 2500.00
    assert whole["Churn"] == -160.05
    assert whole["Closing"] == 2686.72
    assert "To other tiers" not in whole
    opened.choose(plan="basic")
    basic = amounts()
    assert basic["To other tiers"] == -20.00
    terms = sum(value for name, value in basic.items() if name not in {"Opening", "Closing"})
    assert basic["Opening"] + terms == pytest.approx(basic["Closing"], abs=0.005)


def test_what_a_filter_does_not_reach_says_so(open_page: OpenPage, small: Path) -> None:
    opened = open_page(small)
    assert opened.page.is_hidden('[data-chart="arppu_trend"] .scope')
    opened.choose(plan="premium", country="BR")
    note = opened.page.inner_text('[data-chart="arppu_trend"] .scope')
    assert "Not filtered by plan “premium”, country “BR”" in note
    assert "whole service" in opened.page.inner_text('[data-tile="ARPPU"]')
    assert opened.page.is_hidden('[data-chart="mrr_trend"] .scope')
    assert "country BR" in opened.page.inner_text("#said")


def test_cohorts_are_those_of_where_people_came_in(open_page: OpenPage, small: Path) -> None:
    opened = open_page(small)
    whole = opened.table("retention_heatmap")
    # 144 of 150, whoever came back; 141 who never left
    assert whole[0]["Month 1"] == "96.00%"
    assert whole[0]["Subscribers"] == "150"
    opened.page.select_option('[data-chart="retention_heatmap"] select', label="Never lapsed")
    assert opened.table("retention_heatmap")[0]["Month 1"] == "94.00%"
    opened.page.select_option(
        '[data-chart="retention_heatmap"] select', label="Retained, returners included"
    )
    opened.choose(plan="basic")
    basic = opened.table("retention_heatmap")
    assert [(row["Subscribers"], row["Month 1"]) for row in basic] == [("100", "93.00%")]
    # one filter at a time: the second one is told to be left out, and moves nobody
    opened.choose(channel="organic")
    assert opened.table("retention_heatmap") == basic
    note = opened.page.inner_text('[data-chart="retention_heatmap"] .scope')
    assert note == "Not filtered by channel \u201corganic\u201d (one filter at a time)."
    opened.page.click("#filter-reset")
    assert opened.table("retention_heatmap") == whole


def test_figures_are_those_of_the_marts(open_page: OpenPage, full: Path) -> None:
    opened = open_page(full)
    with duckdb.connect(str(full), read_only=True) as connection:

        def column(query: str) -> list[Any]:
            return [value for (value,) in connection.execute(query).fetchall()]

        def shown(chart: str, name: str) -> list[float | None]:
            return [_number(row[name]) for row in opened.table(chart)]

        for chart, name, figure, mart in (
            ("mrr_trend", "MRR", "sum(closing_mrr_amount)", BRIDGE),
            ("churn_types", "Voluntary", "sum(voluntary_churned_subscribers)", CHURN),
            ("revenue_trend", "Net revenue", "sum(net_revenue_amount)", "marts.revenue_monthly"),
            ("arppu_trend", "ARPPU", "sum(arppu_amount)", "marts.revenue_monthly"),
            ("stickiness", "Stickiness", "100 * sum(stickiness_rate)", ENGAGEMENT),
            ("watched_hours", "Hours each", "sum(watched_hours_per_paying_subscriber)", ENGAGEMENT),
        ):
            known = column(f"select {figure} from {mart} group by month_start order by month_start")
            expected = [None if value is None else round(float(value), 2) for value in known]
            assert shown(chart, name)[-len(known) :] == pytest.approx(expected, abs=0.0051), chart
        for chart, table in (
            ("risk_scorecard", "marts.churn_risk_scorecard"),
            ("releases", "quality.releases"),
        ):
            assert len(opened.table(chart)) == column(f"select count(*) from {table}")[0]
        sizes = connection.execute(
            "select lifecycle_stage, count(*) from marts.subscriber_segments group by 1"
        ).fetchall()
        assert {
            (row["Segment"], _number(row["Subscribers"])) for row in opened.table("segment_sizes")
        } == {(stage.replace("_", " "), count) for stage, count in sizes}


def _number(text: str | None) -> float | None:
    cleaned = re.sub(r"[$,%]", "", str(text)).replace("−", "-")
    return None if cleaned in {NONE, "None"} else float(cleaned)


# the lines of a tooltip, and the colours of the chart's lines, by name
TIP = """([name, at]) => {
    const card = document.querySelector(`[data-chart="${name}"]`);
    const option = echarts.getInstanceByDom(card.querySelector(".plot")).getOption();
    const told = option.tooltip[0].formatter([at]);
    const colours = Object.fromEntries(
        option.series.map((series) => [series.name, series.lineStyle?.color]));
    const paint = (colour) => {
        const paper = document.createElement("i");
        paper.style.background = colour;
        return paper.style.background;
    };
    return [...told.querySelectorAll("p")].map((line) => {
        const label = line.querySelector("span").textContent;
        return [label, line.querySelector("i").style.background, paint(colours[label])];
    });
}"""


def test_a_tooltip_has_the_colours_of_the_lines_where_one_has_no_figure(
    open_page: OpenPage, full: Path, tmp_path: Path
) -> None:
    release = Path(shutil.copy(full, tmp_path / "tenure.duckdb"))
    with duckdb.connect(str(release)) as connection:
        ((first,),) = connection.execute(
            "select min(device_type) from marts.experience_monthly"
        ).fetchall()
        connection.execute(
            "update marts.experience_monthly"
            " set mean_startup_ms = null, median_startup_ms = null, p95_startup_ms = null"
            " where device_type = ?",
            [first],
        )
    opened = open_page(release)
    opened.draw_all()
    opened.page.select_option('[data-chart="playback"] select', value="median_startup_ms")
    lines = opened.page.evaluate(TIP, ["playback", {"axisValue": "2025-04-01", "dataIndex": 0}])
    assert first not in [label for label, *_ in lines]
    assert lines
    assert [swatch for _, swatch, _ in lines] == [line for *_, line in lines]


def test_a_curve_is_not_read_beyond_its_end(
    open_page: OpenPage, full: Path, tmp_path: Path
) -> None:
    release = Path(shutil.copy(full, tmp_path / "tenure.duckdb"))
    with duckdb.connect(str(release)) as connection:
        connection.execute(
            "create or replace temp table curves as from marts.survival_curves limit 1;"
            "delete from marts.survival_curves;"
            "insert into marts.survival_curves by name"
            " select curves.* replace ('plan_tier' as stratum, tier as stratum_value,"
            " days as tenure_days, at_risk_then as at_risk) from curves cross join"
            " (values ('gold', 0, 5), ('gold', 30, 3), ('basic', 0, 9), ('basic', 100, 4))"
            " as stairs (tier, days, at_risk_then)"
        )
    opened = open_page(release)
    opened.draw_all()
    for day, curves in ((0, {"basic", "gold"}), (30, {"basic", "gold"}), (31, {"basic"})):
        lines = opened.page.evaluate(TIP, ["survival_curves", {"axisValue": day}])
        assert {label for label, *_ in lines} == curves


def test_a_month_without_a_row_is_a_gap(open_page: OpenPage, full: Path, tmp_path: Path) -> None:
    release = Path(shutil.copy(full, tmp_path / "tenure.duckdb"))
    with duckdb.connect(str(release)) as connection:
        connection.execute(
            "delete from marts.experience_monthly where month_start = date '2025-06-01'"
        )
    opened = open_page(release)
    opened.draw_all()
    months, drawn = opened.page.evaluate(
        """() => {
            const plot = document.querySelector('[data-chart="playback"] .plot');
            const { xAxis, series } = echarts.getInstanceByDom(plot).getOption();
            return [xAxis[0].data, series[0].data];
        }"""
    )
    assert months[:4] == ["2025-04-01", "2025-05-01", "2025-06-01", "2025-07-01"]
    assert [value is None for value in drawn[:4]] == [False, False, True, False]


@pytest.mark.parametrize(
    ("table", "changes", "chart", "kept", "told"),
    [
        (
            "quality.kpi_restatements",
            "'figure ' || number as figure",
            "restatements",
            60,
            "; the first 60 of 1,061 rows",
        ),
        (
            "quality.check_results",
            "'check ' || number as check_name, 'warned' as status",
            "failed_checks",
            30,
            "; the first 30 of 1,061 rows",
        ),
        # 1,061 rows of 107 rules
        (
            "quality.quarantined_rows",
            "'rule ' || number // 10 as rule",
            "quarantine",
            60,
            "; the first 60 of 107 rows",
        ),
        (
            "quality.releases",
            "'release ' || number as release_id",
            "releases",
            20,
            "; the first 20 of 1,061 rows",
        ),
        (
            "marts.title_performance",
            "'title ' || number as title_id",
            "top_titles",
            40,
            "; the first 40 of 1,061 rows",
        ),
    ],
)
def test_a_table_that_is_cut_says_how_many_rows_there_are(
    open_page: OpenPage,
    full: Path,
    tmp_path: Path,
    table: str,
    changes: str,
    chart: str,
    kept: int,
    told: str,
) -> None:
    release = Path(shutil.copy(full, tmp_path / "tenure.duckdb"))
    with duckdb.connect(str(release)) as connection:
        connection.execute(
            f"create temp table one as from {table} limit 1; delete from {table};"
            f" insert into {table} select one.* replace ({changes})"
            " from one cross join range(1061) as numbers (number)"
        )
    opened = open_page(release)
    assert len(opened.table(chart)) == kept
    caption = opened.page.text_content(f'[data-chart="{chart}"] caption')
    assert caption.endswith(told)


def test_a_table_that_is_whole_says_nothing_of_its_rows(open_page: OpenPage, full: Path) -> None:
    opened = open_page(full)
    opened.table("releases")
    assert "the first" not in opened.page.text_content('[data-chart="releases"] caption')


@pytest.mark.parametrize(
    ("currency", "kind", "values", "labels"),
    [
        ("USD", "money", [0, 0.5, 1, 1.5], ["$0", "$0.50", "$1", "$1.50"]),
        ("USD", "money", [0, 0.001, 0.002], ["$0", "$0.001", "$0.002"]),
        ("USD", "money", [250, 10_000, 12_500], ["$250", "$10K", "$12.5K"]),
        ("KWD", "money", [0, 0.05, 0.1], ["KWD\u00a00", "KWD\u00a00.050", "KWD\u00a00.100"]),
        ("USD", "rate", [0, 0.0005, 0.001, 0.0015], ["0%", "0.05%", "0.1%", "0.15%"]),
        ("USD", "rate", [-0.005, 0.125, 1], ["\u22120.5%", "12.5%", "100%"]),
    ],
)
def test_the_steps_of_an_axis_are_told_apart(
    open_page: OpenPage,
    tmp_path: Path,
    currency: str,
    kind: str,
    values: list[float],
    labels: list[str],
) -> None:
    service = small_service() | {
        "quality.releases": releases(parameters={"reporting_currency": currency})
    }
    opened = open_page(write_release(tmp_path / "tenure.duckdb", service))
    assert (
        opened.page.evaluate(
            "([values, kind]) => values.map((value) => Tenure.words.short(value, kind))",
            [values, kind],
        )
        == labels
    )


def test_money_has_the_digits_of_its_currency(open_page: OpenPage, tmp_path: Path) -> None:
    for currency, text in (("KWD", "KWD\u00a012.345"), ("JPY", "\u00a512"), ("EUR", "\u20ac12.35")):
        service = small_service() | {
            "quality.releases": releases(parameters={"reporting_currency": currency})
        }
        opened = open_page(write_release(tmp_path / "tenure.duckdb", service))
        assert opened.page.evaluate("Tenure.words.full(12.3451, 'money')") == text


def test_a_plan_cannot_run_anything(open_page: OpenPage, tmp_path: Path) -> None:
    service = small_service(plan=HOSTILE, country=None)
    opened = open_page(write_release(tmp_path / "tenure.duckdb", service))
    opened.draw_all()
    dialogs: list[str] = []
    opened.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    options = opened.page.eval_on_selector_all(
        "#filter-plan option", "all => all.map(each => each.textContent)"
    )
    assert HOSTILE in options
    opened.choose(country="no name")
    assert opened.table("subscriber_trend")[1]["Subscribers"] == "53"
    assert dialogs == []
    assert opened.said == []


@pytest.mark.parametrize("rows", [{}, {"quality.releases": releases()}])
def test_an_empty_release_opens(
    open_page: OpenPage, tmp_path: Path, rows: dict[str, list[Row]]
) -> None:
    opened = open_page(write_release(tmp_path / "tenure.duckdb", rows))
    assert opened.said == []
    assert "no month" in opened.page.inner_text(".tile")
    assert "Absent: marts.revenue_monthly has no rows" in opened.page.inner_text("main")


def test_one_month_opens(open_page: OpenPage, tmp_path: Path) -> None:
    service = small_service()
    only = {
        name: [row for row in rows if str(row.get("month_start", "2026-03-01")) == "2026-03-01"]
        for name, rows in service.items()
        if name != "marts.retention_cohorts"
    }
    opened = open_page(write_release(tmp_path / "tenure.duckdb", only))
    opened.draw_all()
    assert opened.said == []
    assert "no month before" in opened.page.inner_text('[data-tile="MRR"]')
    assert blank_plots(opened) == []


def test_a_table_is_downloaded_as_csv(open_page: OpenPage, small: Path) -> None:
    opened = open_page(small, accept_downloads=True)
    with opened.page.expect_download() as download:
        opened.page.click('[data-chart="churn_trend"] .as-csv')
    assert download.value.suggested_filename == "churn_trend_20260510T000000Z.csv"
    content = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert content.splitlines() == [
        "Month,Churned of the opening,Opening subscribers,Churn rate",
        "2026-03-01,0,0,",
        "2026-04-01,9,150,0.06",
        "2026-05-01,1,164,",
    ]


def test_everything_is_reached_by_keyboard(open_page: OpenPage, small: Path) -> None:
    opened = open_page(small)
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("#chart-mrr_trend .info")
    page.keyboard.press("Enter")
    assert page.is_visible("#mrr_trend-about")
    assert page.get_attribute("#chart-mrr_trend .info", "aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert page.is_hidden("#mrr_trend-about")
    page.focus("#chart-mrr_trend .plot")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#said") == "Month Apr 2026, MRR $2,686.72"


def test_a_definition_is_shown_under_the_mouse(open_page: OpenPage, small: Path) -> None:
    page = open_page(small).page
    page.hover("#chart-churn_trend .info")
    text = page.inner_text("#churn_trend-about")
    assert "Numerator" in text
    assert "opening_subscribers" in text
    page.mouse.move(5, 400)
    assert page.is_hidden("#churn_trend-about")


def test_print_has_every_chart_and_no_controls(
    open_page: OpenPage, full: Path, tmp_path: Path
) -> None:
    opened = open_page(full, scheme="dark")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    opened.page.emulate_media(media="print")
    assert blank_plots(opened) == []
    assert opened.page.is_hidden("#theme")
    assert opened.page.is_hidden("#chart-mrr_trend .as-csv")
    assert opened.page.evaluate("document.documentElement.dataset.theme") == "light"
    assert opened.page.pdf(path=str(tmp_path / "page.pdf"))[:4] == b"%PDF"
    assert opened.said == []


def test_colours_are_chosen_and_kept(open_page: OpenPage, small: Path) -> None:
    page = open_page(small, scheme="light").page
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("#theme")
    assert page.evaluate(paper) == light
    page.click("#theme")
    assert page.evaluate(paper) != light


@pytest.mark.skipif(not AXE, reason="axe-core is not here: make test-browser brings it")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(open_page: OpenPage, full: Path, width: int, scheme: str) -> None:
    # axe itself is a script that the page's policy would not let in
    opened = open_page(full, width=width, scheme=scheme, bypass_csp=True)
    opened.draw_all()
    opened.page.click("#chart-mrr_trend .info")
    opened.table("churn_types")
    opened.page.add_script_tag(path=AXE)
    found = opened.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [
        (each["id"], [node["html"][:160] for node in each["nodes"]][:3])
        for each in found["violations"]
    ] == []


def test_the_page_is_ready_within_a_second(open_page: OpenPage, full: Path) -> None:
    opened = open_page(full)
    ready = opened.page.evaluate("performance.getEntriesByName('tenure-ready')[0].startTime")
    assert ready < 1000
