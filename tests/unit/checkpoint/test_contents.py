"""Weights that do not fit a system or are not finite are refused before they are loaded."""

import pytest
import torch

from ser.checkpoint.contents import check_weights
from ser.checkpoint.safetensors_file import digest
from ser.errors import InputError
from ser.systems import CNNGRU

SYSTEM = CNNGRU(gru_units=2, dense_units=3)
NAME = "branches.gru.head.0.weight"


def weights(**changes) -> dict:
    found = {name: tensor.clone() for name, tensor in SYSTEM.state_dict().items()}
    return found | {name.replace("__", "."): value for name, value in changes.items()}


def test_its_own_weights_fit():
    check_weights(SYSTEM, weights(), "x")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.full((3, 4), float("inf")), "contains infinity or NaN"),
        (torch.full((3, 4), float("-inf")), "contains infinity or NaN"),
        (torch.full((3, 4), float("nan")), "contains infinity or NaN"),
        (torch.zeros(4, 3), r"is \(4, 3\), not \(3, 4\)"),
        (torch.zeros(12), r"is \(12,\), not \(3, 4\)"),
        (torch.zeros(3, 4, dtype=torch.int64), "is .*, not a floating-point tensor"),
        (torch.zeros(3, 4, device="meta"), "is .*, not a floating-point tensor"),
    ],
)
def test_a_weight_that_does_not_fit_is_refused_by_name(value, words):
    with pytest.raises(InputError, match=f"{NAME} {words}"):
        check_weights(SYSTEM, weights() | {NAME: value}, "x")


def test_one_number_among_many_is_seen():
    found = weights()
    found[NAME][1, 2] = float("inf")
    with pytest.raises(InputError, match="contains infinity"):
        check_weights(SYSTEM, found, "x")


def test_none_is_missing_and_none_is_left_over():
    with pytest.raises(InputError, match=f"{NAME} is missing"):
        check_weights(SYSTEM, {name: value for name, value in weights().items() if name != NAME}, "x")
    with pytest.raises(InputError, match=r"unknown weight 'branches\.lstm'"):
        check_weights(SYSTEM, weights() | {"branches.lstm": torch.zeros(1)}, "x")


def test_the_digest_of_an_export_changes_with_its_words_and_every_number():
    described, found = {"system": '"CNNGRU"'}, {"a": torch.zeros(2, 3), "b": torch.zeros(1, dtype=torch.float64)}
    others = [(described | {"system": '"CNNLSTM"'}, found), (described, {"c": found["a"], "b": found["b"]})]
    others += [(described, found | {"a": torch.zeros(3, 2)}), (described, found | {"a": torch.zeros(2, 3).half()})]
    for place in range(6):
        changed = torch.zeros(6)
        changed[place] = 1e-30
        others.append((described, found | {"a": changed.view(2, 3)}))
    digests = {digest(*each) for each in [(described, found), *others]}
    assert len(digests) == 1 + len(others)
    assert digest(described, dict(reversed(found.items()))) in digests, "the order does not matter"
