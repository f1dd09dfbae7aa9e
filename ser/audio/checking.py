"""Check the utterances of a recording without converting it."""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ser.audio.blocks import Block, Extremes
from ser.audio.cuts import WHOLE, Cut
from ser.audio.decoding import LONGEST_CUT_SECONDS, LONGEST_SECONDS, AudioError, Decoded, check_length, decode_blocks
from ser.audio.frames import SAMPLE_RATE_HZ
from ser.audio.levels import level_cautions
from ser.audio.recording import at_16_khz, check_content, quantise
from ser.audio.silence import silence


class Checked(NamedTuple):
    """Properties of a usable utterance.

    Args:
        num_samples: at 16 kHz.
        peak: largest absolute sample of any channel before clipping; full scale is 1.
        digest: of sample rate and 16-bit samples of its whole recording; equal in different file formats.
        cautions: warnings about its level (`ser.audio.levels`).
        silence_before: seconds before the speech (`ser.audio.silence`).
        silence_after: seconds after it.
    """

    num_samples: int
    peak: float
    digest: str
    cautions: dict[str, str]
    silence_before: float
    silence_after: float


def check_recording(path: str | Path) -> Checked:
    """Read and check a recording without converting it.

    Raises:
        AudioError: if it is missing, empty, truncated, unreadable, not finite, 1 dB beyond full scale, silent, shorter
            than one window, or longer than ten minutes.
    """
    [found] = check_cuts(path, [WHOLE])
    if isinstance(found, AudioError):
        raise found
    return found


def check_cuts(path: str | Path, cuts: Sequence[Cut]) -> list[Checked | AudioError]:
    """Check utterances of one recording, which is decoded once, block by block.

    If a cut is given, the recording can have two hours.

    Returns:
        The properties of every utterance, or its error: of its times, or as `check_recording`.

    Raises:
        AudioError: as `check_recording`, if the recording is at fault.
    """
    longest_seconds = LONGEST_SECONDS if all(cut.is_whole for cut in cuts) else LONGEST_CUT_SECONDS
    digest, position, parts = None, 0, []
    for block in decode_blocks(path, longest_seconds):
        if digest is None:
            digest = blake2b(digest_size=8, salt=block.sample_rate_hz.to_bytes(4, "little"))
            parts = [_Part(path, cut, block) for cut in cuts]
        digest.update(quantise(block.samples))
        for part in parts:
            part.add(block, position)
        position += len(block.samples)
    found = [part.found for part in parts]
    return [each if isinstance(each, AudioError) else each._replace(digest=digest.hexdigest()) for each in found]


class _Part:
    """One utterance of a recording, collected block by block.

    Args:
        block: the first of the recording.
    """

    def __init__(self, path: str | Path, cut: Cut, block: Block) -> None:
        self.place = path if cut.is_whole else f"{path}, {cut}"
        self.sample_rate_hz, self.samples = block.sample_rate_hz, []
        self.mean, self.channels = Extremes(), Extremes()
        self.start, self.stop = cut.samples(block.promised, self.sample_rate_hz)
        whole = at_16_khz(block.promised, self.sample_rate_hz)
        start, stop = cut.samples(whole)
        self.num_samples = stop - start
        self.found: Checked | AudioError | None = None
        if fault := cut.fault(whole / SAMPLE_RATE_HZ):
            self.found = AudioError(f"{path}: {fault}")
        else:
            try:
                check_length(self.place, self.stop - self.start, self.sample_rate_hz)
            except AudioError as error:
                self.found = error

    def add(self, block: Block, position: int) -> None:
        """Add the samples of a block that are in the utterance, and check the utterance after its last block.

        Args:
            position: of the block's first sample in the recording.
        """
        end = position + len(block.samples)
        if self.found is not None or end < self.start:
            return
        inside = slice(max(self.start - position, 0), self.stop - position)
        if len(block.samples[inside]):
            self.samples.append(block.samples[inside])
            self.mean.add(block.samples[inside])
            self.channels.add(block.channels[inside])
        if end >= self.stop:
            try:
                self.found = self._check()
            except AudioError as error:
                self.found = error
            self.samples = []

    def _check(self) -> Checked:
        check_content(self.place, self.num_samples, self.mean, self.channels)
        samples, peak = np.concatenate(self.samples), self.channels.peak
        cautions = level_cautions(Decoded(samples, self.sample_rate_hz, peak, self.channels.spread))
        return Checked(self.num_samples, peak, "", cautions, *silence(samples, self.sample_rate_hz))
