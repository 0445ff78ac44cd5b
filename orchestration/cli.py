"""The command line: `tenure`. Each command loads what it needs when it is called."""

import atexit
import logging
import os
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from orchestration.commands.alerts import alerts_app
from orchestration.commands.options import RawOption, WarehouseOption
from orchestration.commands.simulate import simulate_command
from orchestration.errors import Fault, InputError, TenureError, foreseen
from orchestration.settings import RunRequest, Settings

if TYPE_CHECKING:
    from orchestration.progress import Reporter

app = typer.Typer(
    name="tenure",
    help="Subscriber analytics: raw tables in, tested marts out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("simulate")(simulate_command)
app.add_typer(alerts_app, name="alerts")

AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", help="Knowledge horizon, UTC: 2026-01-01T00:00:00Z."),
]
VarsOption = Annotated[
    str | None,
    typer.Option("--vars", help="""JSON: '{"reporting_timezone": "America/Sao_Paulo"}'."""),
]


def program() -> None:
    """The program `tenure`: `main`, and then the end of the process, at once.

    What a run holds would take seconds to free object by object, which the end of the process does
    for nothing; and after Ctrl-C the engine, still at work in its threads, would abort the process.
    """
    try:
        main()
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        # what was to be done at the end of the process is done, and no more
        atexit._run_exitfuncs()  # noqa: SLF001
        os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))


def main() -> None:
    """Runs a command and raises SystemExit with its status.

    Exit status: 0 done, 1 it broke, 2 wrong usage or input, 3 the audit said no.
    """
    # a log that can't be written, as on a full disk, is no reason for a stack trace
    logging.raiseExceptions = False
    try:
        app()
    except Exception as error:
        told = foreseen(error)
        if not isinstance(told, TenureError):
            raise
        # whoever fills the disk with a log can't be told there, and the status says it
        with suppress(OSError):
            _errors().print(str(told), markup=False, highlight=False, soft_wrap=True)
        sys.exit(told.exit_status)


@app.command("run")
def run_command(
    *,
    raw: RawOption = None,
    warehouse: WarehouseOption = None,
    as_of: AsOfOption = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="Engine: embedded, spark or thrift; or TENURE_TARGET."),
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build everything anew, whatever has come.")
    ] = False,
    variables: VarsOption = None,
) -> None:
    """Build, test, audit and release the marts."""
    from orchestration import refresh_job
    from orchestration.commands import report

    request = RunRequest(
        _settings(raw=raw, warehouse=warehouse, target=target),
        as_of=as_of,
        variables=variables,
        full_refresh=full_refresh,
    )
    with _reporter() as reporter:
        finished = refresh_job.run(request, reporter)
    report.print_run(_output(), finished)


@app.command("check")
def check_command(
    *, raw: RawOption = None, as_of: AsOfOption = None, variables: VarsOption = None
) -> None:
    """Say whether raw data is fit for such a run, and which marts each fault costs."""
    from orchestration.commands import fitness, report

    request = RunRequest(
        _settings(raw=raw, warehouse=None),
        as_of=as_of,
        variables=variables,
    )
    with _reporter() as reporter:
        found = fitness.check(request, reporter)
    report.print_check(_output(), found)
    if not found.is_fit:
        raise typer.Exit(code=2)


@app.command("status")
def status_command(*, warehouse: WarehouseOption = None) -> None:
    """Say which release stands, what its checks found, and which others are kept."""
    from orchestration.commands import report
    from orchestration.database.warehouse import Warehouse
    from orchestration.transform.parameters import check_parameters

    settings = _settings(raw=None, warehouse=warehouse)
    place = Warehouse(settings.warehouse.absolute())
    place.check_is_there()
    usual = check_parameters(settings.project_dir).parameters.defaults
    report.print_status(_output(), place, usual)


@app.command("metrics")
def metrics_command(
    metrics: Annotated[
        list[str] | None,
        typer.Argument(help="Metrics by name; without any, those that there are."),
    ] = None,
    *,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="metric_time__quarter, plan_tier and so on; more than once."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="""A condition: "{{ Entity('plan_tier') }} = 'basic'"."""),
    ] = None,
    only_sql: Annotated[bool, typer.Option("--sql", help="Print the query instead.")] = False,
    warehouse: WarehouseOption = None,
) -> None:
    """Read metrics of the release that stands, at any grain."""
    from orchestration.database.warehouse import Warehouse
    from orchestration.metrics import queries

    settings = _settings(raw=None, warehouse=warehouse)
    queries.print_metrics(
        _output(),
        Warehouse(settings.warehouse.absolute()),
        metrics or [],
        by=by or [],
        where=where or [],
        only_sql=only_sql,
    )


@app.command("dashboard")
def dashboard_command(
    *,
    warehouse: WarehouseOption = None,
    opens: Annotated[
        bool, typer.Option("--open/--no-open", help="Open it in a browser, or only say where.")
    ] = True,
) -> None:
    """Open the page of the release that stands."""
    from orchestration.database.warehouse import Warehouse
    from orchestration.pages import dashboard_page

    settings = _settings(raw=None, warehouse=warehouse)
    page = dashboard_page.brought_up_to_date(
        Warehouse(settings.warehouse.absolute()), settings.project_dir
    )
    is_open = opens and dashboard_page.opened(page)
    _say_where(page, is_open=is_open)


