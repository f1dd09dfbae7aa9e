"""The files that a run writes into its folder, and the text that it prints."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch

from ser.data.datamodule import EmotionData
from ser.emotions import by_label
from ser.files import digest, write_text
from ser.results.names import fold_of, protocol_of
from ser.results.predictions import describe, scores
from ser.results.provenance import code_digest, commit, versions
from ser.results.reading import AVERAGED_TABLES, TABLES
from ser.systems.lineage import HEARD, counts_of, place_of, printable
from ser.systems.system import System

STATISTICS = {
    "train": "train",
    "corpus": "corpus (test audio takes part)",
    "speaker": "speaker (transductive: each speaker by its own audio)",
}
UNKNOWN = "unknown (written by an older version)"


def write_tables(folder: Path, tables: dict[str, pd.DataFrame], averaged: dict[str, pd.DataFrame]) -> None:
    """Write `predictions.csv` (test) and `validation.csv`, and the tables averaged over the last epochs."""
    for names, found in ((TABLES, tables), (AVERAGED_TABLES, averaged)):
        for name, table in found.items():
            write_text(folder / names[name], table.to_csv(index=False))


def write_result(
    folder: Path,
    system: System,
    data: EmotionData,
    tables: dict[str, pd.DataFrame],
    averaged: dict[str, pd.DataFrame],
    about: dict,
) -> dict:
    """Write `result.json`: test scores (`wa`, `ua`, ...), validation scores, and the data they were measured on.

    Args:
        folder: the run's folder, which contains the tables already.
        data: the fold that the system was evaluated on and, by `ser fit`, trained on.
        tables: predictions of "test", "val" or both.
        averaged: the same from the mean posterior of the last epochs; may be empty.
        about: further entries (seed, epochs of `ser fit` or None, epoch of the checkpoint, `trained_on`, device).
    """
    people = {"counts": counts_of(data), "speakers": data.speaker_identities}
    segments = {"train_segments": len(data.pieces["train"]), "tails_left_out": data.tails_left_out}
    evaluated = {part: {name: sets[name] for name in tables} for part, sets in people.items()}
    result = {
        "system": type(system).__name__,
        **place_of(data),
        "fold_name": data.fold_name,
        "emotions": list(data.emotions),
        "left_out": data.left_out,
        "statistics": STATISTICS[data.statistics],
        "trim_silence": data.trim and asdict(data.trim),
        **about,
        **(scores(tables["test"]) if "test" in tables else {}),
        "validation": scores(tables["val"]) if "val" in tables else None,
        "averaged": {**scores(averaged["test"]), "validation": scores(averaged["val"])} if averaged else None,
        **(evaluated if about["epochs"] is None else {**people, **segments}),
        "tested_on": {**place_of(data), **evaluated},
        "code_digest": code_digest(),
        "commit": commit(),
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "digests": {
            name: digest(folder / name)
            for name in [*TABLES.values(), *AVERAGED_TABLES.values()]
            if (folder / name).exists()
        },
    }
    write_text(folder / "result.json", json.dumps(result, indent=2, allow_nan=False) + "\n")
    return result


def headline(system: System, data: EmotionData, folder: Path) -> str:
    """A summary of a training before it starts: system, fold, sets and folder."""
    people, place = data.speaker_identities, {**place_of(data), "fold_name": data.fold_name, "leaks": data.leaks}
    names = {name: ", ".join(speaker.split(":", 1)[1] for speaker in people[name]) for name in people}
    sizes = data.utterances.set.value_counts()
    note = data.corpus.note(data.utterances)
    return "\n".join(
        [
            f"{type(system).__name__} on {data.corpus.name}, protocol {protocol_of(place)}, fold {fold_of(place)}",
            f"  train       {sizes['train']} utterances of {names['train']}",
            f"              {len(data.pieces['train'])} segments, {data.tails_left_out} short tails left out",
            f"  validation  {sizes['val']} utterances of {names['val']}",
            f"  test        {sizes['test']} utterances of {names['test']}",
            *left_out(data.left_out),
            f"  statistics  {STATISTICS[data.statistics]}",
            *([f"  silence     {data.trim}"] if data.trim else []),
            f"  run         {folder}",
            *([f"  note        {note}"] if note else []),
            *(f"  leak        {line}" for line in data.leaks),
            *(f"  warning     {line}" for line in data.warnings),
        ]
    )


def left_out(numbers: Mapping[str, int]) -> list[str]:
    """A line on utterances of other labels than `data.emotions`, if there are any."""
    return [f"  left out    utterances of other labels: {by_label(numbers)}"] if numbers else []


def report(result: dict) -> str:
    """The result of a run as text."""
    what = f"{result['system']} on {result['corpus']}, protocol {protocol_of(result)}, fold {fold_of(result)}"
    lines = ["", f"{what}, epoch {result['epoch']}, statistics: {result['statistics']}"]
    if result["epochs"] is None:
        lines += [*describe_origin(result["trained_on"], result["tested_on"]), *left_out(result["left_out"])]
    lines += [f"  leak        {line}" for line in result["leaks"]]
    lines += [f"  warning     {line}" for line in result["warnings"]]
    for title, name, found in (("Test", "test", result), ("Validation", "val", result["validation"])):
        if found and "confusion" in found:
            speakers = ", ".join(speaker.split(":", 1)[1] for speaker in result["speakers"][name])
            lines += ["", f"{title} ({speakers}): {describe(found)}"]
    if mean := result["averaged"]:
        number = result["epochs_averaged"]
        lines += ["", f"Test, mean posterior of the last {number} epochs: {describe(mean)}"]
    return "\n".join(lines)


def training_record(found: Mapping) -> dict:
    """The entry `trained_on` of a result, from the `entries` of the checkpoint."""
    about, before = dict(found["trained_on"]), found["initial_weights"]
    if about["counts"]:
        about["counts"] = {name: about["counts"][name] for name in HEARD}
    return {
        **about,
        "statistics": found["standardised_by"],
        "trim_silence": found["trim_silence"],
        **_people(found),
        "initial_weights": before and {**_people(before), "complete": before["complete"]},
    }


def _people(part: Mapping) -> dict:
    return {
        "speakers": {name: part["speakers"][name] for name in HEARD},
        "utterances": {name: len(part["recordings"][name]) for name in HEARD},
    }


def describe_origin(trained: dict, tested: dict) -> list[str]:
    """Lines of text on the training and test data of a checkpoint (`trained_on`, `tested_on` of a result)."""
    lines = [f"  trained on  {_place(trained)}"]
    lines += [f"              {_utterances(trained, 'train')}", f"  validated   {_utterances(trained, 'val')}"]
    if before := trained["initial_weights"]:
        known = [f"trained on {_utterances(before, 'train')}", f"validated on {_utterances(before, 'val')}"]
        known = known if before["speakers"]["train"] else []
        known += [] if before["complete"] else [f"trained on speakers {UNKNOWN}"]
        lines.append(f"  began with  weights {', '.join(known)}")
    lines.append(f"  tested on   {_place(tested)}")
    return lines + [f"              {_utterances(tested, name)}" for name in tested["speakers"]]


def _place(about: dict) -> str:
    names = ("corpus", "protocol", "test_halves", "fold", "corpus_digest")
    corpus, protocol, halves, fold, digest_of_corpus = (
        UNKNOWN if about[name] is None else printable(str(about[name])) for name in names
    )
    halves = f" {halves}" if about["test_halves"] else ""
    return f"{corpus}, protocol {protocol}{halves}, fold {fold}, corpus digest {digest_of_corpus}"


def _utterances(about: dict, name: str) -> str:
    """The number of utterances of a set, per emotion, and its speakers."""
    counts = (about.get("counts") or {}).get(name)
    number = sum(counts.values()) if counts else about["utterances"][name]
    emotions = f" ({by_label(counts)})" if counts else ""
    people = about["speakers"][name]
    bare = len({who.partition(":")[0] for who in people}) == 1 and "corpus" in about
    names = ", ".join(printable(who.partition(":")[2] if bare else who) for who in people)
    return f"{number} utterances{emotions} of {names}"
