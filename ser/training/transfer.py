"""Test a trained system, or all systems of a cross-validation, on every utterance of another corpus."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pandas as pd
import torch
from lightning import Trainer
from lightning.pytorch.loggers.logger import DummyLogger
from pydantic import Field

from ser.bounds import checked
from ser.checkpoint.reading import put_weights, read_checkpoint
from ser.data.corpora.corpus import Corpus
from ser.data.datamodule import EmotionData
from ser.data.labels import Labels
from ser.data.protocols.protocol import WholeCorpus
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError, nearest
from ser.files import digest, is_in_use, write_text
from ser.results.pooled_result import PooledRecord
from ser.results.predictions import emotions_of
from ser.results.provenance import code_digest, commit, versions
from ser.results.reading import TABLES, read_about
from ser.results.records import check_record
from ser.results.transferred import EACH, KIND, restrict, summarise_transfer
from ser.systems import SYSTEMS
from ser.systems.lineage import check_unheard, doubts, entries
from ser.systems.system import System
from ser.training.callbacks.predictions import Predictions
from ser.training.callbacks.progress import Progress
from ser.training.devices import device_name
from ser.training.evaluation import mean_predictions, predict

BEST = Path("checkpoints") / "best.ckpt"


class Target:
    """The corpus to test on.

    Args:
        corpus: where the utterances come from; all of them are tested.
        emotions: emotions to score; by default those that the system and the corpus have.
        merge: labels that count as an emotion of the system, as {joy: happy}.
        max_batch_seconds: audio of a batch, padding included.
        num_workers: worker processes that read audio.
    """

    @checked("data.")
    def __init__(
        self,
        corpus: Corpus,
        emotions: list[str] | None = None,
        merge: dict[str, str] | None = None,
        max_batch_seconds: Annotated[float, Field(gt=0, le=86_400)] = 60.0,
        num_workers: Annotated[int, Field(ge=0, le=256)] = 0,
    ) -> None:
        self.corpus, self.emotions, self.merge = corpus, emotions, merge
        self.options = {"max_batch_seconds": max_batch_seconds, "num_workers": num_workers}

    def data(self, checkpoint: Mapping) -> EmotionData:
        """Read the corpus: the utterances of the emotions that it shares with the system of a checkpoint.

        Raises:
            InputError: if there are fewer than two, or a chosen one is not an emotion of the system.
        """
        known = checkpoint["hyper_parameters"].get("emotions", PAPER_EMOTIONS)
        for emotion in self.emotions or ():
            if emotion not in known:
                raise InputError(
                    f"data.emotions: the system has no emotion {emotion!r}{nearest(emotion, known)} "
                    f"(it answers with {', '.join(known)})"
                )
        whole = Labels(known, self.merge)
        labels = {row["emotion"] for row in self.corpus.listed().rows}
        found = {whole.emotion_of(label) for label in labels}
        shared = [emotion for emotion in known if emotion in (self.emotions or found)]
        if len(shared) < 2:
            raise InputError(
                f"the system answers with {', '.join(known)}, but {self.corpus.name} has only "
                f"{', '.join(shared) or 'none of them'} (its labels: {', '.join(sorted(labels))}); "
                "--data.merge '{LABEL: EMOTION}' counts a label as one of the system's emotions"
            )
        merge = {label: emotion for label, emotion in whole.merge.items() if emotion in shared}
        trim = checkpoint.get("trim_silence")
        heard = {"statistics": checkpoint["standardised_by"], "trim_silence": trim is not None}
        heard |= {f"trim_{name}": value for name, value in (trim or {}).items()}
        data = EmotionData(self.corpus, shared, merge, **heard, **self.options)
        data.emotions, data.rules = tuple(known), WholeCorpus()
        data.setup()
        return data


def checkpoints_of(folder: Path) -> dict[tuple[int, int], Path]:
    """The best checkpoint of every seed and fold of a run or a cross-validation.

    Raises:
        InputError: if it is neither, is not finished, or a checkpoint is missing.
    """
    about = read_about(folder)
    runs = [{**about, "folder": "."}]
    if about.get("kind") == "crossval":
        check_record(PooledRecord, about, folder / "result.json")
        runs = about["runs"]
    elif about.get("kind") == KIND or not about.get("epochs"):
        raise InputError(f"{folder}: not a training; give the folder of a `ser fit` or `ser crossval`")
    found = {(run["seed"], run["fold"]): folder / run["folder"] / BEST for run in runs}
    if missing := [path for path in found.values() if not path.is_file()]:
        raise InputError(f"{missing[0]}: missing; the weights are needed to test another corpus")
    return found


def transfer(source: Path, target: Target, accelerator: str, folder: Path, command: str) -> dict:
    """Test, and write `predictions.csv` (mean posterior), `predictions_each.csv` and `result.json` into a new folder.

    Args:
        source: folder of a run or a cross-validation.
        accelerator: of Lightning's trainer.
        folder: new or empty.
        command: the command line, recorded in the result.

    Raises:
        InputError: if a checkpoint cannot be used, was trained or validated on a speaker or recording of the corpus, or
            the corpus has too few of its emotions.
    """
    if is_in_use(folder):
        raise InputError(f"--out {folder} already holds other files; choose a new folder")
    paths = checkpoints_of(source)
    found = {key: read_checkpoint(path) for key, path in paths.items()}
    first = next(iter(found.values()))
    data = target.data(first)
    for key, checkpoint in found.items():
        check_unheard(entries(checkpoint), paths[key], data, "test")
    warnings = sorted({line for each in found.values() for line in doubts(entries(each), "the system", data, ["test"])})
    callbacks = [Predictions(), Progress()]
    trainer = Trainer(accelerator=accelerator, devices=1, logger=DummyLogger(), callbacks=callbacks)
    tables = {}
    for (seed, fold), checkpoint in found.items():
        system: System = SYSTEMS[checkpoint["system"]](**checkpoint["hyper_parameters"])
        put_weights(system, checkpoint, paths[seed, fold])
        table = predict(trainer, system, data, ["test"])[0]["test"]
        tables[seed, fold] = table.assign(seed=seed, fold=fold)
    shared = data.labels.emotions
    every = emotions_of(table)
    mean = restrict(mean_predictions(list(tables.values())).assign(fold=0).drop(columns="seed"), shared)
    each = pd.concat([restrict(table, shared) for table in tables.values()], ignore_index=True)
    for name, table in ((TABLES["test"], mean), (EACH, each)):
        write_text(folder / name, table.to_csv(index=False))
    trained, place = read_about(source), entries(first)
    about = {
        "kind": KIND,
        "system": first["system"],
        "corpus": data.corpus.name,
        "protocol": data.rules.name,
        "trained_on": {
            "folder": source.resolve().name,
            "corpus": trained["corpus"],
            "protocol": trained["protocol"],
            "folds": sorted({fold for _, fold in found}),
            "seeds": sorted({seed for seed, _ in found}),
            "emotions": list(every),
            "statistics": first["standardised_by"],
            "corpus_digest": trained["corpus_digest"],
            "code_digest": place["trained_on"]["code_digest"],
            "leaks": trained.get("leaks", []),
        },
        "left_out": data.left_out,
        "merge": data.labels.merge,
        **summarise_transfer(mean, each, every),
        "validation": None,
        "lambda": first["hyper_parameters"].get("lambda_"),
        "model": first["hyper_parameters"],
        "corpus_digest": data.corpus_digest,
        "device": device_name(trainer.strategy.root_device),
        "threads": torch.get_num_threads(),
        "warnings": warnings,
        "command": command,
        "code_digest": code_digest(),
        "commit": commit(),
        "versions": versions(),
        "digests": {name: digest(folder / name) for name in (TABLES["test"], EACH)},
    }
    write_text(folder / "result.json", json.dumps(about, indent=2, allow_nan=False) + "\n")
    return about
