"""The command `ser sweep`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import torch

from ser.devices import slots
from ser.errors import InputError
from ser.jobs import only_one
from ser.sweep.check import check_runs
from ser.sweep.launcher import Crew, describe, given_up
from ser.sweep.plan import Plan, read_plan
from ser.sweep.study import SharedStudy, open_storage, without_password
from ser.sweep.trial import check_devices_free


def main(arguments: list[str]) -> int:
    """Run `ser sweep`, `ser sweep status` or `ser sweep report`."""
    if arguments[:1] == ["status"]:
        return status(_parser("status").parse_args(arguments[1:]))
    return launch(_parser("").parse_args(arguments))


def launch(options: argparse.Namespace) -> int:
    """Start a study or join it, and see it to its end."""
    check_devices_free()
    plan = read_plan(options.config).with_trials(options.trials)
    crew_slots = worker_slots(options.workers, options.devices, options.per_device)
    identity = check_runs(plan)
    folder, url = place_of(plan, options)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: {error.strerror}") from error
    with only_one(folder):  # a fresh database made by two at once crashes one of them
        storage = open_storage(url, plan)
        joined = plan.study in known_studies(storage)
        shared = SharedStudy.create(plan, storage, identity)
    print(headline(shared, folder, url, len(crew_slots)), flush=True)
    for place, row in shared.results().items():
        print(describe(place, row))
    words = ["--config", options.config, "--storage", url, "--out", str(folder)]
    words += ["--trials", str(options.trials)] if options.trials else []
    done = Crew(shared, words, crew_slots, folder, os.getpid() if joined else 0).run()
    if not done:
        print(f"workers keep ending before their trials do; see {folder}/worker*.log", file=sys.stderr)
        return 1
    return finish(shared, folder)


def finish(shared: SharedStudy, folder: Path) -> int:
    """Say what came of it; the exit code."""
    settled = shared.results()
    for place, error in given_up(shared).items():
        print(f"given up: trial {place} after {shared.plan.tries} tries\n{error}", file=sys.stderr)
    complete = {place: row for place, row in settled.items() if row.value is not None and row.state.name == "COMPLETE"}
    if not complete:
        print("no trial came to an end", file=sys.stderr)
        return 1
    place = max(complete, key=lambda each: complete[each].value)
    print(f"\nbest of {len(settled)} trials by {shared.plan.objective}:\n{describe(place, complete[place])}")
    print(f"\nThis study: {folder}")
    return 1 if given_up(shared) else 0


def status(options: argparse.Namespace) -> int:
    """How far a study is."""
    plan = read_plan(options.config).with_trials(options.trials)
    folder, url = place_of(plan, options)
    if url.startswith("sqlite") and not (folder / "study.db").is_file():
        raise InputError(f"study {plan.study} has not been started: there is no {folder / 'study.db'}")
    shared = SharedStudy.load(plan, open_storage(url, plan))
    settled, attempts = shared.results(), shared.attempts()
    states = {"running": 0, "waiting": 0}
    for place, rows in attempts.items():
        if place not in settled and rows:
            name = rows[-1].state.name.lower()
            states[name] = states.get(name, 0) + 1
    parts = ", ".join(f"{number} {name}" for name, number in states.items() if number)
    print(f"{plan.study}: {len(settled)} of {len(plan.points)} trials settled{', ' + parts if parts else ''}")
    for place, row in settled.items():
        print(describe(place, row))
    for place, error in given_up(shared).items():
        print(f"trial {place:3d}  given up: {error}")
    return 0


def headline(shared: SharedStudy, folder: Path, url: str, workers: int) -> str:
    """What is about to be tried."""
    plan = shared.plan
    lines = [
        f"study {plan.study}: {len(plan.points)} trials by {plan.sampler}, {plan.objective} pooled over folds "
        f"{', '.join(map(str, plan.folds))} (validation only), seeds {', '.join(map(str, plan.seeds))}",
        *(f"  {name}: {text}" for name, text in plan.space.described().items()),
        f"  settled before  {len(shared.results())}",
        f"  workers         {workers}",
        f"  storage         {without_password(url)}",
        f"  folder          {folder}",
    ]
    return "\n".join(lines)


def place_of(plan: Plan, options: argparse.Namespace) -> tuple[Path, str]:
    """The study's folder, and the address of its storage."""
    folder = Path(options.out or Path("studies") / plan.study)
    return folder, options.storage or f"sqlite:///{(folder / 'study.db').resolve()}"


def known_studies(storage) -> set[str]:
    """Names of the studies in a storage."""
    return {study.study_name for study in storage.get_all_studies()}


def worker_slots(workers: int | None, devices: str | None, per_device: int) -> list[dict[str, str]]:
    """The environment of every worker: one per GPU, or one on a machine without.

    Raises:
        InputError: as `ser.devices.slots`.
    """
    if per_device < 1:
        raise InputError(f"--per-device is {per_device}, but must be at least 1")
    gpus = torch.cuda.device_count()
    if devices is None and gpus:
        devices = str(gpus)
    each = len(slots(devices, None))
    return slots(devices, workers or each * per_device)


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"ser sweep {command}".strip(),
        description="An Optuna study over the options of a run. The same command goes on where a study was "
        "interrupted; on another machine, with the same --storage, it joins the study.",
        epilog="ser sweep status FILE says how far a study is.",
    )
    if command:
        parser.add_argument("config", metavar="FILE", help="the study, YAML")
    else:
        parser.add_argument("--config", metavar="FILE", required=True, help="the study, YAML (sweeps/*.yaml)")
        parser.add_argument("--workers", type=int, help="processes; without it one per GPU, or one")
        parser.add_argument("--devices", help="GPUs: a number of them, or their numbers as 0,2; without it all")
        parser.add_argument("--per-device", type=int, default=1, help="workers on each GPU (default: 1)")
    parser.add_argument("--out", help="the study's folder (default: studies/NAME)")
    parser.add_argument(
        "--storage", help="Optuna's storage, postgresql://user@host/name; without it a file in the folder"
    )
    parser.add_argument("--trials", type=int, help="another number of trials than the file's")
    return parser
