"""`ser sweep --config demo [--workers 4 | --plan | --submit FILE]`: run an Optuna study over options of a run.
`ser sweep status FILE`: print the progress of a study.
`ser sweep report FILE`: test the best trial of a study and write its report."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field

from ser.bounds import check
from ser.commands import main as run_ser
from ser.errors import InputError
from ser.files import make_folder
from ser.paths import expand_home
from ser.processes.forked import Starter
from ser.processes.interruption import LISTENER, Interrupted
from ser.processes.jobs import only_one
from ser.results.identity import IDENTITY, read_identity, write_identity
from ser.sweep.outcome.lambdas import Saved, read_saved, run_study
from ser.sweep.outcome.trials import trials_table
from ser.sweep.study.check import check_runs, check_trainers, corners_of, warnings_of
from ser.sweep.study.options import check_definition, read_options, split_options, with_options, write_definition
from ser.sweep.study.plan import Plan, read_plan
from ser.sweep.study.shared_study import BEGUN, SharedStudy, describe
from ser.sweep.study.storage import file_address, missing_file, open_storage, told_when_lost, typed, without_password
from ser.sweep.workers.remote import check_remote, train_elsewhere
from ser.sweep.workers.worker import run_workers
from ser.training.devices import slots
from ser.training.experiment import Experiment
from ser.training.options.arguments import parse_numbers
from ser.training.options.elsewhere import elsewhere
from ser.training.tracking.records import alert, record_study
from ser.training.tracking.tracking import Tracking, finish, tracked
from ser.training.tracking.variables import NAMES, forget_run

GIVEN, SUMMARISED = "options", "summarised"  # attributes of a study
HOME = "sqlite:///~"  # shells do not expand it
PATIENCE_SECONDS = 300  # launchers that start together create the study one after the other


def main(arguments: list[str]) -> int:
    """Run `ser sweep`, `ser sweep status` or `ser sweep report`."""
    words, given = split_options(arguments)
    given = expand_home(given)
    if words[:1] == ["status"]:
        if given:
            raise InputError(f"ser sweep status takes no option of the runs, such as --{next(iter(given))}")
        return status(read_options("status", words[1:]))
    forget_run(NAMES)
    if words[:1] == ["report"]:
        return report(read_options("report", words[1:]), given, arguments)
    options = read_options("", words)
    options.typed = arguments
    plan = plan_of(options)
    if plan.command == "lambda":
        return weigh(plan, options, given)
    with Starter(run_ser, ("ser.commands._sweep_worker", "ser.commands._validated")) as starter:
        return launch(starter, plan, options, given)


def launch(starter: Starter, plan: Plan, options: argparse.Namespace, given: dict[str, str]) -> int:
    """Start or join a study of trainings, and run it to its end."""
    plan = with_options(plan, given)
    corners = corners_of(plan)
    check_trainers(plan, corners)
    identity = check_runs(plan, corners)
    folder, url = place_of(plan, options.out, options.storage)
    here = {"workers": options.workers, "devices": options.devices, "per-device": options.per_device}
    runner = elsewhere(options.plan, options.submit, folder, {**here, "storage": options.storage})
    if runner:
        check_remote(plan, runner)
    per_device = 1 if options.per_device is None else options.per_device
    environments = [] if runner else worker_slots(options.workers, options.devices, per_device)
    check_definition(folder, plan)
    make_folder(folder)
    for corner in corners:
        corner.settings["wandb"].loggers(folder, [], "trial")  # fails now if W&B would fail in a trial
    # If two launchers created a new database at once, one would crash.
    with only_one(folder, PATIENCE_SECONDS), told_when_lost(url):
        shared = SharedStudy.create(plan, open_storage(url, None if runner else plan.heartbeat_seconds), identity)
        write_identity(folder, identity)
        definition = write_definition(folder, options.config, plan)
        shared.optuna.set_user_attr(GIVEN, {name: plan.options[name] for name in given})
        print(headline(shared, folder, url, runner.place if runner else f"by {len(environments)} workers", corners[0]))
        if runner:
            with continued(options.typed):
                finished = train_elsewhere(shared, definition, folder, runner)
            return conclude(shared, folder, None, corners[0].settings["wandb"]) if finished else 0
    words = ["--config", str(definition), "--out", str(folder)]
    words += ["--trials", str(options.trials)] if options.trials else []
    with continued(options.typed), told_when_lost(url):
        done = run_workers(starter, shared, words, url, environments, folder, 0 if shared.made else os.getpid())
    if not done:
        print(f"workers keep exiting before their trials end; see {folder}/worker*.log", file=sys.stderr)
    return conclude(shared, folder, None, corners[0].settings["wandb"]) or (0 if done else 1)


@contextmanager
def continued(arguments: list[str]) -> Iterator[None]:
    """Raise `Interrupted` in this context on a signal, with the command to continue."""
    with LISTENER.ending_in_order():
        try:
            yield
        except Interrupted as interrupted:
            interrupted.command = typed(["ser", "sweep", *arguments])
            raise


def headline(shared: SharedStudy, folder: Path, url: str, place: str, corner: Experiment) -> str:
    """A study before its trials start: what it varies, what is finished, and what runs the trials."""
    plan, settled = shared.plan, shared.results()
    lines = [
        f"study {plan.study}: {len(plan.points)} trials by {plan.sampler}, {plan.objective} pooled over folds "
        f"{', '.join(map(str, plan.folds))} (validation only), seeds {', '.join(map(str, plan.seeds))}",
        *(f"  {name}: {text}" for name, text in plan.space.described().items()),
        f"  settled before  {len(settled)}",
        f"  run             {place}",
        f"  storage         {without_password(url)}",
        f"  folder          {folder}",
        *(f"  warning         {line}" for line in warnings_of(plan, corner.data)),
        *(describe(place, row) for place, row in settled.items()),
    ]
    return "\n".join(lines)


def weigh(plan: Plan, options: argparse.Namespace, given: dict[str, str]) -> int:
    """Run a study of saved posteriors, in this process."""
    alone = {"workers": options.workers, "devices": options.devices, "per-device": options.per_device}
    alone |= {"plan": options.plan or None, "submit": options.submit, **given}
    if useless := [name for name, value in alone.items() if value is not None]:
        raise InputError(f"--{useless[0]}: study {plan.study} uses saved posteriors and trains nothing")
    saved = read_saved(plan, options.runs)
    folder, url = place_of(plan, options.out, options.storage)
    make_folder(folder)
    with only_one(folder, PATIENCE_SECONDS), told_when_lost(url):
        shared = SharedStudy.join(plan, open_storage(url, plan.heartbeat_seconds), saved.identity)
        run_study(shared, saved)
        if (saved.folder / IDENTITY).is_file():
            write_identity(folder, read_identity(saved.folder))
    folds = ", ".join(map(str, plan.folds))
    print(f"study {plan.study}: {len(plan.points)} lambdas, validation utterances of folds {folds} of {saved.folder}")
    return conclude(shared, folder, saved)


def conclude(shared: SharedStudy, folder: Path, saved: Saved | None = None, tracking: Tracking | None = None) -> int:
    """Print the result of a study, and write its tables and figures; return the exit code."""
    from ser.sweep.outcome.findings import Findings  # imports matplotlib, which is needed only at the end

    lost = shared.given_up()
    for place, error in lost.items():
        print(f"given up: trial {place} after {shared.plan.tries} tries\n{error}", file=sys.stderr)
    found = Findings(shared, folder, saved)
    files, places = found.write(folder), track(found, lost, tracking)
    if found.best is None:
        print(f"no trial was completed; see {folder / files[0]}", *places, sep="\n", file=sys.stderr)
        return 1
    settled = shared.results()
    print(f"\nbest of {len(settled)} trials by {shared.plan.objective}:\n{describe(found.best, settled[found.best])}")
    print(f"\nThis study: {folder}\n  {', '.join(files)}", *places, sep="\n")
    return 1 if lost else 0


def track(found, lost: dict[int, str], tracking: Tracking | None) -> list[str]:
    """Add the summary run to W&B, by the first launcher that ends; return lines on where to view it.

    Args:
        lost: the last error of each trial that is given up.
        tracking: of the trials; by default that of the best.
    """
    study, plan = found.shared.optuna, found.shared.plan
    ended = len(found.shared.results()) + len(lost)
    if study.user_attrs.get(SUMMARISED) == ended:
        return []
    study.set_user_attr(SUMMARISED, ended)
    tracking = (tracking or Tracking(**found.config["wandb"])).but(group=plan.study, name=f"{plan.study}-summary")
    try:
        loggers = tracking.loggers(found.folder, [f"study:{plan.study}", "summary"], "study")
        for logger in loggers:
            logger.log_hyperparams({**plan.described(), "best": found.config})
        if lost:
            alert(loggers, f"{len(lost)} of {len(found.trials)} trials given up", "\n".join(lost.values()))
        if found.best is not None:
            pictures = {each.name: found.folder / f"{each.name}.png" for each in found.pictures}
            record_study(loggers, found.trials, plan.metric, found.best, found.importances, pictures)
        return tracked(loggers)
    finally:
        finish()


def status(options: argparse.Namespace) -> int:
    """Print the progress of a study."""
    shared, _ = open_study(options)
    states, settled = trials_table(shared).state, shared.results()
    left = states[~states.isin(["complete", "pruned"])].value_counts()
    parts = "".join(f", {number} {state}" for state, number in left.items())
    print(
        f"{shared.plan.study}: {len(settled)} of {len(states)} trials settled{parts}",
        *(describe(place, row) for place, row in settled.items()),
        *(f"trial {place:3d}  given up: {error}" for place, error in shared.given_up().items()),
        sep="\n",
    )
    return 0


def report(options: argparse.Namespace, given: dict[str, str], arguments: list[str]) -> int:
    """Write a study's report; test its best trial once, unless `--no-test` is given."""
    from ser.report.page.folder import check_folder, new_folder, write_marker
    from ser.sweep.outcome.best_trial import claim, run_best
    from ser.sweep.outcome.findings import Findings
    from ser.sweep.outcome.writing import write_report

    shared, folder = open_study(options)
    saved = read_saved(shared.plan, options.runs) if shared.plan.command == "lambda" else None
    if saved is None:
        remembered = shared.optuna.user_attrs.get(GIVEN, {})
        shared = replace(shared, plan=with_options(shared.plan, {**remembered, **given}))
    elif given:
        raise InputError(f"--{next(iter(given))}: study {shared.plan.study} trains nothing")
    out = check_folder(options.out or str(folder / "report"))
    shared.check_same(saved.identity if saved else check_runs(shared.plan, corners_of(shared.plan)))
    make_folder(folder)
    found = Findings(shared, folder, saved)
    found.write(folder)
    if found.best is None:
        print(f"study {shared.plan.study}: no trial is complete; there is nothing to report", file=sys.stderr)
        return 1
    print(f"best: {found.choice}")
    result, tested = None, None
    if not options.no_test:
        more = [f"--{name}={value}" for name in ("jobs", "devices") if (value := getattr(options, name))]
        if not saved and not (tested := run_best(found, more)):
            print("the best trial could not be tested; run the same command to retry", file=sys.stderr)
            return 1
        result = claim(found, tested)
    command = typed(["ser", "sweep", *arguments])
    with new_folder(out) as place:
        files = write_report(place, found, result, [command])
        write_marker(place, {"study": shared.plan.study, "command": command})
    print(f"\n{result.markdown()}" if result else "the test set was left out (--no-test)")
    print(f"\n{out}\n  {', '.join(files)}")
    return 0


