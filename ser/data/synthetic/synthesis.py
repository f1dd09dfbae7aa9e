"""A source-filter speech synthesiser: glottal pulses and noise, shaped by moving formants.

It turns a `Score`, the control tracks of one utterance, into a waveform. What a speaker and an emotion do to those
tracks is the business of `ser.data.synthetic.prosody`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, rfft
from scipy.signal import butter, lfilter, sosfilt
from scipy.signal.windows import hann

SAMPLE_RATE_HZ = 16_000
BLOCK = 160  # samples per value of a control track: 10 ms
RING_BLOCKS = 7  # blocks until a 20-ms piece of the source has rung out in the resonators
RING = RING_BLOCKS * BLOCK

FRICATION_BANDS_HZ = ((4300.0, 7400.0), (2200.0, 5200.0), (1200.0, 7000.0))  # as in "s", "sh", "f"
FRICATION_FILTERS = [butter(2, band, "bandpass", fs=SAMPLE_RATE_HZ, output="sos") for band in FRICATION_BANDS_HZ]
OPEN_QUOTIENT = 0.6  # share of a glottal cycle in which air flows
CLOSING_SHARE = 0.35  # share of the open time in which the flow falls


@dataclass(frozen=True)
class Score:
    """The control tracks of one utterance, one value per block of 10 ms.

    Args:
        pitch_hz: fundamental frequency, (blocks,).
        voicing: amplitude of the glottal pulses, (blocks,), 1 at the centre of an ordinary vowel.
        aspiration: amplitude of the noise made at the glottis, (blocks,).
        frication: amplitude of the noise made in the mouth, (blocks, 3), in the bands of `FRICATION_BANDS_HZ`.
        formants_hz: resonances of the vocal tract, (blocks, formants), below 8 kHz.
        bandwidths_hz: their bandwidths, (blocks, formants).
        tilt_hz: corner above which the pulses lose another 6 dB per octave: high in pressed speech, low in soft speech.
        jitter: standard deviation of the length of a glottal cycle, relative.
        shimmer: standard deviation of its amplitude, relative.
    """

    pitch_hz: np.ndarray
    voicing: np.ndarray
    aspiration: np.ndarray
    frication: np.ndarray
    formants_hz: np.ndarray
    bandwidths_hz: np.ndarray
    tilt_hz: float
    jitter: float = 0.01
    shimmer: float = 0.05


def render(score: Score, rng: np.random.Generator) -> np.ndarray:
    """Speak a score.

    Args:
        score: its control tracks.
        rng: source of jitter, shimmer and noise.

    Returns:
        The waveform at 16 kHz, (160 * blocks,), of arbitrary level.
    """
    noise = rng.standard_normal((2, len(score.pitch_hz) * BLOCK))
    pulses, openness = glottal_pulses(score, rng)
    source = pulses * spread(score.voicing) + 0.05 * noise[0] * openness * spread(score.aspiration)
    speech = resonate(source, score.formants_hz, score.bandwidths_hz)
    for band, amplitude in zip(FRICATION_FILTERS, score.frication.T, strict=True):
        if amplitude.any():
            speech += 0.4 * sosfilt(band, noise[1]) * spread(amplitude)
    return speech


def spread(track: np.ndarray) -> np.ndarray:
    """Interpolate a control track, whose values stand at the centres of the blocks, to one value per sample."""
    centres = (np.arange(len(track)) + 0.5) * BLOCK
    return np.interp(np.arange(len(track) * BLOCK), centres, track)


def glottal_pulses(score: Score, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The derivative of the air flow through the glottis (lip radiation is that derivative), with its spectral tilt.

    Returns:
        The pulses, (samples,), of about unit deviation; and how open the glottis is, (samples,), 0.4 to 1, which
        modulates aspiration.

    Source:
        The flow is Rosenberg's trigonometric pulse (J. Acoust. Soc. Am. 49, 1971). Differences of the continuous
        flow, not samples of its derivative: the edge at closure then aliases less.
    """
    steps = spread(score.pitch_hz) / SAMPLE_RATE_HZ
    cycles = np.cumsum(steps)
    num_cycles = int(cycles[-1]) + 2
    # A cycle's length is perturbed by perturbing the speed at which it is run through.
    speeds = 1 + score.jitter * np.clip(rng.standard_normal(num_cycles), -2.5, 2.5)
    amplitudes = 1 + score.shimmer * np.clip(rng.standard_normal(num_cycles), -2.5, 2.5)
    cycles = np.cumsum(steps * speeds[cycles.astype(int)])
    number, phase = np.minimum(cycles.astype(int), num_cycles - 1), cycles % 1
    peak = OPEN_QUOTIENT * (1 - CLOSING_SHARE)
    rising = 0.5 * (1 - np.cos(np.pi * phase / peak))
    falling = np.cos(0.5 * np.pi * (phase - peak) / (OPEN_QUOTIENT - peak))
    flow = np.where(phase < peak, rising, np.where(phase < OPEN_QUOTIENT, falling, 0.0))
    derivative = np.diff(flow * amplitudes[number], prepend=0.0) / steps / 2.5
    pole = np.exp(-2 * np.pi * score.tilt_hz / SAMPLE_RATE_HZ)
    return lfilter([1 - pole], [1, -pole], derivative), 0.4 + 0.6 * flow


