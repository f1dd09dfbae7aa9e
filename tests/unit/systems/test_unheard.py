"""Evaluation on speakers or recordings of a checkpoint's trainings is refused, in every case."""

from types import SimpleNamespace

import pytest

from ser.data.protocols import make_protocol
from ser.errors import InputError
from ser.systems.lineage import check_unheard, heard
from ser.training.run_files import training_record

PEOPLE = {"train": ["c:a", "c:b"], "val": ["c:v"], "test": ["c:t"]}
RECORDINGS = {"train": ["1", "2"], "val": ["3"], "test": ["4"]}


def fold(protocol="speaker", **changes) -> SimpleNamespace:
    """A fold to evaluate, with the speakers and recordings in `changes`, else unknown ones."""
    people, recordings = {"val": ["d:x"], "test": ["d:y"]}, {"val": ["8"], "test": ["9"]}
    for name, (speaker, recording) in changes.items():
        people[name], recordings[name] = [speaker or people[name][0]], [recording or recordings[name][0]]
    corpus = SimpleNamespace(name="d")
    rules = make_protocol(protocol)
    return SimpleNamespace(corpus=corpus, rules=rules, speaker_identities=people, digests=recordings)


def entries(before=None) -> dict:
    about = {"trained_on": {"counts": None}, "standardised_by": "train", "trim_silence": None}
    return {"speakers": PEOPLE, "recordings": RECORDINGS, "initial_weights": before, **about}


STRANGERS = {"train": ["e:s"], "val": ["e:t"]}
CASES = [
    ("test", "speaker", ("c:b", None), "was trained on c:b"),
    ("val", "speaker", ("c:b", None), "was trained on c:b"),
    ("test", "speaker", (None, "2"), "was trained on 1 of the recordings"),
    ("val", "speaker", (None, "2"), "was trained on 1 of the recordings"),
    ("test", "speaker", ("c:v", None), "was chosen on c:v"),
    ("test", "wu2019", ("c:v", None), None),  # the halves of wu2019 share both actors
    ("val", "speaker", ("c:v", "3"), None),  # validation on its own validation set is allowed
    ("test", "speaker", (None, "3"), "was chosen on 1 of the recordings"),
    ("test", "wu2019", (None, "3"), "was chosen on 1 of the recordings"),
    ("test", "speaker", ("c:t", "4"), None),  # an earlier test does not affect the weights
    ("test", "speaker", (None, None), None),
]


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize(("tested", "protocol", "who", "words"), CASES)
def test_nobody_who_was_heard_is_evaluated(tested, protocol, who, words, earlier):
    """In the checkpoint's own training, and in an earlier one."""
    found = entries()
    if earlier:
        found = {**entries(heard(entries())), "speakers": STRANGERS, "recordings": {"train": ["5"], "val": ["6"]}}
    data = fold(protocol, **{tested: who})
    if words is None:
        check_unheard(found, "x.ckpt", data, tested)
    else:
        words = words.replace("was trained", "trained").replace("was chosen", "chosen")
        with pytest.raises(InputError, match=words):
            check_unheard(found, "x.ckpt", data, tested)


def test_everyone_who_was_heard_is_told_once_and_in_order():
    before = {"speakers": STRANGERS, "recordings": {"train": ["7", "1"], "val": []}, "complete": False}
    found = heard(entries(before))
    assert found["speakers"] == {"train": ["c:a", "c:b", "e:s"], "val": ["c:v", "e:t"]}
    assert found["recordings"] == {"train": ["1", "2", "7"], "val": ["3"]}
    assert found["complete"] is False
    assert heard(entries())["complete"] is True
    assert heard(entries())["speakers"] == {"train": ["c:a", "c:b"], "val": ["c:v"]}


def test_a_result_keeps_the_training_and_what_came_before_it_apart():
    before = {"speakers": STRANGERS, "recordings": {"train": ["7", "8", "9"], "val": []}, "complete": True}
    found = training_record(entries(before))
    assert (found["speakers"], found["utterances"]) == (
        {"train": ["c:a", "c:b"], "val": ["c:v"]},
        {"train": 2, "val": 1},
    )
    earlier = found["initial_weights"]
    assert (earlier["speakers"], earlier["utterances"]) == (STRANGERS, {"train": 3, "val": 0})
