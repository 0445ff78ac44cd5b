"""The runbook, written from what each check says of itself: `docs/runbook.md`.

What belongs here: the page's order, and the words for what has no place of its own to say them: how
a run ends, and the kinds of data tests. What does not: what an expectation or a test of the facts
means, which the suites and `tests/dbt` say.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.transform.data_tests import Rule, rules_of
from orchestration.transform.manifest import Manifest, NodeProperties, test_fault

if TYPE_CHECKING:
    from expectations.suites import Expectation, Suite

HEAD = """\
# Runbook

<!-- written by `make docs/runbook.md` from the expectations' suites, the data tests' YAML and
     orchestration/pages/runbook.py; edit those -->

A page for everything that can fail: what it means for readers, who mends it, where to begin. Each
alert names its page here. `critical` keeps a release from its readers, who go on with the last one;
`warning` only tells somebody.

**Where to look.** `tenure status` (in the checkout `.venv/bin/tenure status`) says which release
stands and what its checks found, `tenure alerts status` what is broken since when, and
`quality.check_results` in the release what each check saw. A run that released nothing leaves its
build, with the same in `bookkeeping.check_results`:

```console
$ duckdb -readonly demo/warehouse/build.duckdb \\
      "from bookkeeping.check_results where status <> 'passed'"
```

Close it before the next run, which ends with 1 where the build is open in another program.

**The failing rows** of a data test are what its SQL returns, which a run leaves in the warehouse's
folder `dbt/compiled`; those of a table's test `integrity` say in `broken` what of it they break. An
alert names some of their keys, none that is a person's, and no other column. The rows themselves:

```console
$ find demo/warehouse/dbt/compiled -name 'assert_rows_reconcile.sql' \\
      -exec duckdb -readonly demo/warehouse/build.duckdb -f {} \\;
```
"""

IN_MEMORY = """\
Of {tests} this ends with
`Catalog "forgotten" does not exist`: their tables link both ids of an erased subscriber, and are
held in memory and gone with the run, so that no file has these ids. What they are made of is there,
each version of a request by its `subscriber_id`. The newest of a subscriber counts, so that a key
which comes twice is a defect in the model:

