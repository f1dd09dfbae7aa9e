"""One or several trained systems with the same emotions, which answer together."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ser.audio.frames import FRAMES_PER_SECOND, WINDOW_SAMPLES, num_frames
from ser.audio.silence import Trim, trim_levels
from ser.audio.sound import Sound
from ser.checkpoint.reading import put_weights
from ser.data.segments import EvaluationBatches
from ser.errors import InputError
from ser.networks.branches import CapsuleBranch
from ser.systems import SYSTEMS
from ser.systems.lineage import emotions_in, entries, heard
from ser.systems.system import System

LEVEL_BINS = slice(30, 190)  # 300 to 1900 Hz, which telephones transmit


class Member(NamedTuple):
    """A trained system, and the speakers and recordings that it was trained and validated on."""

    name: str
    system: System
    heard: dict


class Posteriors(NamedTuple):
    """What the systems answer for several utterances.

    Args:
        each: (systems, utterances, emotions).
        lengths: mean length of each window emo-capsule, (utterances, emotions), as there are as many capsules as
            emotions; None without a capsule branch.
        coupling: mean coupling of the windows to each utterance capsule, likewise.
        magnitudes: mean of `LEVEL_BINS` of each utterance's spectrogram before it is standardised, without silence,
            (utterances,).
    """

    each: np.ndarray
    lengths: np.ndarray | None
    coupling: np.ndarray | None
    magnitudes: np.ndarray


@dataclass(frozen=True)
class Ensemble:
    """Trained systems that differ only in their training data and seed.

    Args:
        members: at least one.
        emotions: in the order of every posterior.
        trim: how silence was cut off in training; None if it was kept.
        per_speaker: whether the spectrogram is standardised by the audio of each speaker.
        device: of the systems.
    """

    members: tuple[Member, ...]
    emotions: tuple[str, ...]
    trim: Trim | None
    per_speaker: bool
    device: torch.device

    @property
    def system(self) -> System:
        """The first system, for what all have in common."""
        return self.members[0].system

    @property
    def has_capsules(self) -> bool:
        """Whether there is a capsule branch."""
        return any(isinstance(branch, CapsuleBranch) for branch in self.system.branches.values())

    def heard_part(self, sound: Sound, levels: np.ndarray | None = None) -> Sound:
        """The part of an utterance that the systems answer for: without silence at its ends, if they were trained so.

        Args:
            levels: its `Sound.levels`, if they are known.
        """
        if self.trim is None or sound.num_samples < WINDOW_SAMPLES:
            return sound
        return sound.part(*trim_levels(sound.levels() if levels is None else levels, sound.num_samples, self.trim))

    def posteriors(
        self,
        waveforms: Sequence[np.ndarray],
        batch_seconds: float,
        statistics: Sequence[Tensor] | None = None,
    ) -> Posteriors:
        """The posteriors of utterances, which do not depend on their order or on the size of a batch.

        Args:
            waveforms: (samples,) float32 each.
            batch_seconds: audio of a batch, padding included; a longer utterance is a batch of its own.
            statistics: (2, bins) of each utterance's speaker.
        """
        lengths = np.array([max(len(each), WINDOW_SAMPLES) for each in waveforms])
        shape = (len(waveforms), len(self.emotions))
        each = np.empty((len(self.members), *shape))
        inner = np.zeros((2, *shape)) if self.has_capsules else None
        magnitudes = np.empty(len(waveforms))
        for batch in EvaluationBatches(lengths, max(round(batch_seconds * FRAMES_PER_SECOND), 1)).batches:
            waveform = torch.zeros(len(batch), int(lengths[batch].max()))
            for place, row in enumerate(batch):
                waveform[place, : len(waveforms[row])] = torch.from_numpy(waveforms[row])
            own = None if statistics is None else torch.stack([statistics[row] for row in batch]).to(self.device)
            waveform, counts = waveform.to(self.device), torch.from_numpy(lengths[batch]).to(self.device)
            for number, member in enumerate(self.members):
                with _watched(member.system) as seen:
                    each[number, batch] = member.system.posterior(waveform, counts, own).double().cpu().numpy()
                for vectors, mask, coupling in seen.capsules:
                    inner[0, batch] += _mean(vectors[..., -len(self.emotions) :], mask) / len(self.members)
                    inner[1, batch] += _mean(coupling, mask) / len(self.members)
            of_frames = torch.cat(seen.magnitudes)  # equal for all systems
            mask = torch.arange(of_frames.shape[1], device=self.device) < num_frames(counts).unsqueeze(-1)
            magnitudes[batch] = _mean(of_frames.unsqueeze(-1), mask & self._is_sound(of_frames, mask))[:, 0]
        return Posteriors(each, *((None, None) if inner is None else inner), magnitudes)

    def _is_sound(self, magnitudes: Tensor, mask: Tensor) -> Tensor:
        """Whether each frame is less than 40 dB below the loudest real one, (batch, frames)."""
        loudest = magnitudes.masked_fill(~mask, -torch.inf).amax(dim=1, keepdim=True)
        ratio = 10 ** (-Trim.threshold_db / 20)
        is_log = self.system.spectrogram.magnitude == "log"
        return magnitudes >= (loudest + math.log(ratio) if is_log else loudest * ratio)


class _Seen(NamedTuple):
    """What passed through a system: emo-vectors, mask and coupling of windows; magnitudes (batch, frames)."""

    capsules: list[tuple[Tensor, Tensor, Tensor]]
    magnitudes: list[Tensor]


@contextmanager
def _watched(system: System) -> Iterator[_Seen]:
    """Collect values inside a system while it runs."""
    seen = _Seen([], [])
    hooks = [
        branch.utterance_capsules.register_forward_hook(
            lambda layer, inputs, outputs: seen.capsules.append((*inputs, outputs[1]))
        )
        for branch in system.branches.values()
        if isinstance(branch, CapsuleBranch)
    ]
    hooks.append(
        system.standardisation.register_forward_pre_hook(
            lambda layer, inputs: seen.magnitudes.append(inputs[0][:, LEVEL_BINS].mean(dim=1))
        )
    )
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _mean(values: Tensor, mask: Tensor) -> np.ndarray:
    """Mean of (batch, steps, values) over the real steps."""
    mask = mask.unsqueeze(-1)
    return ((values * mask).sum(1) / mask.sum(1)).double().cpu().numpy()


def make_ensemble(checkpoints: Mapping[Path, dict], device: str) -> Ensemble:
    """Build the systems of checkpoints, which have the same emotions, hyperparameters and trimming.

    Args:
        device: a device of torch, or "auto": a GPU if there is one.

    Raises:
        InputError: if there is no such device.
    """
    place = _device(device)
    torch.backends.cudnn.allow_tf32 = False  # as in training
    members = []
    for path, checkpoint in checkpoints.items():
        system = SYSTEMS[checkpoint["system"]](**checkpoint["hyper_parameters"])
        put_weights(system, checkpoint, path)
        members.append(Member(str(path), system.eval().to(place), heard(entries(checkpoint))))
    trim = checkpoint.get("trim_silence")
    return Ensemble(
        tuple(members),
        tuple(emotions_in(checkpoint)),
        Trim(**trim) if trim else None,
        checkpoint["standardised_by"] == "speaker",
        place,
    )


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # of the device meta, there is none
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"device is {name!r}, which cannot be used here ({str(error).splitlines()[0]})") from error
    return device
