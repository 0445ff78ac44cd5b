"""A sample of the hostile folders; all of them are for `make hostile`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.raw.contract import RawContract, read_raw_contract
from orchestration.settings import PROJECT_DIR
from tests.hostile.cases import Case, all_cases
from tests.hostile.gate import answer, judgement, write_good_folder

CONTRACT = read_raw_contract(PROJECT_DIR / "models")
SAMPLED = 6


@pytest.fixture(scope="module")
def contract() -> RawContract:
    return CONTRACT


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    raw = tmp_path_factory.mktemp("good") / "raw"
    write_good_folder(raw, CONTRACT)
    return raw


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that is not in pytest's own, in which nobody but its owner may look."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("case", all_cases(CONTRACT)[::SAMPLED], ids=lambda case: ascii(case.name))
def test_the_gate_has_a_clear_answer(
    case: Case, good: Path, contract: RawContract, place: Path
) -> None:
    assert judgement(case, answer(case, good, place, contract)) is None


@pytest.mark.parametrize(
    "name",
    [
        "a pipe as .csv",
        "a folder as .parquet",
        "a link to a device as .csv",
        "a row where names should be as .csv",
        "a name that is a pattern of another",
        "file 'a*b'.parquet",
        "file '[a]'.csv",
        "file 'a\\nb'.csv",
        "a folder that may not be read",
        "a raw folder that may not be read",
    ],
)
def test_what_once_was_answered_wrongly(
    name: str, good: Path, contract: RawContract, place: Path
) -> None:
    (case,) = (each for each in all_cases(contract) if each.name == name)
    assert judgement(case, answer(case, good, place, contract)) is None