```console
$ duckdb -readonly demo/warehouse/build.duckdb \\
      "from raw.erasure_requests order by subscriber_id, recorded_at"
```
"""

MENDING = """\
**What mends it.** Late or corrected rows are sent as new files: the newest version of a row counts,
copies are harmless, each row counts on its own day. Nothing in the warehouse is edited by hand.
`tenure rollback` puts an older release back before its readers.
"""

# the database of profiles.yml whose tables are gone with the run
FORGOTTEN = "forgotten"


@dataclass(frozen=True)
class Page:
    """What to know of one check; `anchor` never changes, since alerts link to it."""

    anchor: str
    title: str
    facts: str
    why: str
    what_to_do: str


@dataclass(frozen=True)
class Kind:
    """What a failing test of a kind means, whatever table it is of."""

    means: str
    what_to_do: str


DEFECT_OR_DATA = (
    "Look at the failing rows. If a raw table has them, correct them at the source; else it is a"
    " defect in the model."
)

# the kinds of data tests that models declare in their YAML, most as arguments of `integrity`
KINDS: Mapping[str, Kind] = {
    "primary_key": Kind(
        "A key comes twice or is null, so that joins multiply rows and sums count them twice.",
        "Group the table by its key to see which come twice, and compare the rows: what differs"
        " between them names the join that fans out. It is a defect in the model or in one before"
        " it, since staging keeps one row a key. A table that is held in memory can't be asked:"
        " the top of this page says which these are, and what to look at.",
    ),
    "unique": Kind(
        "A value that identifies a row comes twice.",
        "Group the table by the column. A seed has it twice in its CSV; in a model it is a join"
        " that fans out.",
    ),
    "not_null": Kind(
        "A column is unknown where its readers count on it, and rows drop out of what they filter.",
        "See for which rows the column is null, and go up through the models to the first in which"
        " it is; an outer join without a match is the usual cause.",
    ),
    "accepted_values": Kind(
        "A word is in a column that its readers do not know, so that their breakdowns do not add"
        " up to the whole.",
        "If the word is a new one of the raw data, map it at the source or, where the data"
        " contract allows it, add it to the list and to what reads it.",
    ),
    "within_unit_interval": Kind(
        "A share or probability below 0 or above 1: its numerator counts what its denominator"
        " does not.",
        "Compare numerator and denominator, which stand beside it, in the rows that fail. It is a"
        " defect in the model.",
    ),
    "never_negative": Kind(
        "A count, a duration or an amount that can't be below 0 is.",
        DEFECT_OR_DATA,
    ),
}

RUN_PAGES: tuple[Page, ...] = (
    Page(
        "run_exit_1",
        "The run broke (exit 1)",
        "critical · owner analytics · table `run`",
        "A step broke, the disk is full or the run could not begin. Nothing was released, and"
        " readers go on with the last release, which gets older; or, where the alert says so, the"
        " new release stands and what follows on it, its page or an erasure, is not done.",
        "Read the run's own output, which names the step, then `dbt/dbt.log` in the warehouse. Full"
        " disk: make room and run again. Out of memory: run where there is more. After an upgrade:"
        " `tenure run --full-refresh`. A model that breaks at the same place twice has a defect. A"
        " run that was killed needs nothing but the next one.",
    ),
    Page(
        "run_exit_2",
        "The input or the call is wrong (exit 2)",
        "critical · owner data · table `run`",
        "A raw table, column or type is missing or wrong, a rate is missing, or an option is wrong."
        " Nothing was built on it, and readers go on with the last release.",
        "The alert and the run's output name every fault with what to do about it, all at once."
        " `tenure check --raw DIR` says the same without a run, and which marts each fault costs."
        " Have the files written again, whole, and run.",
    ),
    Page(
        "run_exit_3",
        "The audit said no (exit 3)",
        "critical · owner analytics · table `run`",
        "Figures were built and refused, so that nobody bets on them; readers go on with the last"
        " release. Where the check that refused is known, its own alert tells, and this one does"
        " not.",
        "See which check failed in `bookkeeping.check_results` of the build, and go to its page"
        " here.",
    ),
    Page(
        "release_is_late",
        "No release for too long",
        "critical · owner analytics · table `run`",
        "The last release is older than `TENURE_ALERT_LATE_AFTER_HOURS`. Readers take figures for"
        " today's that are not.",
        "See whether runs are still started: the schedule in Dagster's pages or cron, and whether"
        " the machine is up. If they are, look how the last one ended: it hangs on a lock while"
        " another run is at work, and was killed if its output has no end. After a rollback this"
        " is to be expected until the next release.",
    ),
    Page(
        "alert_not_delivered",
        "An alert could not be delivered",
        "a line in the run's output · owner: who set up the alerts",
        "Somebody has not heard of what is broken. The message waits in `alerts.json` in the"
        " warehouse, and each run and each `tenure alerts watch` tries again; the run's exit"
        " status says nothing of it. “could not be kept”: the disk is full or the warehouse closed,"
        " and the message is lost; what is still broken then is told by the next run.",
        "`tenure alerts status` says what waits and why it was refused; `tenure alerts test` tries"
        " each place now. ConnectError, ConnectTimeout, ConnectionRefusedError, TimeoutError or"
        " gaierror (its name is not known): the server is down or a firewall between. ReadTimeout"
        " or SMTPServerDisconnected: it takes the connection and says nothing. “… of the proxy” or"
        " “of the certificates”: mend the environment's variable that is named. “see the settings”:"
        " one of that place can't be sent as it is, such as an address that is none."
        " “1 of 2 recipients refused”: an address of `TENURE_ALERT_SMTP_TO` is wrong or its mailbox"
        " full; the others have the message, and only who lacks it is tried again."
        " HTTP status 401, 403, 404 or 410: the webhook's address was withdrawn, set a new one."
        " HTTP status 400, 413 or 422: it refuses that one message, and is told the others."
        " SSLCertVerificationError: the server's certificate is not trusted here; name the"
        " authority in `SSL_CERT_FILE`. SMTPAuthenticationError: user or password. “not told, their"
        " settings are wrong” names the setting.",
    ),
)


def runbook(manifest: Manifest) -> str:
    """The runbook in Markdown."""
    tests = " and ".join(f"`{name}`" for name in keys_in_memory(manifest))
    lines = [
        HEAD,
        IN_MEMORY.format(tests=tests),
        MENDING,
        "## The run\n",
        *_sections(RUN_PAGES),
        "## Feeds\n",
        "Expectations on what the raw tables delivered, day by day. What a bad feed must never do"
        " to the marts, the checks below see to.\n",
        *_suites(is_feed=True),
        "## The release\n",
        "Expectations on the marts, judged before they are released.\n",
        *_suites(is_feed=False),
        "## Facts\n",
        "Data tests of figures that must agree, in `tests/dbt`.\n",
        *_sections(fact_pages(manifest)),
        "## Kinds of data tests\n",
        "Each model declares them in its YAML; the alert and `quality.check_results` name the table"
        " and the column.\n",
        *_sections(kind_pages(manifest)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def page_of_rule(rule: Rule) -> str:
    """The anchor of what a data test holds: its own name, or its kind's where it is of a kind."""
    return f"test_{rule.kind}" if rule.kind else rule.name


