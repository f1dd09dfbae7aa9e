"""Samples in memory, with their rate."""

import os
import reprlib
from collections.abc import Iterator, Sequence

import numpy as np

from ser.audio.blocks import Block
from ser.audio.decoding import ANY_RATES_HZ
from ser.errors import InputError

Samples = tuple[np.ndarray, int]  # (samples,) or (samples, channels), and their rate in Hz


def given_samples(value: object) -> Samples:
    """Check samples with their rate, as `soundfile.read` returns them.

    Raises:
        InputError: for a wrong shape, type or rate, or without a rate.
    """
    how = "give (samples, sample_rate_hz), as soundfile.read returns them"
    if isinstance(value, tuple) and any(isinstance(each, str | os.PathLike) for each in value[:1]):
        raise InputError("a tuple is (samples, sample_rate_hz); give several recordings as a list")
    if not isinstance(value, Sequence) or len(value) != 2 or isinstance(value, str):
        raise InputError(f"samples without their rate cannot be used: {how}")
    samples, rate = value
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.integer | np.floating) or rate % 1 != 0:
        shown = reprlib.repr(rate) if isinstance(rate, str | int | float | np.generic | None) else type(rate).__name__
        raise InputError(f"the sample rate is {shown}, but must be a whole number of Hz: {how}")
    lowest, highest = ANY_RATES_HZ
    if not lowest <= rate <= highest:
        raise InputError(f"the sample rate is {rate} Hz, but must be between {lowest} and {highest} Hz")
    try:
        array = np.asarray(samples)
    except (ValueError, RuntimeError, TypeError) as error:  # lists of different lengths; tensors with a gradient
        raise InputError(f"samples cannot be converted to an array ({error})") from error
    if array.ndim not in (1, 2) or not array.size:
        raise InputError(f"samples have the shape {array.shape}, but must be (samples,) or (samples, channels)")
    if array.ndim == 2 and array.shape[1] > array.shape[0]:
        raise InputError(f"samples of shape {array.shape} look like (channels, samples); transpose them")
    if array.dtype == np.int16:
        array = array.astype(np.float32) / np.float32(32_768)
    elif array.dtype == np.int32:
        array = (array / 2.0**31).astype(np.float32)
    elif np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float32)
    else:
        raise InputError(f"samples are {array.dtype}, but must be floating-point numbers in [-1, 1], int16 or int32")
    if not np.isfinite(array).all():
        raise InputError("the samples contain infinity or NaN")
    if (peak := float(np.abs(array).max())) > 2:
        raise InputError(f"samples reach {peak:.6g}, but full scale is 1; divide 16-bit integers by 32768")
    return array.reshape(len(array), -1), int(rate)


def blocks_of_samples(samples: np.ndarray, sample_rate_hz: int) -> Iterator[Block]:
    """The blocks of samples, (samples, channels) float32, as a file would give them."""
    yield Block(samples, np.clip(samples, -1, 1).mean(axis=1), sample_rate_hz, len(samples), "")
