"""Cross-validation: every fold of a protocol, in sequence or in parallel, and the pooled result."""

import json
import sys
from collections.abc import Iterator
from copy import copy
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from ser.bounds import Seed, check
from ser.data.folds import fold_warnings, set_warnings
from ser.data.leaks import check_leaks
from ser.errors import InputError
from ser.files import make_folder, without_folders
from ser.processes.jobs import Devices, Job, last_lines, only_one
from ser.processes.lines import Lines
from ser.processes.slurm import Slurm
from ser.results.identity import PER_FOLD, flatten, identity
from ser.results.names import protocol_of
from ser.results.pooled import describe_pooled, pool_runs, pooled_scores, write_pooled
from ser.results.pooled_result import Pooled, read_pooled
from ser.results.predictions import in_short
from ser.results.reading import TABLES, read_about, read_finished
from ser.training.experiment import Experiment
from ser.training.folder import check_folder, claim_folder
from ser.training.options.arguments import parse_numbers
from ser.training.run_files import STATISTICS, left_out
from ser.training.tracking.tracking import record_folds, record_result, tracked

# Trainer settings that do not affect the result, since each fold trains on one device.
WITHOUT_EFFECT = ("trainer.devices", "trainer.num_sanity_val_steps", "trainer.use_distributed_sampler")
# Options that are not part of a run's configuration.
OWN = ("config", "out", "folds", "seeds", "jobs", "devices", "plan", "submit")


