"""Every headline figure has a metric, every metric its words, and the page says them."""

import ast
import copy
import operator
import re
from collections.abc import Callable

import pytest

from orchestration.metrics.catalogue import Metric, metric_marts
from orchestration.metrics.page import metrics_page
from orchestration.settings import PROJECT_DIR
from orchestration.transform.manifest import HeadlineFigure, Manifest

PARTS = ("Formula", "Counts", "Leaves out", "Example")
OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
}


def _metrics(manifest: Manifest) -> list[Metric]:
    return [metric for mart in metric_marts(manifest) for metric in mart.metrics]


def _without_metric(manifest: Manifest) -> list[HeadlineFigure]:
    asked_for = {(metric.mart, metric.column) for metric in _metrics(manifest)}
    return [
        figure
        for figure in manifest.headline_figures()
        if (figure.table, figure.column) not in asked_for
    ]


def test_every_headline_figure_has_a_metric(manifest: Manifest) -> None:
    assert len(manifest.headline_figures()) > 10
    assert _without_metric(manifest) == []


def test_a_headline_figure_without_a_metric_is_found(manifest: Manifest) -> None:
    content = copy.deepcopy(manifest.content)
    columns = content["nodes"]["model.tenure.churn_monthly"]["columns"]
    columns["transferred_in"]["config"] = {"meta": {"is_headline": True}}
    found = _without_metric(Manifest(content))
    assert [figure.column for figure in found] == ["transferred_in"]


def test_every_metric_has_a_docs_block_of_its_own(manifest: Manifest) -> None:
    for metric in _metrics(manifest):
        if metric.unit:
            block = manifest.content["docs"][f"doc.tenure.metric_{metric.name}"]
            assert metric.description == block["block_contents"].strip(), metric.name


def test_every_docs_block_of_a_metric_is_a_metric_s(manifest: Manifest) -> None:
    names = {metric.name for metric in _metrics(manifest)}
    blocks = {doc["name"] for doc in manifest.content["docs"].values()}
    assert {name for name in blocks if name.startswith("metric_")} <= {f"metric_{n}" for n in names}


def test_every_metric_tells_formula_inclusions_exclusions_and_example(manifest: Manifest) -> None:
    for metric in _metrics(manifest):
        if metric.unit:
            told = re.findall(r"^- \*\*(.+?)\*\*: \S", metric.description, re.MULTILINE)
            assert tuple(told) == PARTS, metric.name


def test_every_example_is_worked_out_right(manifest: Manifest) -> None:
    for metric in _metrics(manifest):
        if metric.unit:
            example = metric.description.partition("**Example**")[2]
            equations = [span for span in re.findall(r"`([^`]+)`", example) if " = " in span]
            assert equations, metric.name
            for equation in equations:
                left, right = equation.split(" = ")
                places = len(right.partition(".")[2])
                assert round(_value(left), places) == float(right), f"{metric.name}: {equation}"


@pytest.mark.parametrize(
    ("text", "value"), [("(9 + 1) ÷ 4", 2.5), ("-(2 × 10 + 15)", -35), ("1 - 2 - 3", -4)]
)
def test_an_example_is_read_as_it_is_written(text: str, value: float) -> None:
    assert _value(text) == value


def _value(text: str) -> float:
    return _evaluated(ast.parse(text.replace("×", "*").replace("÷", "/").strip(), mode="eval").body)


def _evaluated(node: ast.expr) -> float:
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.UnaryOp):
        return OPERATORS[type(node.op)](_evaluated(node.operand))
    assert isinstance(node, ast.BinOp), ast.dump(node)
    return OPERATORS[type(node.op)](_evaluated(node.left), _evaluated(node.right))


def test_what_has_no_unit_is_there_for_other_metrics(manifest: Manifest) -> None:
    metrics = _metrics(manifest)
    used = {name for metric in metrics for name in metric.inputs}
    assert {metric.name for metric in metrics if metric.unit is None} <= used


def test_a_metric_names_a_column_that_its_mart_has(manifest: Manifest) -> None:
    columns = {node["alias"]: set(node["columns"]) for node in manifest.models()}
    for metric in _metrics(manifest):
        assert metric.column is None or metric.column in columns[metric.mart], metric.name


def test_every_metric_is_in_the_catalogue(manifest: Manifest) -> None:
    names = sorted(metric.name for metric in _metrics(manifest))
    assert names == sorted(metric["name"] for metric in manifest.content["metrics"].values())


def test_the_page_says_what_the_docs_blocks_say(manifest: Manifest) -> None:
    page = (PROJECT_DIR / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert page == metrics_page(manifest), "docs/metrics.md is stale: run `make docs/metrics.md`"
