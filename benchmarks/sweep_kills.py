"""Kill workers of a study at random moments with SIGKILL, and count lost, repeated and changed results.

The study first runs undisturbed, on a few short recordings, with trainings of one epoch. It then runs again while
workers are killed: while starting, in a trial, or between two trials. Every planned trial must have exactly one
accepted result, with the value of the undisturbed study, and nothing may be left running.

    python -m benchmarks.sweep_kills --trials 64 --kills 40 --workers 8
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml
from optuna.trial import TrialState

from benchmarks.short_corpus import short_options, write_short_corpus
from ser.errors import InputError
from ser.sweep.study.plan import read_plan
from ser.sweep.study.shared_study import SharedStudy
from ser.sweep.study.storage import open_storage

CONF = Path(__file__).parents[1] / "conf"
SESSIONS = 2  # the minimum: one to train on and one to leave out
RATES = [0.001, 0.002, 0.004, 0.008]
SPREAD = 0.4  # of the undisturbed study's time, so that the last kill comes before the last trial ends
STARTING = "starting, or between two trials"


def write_study(folder: Path, trials: int, kills: int) -> Path:
    """Write an exhaustive study of cheap trials and its corpus, with enough tries for all the kills."""
    study = {
        "study": "kills",
        "config": [str(CONF / "cnn_gru.yaml")],
        "options": short_options(write_short_corpus(folder / "corpus", sessions=SESSIONS)),
        "space": {
            "model.gru_units": {"int": [4, 3 + trials // len(RATES)]},
            "model.learning_rate": {"categorical": RATES},
        },
        "sampler": "exhaustive",
        "folds": [1],
        "tries": kills + 1,
        "heartbeat_seconds": 3,
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    return path


def launch(study: Path, folder: Path, workers: int, storage: str | None) -> subprocess.Popen:
    """Start `ser sweep`."""
    words = ["--config", study, "--out", folder, "--workers", workers]
    words += ["--storage", storage] if storage else []
    folder.mkdir()
    with (folder / "launcher.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ser", "sweep", *map(str, words)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )


def finish(launcher: subprocess.Popen, folder: Path) -> None:
    """Wait for a launcher; if it failed, exit with its output."""
    if launcher.wait():
        sys.exit(f"ser sweep ended with code {launcher.returncode}:\n{(folder / 'launcher.log').read_text()}")


def workers_of(launcher: int) -> list[int]:
    """Process ids of a launcher's live workers; between them are a forking process and a guard for each worker."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue  # ended meanwhile
        if state != "Z":
            parents[int(stat.parent.name)] = int(parent)
    return [pid for pid in parents if parents.get(parents.get(parents[pid])) == launcher]


def kill_workers(launcher: subprocess.Popen, shared: SharedStudy, kills: int, spread: float, seed: int) -> Counter:
    """Kill workers at random moments; count what they were doing.

    Args:
        kills: number of kills.
        spread: seconds over which the kills are spread, on average.
        seed: of the moments and the victims.
    """
    draw, doing = random.Random(seed), Counter()
    while not shared.results() and launcher.poll() is None:
        time.sleep(0.2)  # before the first result all workers are only starting
    while sum(doing.values()) < kills and launcher.poll() is None:
        time.sleep(draw.uniform(0, 2 * spread / kills))
        if victims := workers_of(launcher.pid):
            victim = draw.choice(victims)
            os.kill(victim, signal.SIGKILL)
            running = shared.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            at_work = any(row.user_attrs.get("worker", "").endswith(f":{victim}") for row in running)
            doing["in a trial" if at_work else STARTING] += 1
    return doing


def stored(study: Path, folder: Path, storage: str | None) -> SharedStudy:
    """The study, once its launcher has created it."""
    plan, database = read_plan(study), folder / "study.db"
    while not (storage or database.exists()):
        time.sleep(0.2)
    opened = open_storage(storage or f"sqlite:///{database}", plan.heartbeat_seconds)
    while True:
        try:
            return SharedStudy.load(plan, opened)
        except InputError:  # not created yet
            time.sleep(0.5)


def accepted_values(shared: SharedStudy) -> dict[int, list[float]]:
    """Values of all complete rows, by planned trial."""
    values: dict[int, list[float]] = {}
    for row in shared.optuna.get_trials(deepcopy=False):
        if row.state == TrialState.COMPLETE:
            values.setdefault(row.user_attrs["planned"], []).append(row.value)
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=64, help="a multiple of 4 (default: 64)")
    parser.add_argument("--kills", type=int, default=40, help="default: 40")
    parser.add_argument("--workers", type=int, default=8, help="default: 8")
    parser.add_argument("--seed", type=int, default=1, help="of the kills (default: 1)")
    parser.add_argument("--folder", type=Path, help="keep everything in this new folder")
    parser.add_argument("--storage", help="of the disturbed study (default: a SQLite file)")
    options = parser.parse_args()
    if options.trials % len(RATES):
        parser.error(f"--trials must be a multiple of {len(RATES)}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        sys.exit(measure(options, folder))


def measure(options: argparse.Namespace, folder: Path) -> int:
    """Run both studies and print the table; return 0 if nothing was lost."""
    study = write_study(folder, options.trials, options.kills)
    started = time.monotonic()
    finish(launch(study, folder / "undisturbed", options.workers, None), folder / "undisturbed")
    undisturbed_seconds = time.monotonic() - started
    expected = accepted_values(stored(study, folder / "undisturbed", None))

    started = time.monotonic()
    launcher = launch(study, folder / "disturbed", options.workers, options.storage)
    try:
        shared = stored(study, folder / "disturbed", options.storage)
        doing = kill_workers(launcher, shared, options.kills, SPREAD * undisturbed_seconds, options.seed)
        finish(launcher, folder / "disturbed")
    finally:
        launcher.terminate()
    seconds = time.monotonic() - started

    found, rows = accepted_values(shared), shared.optuna.get_trials(deepcopy=False)
    table = {
        "planned trials": options.trials,
        "workers": options.workers,
        "workers killed": sum(doing.values()),
        **{f"  {what}": number for what, number in sorted(doing.items())},
        "rows begun": len(rows),
        "planned trials accepted": len(found),
        "accepted twice": sum(len(values) > 1 for values in found.values()),
        "left running": sum(row.state == TrialState.RUNNING for row in rows),
        "other values than undisturbed": sum(expected.get(place) != values for place, values in found.items()),
        "seconds undisturbed": round(undisturbed_seconds),
        "seconds with kills": round(seconds),
    }
    for name, value in table.items():
        print(f"{name:<34} {value:>5}")
    bad = ("accepted twice", "left running", "other values than undisturbed")
    whole = table["planned trials accepted"] == table["planned trials"] == len(expected)
    return 0 if whole and table["workers killed"] == options.kills and not any(table[name] for name in bad) else 1


if __name__ == "__main__":
    main()
