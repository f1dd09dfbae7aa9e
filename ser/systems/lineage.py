"""Speakers and recordings that a system was trained and validated on, also those of its initial weights.

A checkpoint has them in its entries `speakers`, `recordings`, `standardised_by`, `trim_silence`, `trained_on` and
`initial_weights`. Older versions did not write the last three; what their checkpoints lack is None, or marked as not
complete.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

import pandas as pd
from pydantic import JsonValue, ValidationError

from ser.data.corpora.manifest import UNNAMED, Manifest
from ser.data.datamodule import EmotionData
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError
from ser.results.identity import is_identity
from ser.results.provenance import code_digest, versions
from ser.results.records import Record, Sets

NAMESAKES = " If these are other people and only the names agree, name this corpus: --data.corpus.name NAME."
HEARD = ("train", "val")  # sets that influence the weights: by training steps, or by the choice of the epoch


class Counts(Sets[dict[str, int]], extra="forbid"):
    """Utterances of each emotion in every set."""


class TrainedOn(Record, extra="allow"):
    """The entry `trained_on`; a value is None if an older version did not record it. Further keys are allowed."""

    __pydantic_extra__: dict[str, JsonValue]
    corpus: str | None
    protocol: str | None
    fold: int | None
    test_halves: str | None
    counts: Counts | None
    train_segments: int | None
    tails_left_out: int | None
    corpus_digest: str | None
    code_digest: str | None
    versions: dict[str, str] | None


def entries_of_fold(data: EmotionData, before: Mapping | None) -> dict:
    """The entries of a new training.

    Args:
        before: the entries of its initial weights; None if they are random.
    """
    return {
        "speakers": data.speaker_identities,
        "recordings": data.digests,
        "standardised_by": data.statistics,
        "trim_silence": data.trim and asdict(data.trim),
        "trained_on": {
            **place_of(data),
            "counts": counts_of(data),
            "train_segments": len(data.pieces["train"]),
            "tails_left_out": data.tails_left_out,
            "code_digest": code_digest(),
            "versions": versions(),
        },
        "initial_weights": None if before is None else heard(before),
    }


def place_of(data: EmotionData) -> dict:
    """Corpus, protocol and fold, under their keys in `result.json`."""
    return {
        "corpus": data.corpus.name,
        "protocol": data.protocol,
        "fold": data.fold,
        "test_halves": data.rules.test_halves,
        "corpus_digest": data.corpus_digest,
    }


def counts_of(data: EmotionData) -> dict[str, dict[str, int]]:
    """Utterances of each emotion in each set."""
    used = data.utterances[data.utterances.set != ""]
    counts = pd.crosstab(used.set, used.emotion).reindex(columns=data.emotions, fill_value=0)
    return {name: {emotion: int(row[emotion]) for emotion in data.emotions} for name, row in counts.iterrows()}


def emotions_in(checkpoint: Mapping) -> list[str]:
    """The emotions of a checkpoint's system; systems of older versions had the paper's."""
    return checkpoint["hyper_parameters"].get("emotions", PAPER_EMOTIONS)


def audio_options(checkpoint: Mapping) -> dict:
    """The options of `EmotionData` with which a checkpoint's system must be evaluated: statistics and trimming."""
    trim = checkpoint.get("trim_silence")
    options = {"statistics": checkpoint["standardised_by"], "trim_silence": trim is not None}
    return options | {f"trim_{name}": value for name, value in (trim or {}).items()}


def entries(checkpoint: Mapping) -> dict:
    """The entries of a checkpoint; entries that an older version did not write are derived from the others."""
    found = {name: checkpoint[name] for name in ("speakers", "recordings", "standardised_by")}
    found["trim_silence"] = checkpoint.get("trim_silence")  # silence was not trimmed by older versions
    identity = checkpoint["identity"] if is_identity(checkpoint.get("identity")) else None
    written = checkpoint.get("trained_on") or _derived(found, identity)
    trained_on = {name: written.get(name) for name in TrainedOn.model_fields}
    if "initial_weights" in checkpoint:
        before = checkpoint["initial_weights"]
    elif identity and not identity["config"].get("init_weights"):
        before = None
    else:  # initial weights were loaded, or it is not known
        before = {"speakers": {"train": [], "val": []}, "recordings": {"train": [], "val": []}, "complete": False}
    return {**found, "trained_on": trained_on, "initial_weights": before}


