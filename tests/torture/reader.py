"""A reader in a process of its own: one that holds a release open, or opens it anew for ever.

Started with a mode, the release's file and a file of what undisturbed builds hold. It reads until
its standard input ends, then prints one JSON object: how often it read, which releases, what was
wrong.
"""

from __future__ import annotations

import json
import select
import sys
from pathlib import Path

import duckdb

from tests.torture import content
from tests.torture.content import Content

SECONDS_BETWEEN_READS = {"hold": 5.0, "anew": 1.0}


def main() -> None:
    mode, release_file, undisturbed_file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    undisturbed = {
        as_of: Content(**found) for as_of, found in json.loads(undisturbed_file.read_text()).items()
    }
    reads, seen, wrong = 0, set[str](), list[str]()
    holder = duckdb.connect(str(release_file), read_only=True) if mode == "hold" else None
    first = content.held(holder) if holder else None
    sys.stdout.write("reading\n")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], SECONDS_BETWEEN_READS[mode])[0]:
        try:
            found = content.held(holder) if holder else content.read(release_file)
        except (duckdb.Error, ValueError) as error:
            wrong.append(f"could not be read: {error}")
            continue
        reads += 1
        seen.add(found.release_id)
        wrong.extend(content.faults(found, undisturbed))
        if first and found != first:
            wrong.append(f"{first.release_id} changed under its reader into {found.release_id}")
    sys.stdout.write(json.dumps({"reads": reads, "releases": sorted(seen), "wrong": wrong[:20]}))


if __name__ == "__main__":
    main()
