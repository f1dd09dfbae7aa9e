"""Synthetic waveforms for networks."""

import torch


def speech_like(samples, generator):
    """Noise with moving energy and pitch, so that windows differ."""
    time = torch.arange(samples) / 16_000
    pitch = 120 + 60 * torch.sin(2 * torch.pi * 0.7 * time)
    return (torch.sin(torch.cumsum(pitch, 0) * 2 * torch.pi / 16_000) * 0.2 * torch.sin(3 * time) ** 2) + (
        0.02 * torch.randn(samples, generator=generator)
    )


def batch_of(waveforms, extra=0):
    width = max(map(len, waveforms)) + extra
    batch = torch.zeros(len(waveforms), width)
    for row, waveform in zip(batch, waveforms, strict=True):
        row[: len(waveform)] = waveform
    return batch, torch.tensor([len(waveform) for waveform in waveforms])