class CrossValidation:
    """A cross-validation: one run per seed and fold, in one folder.

    Args:
        experiment: system and data, with the corpus read.
        settings: the options of `ser crossval` as plain values.
        defaults: the default options for this system and corpus.
        command: the command line, recorded in the result.

    Raises:
        InputError: for folds that the protocol does not have, or missing devices.
    """

    def __init__(self, experiment: Experiment, settings: dict, defaults: dict, command: str) -> None:
        self.experiment, self.data, self.system = experiment, experiment.data, experiment.system
        self.settings = settings
        self.tracking, self.defaults, self.command = experiment.settings["wandb"], flatten(defaults), command
        self.config = {key: value for key, value in settings.items() if key not in OWN}
        self.config["trainer"]["devices"] = 1  # per fold, also for "auto"
        words = [type(self.system).__name__, self.data.corpus.name, self.data.protocol]
        self.folder = Path(settings["out"] or Path("runs") / "-".join(["crossval", *words]))
        folds, seeds = settings["folds"], settings["seeds"]
        self.folds = parse_numbers("folds", self._all_folds() if folds is None else folds)
        self.seeds = parse_numbers("seeds", [settings["seed_everything"]] if seeds is None else seeds)
        for seed in self.seeds:
            check("seeds", seed, Seed)
        self.identity = identity(self.config, self.data.corpus_digest, without=PER_FOLD)
        if unknown := sorted(set(self.folds) - set(self._all_folds())):
            raise InputError(
                f"folds: there is no fold {unknown[0]}; protocol {self.data.protocol} has {len(self._all_folds())}"
            )
        self.group = self.tracking.group or "-".join([*words, self.folder.name])
        self.leaks: dict[int, list[str]] = {}  # by fold, if they are allowed
        self.failures: dict[str, str] = {}
        self.finished: dict[str, dict] = {}  # the result of each run, by folder name
        self.unfinished: set[str] = set()  # runs whose job has not ended, even if it has written the result

    def _all_folds(self) -> list[int]:
        return list(range(1, self.data.rules.num_folds(self.data.utterances) + 1))

    def run(self, runner: Devices | Lines | Slurm) -> int:
        """Check for leaks, have the unfinished runs trained, pool the results if all are finished; return the exit
        code."""
        self._check_tested_once()
        shared = self._check_leaks()
        self._check_beginning()
        check_folder(self.folder, self.identity)
        make_folder(self.folder)
        with only_one(self.folder) as lock:
            self._keep_larger_result()
            claim_folder(self.folder, self.config, self.identity)
            jobs = self._jobs()
            left = [job for job in jobs if job.runs]
            self.unfinished = {name for job in left for name in job.runs}
            print(self._headline(len(left), shared, runner.place), flush=True)
            if self.finished and left:
                print(self._so_far(self._finished_runs()), flush=True)
            runner.run(jobs, lock, self._ended)
            if self.failures:
                for title, cause in self.failures.items():
                    print(f"failed: {title}\n{cause}", file=sys.stderr)
                print(f"{len(self.failures)} of {len(left)} trainings failed; run the same command to retry them")
                return 1
            if not self.unfinished:
                self._write_result(shared, tracked_anew=bool(left) or not (self.folder / "result.json").is_file())
        return 0

    def _keep_larger_result(self) -> None:
        if not (self.folder / "result.json").is_file():
            return
        before = read_about(self.folder)
        for name, asked in (("folds", self.folds), ("seeds", self.seeds)):
            if more := sorted(set(before[name]) - set(asked)):
                raise InputError(
                    f"{self.folder} holds a result of {name} {', '.join(map(str, before[name]))}; a run without "
                    f"{', '.join(map(str, more))} would replace it. Add them to --{name}, or choose another --out"
                )

    @cached_property
    def _sets(self) -> dict[int, pd.Series]:
        """The set of every utterance in each fold."""
        return {fold: self.data.rules.sets(self.data.utterances, fold) for fold in self.folds}

    def _divided(self) -> Iterator[tuple[int, pd.DataFrame]]:
        """Each fold, and the utterances with their sets."""
        return ((fold, self.data.utterances.assign(set=sets)) for fold, sets in self._sets.items())

    def _check_tested_once(self) -> None:
        """Refuse folds that test an utterance twice, since the pooled result counts every utterance once."""
        first: dict[int, int] = {}
        for fold, sets in self._sets.items():
            for row in np.flatnonzero(sets == "test"):
                if (before := first.setdefault(int(row), fold)) != fold:
                    twice = self.data.utterances.utterance.iloc[row]
                    raise InputError(
                        f"folds {before} and {fold} both test utterance {twice}, but a pooled result counts every "
                        "utterance once; choose --folds, or use ser fit for each fold"
                    )

    def _check_leaks(self) -> dict:
        """What validation and test share in any fold; leaks that are allowed are added to `leaks`."""
        between = {}
        for fold, table in self._divided():
            overlaps, found = check_leaks(table, self.data.recordings, self.data.rules, self.data.allow_leaks)
            for what, names in overlaps[("val", "test")].items():
                between.setdefault(what, set()).update(names)
            if found:
                self.leaks[fold] = found
        return {what: sorted(names) for what, names in between.items()}

    def _check_beginning(self) -> None:
        """Check the initial weights for every fold before the first training, and print warnings."""
        warnings = set()
        for fold, table in self._divided() if self.experiment.beginning else []:
            data = copy(self.data)
            data.fold, data.utterances = fold, table
            try:
                self.experiment.check_beginning(data)
            except InputError as error:
                raise InputError(f"fold {fold}: {error}") from error
            warnings.update(self.experiment.doubts(data))
        for line in sorted(warnings):
            print(f"ser: warning: {line}", file=sys.stderr)

    def _name(self, seed: int, fold: int) -> str:
        return f"seed{seed}-fold{fold:02d}"

    def _is_finished(self, seed: int, fold: int) -> bool:
        """Whether a run is finished; its result is read once and kept in `finished`."""
        name = self._name(seed, fold)
        if name not in self.finished and (about := read_finished(self.folder / name, self.identity, seed, fold)):
            self.finished[name] = about
        return name in self.finished

    def _jobs(self) -> list[Job]:
        """A job for each training set and seed; it trains for all folds with that set, if they are not finished."""
        jobs = []
        for seed in self.seeds:
            together: dict[bytes, list[int]] = {}
            for fold, sets in self._sets.items():
                together.setdefault((sets == "train").to_numpy().tobytes(), []).append(fold)
            jobs += [self._job(seed, folds) for folds in together.values()]
        return jobs

    def _job(self, seed: int, folds: list[int]) -> Job:
        folder = self.folder.absolute()
        (first, out), *others = ((fold, str(folder / self._name(seed, fold))) for fold in folds)
        options = {
            "--config": folder / "config.yaml",
            "--seed_everything": seed,
            "--data.fold": first,
            "--trainer.devices": 1,
            "--wandb.group": self.group,
            "--wandb.name": f"{self.tracking.name or self.folder.name}-{self._name(seed, first)}",
            "--out": out,
            **({"--outs": json.dumps(dict(others))} if others else {}),
        }
        arguments = ["session", *(str(word) for option in options.items() for word in option)]
        left = [fold for fold in folds if not self._is_finished(seed, fold)]
        shown = left or folds
        several = f"seed {seed}, " if len(self.seeds) > 1 else ""
        listed = ", ".join(map(str, shown[:-1])) + (" and " if shown[1:] else "") + str(shown[-1])
        title = f"{several}fold{'s' if shown[1:] else ''} {listed}"
        log = self.folder / f"{self._name(seed, shown[0])}.log"
        return Job(title, [self._name(seed, fold) for fold in left], arguments, log)

    def _headline(self, jobs: int, shared: dict, place: str) -> str:
        data, runs, leaks = self.data, len(self.folds) * len(self.seeds), fold_warnings(self.leaks.items())
        protocol = protocol_of({"protocol": data.protocol, "leaks": leaks})
        lines = [
            f"{type(self.system).__name__} on {data.corpus.name}, protocol {protocol}",
            f"  utterances  {len(data.utterances)} of {data.utterances.speaker.nunique()} speakers",
            f"  runs        {runs}: folds {', '.join(map(str, self.folds))}, seeds {', '.join(map(str, self.seeds))}",
            *left_out(data.left_out),
            f"  statistics  {STATISTICS[data.statistics]}",
            *([f"  silence     {data.trim}"] if data.trim else []),
            f"  to train    {jobs} ({runs - len(self.unfinished)} finished before), {place}",
            *([f"  leaks       {line}" for line in leaks] or [f"  leaks       none under protocol {data.protocol}"]),
        ]
        if named := [f"{fold} is {name!r}" for fold in self.folds if (name := data.rules.fold_name(fold))]:
            lines.insert(3, f"  names       fold {', '.join(named)} in the file")
        common = [f"{len(names)} {what if len(names) > 1 else what[:-1]}" for what, names in shared.items() if names]
        if common:
            lines.append(f"  shared      by validation and test: {', '.join(common)} (allowed)")
        lines.append(f"  folder      {self.folder}")
        if note := data.corpus.note(data.utterances):
            lines.append(f"  note        {note}")
        return "\n".join([*lines, *(f"  warning     {line}" for line in fold_warnings(self._warnings()))])

    def _warnings(self) -> Iterator[tuple[int, list[str]]]:
        for fold, table in self._divided():
            yield fold, [*set_warnings(table), *self.data.rules.remarks(table, fold)]

    def _ended(self, job: Job, code: int | None, seconds: float) -> None:
        failed = code != 0
        if failed:
            cause = "no result" if code is None else f"exit code {code}"
            self.failures[job.title] = f"  {cause}, {job.log}:\n" + last_lines(job.log)
        ended = "failed" if failed else "finished"
        lines = [f"{job.title}: {ended} after {seconds // 60:.0f} min {seconds % 60:02.0f} s"]
        self.unfinished -= set(job.runs)
        runs = {name: about for name, about in self._finished_runs().items() if name not in self.unfinished}
        for about in [runs[name] for name in job.runs] if not failed else []:
            lines.append(
                f"  fold {about['fold']:2d}  test {', '.join(about['speakers']['test'])}: {in_short(about)}"
                f"  ({about['utterances']} utterances, epoch {about['epoch']})"
            )
        lines += [self._so_far(runs)] if runs else []
        tqdm.write("\n".join(lines), file=sys.stdout)
        sys.stdout.flush()

    def _so_far(self, runs: dict[str, dict]) -> str:
        """The pooled scores of finished runs."""
        so_far = pooled_scores(pool_runs(self.folder, runs, TABLES["test"]))
        number = f"{len(runs)} of {len(self.folds) * len(self.seeds)} runs"
        return f"  so far   {in_short(so_far)}  ({so_far['utterances']} utterances, {number})"

    def _finished_runs(self) -> dict[str, dict]:
        grid = [(seed, fold) for seed in self.seeds for fold in self.folds if self._is_finished(seed, fold)]
        return {name: self.finished[name] for name in (self._name(*place) for place in grid)}

    def _write_result(self, shared: dict, tracked_anew: bool) -> None:
        about = {
            "num_folds": len(self._all_folds()),
            "lambda": self.system.hparams.get("lambda_"),
            "shared": shared,
            "model": dict(self.system.hparams),
            **self._options(),
            "command": self.command,
        }
        grid = (self.seeds, self.folds)
        write_pooled(self.folder, self._finished_runs(), grid, self.config["epochs_averaged"], about)
        pooled = read_pooled(self.folder)
        print(describe_pooled(pooled.about))
        print(f"\nThis result: {self.folder}")
        if tracked_anew:
            self._track(pooled)

    def _options(self) -> dict[str, dict]:
        """Every option that can affect the result, and the defaults of the changed ones."""
        options = {name: value for name, value in self.identity["config"].items() if name not in WITHOUT_EFFECT}
        changed = {name: value for name, value in self.defaults.items() if options.get(name, value) != value}
        found = without_folders({"options": options, "defaults": changed})
        return json.loads(json.dumps(found), parse_constant=str)  # JSON has no infinity

    def _track(self, pooled: Pooled) -> None:
        self.tracking.group, result = self.group, pooled.about
        self.tracking.name = f"{self.tracking.name or self.folder.name}-pooled"
        tags = [result[name] for name in ("system", "corpus", "protocol")]
        tags += [] if self.data.statistics == "train" else [f"statistics-{self.data.statistics}"]
        tags += ["leaks"] if result["leaks"] else []
        loggers = self.tracking.loggers(self.folder, [*tags, "pooled"])
        for logger in loggers:
            logger.log_hyperparams(self.config)
        record_result(loggers, {"test": pooled.predictions, "val": pooled.validation}, result)
        record_folds(loggers, result)
        for line in tracked(loggers):
            print(line)