def _derived(found: Mapping, identity: Mapping | None) -> dict:
    """The entry `trained_on` of a checkpoint without one, as far as it can be derived."""
    identity = identity or {"config": {}, "versions": {}}
    corpora = {who.split(":", 1)[0] for who in found["speakers"]["train"]}
    known = {name: identity["config"].get(f"data.{name}") for name in ("protocol", "fold", "test_halves")}
    if known["protocol"] != "wu2019":
        known["test_halves"] = None
    known |= {"corpus": corpora.pop() if len(corpora) == 1 else None}
    known |= {"corpus_digest": identity.get("corpus"), "code_digest": identity.get("code")}
    known |= {"versions": identity["versions"] or None}
    try:
        TrainedOn.model_validate({**dict.fromkeys(TrainedOn.model_fields), **known})
    except ValidationError as error:  # an identity is not checked when a checkpoint is read
        known |= dict.fromkeys(each["loc"][0] for each in error.errors())
    return known


def heard(found: Mapping) -> dict:
    """Training and validation speakers and recordings of a system and of its initial weights.

    Args:
        found: `entries` of its checkpoint.

    Returns:
        Sorted lists `speakers` and `recordings`, each by "train" and "val"; `complete` is False if others are unknown.
    """
    before = found["initial_weights"]
    parts = [found, before] if before else [found]
    found = {
        each: {name: sorted({who for part in parts for who in part[each][name]}) for name in HEARD}
        for each in ("speakers", "recordings")
    }
    return {**found, "complete": before["complete"] if before else True}


def check_unheard(found: Mapping, path: object, data: EmotionData, tested: str) -> None:
    """Refuse to evaluate a system on its training speakers or recordings, or to test it on its validation set.

    The same is checked for its initial weights.

    Args:
        found: `entries` of its checkpoint.
        tested: the set to evaluate, "val" or "test".

    Raises:
        InputError: with the speakers, or the number of recordings.
    """
    hint = "the result would mean nothing. Choose a fold or a corpus with other speakers."
    own, recordings = set(data.speaker_identities[tested]), set(data.digests[tested])
    is_manifest = isinstance(data.corpus, Manifest)
    people = own | {f"{UNNAMED}:{who.split(':', 1)[1]}" for who in own if is_manifest}  # as older versions name them
    namesakes = NAMESAKES if is_manifest else ""
    parts = [(found, f"{path} was trained", f"the epoch of {path} was chosen")]
    if found["initial_weights"]:
        began = f"{path} began with weights"
        parts.append((found["initial_weights"], f"{began} that were trained", f"{began} whose epoch was chosen"))
    for part, trained, chosen in parts:
        if same := sorted(people.intersection(part["speakers"]["train"])):
            more = "" if recordings.intersection(part["recordings"]["train"]) else namesakes
            more = f" (Older versions call every CSV file {UNNAMED}.)" if same[0] not in own else more
            raise InputError(f"{trained} on {', '.join(same)}, who would be evaluated here; {hint}{more}")
        if same := recordings.intersection(part["recordings"]["train"]):
            raise InputError(f"{trained} on {len(same)} of the recordings evaluated here; {hint}")
        if tested == "test" and (same := recordings.intersection(part["recordings"]["val"])):
            raise InputError(f"{chosen} on {len(same)} of the recordings tested here; {hint}")
        apart = tested == "test" and ("val", "test") not in data.rules.shared_speakers
        if apart and (same := people.intersection(part["speakers"]["val"])):
            more = namesakes if same <= own else ""
            raise InputError(f"{chosen} on {', '.join(sorted(same))}, who would be tested here; {hint}{more}")


def doubts(found: Mapping, what: str, data: EmotionData, sets: Iterable[str]) -> list[str]:
    """Warnings if it is unknown whether a system was trained or validated on the speakers it is evaluated on.

    Args:
        found: `entries` of its checkpoint.
        what: "the checkpoint" or "the initial weights".
        sets: the sets to evaluate, "val" or "test" or both.
    """
    everyone, lines = heard(found), []
    if not everyone["complete"]:
        lines.append(
            f"an older version wrote {what} and did not record the training speakers of earlier weights, if any; "
            "they may include speakers evaluated here"
        )
    own = {data.corpus.name, *([UNNAMED] if isinstance(data.corpus, Manifest) else [])}
    parts = [who.partition(":") for name in HEARD for who in everyone["speakers"][name]]
    others = {(corpus, speaker) for corpus, _, speaker in parts if corpus not in own}
    names = {speaker for _, speaker in others}
    if names & {who.split(":", 1)[1] for name in sets for who in data.speaker_identities[name]}:
        same = sorted(names & set(data.utterances.speaker))
        corpora = sorted({printable(corpus) for corpus, speaker in others if speaker in same})
        lines.append(
            f"training or validation of {what} used speakers {', '.join(same)} of {', '.join(corpora)}, and "
            f"{data.corpus.name} has speakers of the same names; if they are the same people, the result means nothing"
        )
    return lines


def printable(text: str) -> str:
    """Text from a file, escaped if it has characters that must not be written to a terminal."""
    return text if text.isprintable() else ascii(text)
