"""Where a tested system comes from: what a result says of the training behind its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

from ser.emotions import EMOTIONS
from ser.systems.lineage import HEARD, printable

UNKNOWN = "unknown (written by an older version)"


def training_record(found: Mapping) -> dict:
    """What a result says of the training behind a checkpoint (`trained_on`), from the checkpoint's `entries`."""
    about, before = dict(found["trained_on"]), found["initial_weights"]
    if about["counts"]:
        about["counts"] = {name: about["counts"][name] for name in HEARD}
    return {
        **about,
        "statistics": found["standardised_by"],
        **_people(found),
        "initial_weights": before and {**_people(before), "complete": before["complete"]},
    }


def _people(part: Mapping) -> dict:
    return {
        "speakers": {name: part["speakers"][name] for name in HEARD},
        "utterances": {name: len(part["recordings"][name]) for name in HEARD},
    }


def describe_origin(trained: dict, tested: dict) -> list[str]:
    """What a checkpoint was trained on and tested on (`trained_on`, `tested_on` of a result), in lines for a person."""
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
    names = ("corpus", "protocol", "fold", "test_halves", "corpus_digest")
    known = {name: UNKNOWN if about[name] is None else printable(str(about[name])) for name in names}
    halves = f" {known['test_halves']}" if about["test_halves"] else ""
    return (
        f"{known['corpus']}, protocol {known['protocol']}{halves}, fold {known['fold']}, "
        f"corpus digest {known['corpus_digest']}"
    )


def _utterances(about: dict, name: str) -> str:
    """How many utterances of a set, of which emotions and speakers."""
    counts = (about.get("counts") or {}).get(name)
    number = sum(counts.values()) if counts else about["utterances"][name]
    emotions = f" ({', '.join(f'{counts.get(emotion, 0)} {emotion}' for emotion in EMOTIONS)})" if counts else ""
    people = about["speakers"][name]
    bare = len({who.partition(":")[0] for who in people}) == 1 and "corpus" in about
    names = ", ".join(printable(who.partition(":")[2] if bare else who) for who in people)
    return f"{number} utterances{emotions} of {names}"
