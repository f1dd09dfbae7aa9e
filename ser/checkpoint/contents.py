"""What a checkpoint must hold, whatever file it comes from: plain values, and weights that fit the system it names."""

from collections.abc import Mapping
from typing import Annotated, Literal

import torch
from pydantic import FailFast, Field, InstanceOf, JsonValue, StringConstraints
from torch import Tensor

from ser.errors import InputError
from ser.results.records import Record, Sets, check_record
from ser.systems import SYSTEMS
from ser.systems.lineage import TrainedOn
from ser.systems.system import System

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SCORES = ("scores.", "evaluation_losses.")  # what a system counts while it is evaluated: no part of its network

Word = Annotated[str, StringConstraints(pattern=r"^[^\W\d]\w*$")]
Names = Annotated[list[str], FailFast()]
Count = Annotated[int, Field(ge=0, lt=2**31)]


class Heard(Record, extra="forbid"):
    """Speakers, or digests of recordings, of the sets that shape weights."""

    train: Names
    val: Names


class Everyone(Sets[Names], extra="forbid"):
    """Speakers, or digests of recordings, of every set."""


class InitialWeights(Record, extra="forbid"):
    """Whom the weights have heard that a training began with; whether these are all."""

    speakers: Heard
    recordings: Heard
    complete: bool


class Contents(Record, allow_inf_nan=True):
    """The entries of a checkpoint that are used; those with a default are missing in older versions'."""

    hyper_parameters: dict[Word, JsonValue]
    state_dict: dict[str, InstanceOf[Tensor]]
    speakers: Everyone
    recordings: Everyone
    standardised_by: Literal["train", "corpus", "speaker"]
    epoch: Count
    global_step: Count
    trained_on: TrainedOn | None = None
    initial_weights: InitialWeights | None = None


def check_contents(checkpoint: object, path: object) -> dict:
    """Refuse what no training of this project has written.

    Args:
        checkpoint: what a file held, plain values and tensors.
        path: of the file, for the message.

    Raises:
        InputError: naming the file and each entry that is missing or is not what it must be.
    """
    if not isinstance(checkpoint, Mapping) or checkpoint.get("system") not in list(SYSTEMS):
        raise InputError(f"{path}: not a checkpoint of one of the systems {', '.join(SYSTEMS)}")
    check_record(Contents, checkpoint, path)
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
