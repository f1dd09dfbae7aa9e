"""`ser protocol NAME --data.corpus.root FOLDER`: who trains, validates and tests in each fold; what the sets share."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NoReturn

import pandas as pd
from jsonargparse import ArgumentParser, DefaultHelpFormatter

from ser.audio.waveforms import Waveforms
from ser.data.corpora.corpus import Corpus
from ser.data.corpora.release import absolute
from ser.data.folds import PROTOCOLS, fold_warnings, num_folds, split
from ser.data.leaks import SETS, Shared, leaks, recording_digests, repeated_recordings, shared, some
from ser.data.splits import read_split
from ser.emotions import EMOTIONS
from ser.errors import InputError, refusal_within
from ser.paths import expand_home
from ser.training.options.arguments import files_first
from ser.training.options.configuration import check_files, restrict
from ser.training.options.corpus_options import corpus_options
from ser.training.options.mistakes import explain

DESCRIPTION = """Who trains, who validates and who is tested in every fold of a protocol, how many utterances of each
emotion that makes, and what the sets share: speakers, dialogs, utterances, recordings (by content).

  ser protocol wu2019 --data.corpus.root DIR             IEMOCAP, the test sets of the paper's Table 2
  ser protocol wu2019 --data.corpus.root DIR --data.test_halves MMFFM             those of its Table 3
  ser protocol speaker --data conf/emodb.yaml --data.corpus.root DIR                  another corpus
  ser protocol speaker --data.corpus.root DIR --out folds.csv             also write the split itself
  ser protocol --splits mine.csv --data.corpus.root DIR                          check your own split

exit codes: 0 nothing leaks; 1 the sets share what the protocol does not allow; 2 a mistake in what was given"""


class ProtocolData:
    """What is divided.

    Args:
        corpus: where the utterances come from.
        test_halves: the tested dialog half of each session under wu2019; MMFFF gives Table 2, MMFFM Table 3.

    Raises:
        InputError: if the halves are other than F and M, whether the protocol asks for them or not.
    """

    def __init__(self, corpus: Corpus, test_halves: str = "MMFFF") -> None:
        if not test_halves or set(test_halves) - set("FM"):
            raise InputError(f"test_halves is {test_halves!r}, but must be one F or M for each session")
        self.corpus, self.test_halves = corpus, test_halves


@dataclass(frozen=True)
class Fold:
    """One fold of a split.

    Args:
        name: its number, or what a split file calls it.
        utterances: the corpus's table with a column `set`, "" for an utterance of no set.
        shared: what each two sets have in common.
        leaks: the lines of it that the protocol does not allow.
    """

    name: int | str
    utterances: pd.DataFrame
    shared: Shared
    leaks: list[str]


def main(arguments: list[str]) -> int:
    """Run `ser protocol ARGUMENTS`.

    Returns:
        0 if nothing leaks, else 1.

    Raises:
        InputError: an option, the corpus, the split file or the place of `--out` cannot be used.
    """
    parser = _parser()
    words = files_first(arguments)
    _Parser.places = check_files(words)
    settings = expand_home(parser.parse_args(words))
    if not settings.name and not settings.splits:
        parser.error("give a protocol, speaker or wu2019, or your own split (--splits FILE.csv)")
    out = _new_file(settings.out) if settings.out else None
    own = read_split(absolute(settings.splits)) if settings.splits else None
    try:
        data = parser.instantiate(settings).data
    except ValueError as error:  # jsonargparse wraps what a constructor refuses
        raise refusal_within(error) from error
    utterances = data.corpus.utterances()
    protocol = settings.name or "speaker"
    if own:
        sets, title = own.sets(utterances), f"Split {own.file} by the rules of protocol {protocol}"
    else:
        sets, title = _divide(utterances, protocol, data.test_halves)
    digests = None if settings.no_audio else recording_digests(Waveforms(utterances), len(utterances))
    folds = [_fold(name, utterances.assign(set=column), digests, protocol) for name, column in sets.items()]
    print(f"{title}\n{data.corpus.name} in {data.corpus.location}: {len(utterances)} utterances\n")
    print(report(folds, digests, protocol))
    if out:
        halves = data.test_halves if protocol == "wu2019" and not own else None
        about = {"protocol": protocol, "test_halves": halves, "own_split": bool(own)}
        _write(out, folds, {"corpus": data.corpus.name, **about, "audio_compared": digests is not None})
    return 1 if any(fold.leaks for fold in folds) else 0


def _divide(utterances: pd.DataFrame, protocol: str, test_halves: str) -> tuple[dict[int, pd.Series], str]:
    """The sets of every fold of a protocol, and what to call them."""
    folds = range(1, num_folds(utterances, protocol) + 1)
    sets = {fold: split(utterances, protocol, fold, test_halves) for fold in folds}
    return sets, f"Protocol {protocol}" + (f", test halves {test_halves}" if protocol == "wu2019" else "")


def _fold(name: int | str, utterances: pd.DataFrame, digests: list[str] | None, protocol: str) -> Fold:
    overlaps = shared(utterances, digests)
    return Fold(name, utterances, overlaps, leaks(overlaps, protocol))


class _Parser(ArgumentParser):
    places: ClassVar[dict[str, str]] = {}

    def format_help(self) -> str:
        return super().format_help() + corpus_options(self)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        message = explain(message, self, self.places).strip()
        raise InputError(f"{message}\n(every option and examples: ser protocol --help)")


class _Help(argparse.RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Keeps the lines of the examples."""


