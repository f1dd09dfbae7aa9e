"""Complete simulated folders of `ser fit`, and of folds of a trial, with random posteriors."""

import json

import numpy as np
import pandas as pd
import yaml

from ser.emotions import PAPER_EMOTIONS
from ser.files import digest
from ser.results.predictions import scores
from ser.results.reading import TABLES
from tests.made_up.results import VERSIONS, make_curves, speakers_corpus, table_of

CONFIG = {
    "seed_everything": 1,
    "trainer": {"max_epochs": 6},
    "model": {"class_path": "ser.systems.CNNGRU", "init_args": {"dropout": 0.5, "gru_units": 64}},
    "data": {
        "corpus": {"class_path": "ser.data.EmoDB", "init_args": {"root": "/data/emodb"}},
        **{"protocol": "speaker", "fold": 1, "test_halves": "MMFFF", "batch_size": 16},
    },
    "wandb": {"mode": "offline", "tags": None},
}


def make_run(folder, *, dropout=0.5, speaker="03", epochs=6, state="finished", tested=True, random=1, **about_it):
    """Write the folder of a run that tests one speaker and validates another.

    Args:
        speaker: the tested one; the name of another speaker of the corpus gives another test set.
        state: "finished", or "unfinished" for a run without results.
        about_it: `wandb.tags` as `tags`, the names of the corpus's speakers as `renamed`, and entries of `result.json`.
    """
    generator = np.random.default_rng([random, *map(ord, speaker)])
    tags, renamed = about_it.pop("tags", None), about_it.pop("renamed", {})
    folder.mkdir(parents=True)
    system = CONFIG["model"]["class_path"].rpartition(".")[2]
    model = {**CONFIG["model"], "init_args": {**CONFIG["model"]["init_args"], "dropout": dropout}}
    config = {**CONFIG, "model": model, "wandb": {**CONFIG["wandb"], "tags": tags}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    identity = {"config": {}, "corpus": "c0ffee", "code": "c0de", "versions": VERSIONS}
    (folder / "identity.json").write_text(json.dumps(identity), encoding="utf-8")
    curves = make_curves(epochs, generator)
    curves.to_csv(folder / "metrics.csv", index=False)
    if state == "unfinished":
        return folder
    utterances = speakers_corpus()
    rows = {"test": utterances[utterances.speaker == speaker], "val": utterances[utterances.speaker == "16"]}
    tables = {name: table_of(part, system, 1.5, generator) for name, part in rows.items() if tested or name == "val"}
    for name, table in tables.items():
        table = table.assign(speaker=table.speaker.replace(renamed))
        table.to_csv(folder / TABLES[name], index=False)
        tables[name] = pd.read_csv(folder / TABLES[name], dtype={"speaker": str})
    about = {
        **{"system": system, "corpus": "emodb", "protocol": "speaker", "fold": 1, "test_halves": None, "seed": 1},
        **{"epochs": epochs, "epoch": int(curves["val/wa"].argmax()) + 1, "model": model["init_args"]},
        **(scores(tables["test"]) if tested else {}),
        "validation": scores(tables["val"]),
        "emotions": PAPER_EMOTIONS,
        **{"corpus_digest": "c0ffee", "code_digest": "c0de", "versions": VERSIONS, "leaks": [], "warnings": []},
        "digests": {TABLES[name]: digest(folder / TABLES[name]) for name in tables},
        **about_it,
    }
    (folder / "result.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def make_trials(study, dropouts=(0.1, 0.2), folds=(1, 2)):
    """Write the folds of a study's trials, which are not tested."""
    for number, dropout in enumerate(dropouts):
        trial = study / "trials" / f"{number:012x}"
        for fold in folds:
            make_run(trial / f"seed1-fold{fold:02d}", dropout=dropout, tested=False, random=fold, fold=fold)
        (trial / "parameters.json").write_text(json.dumps({"model.dropout": dropout}), encoding="utf-8")
    (study / "study.yaml").write_text("study: made up\n", encoding="utf-8")
    (study / "identity.json").write_text("{}", encoding="utf-8")
    return study
