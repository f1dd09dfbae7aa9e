"""What a checkpoint must hold, whatever file it comes from: plain values, and weights that fit the system it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ser.errors import InputError
from ser.results.form import check_form
from ser.systems import SYSTEMS
from ser.systems.lineage import HEARD, LISTS, TRAINED_ON
from ser.systems.system import System

SETS = ("train", "val", "test")
STATISTICS = ("train", "corpus", "speaker")
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
MOST_NESTED = 20  # lists in lists: a hyperparameter has one or two
SCORES = ("scores.", "evaluation_losses.")  # what a system counts while it is evaluated: no part of its network


def check_contents(checkpoint: object, path: object) -> dict:
    """Refuse what no training of this project has written.

    Args:
        checkpoint: what a file held, plain values and tensors.
        path: of the file, for the message.

    Raises:
        InputError: naming the file and the first entry that is missing or is not what it must be.
    """
    if not isinstance(checkpoint, Mapping) or checkpoint.get("system") not in list(SYSTEMS):
        raise InputError(f"{path}: not a checkpoint of one of the systems {', '.join(SYSTEMS)}")
    for name, (sound, words) in ENTRIES.items():
        if name not in checkpoint:
            raise InputError(f"{path}: not a whole checkpoint: {name} is missing")
        if not sound(checkpoint[name]):
            raise InputError(f"{path}: not a sound checkpoint: {name} must be {words}")
    for name, (sound, words) in LATER.items():
        if name in checkpoint and not sound(checkpoint[name]):
            raise InputError(f"{path}: not a sound checkpoint: {name} must be {words}")
    if checkpoint.get("trained_on") is not None:
        check_form(str(path), checkpoint["trained_on"], TRAINED_ON, "trained_on")
    check_weights(described(checkpoint, path), checkpoint["state_dict"], path)
    return checkpoint


def described(checkpoint: Mapping, path: object) -> System:
    """The system that a checkpoint describes, on the device "meta": names and shapes without memory.

    Raises:
        InputError: if there is no system of such hyperparameters.
    """
    system, options = SYSTEMS[checkpoint["system"]], checkpoint["hyper_parameters"]
    try:
        with torch.device("meta"):
            return system(**options)
    except InputError as error:
        raise InputError(f"{path}: hyper_parameters: {error}") from error
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise InputError(f"{path}: hyper_parameters do not describe a {system.__name__}: {error}") from error


def network(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights, biases and statistics of a system's state."""
    return {name: tensor for name, tensor in state.items() if not name.startswith(SCORES)}


def check_weights(system: System, weights: Mapping[str, Tensor], path: object) -> None:
    """Refuse weights that do not fit a system in name, shape and kind, or are no numbers.

    Raises:
        InputError: naming the file and the first weight that does not fit.
    """
    wanted, given = network(system.state_dict()), network(weights)
    what = f"{path} does not fit {type(system).__name__} as configured"
    if missing := sorted(set(wanted) - set(given)):
        raise InputError(f"{what}: {missing[0]} is missing")
    if unknown := sorted(set(given) - set(wanted)):
        raise InputError(f"{what}: it has no {unknown[0]!r}")
    for name, tensor in given.items():
        if tensor.shape != wanted[name].shape:
            raise InputError(f"{what}: {name} is {tuple(tensor.shape)}, not {tuple(wanted[name].shape)}")
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.dtype not in FLOATS:
            raise InputError(f"{what}: {name} is of {tensor.dtype}, not of floating-point numbers that the file holds")
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise InputError(f"{what}: {name} is larger than what the file holds of it")
        if not tensor.isfinite().all():
            raise InputError(f"{path}: {name} holds what is no number")


def is_plain(value: object, depth: int = MOST_NESTED) -> bool:
    """Whether a value is of the types that a checkpoint may hold besides tensors, nested so deep and no deeper.

    Example:
        >>> is_plain({"dropout": 0.5, "sizes": [1, None]}), is_plain({"rate": torch.ones(1)})
        (True, False)
    """
    if isinstance(value, dict):
        return depth > 0 and all(type(key) is str and is_plain(each, depth - 1) for key, each in value.items())
    if isinstance(value, list):
        return depth > 0 and all(is_plain(each, depth - 1) for each in value)
    return value is None or type(value) in (bool, int, float, str)


def _is_lists_by_set(value: object, sets: tuple[str, ...] = SETS) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == set(sets)
        and all(isinstance(each, list) and all(type(name) is str for name in each) for each in value.values())
    )


def _is_state(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        type(name) is str and isinstance(tensor, Tensor) for name, tensor in value.items()
    )


def _is_initial(value: object) -> bool:
    return value is None or (
        isinstance(value, dict)
        and set(value) == {*LISTS, "complete"}
        and all(_is_lists_by_set(value[name], HEARD) for name in LISTS)
        and type(value["complete"]) is bool
    )


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**31


ENTRIES: dict[str, tuple[Callable[[object], bool], str]] = {
    "hyper_parameters": (
        lambda value: isinstance(value, dict) and is_plain(value) and all(map(str.isidentifier, value)),
        "plain values by name (numbers, text, true, false, null, and lists of them; a name is a word)",
    ),
    "state_dict": (_is_state, "tensors by name"),
    "speakers": (_is_lists_by_set, f"lists of names for {', '.join(SETS)}"),
    "recordings": (_is_lists_by_set, f"lists of digests for {', '.join(SETS)}"),
    "standardised_by": (lambda value: value in STATISTICS, f"one of {', '.join(STATISTICS)}"),
    "epoch": (_is_count, "a whole number, at least 0"),
    "global_step": (_is_count, "a whole number, at least 0"),
}
# Checkpoints of older versions lack these.
LATER: dict[str, tuple[Callable[[object], bool], str]] = {
    "trained_on": (lambda value: isinstance(value, dict) and is_plain(value), "plain values by name"),
    "initial_weights": (
        _is_initial,
        f"null, or {' and '.join(LISTS)} as lists of names for {' and '.join(HEARD)}, and complete",
    ),
}
