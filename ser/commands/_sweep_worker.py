"""Run trials of a study one after another; started by `ser sweep`, one worker per device."""

import os
import signal
from pathlib import Path

from ser.commands import main as run_ser
from ser.processes.forked import Starter
from ser.processes.interruption import ENDING
from ser.sweep.study.plan import read_plan
from ser.sweep.study.shared_study import SharedStudy
from ser.sweep.study.storage import open_storage
from ser.sweep.workers.worker import STORAGE, Worker, end_in_order
from ser.training.options.arguments import Parser


def main(arguments: list[str]) -> int:
    """Run `ser sweep-worker ARGUMENTS`."""
    parser = Parser(prog="ser sweep-worker")
    for name in ("--config", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--worker", type=int, required=True)
    parser.add_argument("--trials", type=int)
    options = parser.parse_args(arguments)
    for number in ENDING:
        signal.signal(number, end_in_order)
    with Starter(run_ser, ("ser.commands._validated",)) as starter:
        plan = read_plan(options.config).with_trials(options.trials)
        shared = SharedStudy.load(plan, open_storage(os.environ[STORAGE], plan.heartbeat_seconds), options.worker)
        Worker(shared, Path(options.out), starter).work()
    return 0
