"""Validate the contents of a checkpoint: plain values, and weights that fit the system it names."""

from collections.abc import Mapping
from typing import Annotated, Literal

import torch
from pydantic import FailFast, Field, InstanceOf, JsonValue, StringConstraints
from torch import Tensor

from ser.audio.silence import MarginSeconds, ThresholdDb
from ser.errors import InputError
from ser.results.records import Record, Sets, check_record
from ser.systems import SYSTEMS
from ser.systems.lineage import TrainedOn
from ser.systems.system import System

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SCORES = ("scores.", "evaluation_losses.")  # metrics of a system, not part of its network

Word = Annotated[str, StringConstraints(pattern=r"^[^\W\d]\w*$")]
Names = Annotated[list[str], FailFast()]
Count = Annotated[int, Field(ge=0, lt=2**31)]


class TrainVal(Record, extra="forbid"):
    """Speakers or recording digests of the training and validation sets."""

    train: Names
    val: Names


class TrainValTest(Sets[Names], extra="forbid"):
    """Speakers or recording digests of all three sets."""


class InitialWeights(Record, extra="forbid"):
    """Speakers and recordings used to train the initial weights, and whether the record is complete."""

    speakers: TrainVal
    recordings: TrainVal
    complete: bool


class TrimSilence(Record, extra="forbid"):
    """How silence at the ends of utterances was cut off (`ser.audio.silence.Trim`)."""

    threshold_db: ThresholdDb
    margin_seconds: MarginSeconds


class Contents(Record, allow_inf_nan=True):
    """The entries of a checkpoint in use; older versions did not write those with a default."""

    hyper_parameters: dict[Word, JsonValue]
    state_dict: dict[str, InstanceOf[Tensor]]
    speakers: TrainValTest
    recordings: TrainValTest
    standardised_by: Literal["train", "corpus", "speaker"]
    epoch: Count
    global_step: Count
    trim_silence: TrimSilence | None = None
    trained_on: TrainedOn | None = None
    initial_weights: InitialWeights | None = None


def check_contents(checkpoint: object, path: object) -> dict:
    """Refuse a checkpoint that this project did not write.

    Args:
        checkpoint: content of the file: plain values and tensors.

    Raises:
        InputError: with the file and each entry that is missing or invalid.
    """
    if not isinstance(checkpoint, Mapping) or checkpoint.get("system") not in list(SYSTEMS):
        raise InputError(f"{path}: not a checkpoint of one of the systems {', '.join(SYSTEMS)}")
    check_record(Contents, checkpoint, path)
    check_weights(described(checkpoint, path), checkpoint["state_dict"], path)
    return checkpoint


def described(checkpoint: Mapping, path: object) -> System:
    """The system that a checkpoint describes, on the device "meta", which allocates no memory.

    Raises:
        InputError: if the hyperparameters are invalid.
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
    """Weights, biases and statistics of a system's state, without metrics."""
    return {name: tensor for name, tensor in state.items() if not name.startswith(SCORES)}


def check_weights(system: System, weights: Mapping[str, Tensor], path: object) -> None:
    """Refuse weights that do not fit a system in name, shape or type, or are not finite.

    Raises:
        InputError: with the file and the first such weight.
    """
    wanted, given = network(system.state_dict()), network(weights)
    what = f"{path} does not fit {type(system).__name__} as configured"
    if missing := sorted(set(wanted) - set(given)):
        raise InputError(f"{what}: {missing[0]} is missing")
    if unknown := sorted(set(given) - set(wanted)):
        raise InputError(f"{what}: unknown weight {unknown[0]!r}")
    for name, tensor in given.items():
        if tensor.shape != wanted[name].shape:
            raise InputError(f"{what}: {name} is {tuple(tensor.shape)}, not {tuple(wanted[name].shape)}")
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.dtype not in FLOATS:
            raise InputError(f"{what}: {name} is {tensor.dtype}, not a floating-point tensor stored in the file")
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise InputError(f"{what}: {name} is larger than its data in the file")
        if not tensor.isfinite().all():
            raise InputError(f"{path}: {name} contains infinity or NaN")
