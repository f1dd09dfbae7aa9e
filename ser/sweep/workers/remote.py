"""Trials whose trainings run elsewhere, by the lines of `jobs.txt` or in SLURM.

One process asks the study for trials and tells it their results, so the study's database is a file of that process;
the trainings know only their folders. A trial is finished when all its trainings have written their results.
"""

import sys
from dataclasses import replace
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from ser.errors import InputError
from ser.processes.jobs import Job, last_lines
from ser.processes.lines import Lines
from ser.processes.slurm import Slurm
from ser.sweep.study.plan import Plan, read_plan
from ser.sweep.study.shared_study import ERROR, LIVE, PLANNED, PRUNED_AFTER, SharedStudy, describe
from ser.sweep.workers.trial import Trial


class RemoteTrials:
    """The trials of a study, entered into it as their trainings finish.

    Args:
        shared: the study; its storage needs no heartbeats.
        folder: the study's folder.
        parallel: number of trainings at once, for a sampler that learns from finished trials.
    """

    def __init__(self, shared: SharedStudy, folder: Path, parallel: int | None = None) -> None:
        self.shared, self.plan, self.study, self.folder = shared, shared.plan, shared.optuna, folder
        each = 1 if self.pruned else len(self.plan.folds) * len(self.plan.seeds)
        self.at_once = max(1, parallel // each) if parallel else None
        self.begun: dict[int, optuna.Trial] = {}  # by the number of the row
        self.places: dict[str, int] = {}  # the trial of each job, by the job's title
        self.failures: dict[int, str] = {}  # since the last `missing`, by trial

    @property
    def pruned(self) -> bool:
        """Whether a trial's folds are trained one after the other, since each decides on the next."""
        return self.plan.pruner != "none"

    def jobs(self) -> list[Job]:
        """A job for every training of every trial; only for a sampler that knows its trials in advance."""
        trials = (self._trial(place, point) for place, point in enumerate(self.plan.points))
        return [trial.job(*key) for trial in trials for key in trial.runs]

    def missing(self) -> list[Job]:
        """Enter finished and failed trials into the study, begin others, and return the jobs to run now."""
        for place, cause in self.failures.items():
            self._fail(place, cause)
        self.failures.clear()
        self.shared.reconcile()
        live: dict[int, FrozenTrial] = {}
        for row in self.study.get_trials(deepcopy=False, states=LIVE):
            if (place := row.user_attrs.get(PLANNED)) is not None:
                live.setdefault(place, row)
        # Begun trials first: the others may have to wait for them.
        order = sorted(live.items(), key=lambda item: (item[1].state != TrialState.RUNNING, item[0]))
        jobs, unfinished = [], 0
        for place, row in order:
            if self.at_once is None or unfinished < self.at_once:
                left = self._advance(place, row)
                unfinished += bool(left)
                jobs += left
        self.places = {job.title: place for place, job in jobs}
        return [job for _, job in jobs]

    def failed(self, job: Job, cause: str) -> None:
        """Note that a job has ended without a result; `missing` then fails its trial, once for all its jobs."""
        tqdm.write(f"{job.title}: {cause}", file=sys.stdout)
        self.failures[self.places[job.title]] = f"{job.title}: {cause}, {job.log}:\n{last_lines(job.log)}"

    def _trial(self, place: int, point: dict[str, object]) -> Trial:
        return Trial(self.plan, self.folder, point, place, self.shared.identity)

    def _begin(self, row: FrozenTrial) -> optuna.Trial:
        """The running trial of a row, with its parameters."""
        if row.number not in self.begun:
            if row.state == TrialState.WAITING:
                self.shared.storage.set_trial_state_values(row._trial_id, state=TrialState.RUNNING)
            self.begun[row.number] = optuna.Trial(self.study, row._trial_id)
            self.plan.space.suggest(self.begun[row.number])
        return self.begun[row.number]

    def _advance(self, place: int, row: FrozenTrial) -> list[tuple[int, Job]]:
        """Report the finished folds of a trial, settle it if there is nothing to train, and return its missing jobs."""
        point = self.plan.points[place] or self._begin(row).params
        trial, left = self._trial(place, point), []
        for step, key in enumerate(trial.runs):
            if not trial.is_finished(*key):
                left.append((place, trial.job(*key)))
            elif not left:
                begun = self._begin(row)
                if step not in row.intermediate_values:
                    begun.report(trial.value(*key), step)
                if step + 1 < len(trial.runs) and begun.should_prune():
                    begun.set_user_attr(PRUNED_AFTER, self.plan.folds[step % len(self.plan.folds)])
                    self._tell(begun, place, state=TrialState.PRUNED)
                    return []
        if left:
            trial.make_folder()  # for the logs of its jobs
            return left[:1] if self.pruned else left
        found = {**trial.outcome(), "folder": trial.folder.name}
        for name, value in found.items():
            self._begin(row).set_user_attr(name, value)
        self._tell(self._begin(row), place, values=found[self.plan.metric])
        return []

    def _tell(self, begun: optuna.Trial, place: int, **outcome) -> None:
        self.study.tell(begun, **outcome)
        tqdm.write(describe(place, self.shared.results()[place]), file=sys.stdout)
        sys.stdout.flush()

    def _fail(self, place: int, cause: str) -> None:
        for row in self.shared.attempts()[place]:
            if row.state in LIVE:
                begun = self._begin(row)
                begun.set_user_attr(ERROR, cause)
                self.study.tell(begun, state=TrialState.FAIL)


def check_remote(plan: Plan, runner: Lines | Slurm) -> None:
    """Refuse (InputError) a study whose trainings cannot be listed in advance, or whose sampler would not learn."""
    if isinstance(runner, Slurm):
        if plan.sampler == "tpe" and runner.resources.parallel is None:
            raise InputError(
                f"--submit: study {plan.study} has sampler tpe, which learns from finished trials; give the number of "
                "trainings at once in the file, as parallel: 8"
            )
        return
    for key, value, why in (
        ("sampler", plan.sampler == "tpe" and "tpe", "it chooses a trial by the results of earlier ones"),
        ("pruner", plan.pruner != "none" and plan.pruner, "it ends trials by the results of others"),
    ):
        if value:
            raise InputError(
                f"--plan: study {plan.study} has {key} {value}: {why}, so its trainings cannot be listed in advance; "
                "use sampler random or exhaustive without a pruner, or --submit, or ser sweep on one machine"
            )


def train_elsewhere(shared: SharedStudy, definition: Path, folder: Path, runner: Lines | Slurm) -> bool:
    """List the trainings of a study, or run them in SLURM, and enter the finished trials.

    Args:
        definition: `study.yaml`, whose paths are absolute, so that a training finds its files from any folder.

    Returns:
        Whether every trial is settled.

    Raises:
        Interrupted: after a signal; jobs in SLURM go on.
    """
    there = replace(shared, plan=read_plan(definition).with_trials(shared.plan.trials))
    if isinstance(runner, Slurm):
        trials = RemoteTrials(there, folder, runner.resources.parallel if there.plan.sampler == "tpe" else None)
        runner.follow(trials.missing, trials.failed)
        return True
    trials = RemoteTrials(there, folder)
    if left := trials.missing():
        runner.write(trials.jobs())
    return not left