def _parser() -> ArgumentParser:
    restrict()
    parser = _Parser(prog="ser protocol", description=DESCRIPTION, formatter_class=_Help)
    parser.add_argument(
        "name", nargs="?", choices=PROTOCOLS, help="The protocol; with --splits, the one whose rules hold (speaker)."
    )
    parser.add_class_arguments(ProtocolData, "data", sub_configs=True)
    parser.set_defaults({"data.corpus": {"class_path": "ser.data.IEMOCAP"}})
    parser.add_argument(
        "--splits",
        type=str | None,
        metavar="FILE",
        help="Your own split, CSV: columns utterance, set (train, val or dev, test) and, for several folds, fold.",
    )
    parser.add_argument(
        "--no-audio", "--no_audio", action="store_true", help="Do not compare what is in the recordings."
    )
    parser.add_argument(
        "--out",
        type=str | None,
        metavar="FILE",
        help="Also write .json (everything shown here) or .csv (the split itself, as --splits reads it).",
    )
    return parser


def counts(utterances: pd.DataFrame) -> dict[str, int]:
    """Utterances of each emotion."""
    return {emotion: int((utterances.emotion == emotion).sum()) for emotion in EMOTIONS}


def describe_set(utterances: pd.DataFrame) -> dict:
    """Counts, sessions, dialog halves and speakers of one set, as plain values."""
    about = {name: sorted(utterances[name].unique().tolist()) for name in ("session", "dialog_half", "speaker")}
    halves = [half for half in about["dialog_half"] if half]
    numbers = {**counts(utterances), "all": len(utterances)}
    return {**numbers, "sessions": about["session"], "halves": halves, "speakers": about["speaker"]}


def pooled_test(folds: list[Fold]) -> pd.DataFrame:
    """The tested utterances of all folds, one row for each time that one is tested."""
    return pd.concat([fold.utterances[fold.utterances.set == "test"] for fold in folds])


def report(folds: list[Fold], digests: list[str] | None, protocol: str) -> str:
    """Everything about a split, as text for a person."""
    described = [
        {"fold": fold.name, "set": name, **describe_set(fold.utterances[fold.utterances.set == name])}
        for fold in folds
        for name in SETS
    ]
    parts = [_text(described), "Shared between the sets\n" + "\n".join(_shared_lines(folds))]
    if protocol == "wu2019" and any(fold.shared["val", "test"]["speakers"] for fold in folds):
        parts[-1] += "\nUnder wu2019 both actors speak in both halves of a session: validation and test share them."
    if digests is None:
        parts[-1] += "\nRecordings were not compared (--no-audio)."
    elif copies := repeated_recordings(folds[0].utterances, digests):
        parts.append("The corpus holds more than once " + some("recordings", copies))
    tested = pooled_test(folds)
    parts.append("Test sets of all folds together\n" + _text([{**counts(tested), "all": len(tested)}]))
    parts[-1] += "\n" + "\n".join(_coverage(folds, tested))
    found = [f"  fold {fold.name}: {line}" for fold in folds for line in fold.leaks]
    lines = _empty_sets(folds)
    lines += [f"Warning: {line}." for line in fold_warnings((fold.name, fold.utterances) for fold in folds)]
    parts += ["\n".join(lines)] if lines else []
    noun = "leak" if len(found) == 1 else "leaks"
    parts.append(
        "\n".join([f"{len(found)} {noun} under protocol {protocol}", *found]) if found else _no_leak(folds, protocol)
    )
    return "\n\n".join(parts)


