"""Synthetic utterances: voices, the effect of emotions on them, and the waveform."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter, sosfilt

from ser.audio.frames import SAMPLE_RATE_HZ

SHORTEST_SECONDS, LONGEST_SECONDS = 0.7, 8.0
# First three formants (Hz) of i, e, a, o and u in a vocal tract of 17.5 cm: usual textbook values.
VOWELS_HZ = ((290, 2250, 2950), (400, 2050, 2600), (750, 1250, 2500), (450, 850, 2450), (310, 870, 2300))
HIGHER_FORMANTS_HZ = (3500, 4500, 5500, 6500)  # of a uniform tube, the same in every vowel


class Voice(NamedTuple):
    """A speaker's baseline, which emotions shift."""

    pitch_hz: float
    formant_scale: float  # 1 for a vocal tract of 17.5 cm, more for a shorter one
    tilt_octaves: float  # relative to a corner of 1.2 kHz
    rate_octaves: float  # relative to 4.6 syllables per second
    noise_db: float  # background, relative to neutral speech


class Manner(NamedTuple):
    """How an utterance is spoken, relative to its speaker's neutral speech."""

    pitch_semitones: float
    melody_octaves: float  # of the variation of pitch, relative to 1.6 semitones
    rate_octaves: float
    energy_db: float
    tilt_octaves: float  # of the corner above which the pulses lose another 6 dB per octave
    breath_db: float
    formant_shift: float  # relative: lips are spread or rounded


MANNERS = {
    "neutral": Manner(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "angry": Manner(3.0, 0.3, 0.5, 6.0, 2.5, -8.0, -0.03),
    "happy": Manner(8.5, 2.0, 0.15, 2.0, 0.3, 5.0, 0.12),
    "sad": Manner(-3.0, -1.5, -0.6, -5.0, -2.0, 10.0, -0.04),
}
# Standard deviations between utterances of one emotion and speaker.
VARIATION = Manner(0.8, 0.25, 0.08, 1.2, 0.2, 1.0, 0.012)


def draw_voice(woman: bool, rng: np.random.Generator) -> Voice:
    """Draw a voice; women speak about nine semitones higher, with vocal tracts about a seventh shorter."""
    return Voice(
        pitch_hz=(200 if woman else 118) * 2 ** (rng.uniform(-1.5, 1.5) / 12),
        formant_scale=(1.15 if woman else 1.0) * rng.uniform(0.97, 1.03),
        tilt_octaves=rng.uniform(-0.3, 0.3),
        rate_octaves=rng.uniform(-0.2, 0.2),
        noise_db=rng.uniform(-58, -38),
    )


def draw_manner(emotion: str, rng: np.random.Generator) -> Manner:
    """Draw the manner of one utterance: the emotion's shift at a random intensity, plus random variation."""
    intensity = rng.uniform(0.75, 1.25)
    return Manner(*(intensity * np.array(MANNERS[emotion]) + np.array(VARIATION) * rng.standard_normal(len(VARIATION))))


def draw_seconds(rng: np.random.Generator) -> float:
    """Draw the length of an utterance: 0.7 to 8 s, 2.7 s on average."""
    return float(np.clip(2.45 * np.exp(0.45 * rng.standard_normal()), SHORTEST_SECONDS, LONGEST_SECONDS))


def speak(voice: Voice, emotion: str, rng: np.random.Generator) -> np.ndarray:
    """Synthesise one utterance.

    Args:
        emotion: one of `ser.emotions.PAPER_EMOTIONS`.
        rng: draws everything else.

    Returns:
        The waveform at 16 kHz, (samples,), 16-bit integers.
    """
    manner = draw_manner(emotion, rng)
    speech = articulate(voice, manner, draw_seconds(rng), rng)
    speech /= np.sqrt(np.mean(speech**2))
    speech += 10 ** ((voice.noise_db - manner.energy_db) / 20) * rng.standard_normal(len(speech))
    # Random recording gain per utterance: loudness alone does not reveal the label.
    level_db = -27 + manner.energy_db + 4.0 * rng.standard_normal()
    speech *= min(10 ** (level_db / 20), 0.95 / np.max(np.abs(speech)))
    return np.round(speech * 32767).astype(np.int16)


def articulate(voice: Voice, manner: Manner, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Fill the time with syllables, each a burst of noise and a vowel; one in ten is a pause instead.

    Returns:
        The waveform, (16,000 * seconds,), of arbitrary level.
    """
    num_samples = round(seconds * SAMPLE_RATE_HZ)
    num_syllables = max(round(seconds * 4.6 * 2 ** (voice.rate_octaves + manner.rate_octaves)), 2)
    edges = np.cumsum([0, *rng.uniform(0.7, 1.3, num_syllables)])
    edges = (edges / edges[-1] * num_samples).astype(int)
    accents = rng.standard_normal(num_syllables)
    semitones = manner.pitch_semitones + 1.6 * 2**manner.melody_octaves * accents
    centres = (edges[:-1] + edges[1:]) / 2
    pitch_hz = np.interp(np.arange(num_samples), centres, voice.pitch_hz * 2 ** (semitones / 12))
    noise = rng.standard_normal(num_samples)
    source = pulses(pitch_hz, 1200 * 2 ** (voice.tilt_octaves + manner.tilt_octaves))
    source += 0.02 * 10 ** (manner.breath_db / 20) * noise
    speech, formant_scale = np.zeros(num_samples), voice.formant_scale * (1 + manner.formant_shift)
    for number, (start, end) in enumerate(pairwise(edges)):
        vowel_hz = VOWELS_HZ[rng.integers(len(VOWELS_HZ))]
        formants_hz = formant_scale * np.array([*vowel_hz, *HIGHER_FORMANTS_HZ])
        loudness = 10 ** ((1.5 * accents[number] + 2 * rng.standard_normal()) / 20)
        if number and rng.random() < 0.1:
            continue
        onset = start + (end - start) // 4
        speech[start:onset] = 0.1 * loudness * noise[start:onset] * np.hanning(onset - start)
        speech[onset:end] = loudness * resonate(source[onset:end] * np.hanning(end - onset), formants_hz)
    return speech


def pulses(pitch_hz: np.ndarray, tilt_hz: float) -> np.ndarray:
    """A sawtooth of the given pitch, (samples,), falling by another 6 dB per octave above `tilt_hz`."""
    sawtooth = 2 * (np.cumsum(pitch_hz) / SAMPLE_RATE_HZ % 1) - 1
    pole = np.exp(-2 * np.pi * tilt_hz / SAMPLE_RATE_HZ)
    return lfilter([1 - pole], [1, -pole], sawtooth)


def resonate(source: np.ndarray, formants_hz: np.ndarray) -> np.ndarray:
    """Filter a source, (samples,), with a cascade of resonators of unit gain at 0 Hz.

    Bandwidths are 50 Hz and 4 % of the frequency.

    Source:
        Klatt, J. Acoust. Soc. Am. 67 (1980): a cascade gives the formants the right relative amplitudes.
    """
    radius = np.exp(-np.pi * (50 + 0.04 * formants_hz) / SAMPLE_RATE_HZ)
    a1, a2 = -2 * radius * np.cos(2 * np.pi * formants_hz / SAMPLE_RATE_HZ), radius**2
    zero, one = np.zeros_like(a1), np.ones_like(a1)
    return sosfilt(np.stack([1 + a1 + a2, zero, zero, one, a1, a2], axis=1), source)