def resonate(source: np.ndarray, formants_hz: np.ndarray, bandwidths_hz: np.ndarray) -> np.ndarray:
    """Send a source through a cascade of resonators whose frequencies move from block to block.

    Each 20-ms piece of the source (Hann windows that overlap by half and sum to 1) rings through its own block's
    resonators, and the pieces add up: formants move without the clicks of a filter whose coefficients jump.

    Args:
        source: (160 * blocks,).
        formants_hz: (blocks, formants).
        bandwidths_hz: (blocks, formants), at least 40 Hz, so that a piece has rung out within 44 ms.

    Returns:
        (160 * blocks,).

    Source:
        Klatt, J. Acoust. Soc. Am. 67 (1980): second-order resonators of unit gain at 0 Hz, so that the formants'
        relative amplitudes come out right by themselves.
    """
    num_blocks = len(formants_hz)
    radius = np.exp(-np.pi * bandwidths_hz / SAMPLE_RATE_HZ)
    a1, a2 = -2 * radius * np.cos(2 * np.pi * formants_hz / SAMPLE_RATE_HZ), radius**2
    polynomial = np.zeros((num_blocks, 2 * formants_hz.shape[1] + 1))
    polynomial[:, 0] = 1
    for first, second in zip(a1.T[..., None], a2.T[..., None], strict=True):
        shorter = polynomial.copy()
        polynomial[:, 1:] += first * shorter[:, :-1]
        polynomial[:, 2:] += second * shorter[:, :-2]
    padded = np.pad(source, BLOCK // 2 + BLOCK)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 2 * BLOCK)[BLOCK : BLOCK + BLOCK * num_blocks : BLOCK]
    window = hann(2 * BLOCK, sym=False).astype(np.float32)
    speech = np.zeros((num_blocks + RING_BLOCKS, BLOCK))
    # A few blocks at a time: large arrays would be handed out and taken back by the operating system at every step.
    for first in range(0, num_blocks, 16):
        some = slice(first, min(first + 16, num_blocks))
        # Single precision is far below the 16 bits of the result; the polynomials need double.
        gains = (polynomial[some].sum(axis=1, keepdims=True) / rfft(polynomial[some], RING)).astype(np.complex64)
        rung = irfft(rfft(pieces[some].astype(np.float32) * window, RING) * gains, RING)
        for part in range(RING_BLOCKS):
            speech[some.start + part : some.stop + part] += rung[:, part * BLOCK : (part + 1) * BLOCK]
    return speech.ravel()[BLOCK // 2 : BLOCK // 2 + len(source)]
