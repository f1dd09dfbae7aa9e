"""Simulated studies: rows in a real storage and folders of trials, without training."""

import json
from dataclasses import replace

import numpy as np
import optuna

from ser.emotions import PAPER_EMOTIONS
from ser.files import digest
from ser.results.predictions import scores
from ser.sweep.study.plan import read_plan
from ser.sweep.study.shared_study import PLANNED, SharedStudy
from ser.sweep.study.storage import open_storage
from ser.sweep.workers.trial import Trial
from tests.made_up.results import speakers_corpus, split, table_of

JOINT = """
study: made-up
config: {config}
space:
  model.routing_iterations: {{int: [1, 3]}}
  model.learning_rate: {{float: [0.0003, 0.003], log: true}}
  model.dropout: {{float: [0.2, 0.7]}}
sampler: random
trials: {trials}
choose_lambda: {choose_lambda}
folds: 1-3
"""


def make_fold(folder, system, fold, skill, generator, emotions):
    """Write the files of a fold of `ser validated` that a study reads."""
    utterances = split(speakers_corpus(emotions), "speaker", fold, None)["val"]
    table = table_of(utterances, system, skill, generator, emotions).assign(fold=fold)
    folder.mkdir(parents=True)
    table.to_csv(folder / "validation.csv", index=False)
    about = {
        "threads": 1,
        "validation": scores(table),
        "epoch": fold,
        "digests": {"validation.csv": digest(folder / "validation.csv")},
    }
    (folder / "result.json").write_text(json.dumps(about), encoding="utf-8")


def settle(shared, folder, place, system, skill, pruned_after=None, error=None, emotions=PAPER_EMOTIONS):
    """Complete a planned trial with simulated posteriors, or record it as pruned or failed."""
    plan = shared.plan
    generator = np.random.default_rng([place, len(system)])
    create, states = optuna.trial.create_trial, optuna.trial.TrialState
    parameters = plan.points[place]
    trial = Trial(plan, folder, parameters, place, shared.identity)
    make = {"params": parameters, "distributions": dict(plan.space.dimensions)}
    if error:
        row = create(state=states.FAIL, user_attrs={PLANNED: place, "error": error}, **make)
        shared.optuna.add_trial(row)
        return
    if pruned_after:
        attributes = {PLANNED: place, "pruned_after_fold": pruned_after}
        shared.optuna.add_trial(create(state=states.PRUNED, user_attrs=attributes, value=0.3, **make))
        return
    for fold in plan.folds:
        make_fold(trial.folder / f"seed1-fold{fold:02d}", system, fold, skill, generator, emotions)
    outcome = trial.outcome()
    attributes = {PLANNED: place, **outcome, "folder": trial.folder.name, "worker": "here:1"}
    shared.optuna.add_trial(create(value=outcome[plan.metric], user_attrs=attributes, **make))


def open_made_up(path, folder, identity=None, **changes):
    """A study with this definition in its own storage, without planned rows."""
    plan = replace(read_plan(path), **changes)
    folder.mkdir(exist_ok=True)
    storage = open_storage(f"sqlite:///{folder / 'study.db'}", plan.heartbeat_seconds)
    study = optuna.create_study(study_name=plan.study, storage=storage, direction="maximize")
    study.set_user_attr("identity", identity or {})
    return SharedStudy.load(plan, storage)


def write_joint(folder, config, trials=14, choose_lambda=True):
    """Write the definition of a study of three options."""
    path = folder / "made-up.yaml"
    text = JOINT.format(config=config, trials=trials, choose_lambda=str(choose_lambda).lower())
    path.write_text(text, encoding="utf-8")
    return path


def run_config(system, options, tracked=True):
    """The part of a run's configuration that a study reads."""
    tracking = {"mode": "offline" if tracked else "disabled", "project": "ser", "entity": None, "group": None}
    corpus = {"class_path": "ser.data.EmoDB", "init_args": {"root": "emodb"}}
    return {
        "seed_everything": 1,
        "model": {"class_path": system, "init_args": options},
        "data": {"corpus": corpus, "protocol": "speaker", "fold": 1, "seed": 1},
        "wandb": {**tracking, "name": None, "tags": None},
    }
