"""Who speaks and how: voices, and what each emotion does to a voice."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Voice:
    """A speaker's own baseline; emotions are shifts from it."""

    pitch_hz: float
    formant_scale: float  # 1 for a vocal tract of 17.5 cm, more for a shorter one
    tilt_octaves: float  # corner of the spectral tilt, relative to 1.5 kHz
    rate: float  # relative to `SYLLABLES_PER_SECOND`
    range_scale: float  # how lively the melody is
    breath_db: float
    colour_db: float  # microphone and room: high against low frequencies
    noise_db: float  # background, relative to the speech


@dataclass(frozen=True)
class Manner:
    """How an emotion is spoken, relative to the speaker's own neutral."""

    pitch_semitones: float = 0.0
    range_semitones: float = 1.6  # standard deviation of the syllables' accents
    slope_semitones: float = -2.0  # over a phrase
    rate_octaves: float = 0.0
    energy_db: float = 0.0
    energy_range_db: float = 2.0
    tilt_octaves: float = 0.0
    breath_db: float = 0.0
    pause_octaves: float = 0.0
    formant_shift: float = 0.0  # relative; lips spread or rounded
    opening: float = 0.0  # relative shift of the first formant: the jaw
    vowel_space: float = 1.0  # 1: full vowels, 0: all schwa
    jitter: float = 0.008


MANNERS = {
    "neutral": Manner(),
    "angry": Manner(3.0, 2.0, -4.5, 0.40, 6.0, 5.0, 2.3, -6.0, -0.8, -0.03, 0.25, 1.15, 0.025),
    "happy": Manner(8.5, 6.5, 2.0, 0.12, 2.0, 2.5, 0.2, 3.0, 0.0, 0.12, -0.03, 1.2, 0.008),
    "sad": Manner(-2.5, 0.6, -2.5, -0.55, -5.0, 1.0, -1.5, 9.0, 1.0, -0.04, -0.08, 0.6, 0.012),
}
# How much two utterances of the same emotion and speaker differ (standard deviations, in the order of `Manner`).
VARIATION = Manner(0.8, 0.25, 1.0, 0.08, 1.2, 0.4, 0.2, 1.2, 0.2, 0.012, 0.025, 0.05, 0.002)


def draw_voice(woman: bool, rng: np.random.Generator) -> Voice:
    """A speaker: women speak about nine semitones higher, from vocal tracts about a seventh shorter."""
    return Voice(
        pitch_hz=(200 if woman else 118) * 2 ** (rng.uniform(-1.5, 1.5) / 12),
        formant_scale=(1.15 if woman else 1.0) * rng.uniform(0.97, 1.03),
        tilt_octaves=rng.uniform(-0.3, 0.3),
        rate=rng.uniform(0.88, 1.14),
        range_scale=rng.uniform(0.8, 1.25),
        breath_db=rng.uniform(-3, 3),
        colour_db=rng.uniform(-2, 2),
        noise_db=rng.uniform(-58, -38),
    )


def draw_manner(emotion: str, rng: np.random.Generator) -> Manner:
    """One utterance's manner: from neutral towards the emotion (how far differs), and around that."""
    intensity = rng.uniform(0.75, 1.25)
    neutral, full, variation = asdict(Manner()), asdict(MANNERS[emotion]), asdict(VARIATION)
    drawn = {
        name: neutral[name] + intensity * (full[name] - neutral[name]) + variation[name] * rng.standard_normal()
        for name in neutral
    }
    drawn["range_semitones"] = max(drawn["range_semitones"], 0.2)
    drawn["energy_range_db"] = max(drawn["energy_range_db"], 0.3)
    drawn["jitter"] = max(drawn["jitter"], 0.003)
    return Manner(**drawn)
