"""Ensembles of small untrained systems, one that recognises tones instead of emotions, and recordings in memory."""

import numpy as np
import torch
from torch import nn

from ser.audio.sound import Sound, listen
from ser.networks.spectrogram import Spectrogram, Standardisation
from ser.recognition.ensemble import Ensemble, Member
from ser.recognition.recordings import Recording
from ser.systems.system import System
from tests.made_up.systems import build
from tests.made_up.waveforms import speech_like

PAPER = ("neutral", "angry", "happy", "sad")
TONES_HZ = {"angry": 500, "happy": 1000, "sad": 2000}
NOTHING = {"speakers": {"train": [], "val": []}, "recordings": {"train": [], "val": []}}


def voice(seconds: float, seed: int = 1) -> np.ndarray:
    """A waveform in steps of 16 bits, so that a conversion keeps it."""
    waveform = speech_like(round(16_000 * seconds), torch.Generator().manual_seed(seed)).numpy()
    return np.rint(waveform * 32_768).astype(np.int16) / np.float32(32_768)


def sound_of(samples: np.ndarray, rate: int = 16_000) -> Sound:
    return listen(recording_of(samples, rate).blocks())


def recording_of(samples: np.ndarray, rate: int = 16_000, **more) -> Recording:
    return Recording("", samples=(np.asarray(samples, np.float32).reshape(len(samples), -1), rate), **more)


def ensemble_of(*systems: System, heard: list[dict] | None = None, trim=None, per_speaker: bool = False) -> Ensemble:
    heards = heard or [NOTHING] * len(systems)
    members = tuple(Member(str(place), *each) for place, each in enumerate(zip(systems, heards, strict=True)))
    return Ensemble(members, tuple(systems[0].emotions), trim, per_speaker, torch.device("cpu"))


def small_system(name: str = "CNNGRUSeqCap", seed: int = 0, **options) -> System:
    """An untrained system, standardised by a synthetic voice; another seed gives other weights."""
    system = build(name, **options).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in system.parameters():
            weight += 0.1 * seed * torch.randn(weight.shape, generator=generator)
        spectrogram = system.spectrogram(torch.from_numpy(voice(2))[None])[0]
        system.standardisation.statistics.copy_(torch.stack([spectrogram.mean(1), spectrogram.std(1)]))
    return system


class TonesSystem(nn.Module):
    """Its posterior is the share of the sound's energy near each of `TONES_HZ`."""

    def __init__(self) -> None:
        super().__init__()
        self.emotions, self.branches = tuple(TONES_HZ), {}
        self.spectrogram, self.standardisation = Spectrogram("log"), Standardisation("bin")

    def posterior(self, waveform, lengths, statistics=None):
        self.standardisation(self.spectrogram(waveform))  # as every system does
        rows = []
        for samples, length in zip(waveform, lengths, strict=True):
            energy = torch.fft.rfft(samples[:length]).abs() ** 2
            hertz = torch.fft.rfftfreq(int(length), 1 / 16_000)
            near = [energy[(hertz - tone).abs() < 100].sum() for tone in TONES_HZ.values()]
            rows.append(torch.stack(near) / sum(near))
        return torch.stack(rows)
