"""Whether each locked package comes from the index and with a hash, so that none can be exchanged.

python -m tests.locked     exit status 1 where one does not
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

from rich.console import Console

INDEX = "https://pypi.org/simple"
HERE = {"editable": "."}
ROOT = Path(__file__).resolve().parent.parent


def unlocked(lock: dict[str, Any]) -> list[str]:
    """What is wrong with the packages of a lock file, one text each."""
    wrong = []
    for package in lock["package"]:
        name = f"{package['name']} {package.get('version', '')}"
        if package["source"] == HERE:
            continue
        if package["source"] != {"registry": INDEX}:
            wrong.append(f"{name} does not come from {INDEX}")
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        if not files or not all(file.get("hash", "").startswith("sha256:") for file in files):
            wrong.append(f"{name} has a file without a SHA-256")
    return wrong


def main() -> int:
    """Prints what is wrong with uv.lock; returns the exit status."""
    wrong = unlocked(tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8")))
    for line in wrong:
        Console(stderr=True).print(f"uv.lock: {line}", markup=False, soft_wrap=True)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