@app.command("docs")
def docs_command(
    *,
    warehouse: WarehouseOption = None,
    opens: Annotated[
        bool, typer.Option("--open/--no-open", help="Open it in a browser, or only say where.")
    ] = True,
) -> None:
    """Build dbt's site of all models, columns and lineage, as one page, and open it."""
    from orchestration.database.warehouse import Warehouse
    from orchestration.pages import dashboard_page, docs_site
    from orchestration.transform.project import DbtProject

    settings = _settings(raw=None, warehouse=warehouse)
    with _reporter() as reporter:
        page = docs_site.build(
            Warehouse(settings.warehouse.absolute()),
            DbtProject(settings.project_dir),
            on_wait=lambda: reporter.note("another run builds here: waiting for it"),
        )
    is_open = opens and dashboard_page.opened(page)
    _say_where(page, is_open=is_open)


@app.command("publish")
def publish_command(
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="postgresql://user@host:5432/database; without it, TENURE_PUBLISH_TO.",
            show_default=False,
        ),
    ] = None,
    prefix: Annotated[
        str, typer.Option("--prefix", help="Before the names of the schemas marts and quality.")
    ] = "",
    warehouse: WarehouseOption = None,
) -> None:
    """Copy the release that stands into a PostgreSQL database, in one transaction."""
    from orchestration.commands import report
    from orchestration.database.warehouse import Warehouse
    from orchestration.releases import postgres

    settings = _settings(raw=None, warehouse=warehouse)
    url = to or (settings.publish_to.get_secret_value() if settings.publish_to else None)
    if not url:
        raise InputError((Fault("no database is named", "Name it: --to or TENURE_PUBLISH_TO"),))
    with _reporter() as reporter:
        reporter.stage("publishing")
        published = postgres.publish(
            Warehouse(settings.warehouse.absolute()), url, prefix=prefix, note=reporter.advance
        )
    report.print_published(_output(), published)


@app.command("rollback")
def rollback_command(
    release: Annotated[
        str | None,
        typer.Argument(help="A kept release; without it, the one before the current."),
    ] = None,
    *,
    warehouse: WarehouseOption = None,
) -> None:
    """Put an earlier release back before its readers."""
    from orchestration.commands import report
    from orchestration.database.warehouse import Warehouse
    from orchestration.pages import dashboard_page
    from orchestration.releases import release as releases

    settings = _settings(raw=None, warehouse=warehouse)
    place = Warehouse(settings.warehouse.absolute())
    restored = releases.rollback(place, release)
    dashboard_page.write(place, settings.project_dir)
    report.print_rollback(_output(), place, restored)


@app.command("erase")
def erase_command(
    subscribers: Annotated[
        list[str] | None,
        typer.Argument(help="Ids; they stay in the shell's history, those of --from-file do not."),
    ] = None,
    *,
    from_file: Annotated[
        typer.FileText | None,
        typer.Option(
            "--from-file",
            help="A file with one id a line; - is standard input.",
            # with or without the mark that some editors put first
            encoding="utf-8-sig",
        ),
    ] = None,
    requested_at: Annotated[
        str | None,
        typer.Option("--requested-at", help="When it was asked for, UTC; without it, now."),
    ] = None,
    raw: RawOption = None,
) -> None:
    """Ask for subscribers to be erased; the next run that is as of a later time does it."""
    from orchestration.commands import report
    from orchestration.releases import erasure

    settings = _settings(raw=raw, warehouse=None)
    try:
        ids = [*(subscribers or []), *(from_file or [])]
    except UnicodeDecodeError as error:
        raise InputError((Fault("the file of ids is no text in UTF-8"),)) from error
    at = erasure.request_time(requested_at)
    report.print_erasure(
        _output(), erasure.write_requests(settings.raw.absolute(), ids, requested_at=at)
    )


@app.command("fit-survival")
def fit_survival_command(
    counts: Annotated[
        Path,
        typer.Argument(
            help="CSV with columns period,survivors: a cohort's size at 0, who is left after.",
            show_default=False,
        ),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    periods: Annotated[
        int, typer.Option("--periods", min=1, max=10_000, help="Periods of survival to project.")
    ] = 24,
    discount_rate: Annotated[
        float, typer.Option("--discount-rate", help="Discount per period.")
    ] = 0.1,
) -> None:
    """Fit how many renewals a cohort makes, from a table of counts alone."""
    from orchestration.commands import survival_report

    survival_report.print_fit(
        _output(), counts, as_json=as_json, periods=periods, discount_rate=discount_rate
    )


def _settings(*, raw: Path | None, warehouse: Path | None, target: str | None = None) -> Settings:
    given = {"raw": raw, "warehouse": warehouse, "target": target}
    return Settings.model_validate({name: each for name, each in given.items() if each is not None})


def _reporter() -> "AbstractContextManager[Reporter]":
    """A live line for a person at a terminal, plain lines for a log."""
    from orchestration.progress import LineReporter, TerminalReporter

    console = _errors()
    if console.is_terminal:
        return TerminalReporter(console)
    return nullcontext(LineReporter(console))


def _say_where(page: Path, *, is_open: bool) -> None:
    told = f"{page}{'' if is_open else ': open it in a browser'}"
    # a path may look like markup
    _output().print(told, markup=False, highlight=False, soft_wrap=True)


def _output() -> Console:
    return Console()


def _errors() -> Console:
    return Console(stderr=True)
