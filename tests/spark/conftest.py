"""One Spark for all tests: to start it takes longer than most of them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.database.warehouse import Warehouse
from orchestration.settings import PROJECT_DIR
from orchestration.transform.parameters import check_parameters
from orchestration.transform.project import DbtProject, ParsedProject
from orchestration.transform.spark import Spark

CONFIGURED = {
    "spark.eventLog.enabled": "true",
    "spark.eventLog.compress": "false",
    "spark.eventLog.rolling.enabled": "false",
    # it is not worth a while to compile a query for a few rows: it is interpreted, to the same
    # effect; nor to look for what its columns have in common and what else holds of them, to write
    # out its plan for a reader, or to compress what goes from task to task
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.subexpressionElimination.enabled": "false",
    "spark.sql.constraintPropagation.enabled": "false",
    "spark.sql.ui.explainMode": "simple",
    "spark.broadcast.compress": "false",
    "spark.shuffle.compress": "false",
    # a process is started for each file, to say who may read it: there are half as many without
    # sums of each, and without a file that says that a table is whole
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}
# the quick compiler alone has 48 MB for what it makes, and makes everything ten times in them; and
# each time that there are more classes than expected, all of the memory is looked through; all
# stands still meanwhile, so that both cores are to do it; nor has the catalog to outlive a loss of
# power
JAVA_OPTIONS = (
    "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m -XX:MetaspaceSize=512m"
    " -XX:+UseParallelGC -XX:+UseTransparentHugePages -Dderby.system.durability=test"
)

# small tables gain nothing by many partitions, nor a short life by a compiler that takes its time
SMALL = {
    "SPARK_LOCAL_IP": "127.0.0.1",
    "TENURE_SPARK_PARTITIONS": "2",
    "TENURE_SPARK_JAVA_OPTIONS": JAVA_OPTIONS,
}


@pytest.fixture(scope="session")
def spark_master() -> str:
    """Where the executors of the one Spark are."""
    return "local[2]"


@pytest.fixture(scope="session")
def spark_options() -> str:
    """What else the one Spark is told when it starts."""
    # whatever comes of so few rows, adaptive execution makes one partition of it
    return "--conf spark.sql.files.minPartitionNum=1"


@pytest.fixture(scope="session")
def spark_place(
    tmp_path_factory: pytest.TempPathFactory, spark_master: str, spark_options: str
) -> Iterator[Warehouse]:
    """The warehouse of the one Spark, whose settings are small from here on."""
    place = Warehouse(tmp_path_factory.mktemp("spark"))
    place.prepare()
    events = place.root / "events"
    events.mkdir()
    configured = CONFIGURED | {"spark.eventLog.dir": events.as_uri()}
    told = " ".join(f"--conf {name}={value}" for name, value in configured.items())
    small = SMALL | {
        "TENURE_SPARK_MASTER": spark_master,
        "PYSPARK_SUBMIT_ARGS": f"{told} {spark_options} pyspark-shell",
    }
    before = {name: os.environ.get(name) for name in small}
    os.environ.update(small)
    yield place
    for name, value in before.items():
        if value is None:
            os.environ.pop(name)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def event_log(spark_place: Warehouse) -> Path:
    """What Spark notes of everything that it does."""
    (log,) = (spark_place.root / "events").iterdir()
    return log


@pytest.fixture
def unused_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def spark(spark_place: Warehouse) -> Spark:
    """A local Spark that has started."""
    started = Spark(PROJECT_DIR, "spark", spark_place)
    started.start()
    return started


@pytest.fixture(scope="session")
def parsed_for_spark(spark_place: Warehouse) -> ParsedProject:
    """The dbt project, parsed for Spark."""
    project = DbtProject(PROJECT_DIR, "spark")
    return project.parse(spark_place, check_parameters(PROJECT_DIR).parameters)


@pytest.fixture(scope="session")
def fight_churn() -> Path:
    """The public tables of the example; without them the test is left out, and says so."""
    shared = Path(os.environ.get("TENURE_SHARED") or PROJECT_DIR.parent / "shared")
    source = shared / "data" / "fightchurn_socialnet7"
    if not source.is_dir():
        pytest.skip(f"{source} is not there: name the folder above data/ in TENURE_SHARED")
    return source
