"""Capsule networks for speech emotion recognition (Wu et al., ICASSP 2019)."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ser.recognition.recogniser import Recogniser

__version__ = "0.2.0"


def load(path: str, device: str = "auto") -> "Recogniser":
    """Load a trained system, to use it on recordings: `ser.load("runs/reccap").predict("call.wav")`.

    Args:
        path: folder of a finished `ser fit` or `ser crossval` (whose systems then answer together), a checkpoint, or
            weights of `ser export-weights`.
        device: a device of torch, such as "cpu" or "cuda:1"; "auto" takes a GPU if there is one.

    Raises:
        InputError: if there is no such system, or it is not finished.
    """
    return import_module("ser.recognition.recogniser").load(path, device)  # torch takes seconds to import
