"""Does every hostile case in a process of its own, with bounds on time and memory, and counts.

python -m tests.hostile     exit status 1 where an answer was wrong
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from queue import Empty

from rich.console import Console

from orchestration.raw.contract import RawContract, read_raw_contract
from orchestration.settings import PROJECT_DIR
from tests.hostile.cases import Case, all_cases
from tests.hostile.gate import answer, judgement, write_good_folder

LONGEST_SECONDS = 20.0
# of address space, of which libraries and threads reserve more than they use
LARGEST_BYTES = 6 << 30

Told = tuple[str, str | None, int]


def _do(case: Case, good: Path, contract: RawContract, told: "multiprocessing.Queue[Told]") -> None:
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_BYTES, LARGEST_BYTES))
    with tempfile.TemporaryDirectory() as place:
        given = answer(case, good, Path(place), contract)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told.put((given.outcome, judgement(case, given), peak))


def main() -> int:
    """Prints how each kind of answer was counted; returns the exit status."""
    console = Console(soft_wrap=True)
    contract = read_raw_contract(PROJECT_DIR / "models")
    outcomes: Counter[str] = Counter()
    wrong = 0
    slowest, largest = 0.0, 0
    cases = all_cases(contract)
    with tempfile.TemporaryDirectory() as place:
        good = Path(place) / "raw"
        write_good_folder(good, contract)
        for case in cases:
            told: multiprocessing.Queue[Told] = multiprocessing.Queue()
            process = multiprocessing.Process(target=_do, args=(case, good, contract, told))
            begun = time.monotonic()
            process.start()
            try:
                outcome, complaint, peak = told.get(timeout=LONGEST_SECONDS)
            except Empty:
                outcome, complaint, peak = "broken", "no answer: it hangs or has crashed", 0
            process.kill()
            process.join()
            outcomes[outcome] += 1
            slowest = max(slowest, time.monotonic() - begun)
            largest = max(largest, peak)
            if complaint:
                wrong += 1
                console.print(f"{case.name!a}: {complaint}", markup=False)
    counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    console.print(
        f"{len(cases)} hostile inputs: {counted}; {wrong} answered wrongly;"
        f" slowest {slowest:.1f} s, largest {largest} MiB"
    )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
