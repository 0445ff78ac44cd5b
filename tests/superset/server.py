"""A Superset of its own in a folder, with an administrator, on a free port of this machine."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import tenacity

from orchestration.settings import PROJECT_DIR

SUPERSET = PROJECT_DIR / ".venv-superset" / "bin" / "superset"
LOOPBACK = "127.0.0.1"
LONGEST_COMMAND = 300
LONGEST_START = 120

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Superset:
    """Superset's command line over a metadata database in `home`."""

    home: Path
    key: str = field(default_factory=lambda: secrets.token_urlsafe(42), repr=False)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)

    def prepare(self) -> None:
        """Makes the metadata database and an administrator."""
        self.run("db", "upgrade")
        self.run(
            *("fab", "create-admin", "--username", "admin", "--firstname", "Ad"),
            *("--lastname", "Min", "--email", "admin@example.com", "--password", self.password),
        )
        self.run("init")

    def run(self, *arguments: str) -> str:
        """What a command printed; AssertionError where it failed."""
        done = subprocess.run(
            [str(SUPERSET), *arguments],
            env=self._environment(),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=LONGEST_COMMAND,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def served(self) -> Iterator[Client]:
        """A client that is logged in to the running server; the server ends with the block."""
        port = _free_port()
        with (self.home / "server.log").open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [str(SUPERSET), "run", "--host", LOOPBACK, "--port", str(port), "--with-threads"],
                env=self._environment(),
                cwd=self.home,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=60) as http:
                    _wait_for(http, process)
                    yield Client(http, self.password)
            finally:
                process.terminate()
                process.wait(timeout=30)

    def _environment(self) -> dict[str, str]:
        # nothing of a configuration that the caller may have for a Superset of their own
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "SUPERSET_HOME": str(self.home),
            "SUPERSET_SECRET_KEY": self.key,
        }


class Client:
    """Superset's REST API as its administrator."""

    def __init__(self, http: httpx.Client, password: str) -> None:
        self._http = http
        credentials = {"username": "admin", "password": password, "provider": "db"}
        token = self._result("POST", "/api/v1/security/login", json=credentials)["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"

    def listed(self, kind: str) -> Rows:
        """All there is of a kind: `database`, `dataset`, `chart`, `dashboard`."""
        answer = self._result("GET", f"/api/v1/{kind}/", params={"q": "(page_size:100)"})
        assert answer["count"] == len(answer["result"])
        rows: Rows = answer["result"]
        return rows

    def one(self, path: str) -> Any:  # noqa: ANN401
        """What the API has of one thing, `chart/3` or `dashboard/tenure/charts`."""
        return self._result("GET", f"/api/v1/{path}")["result"]

    def chart_query(self, title: str) -> dict[str, Any]:
        """The query that a chart is saved with."""
        (number,) = [each["id"] for each in self.listed("chart") if each["slice_name"] == title]
        query: dict[str, Any] = json.loads(self.one(f"chart/{number}")["query_context"])
        return query

    def data(self, query: Mapping[str, Any]) -> Rows:
        """The rows of a query to the chart-data API, never from a cache."""
        answer = self._result("POST", "/api/v1/chart/data", json={**query, "force": True})
        (result,) = answer["result"]
        assert result["error"] is None, result["error"]
        rows: Rows = result["data"]
        assert result["rowcount"] == len(rows)
        return rows

    def ask(
        self,
        dataset: str,
        metrics: Sequence[str | Mapping[str, Any]],
        *,
        by: Sequence[str] = (),
        where: str | None = None,
    ) -> Rows:
        """Metrics of a dataset, which its identity or number names, by columns."""
        query = {
            "columns": list(by),
            "metrics": list(metrics),
            "extras": {"where": f"({where})"} if where else {},
            "row_limit": 50_000,
        }
        return self.data({"datasource": {"id": dataset, "type": "table"}, "queries": [query]})

    def _result(self, method: str, path: str, **arguments: Any) -> Any:  # noqa: ANN401
        answer = self._http.request(method, path, **arguments)
        assert answer.status_code == httpx.codes.OK, f"{path}: {answer.text}"
        return answer.json()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(httpx.TransportError),
    stop=tenacity.stop_after_delay(LONGEST_START),
    wait=tenacity.wait_fixed(0.5),
    reraise=True,
)
def _wait_for(http: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    assert process.poll() is None, "Superset ended as it started; see server.log"
    http.get("/health").raise_for_status()
