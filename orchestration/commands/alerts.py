"""The commands `tenure alerts …`; each loads what it needs when it is called."""

from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console

from orchestration.commands.options import WarehouseOption
from orchestration.database.warehouse import Warehouse
from orchestration.settings import Settings

alerts_app = typer.Typer(
    help="Tell who mends it what broke: to Slack, a webhook or by e-mail.", no_args_is_help=True
)


@alerts_app.command("test")
def try_command(*, warehouse: WarehouseOption = None) -> None:
    """Send a test message to each place, and say how it went; needs no warehouse."""
    from orchestration import alerts

    outcomes = alerts.desk_of(_place(warehouse)).test(now=datetime.now(UTC))
    for place, fault in outcomes.items():
        _say(f"{place}: not delivered, {fault}" if fault else f"{place}: delivered")
    if any(outcomes.values()):
        raise typer.Exit(code=1)


@alerts_app.command("status")
def status_command(*, warehouse: WarehouseOption = None) -> None:
    """Say what is broken, since when, and what waits to be delivered."""
    from alerting.outbox import DamagedError, Outbox
    from orchestration.errors import BuildError

    place = _place(warehouse)
    place.check_is_there()
    try:
        state = Outbox(place.root).read()
    except DamagedError as error:
        raise BuildError(f"{error}; the next run begins a new one") from error
    _say(f"{len(state.incidents)} open")
    for incident in state.incidents:
        trouble = incident.trouble
        _say(
            f"  {trouble.check} ({trouble.table}), {trouble.severity},"
            f" since {incident.opened_at:%Y-%m-%d %H:%M} UTC: {trouble.what}"
        )
    _say(f"{len(state.queue)} waiting to be delivered")
    for waiting in state.queue:
        why = f": {waiting.last_error}" if waiting.last_error else ""
        _say(f"  by {waiting.place}, of {waiting.message.made_at:%Y-%m-%d %H:%M} UTC{why}")


@alerts_app.command("watch")
def watch_command(*, warehouse: WarehouseOption = None) -> None:
    """Look once whether the last release is late, and tell; for cron."""
    from orchestration import alerts

    for line in alerts.watch(_place(warehouse), now=datetime.now(UTC)):
        _say(line)


def _place(warehouse: Path | None) -> Warehouse:
    settings = Settings.model_validate({"warehouse": warehouse} if warehouse else {})
    return Warehouse(settings.warehouse.absolute())


def _say(text: str) -> None:
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
