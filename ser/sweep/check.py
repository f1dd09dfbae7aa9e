"""Checking a study before its first trial: every option, every end of every range, the corpus, the folds."""

from __future__ import annotations

import sys

from ser.cli import RunCLI
from ser.command import quieten
from ser.data.folds import num_folds
from ser.errors import InputError
from ser.identity import PER_FOLD, identity
from ser.sweep.plan import LAMBDA, Plan
from ser.sweep.trial import run_options

WITHOUT = ("config", "out")


class PointCLI(RunCLI):
    """The parsed configuration of one point of the search space; nothing is run."""

    def __init__(self, words: list[str]) -> None:
        given, sys.argv = sys.argv, ["ser sweep", *words]
        try:
            super().__init__(run=False)
        finally:
            sys.argv = given

    def instantiate_classes(self) -> None:
        """Build the system and the data, so that their constructors refuse what they would refuse later."""
        self._build()


def check_devices(plan: Plan, cli: PointCLI) -> None:
    """Refuse one trial on several devices.

    Raises:
        InputError: naming the option.
    """
    settings = cli._get(cli.config, "trainer")
    if settings.strategy not in ("auto", "single_device"):
        raise InputError(f"study {plan.study}: trainer.strategy: a trial is one process on one device")
    if settings.devices not in (1, "1", "auto") or settings.num_nodes != 1:
        raise InputError(
            f"study {plan.study}: trainer.devices: a trial is one process on one device; --workers runs several at once"
        )


def check_runs(plan: Plan) -> dict:
    """Build the system at the corners of the space and read the corpus.

    Returns:
        The identity of the runs, without what the study varies.

    Raises:
        InputError: for an unknown option, a value out of its range, a corpus that is not there, folds of both
            directions.
    """
    quieten()
    first = None
    for point in plan.space.corners():
        try:
            found = PointCLI(run_options(plan, point))
        except InputError as error:
            raise InputError(f"study {plan.study}, at {point}: {error}") from error
        check_devices(plan, found)
        first = first or found
    first._read_corpus()
    data = first.datamodule
    sessions = data.utterances.session.nunique()
    last = num_folds(data.utterances, data.protocol)
    if outside := [fold for fold in plan.folds if not 1 <= fold <= last]:
        raise InputError(f"study {plan.study}: there is no fold {outside[0]}; protocol {data.protocol} has 1 to {last}")
    if data.protocol == "speaker" and len({fold > sessions for fold in plan.folds}) > 1:
        raise InputError(
            f"study {plan.study}: folds {', '.join(map(str, plan.folds))} are of both directions: who validates in one "
            f"is tested in the other, so the study would see test utterances. Take folds of 1-{sessions} or of "
            f"{sessions + 1}-{last}"
        )
    if plan.choose_lambda and "lambda_" not in first.model.hparams:
        raise InputError(f"study {plan.study}: choose_lambda, but {type(first.model).__name__} has no lambda")
    config = {key: value for key, value in first._plain_config().items() if key not in WITHOUT}
    known = identity(config, data.corpus_digest, without=PER_FOLD)
    varied = {*plan.space.dimensions, *([LAMBDA] if plan.choose_lambda else [])}
    known["config"] = {
        name: value
        for name, value in known["config"].items()
        if name not in varied and not ("model" in varied and name.startswith("model"))
    }
    return known