def page_of_expectation(suite: str, expectation: str) -> str:
    """The anchor of an expectation."""
    return f"{suite}__{expectation}"


def keys_in_memory(manifest: Manifest) -> list[str]:
    """The data tests, by name, of which nobody can see the failing rows once the run is over."""
    return [
        str(test["name"])
        for test in _tests(manifest)
        if (tested := manifest.model_under_test(test["unique_id"]))
        and manifest.node(tested)["config"].get("database") == FORGOTTEN
    ]


def fact_pages(manifest: Manifest) -> list[Page]:
    """The singular data tests, by name; ValueError for one that does not say what to do."""
    pages = []
    for test in _tests(manifest):
        (rule, *_) = rules_of(test)
        if rule.kind:
            continue
        meta = test["config"].get("meta", {})
        missing = [
            word
            for word, value in {
                "a description": test.get("description"),
                "meta.owner": meta.get("owner"),
                "meta.what_to_do": meta.get("what_to_do"),
            }.items()
            if not value
        ]
        if missing:
            raise ValueError(
                f"{test['name']} lacks {', '.join(missing)} in tests/dbt/_singular_tests.yml"
            )
        tested = manifest.model_under_test(test["unique_id"])
        table = f" · table `{'.'.join(manifest.relation(tested))}`" if tested else ""
        pages.append(
            Page(
                anchor=page_of_rule(rule),
                title=f"`{test['name']}`",
                facts=f"{_severity(test)} · owner {meta['owner']}{table}",
                why=_in_one_line(test["description"]),
                what_to_do=_in_one_line(meta["what_to_do"]),
            )
        )
    return pages


def kind_pages(manifest: Manifest) -> list[Page]:
    """The kinds of generic data tests, by name; KeyError for one that is not described here."""
    kinds = {rule.kind for test in _tests(manifest) for rule in rules_of(test)}
    pages = []
    for kind in sorted(filter(None, kinds)):
        described = KINDS[kind]
        pages.append(
            Page(
                anchor=f"test_{kind}",
                title=f"`{kind}`",
                facts="critical, unless its YAML says `severity: warn` · owner: of the table",
                why=described.means,
                what_to_do=described.what_to_do,
            )
        )
    return pages


def _tests(manifest: Manifest) -> list[NodeProperties]:
    nodes = manifest.content["nodes"].values()
    tests = [node for node in nodes if node["resource_type"] == "test"]
    return sorted(tests, key=lambda test: str(test["name"]))


def _severity(test: NodeProperties) -> str:
    if test["config"]["severity"].lower() == "warn":
        return "warning"
    return "critical, wrong input (exit 2)" if test_fault(test) == "input" else "critical (exit 3)"


def _suites(*, is_feed: bool) -> Iterator[str]:
    from expectations.feeds import feed_suites
    from expectations.release import release_suite

    suites: Sequence[Suite] = feed_suites() if is_feed else (release_suite(),)
    for suite in suites:
        for table, expectations in groupby(suite.expectations, key=lambda each: each.table_name):
            yield f"### `{table}`\n"
            yield from _sections([_expectation_page(suite, each) for each in expectations])


def _expectation_page(suite: "Suite", expectation: "Expectation") -> Page:
    column = f", column `{expectation.column}`" if expectation.column != "all" else ""
    return Page(
        anchor=page_of_expectation(suite.name, expectation.name),
        title=f"`{expectation.name}`",
        facts=f"{expectation.severity} · owner {expectation.owner}"
        f" · table `{expectation.table_name}`{column}",
        why=_in_one_line(expectation.why),
        what_to_do=_in_one_line(expectation.what_to_do),
    )


def _sections(pages: Sequence[Page]) -> Iterator[str]:
    for page in pages:
        yield f'<a id="{page.anchor}"></a>\n'
        yield f"#### {page.title}\n"
        yield f"{page.facts}\n"
        yield f"- **Why**: {page.why}"
        yield f"- **What to do**: {page.what_to_do}\n"


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def main(arguments: Sequence[str]) -> None:
    """Writes the page; arguments are the manifest's path and the page's."""
    manifest, page = map(Path, arguments)
    page.write_text(runbook(Manifest.read(manifest)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
