"""Long version of the fault tests: hours of kills, flipped bits and damaged headers, counted in one table.

python -m tests.slow.faults --long
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from itertools import chain, islice
from pathlib import Path

from ser.results.provenance import commit
from tests.slow.faults.kills import Kills, kill_writers
from tests.slow.faults.runs import write_corpus
from tests.slow.faults.test_converted_audio import flip_bits, kill_preparations
from tests.slow.faults.test_damaged_checkpoints import flip_checkpoints
from tests.slow.faults.test_fuzz import fuzz_headers, fuzz_labels, fuzz_manifests

LONG = {"runs": 400, "writers": 600, "preparations": 1000, "flips": 2000, "fuzzed": 10_000}
SHORT = {"runs": 10, "writers": 20, "preparations": 20, "flips": 40, "fuzzed": 200}


def kill_runs(folder: Path, number: int, seed: int) -> tuple[str, int]:
    """Kill at every pair of moments around an epoch's end, then at random moments."""
    kills = Kills(write_corpus(folder / "corpus"), folder)
    plan = islice(chain(kills.plan(), kills.random_plan(number, seed)), number)
    runs, hits, wrong = kills.check_all(plan)
    wrong = [line for line in wrong if "did not come" not in line]
    for line in wrong:
        print(line, file=sys.stderr)
    return f"{runs} trainings, killed {hits} times", len(wrong)


def faults(folder: Path, numbers: dict[str, int], seed: int) -> dict[str, Callable[[], tuple[str, int]]]:
    """Functions by name of the fault; each returns a description of what was done and the number of failures."""

    def place(name: str) -> Path:
        (folder / name).mkdir()
        return folder / name

    def fuzz(name: str, damage: Callable) -> tuple[str, int]:
        found = damage(place(name), numbers["fuzzed"], seed)
        return ", ".join(f"{number} {what}" for what, number in sorted(found.items())), 0

    return {
        "resumed trainings": lambda: kill_runs(place("runs"), numbers["runs"], seed),
        "checkpoints killed while written": lambda: (
            f"{numbers['writers']} kills",
            len(kill_writers(place("writers"), numbers["writers"], seed)),
        ),
        "converted audio killed while written": lambda: (
            f"{numbers['preparations']} kills, "
            f"{kill_preparations(place('preparations'), numbers['preparations'], seed)} while a file was written",
            0,
        ),
        "flipped bits in converted audio": lambda: (
            f"{numbers['flips']} found, {flip_bits(place('flips'), numbers['flips'], seed)} of them in samples",
            0,
        ),
        "flipped bits in checkpoints": lambda: (
            f"{numbers['flips']}, {flip_checkpoints(place('checkpoints'), numbers['flips'], seed)} refused, "
            "the others in padding",
            0,
        ),
        "damaged WAV headers": lambda: fuzz("headers", fuzz_headers),
        "damaged label files": lambda: fuzz("labels", fuzz_labels),
        "damaged manifests": lambda: fuzz("manifests", fuzz_manifests),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.slow.faults", description=__doc__)
    parser.add_argument("--long", action="store_true", help="hours instead of minutes")
    parser.add_argument("--seed", type=int, default=1, help="of what happens when (default: 1)")
    parser.add_argument("--only", help="the faults whose name contains this")
    options = parser.parse_args()
    bad = 0
    print(f"commit {commit()}, seed {options.seed}\n\n| fault | done | wrong | minutes |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, run in faults(Path(folder), LONG if options.long else SHORT, options.seed).items():
            if options.only and options.only not in name:
                continue
            started = time.monotonic()
            try:
                done, wrong = run()
            except Exception as error:  # still print the other rows
                traceback.print_exc()
                done, wrong = f"ended by {type(error).__name__}", 1
            bad += wrong
            print(f"| {name} | {done} | {wrong} | {(time.monotonic() - started) / 60:.1f} |", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
