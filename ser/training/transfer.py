"""Test a trained system, or all systems of a cross-validation, on every utterance of another corpus."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import torch
from lightning import Trainer
from lightning.pytorch.loggers.logger import DummyLogger

from ser.checkpoint.reading import put_weights
from ser.checkpoint.trained import Key, read_checkpoints, read_trained
from ser.data.datamodule import EmotionData
from ser.errors import InputError
from ser.files import about_out, digest, is_in_use, make_folder, write_text
from ser.results.predictions import emotions_of
from ser.results.provenance import code_digest, commit, versions
from ser.results.reading import TABLES
from ser.results.transferred import EACH, KIND, restrict, summarise_transfer
from ser.systems import SYSTEMS
from ser.systems.lineage import HEARD, check_unheard, doubts, entries, heard
from ser.systems.system import System
from ser.training.callbacks.predictions import Predictions
from ser.training.callbacks.progress import Progress
from ser.training.devices import device_name
from ser.training.evaluation import mean_predictions, predict
from ser.training.options.trainer import refusals
from ser.training.target import Target


def transfer(source: Path, target: Target, accelerator: str, folder: Path, command: str) -> tuple[dict, pd.DataFrame]:
    """Test, and write `predictions.csv` (mean posterior), `predictions_each.csv` and `result.json` into a new folder.

    Args:
        source: folder of a run or a cross-validation.
        accelerator: of Lightning's trainer.
        folder: new or empty.
        command: the command line, recorded in the result.

    Returns:
        The result, and the predictions of the mean posterior.

    Raises:
        InputError: if a checkpoint cannot be used, was trained or validated on a speaker or recording of the corpus, or
            the corpus has too few of its emotions.
    """
    with about_out(folder):
        if is_in_use(folder):
            raise InputError(f"--out {folder} already holds other files; choose a new folder")
    trained = read_trained(source)
    found = read_checkpoints(source, trained)
    torch.backends.cudnn.allow_tf32 = False  # as in training
    with refusals("accelerator"):
        callbacks = [Predictions(), Progress()]
        trainer = Trainer(accelerator=accelerator, devices=1, logger=DummyLogger(), callbacks=callbacks)
    data = target.data(next(iter(found.values()))[1])
    for path, checkpoint in found.values():
        check_unheard(entries(checkpoint), path, data, "test")
    is_new = not folder.exists()
    make_folder(folder)
    try:
        tables = _predictions(trainer, data, found)
        every, shared = emotions_of(next(iter(tables.values()))), data.labels.emotions
        mean = restrict(mean_predictions(list(tables.values())).assign(fold=0).drop(columns="seed"), shared)
        each = pd.concat([restrict(table, shared) for table in tables.values()], ignore_index=True)
        for name, table in ((TABLES["test"], mean), (EACH, each)):
            write_text(folder / name, table.to_csv(index=False))
        about = {
            "kind": KIND,
            **_about(source.resolve().name, trained, found, data),
            **summarise_transfer(mean, each, every),
            "validation": None,
            "device": device_name(trainer.strategy.root_device),
            "threads": torch.get_num_threads(),
            "command": command,
            "code_digest": code_digest(),
            "commit": commit(),
            "versions": versions(),
            "digests": {name: digest(folder / name) for name in (TABLES["test"], EACH)},
        }
        write_text(folder / "result.json", json.dumps(about, indent=2, allow_nan=False) + "\n")
    except BaseException:
        for name in (TABLES["test"], EACH):
            (folder / name).unlink(missing_ok=True)
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise
    return about, mean


def _predictions(trainer: Trainer, data: EmotionData, found: dict[Key, tuple[Path, dict]]) -> dict[Key, pd.DataFrame]:
    tables = {}
    for (seed, fold), (path, checkpoint) in found.items():
        system: System = SYSTEMS[checkpoint["system"]](**checkpoint["hyper_parameters"])
        put_weights(system, checkpoint, path)
        tables[seed, fold] = predict(trainer, system, data, ["test"])[0]["test"].assign(seed=seed, fold=fold)
    return tables


def _about(name: str, trained: dict, found: dict[Key, tuple[Path, dict]], data: EmotionData) -> dict:
    """The entries of the result on the trained systems and on the corpus."""
    lineages = [entries(checkpoint) for _, checkpoint in found.values()]
    first = next(iter(found.values()))[1]
    return {
        "system": first["system"],
        "corpus": data.corpus.name,
        "protocol": data.rules.name,
        "trained_on": {
            "folder": name,
            **{key: trained.get(key) for key in ("corpus", "protocol", "corpus_digest")},
            "folds": sorted({fold for _, fold in found}),
            "seeds": sorted({seed for seed, _ in found}),
            "emotions": list(data.emotions),
            "statistics": first["standardised_by"],
            "trim_silence": first.get("trim_silence"),
            "code_digest": lineages[0]["trained_on"]["code_digest"],
            "leaks": trained.get("leaks") or [],
        },
        "left_out": data.left_out,
        "merge": data.labels.merge,
        "lambda": first["hyper_parameters"].get("lambda_"),
        "model": first["hyper_parameters"],
        "corpus_digest": data.corpus_digest,
        "warnings": doubts(_together(lineages), "the system", data, ["test"]),
    }


def _together(lineages: Iterable[dict]) -> dict:
    """The lineages of several systems as that of one, for warnings that name every speaker once."""
    parts = [heard(each) for each in lineages]
    speakers = {name: sorted({who for part in parts for who in part["speakers"][name]}) for name in HEARD}
    none = {name: [] for name in HEARD}
    unknown = {"speakers": none, "recordings": none, "complete": False}
    complete = all(part["complete"] for part in parts)
    return {"speakers": speakers, "recordings": none, "initial_weights": None if complete else unknown}
