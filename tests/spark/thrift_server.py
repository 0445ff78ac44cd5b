"""A Spark that is a server, as `start-thriftserver.sh` makes one, which PySpark does not bring."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark

from orchestration.database.warehouse import Warehouse
from tests.spark.conftest import JAVA_OPTIONS

SERVER = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
PATIENCE_SECONDS = 600
HOST = "127.0.0.1"


@contextmanager
def thrift_server(place: Warehouse, port: int) -> Iterator[None]:
    """A server on this machine alone, with its catalog and its tables in a warehouse's folder."""
    settings = {
        "spark.driver.extraJavaOptions": (
            f"{JAVA_OPTIONS} -Dderby.stream.error.file={place.spark_dir}/derby.log"
        ),
        "spark.hadoop.javax.jdo.option.ConnectionURL": (
            f"jdbc:derby:;databaseName={place.spark_dir}/metastore;create=true"
        ),
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(place.spark_dir),
        "spark.ui.enabled": "false",
    }
    home = Path(pyspark.__file__).parent
    command = [str(home / "bin" / "spark-submit"), "--class", SERVER]
    command += ["--master", "local[2]", "--driver-memory", "2g"]
    command += [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    command += ["spark-internal", "--hiveconf", f"hive.server2.thrift.port={port}"]
    command += ["--hiveconf", f"hive.server2.thrift.bind.host={HOST}"]
    place.spark_dir.mkdir(exist_ok=True)
    with (place.root / "thrift.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=place.root,
            env={**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": HOST},
        )
        try:
            _wait(server, port)
            yield
        finally:
            server.terminate()
            server.wait()


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    """Returns once somebody listens at the port."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        assert server.poll() is None, "the server has ended"
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(1)
        else:
            return
    raise TimeoutError
