"""The page of all metrics, written from dbt's manifest: `docs/metrics.md`.

What belongs here: the page's order and its words about reading a metric. What does not: what a
metric means, which its docs block says.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestration.metrics.catalogue import Metric, MetricMart, metric_marts
from orchestration.transform.manifest import Manifest

HEAD = """\
# Metrics

<!-- written by `make docs/metrics.md` from the docs blocks beside the marts; edit those -->

Every headline figure, each defined once, in the semantic layer's YAML beside its mart. A metric
adds up the mart's own columns at whatever grain is asked for: a rate is a sum over a sum, never a
mean of rates, and a level such as closing MRR is that of the last month, never a sum of months.
Amounts are in the reporting currency; a share runs from 0 to 1, and beyond where it sets those who
came or left in a month against those who were there. An open month is in amounts and counts, so
far, and in no rate and no average.

```console
$ .venv/bin/tenure metrics churn_rate closing_mrr --by metric_time__quarter --by plan_tier
```

`metric_time` is the month, `metric_time__quarter` and `metric_time__year` add months up. What
else a metric can be asked by is named with its mart; metrics of several marts can be asked
together by what the marts share.
"""


def metrics_page(manifest: Manifest) -> str:
    """The page in Markdown: a table of all metrics, then each with its docs block, by mart."""
    marts = metric_marts(manifest)
    return "\n".join(
        [HEAD, *_overview(marts), *(line for mart in marts for line in _section(mart))]
    )


def _overview(marts: Sequence[MetricMart]) -> Iterator[str]:
    yield "| metric | name | unit | mart |"
    yield "| --- | --- | --- | --- |"
    for mart in marts:
        for metric in _headlines(mart):
            yield (
                f"| [{metric.label}](#{metric.name}) | `{metric.name}` | {metric.unit}"
                f" | `{mart.name}` |"
            )
    yield ""


def _section(mart: MetricMart) -> Iterator[str]:
    yield f"## `{mart.name}`\n"
    yield f"{mart.description.strip()} Time is `{mart.time_dimension}`.\n"
    if mart.group_by:
        yield f"By: {', '.join(f'`{name}`' for name in mart.group_by)}.\n"
    for metric in _headlines(mart):
        yield f'<a id="{metric.name}"></a>\n'
        yield f"### {metric.label}\n"
        yield f"`{metric.name}`, {metric.unit}{_origin(metric)}.\n"
        yield f"{metric.description}\n"
    inputs = [metric for metric in mart.metrics if metric.unit is None]
    if inputs:
        yield "### What these are made of\n"
        yield "| metric | meaning |"
        yield "| --- | --- |"
        for metric in inputs:
            yield f"| `{metric.name}` | {' '.join(metric.description.split())} |"
        yield ""


def _headlines(mart: MetricMart) -> list[Metric]:
    return [metric for metric in mart.metrics if metric.unit is not None]


def _origin(metric: Metric) -> str:
    if metric.column:
        return f": the column `{metric.column}`"
    inputs = " ÷ ".join(f"`{name}`" for name in metric.inputs)
    return f": {inputs}" if metric.kind == "ratio" else ""


def main(arguments: Sequence[str]) -> None:
    """Writes the page; arguments are the manifest's path and the page's."""
    manifest, page = map(Path, arguments)
    page.write_text(metrics_page(Manifest.read(manifest)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