def _no_leak(folds: list[Fold], protocol: str) -> str:
    allowed = any(names for fold in folds for overlap in fold.shared.values() for names in overlap.values())
    return f"No leak: protocol {protocol} allows what is shared." if allowed else "No leak found."


def _shared_lines(folds: list[Fold]) -> list[str]:
    lines = []
    for fold in folds:
        for (first, second), overlap in fold.shared.items():
            lines += [
                f"  fold {fold.name}: {first} and {second} share {some(what, names)}"
                for what, names in overlap.items()
                if names
            ]
    return lines or ["  nothing"]


def _coverage(folds: list[Fold], tested: pd.DataFrame) -> list[str]:
    """How often utterances are tested, and which are in no set."""
    everything = set(folds[0].utterances.utterance)
    never = len(everything - set(tested.utterance))
    often = sorted(tested.utterance[tested.utterance.duplicated()].unique())
    lines = [f"Tested in more than one fold: {some('utterances', often)}." if often else "Nothing is tested twice."]
    lines.append(f"{never} of {len(everything)} utterances are never tested." if never else "Everything is tested.")
    for fold in folds:
        if left_out := fold.utterances.utterance[fold.utterances.set == ""].tolist():
            lines.append(f"Fold {fold.name} leaves out {some('utterances', sorted(left_out))}.")
    return lines


def _empty_sets(folds: list[Fold]) -> list[str]:
    """Which sets are empty: nothing can leak into them, and nothing can be measured with them either."""
    lines = []
    for fold in folds:
        if missing := [name for name in SETS if name not in set(fold.utterances.set)]:
            names = ", ".join(missing)
            lines.append(f"Warning: fold {fold.name} has no utterance for {names}: nothing can leak into an empty set.")
    return lines


def _text(rows: list[dict]) -> str:
    """Aligned columns: numbers to the right, lists of names to the left."""
    table = pd.DataFrame(rows)
    for column in [name for name in ("sessions", "halves", "speakers") if name in table]:
        words = table[column].map(lambda names: " ".join(map(str, names)))
        if words.any():
            width = max(words.str.len().max(), len(column))
            table[column] = words.str.ljust(width)
            table = table.rename(columns={column: column.ljust(width)})
        else:
            table = table.drop(columns=column)
    return "\n".join(line.rstrip() for line in table.to_string(index=False).splitlines())


def _new_file(path: str) -> Path:
    """The place of `--out`, while nothing lies there."""
    file = absolute(path)
    if file.suffix not in (".json", ".csv"):
        raise InputError(f"--out is {path}, but must end in .json or .csv")
    if os.path.lexists(file):
        raise InputError(f"--out {file} exists already; nothing is overwritten")
    if not file.parent.is_dir():
        raise InputError(f"--out {file}: no such folder {file.parent}")
    return file


def _write(file: Path, folds: list[Fold], about: dict) -> None:
    if file.suffix == ".csv":
        columns = ["fold", "utterance", "set", "session", "speaker", "emotion"]
        table = pd.concat([fold.utterances.assign(fold=fold.name) for fold in folds])
        text = table[table.set != ""][columns].to_csv(index=False, lineterminator="\n")
    else:
        text = json.dumps({**about, **_plain(folds)}, indent=1, ensure_ascii=False) + "\n"
    try:
        with open(file, "x", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except OSError as error:
        raise InputError(f"--out {file} cannot be written ({error.strerror})") from None


def _plain(folds: list[Fold]) -> dict:
    """What `report` says, as plain values."""
    tested = pooled_test(folds)
    return {
        "folds": [
            {
                "fold": fold.name,
                "sets": {name: describe_set(fold.utterances[fold.utterances.set == name]) for name in SETS},
                "shared": [{"sets": list(pair), **overlap} for pair, overlap in fold.shared.items()],
                "leaks": fold.leaks,
            }
            for fold in folds
        ],
        "warnings": fold_warnings((fold.name, fold.utterances) for fold in folds),
        "pooled_test": {
            **counts(tested),
            "all": len(tested),
            "tested_twice": sorted(tested.utterance[tested.utterance.duplicated()].unique().tolist()),
        },
    }