def open_study(options: argparse.Namespace) -> tuple[SharedStudy, Path]:
    """The study and its folder; an InputError if it was not started in this storage."""
    plan = plan_of(options)
    folder, url = place_of(plan, options.study, options.storage)
    if missing := missing_file(url):
        raise InputError(f"study {plan.study} has not been started: there is no {missing} (--study FOLDER)")
    shared = SharedStudy.load(plan, open_storage(url, plan.heartbeat_seconds))
    if shared.planned and options.trials is None and plan.sampler != "exhaustive":
        shared = replace(shared, plan=plan.with_trials(shared.planned))
    if plan.command == "lambda" and options.folds is None:
        folds = shared.optuna.user_attrs.get(BEGUN, {}).get("folds", plan.folds)
        shared = replace(shared, plan=replace(plan, folds=tuple(folds)))
    return shared, folder


def plan_of(options: argparse.Namespace) -> Plan:
    """The study of a command line; the name of one of saved posteriors includes its cross-validation."""
    plan = read_plan(options.config).with_trials(options.trials)
    if plan.command == "lambda":
        if not options.runs:
            raise InputError(f"study {plan.study} uses saved posteriors; name the ser crossval with --runs FOLDER")
        if options.folds is not None:
            plan = replace(plan, folds=tuple(parse_numbers("--folds", options.folds)))
        return replace(plan, study=f"{plan.study}-{Path(options.runs).resolve().name}")
    if options.runs:
        raise InputError(f"--runs: study {plan.study} trains its own runs")
    if options.folds is not None:
        raise InputError(f"--folds: study {plan.study} trains its own runs; set folds in {options.config}")
    return plan


def place_of(plan: Plan, folder: str | None, storage: str | None) -> tuple[Path, str]:
    """The study's folder, and the address of its storage."""
    place = Path(folder or Path("studies") / plan.study)
    if storage and storage.startswith(HOME):
        return place, file_address(Path(storage.removeprefix("sqlite:///")).expanduser())
    return place, storage or file_address(place / "study.db")


def worker_slots(workers: int | None, devices: str | None, per_device: int) -> list[dict[str, str]]:
    """The environment variables of every worker: by default one worker per GPU, or one without GPUs."""
    for name, number in (("--per-device", per_device), ("--workers", workers)):
        check(name, number, Annotated[int | None, Field(ge=1, le=1024)])
    if devices is None and (gpus := torch.cuda.device_count()):
        devices = str(gpus)
    each = len(slots(devices, None))
    return slots(devices, each * per_device if workers is None else workers)
