"""What speaker and emotion do to an utterance: voices, manners of speaking, and the score that follows from both."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from ser.data.synthesis import BLOCK, FRICATION_BANDS_HZ, SAMPLE_RATE_HZ, Score, render

SHORTEST_SECONDS, LONGEST_SECONDS = 0.7, 8.0
SYLLABLES_PER_SECOND = 4.6
# First three formants (Hz) of i, e, open e, a, o, u and schwa in a vocal tract of 17.5 cm: usual textbook values.
VOWELS_HZ = np.array(
    [
        (290, 2250, 2950),
        (400, 2050, 2600),
        (550, 1800, 2500),
        (750, 1250, 2500),
        (450, 850, 2450),
        (310, 870, 2300),
        (500, 1500, 2500),
    ],
    dtype=float,
)
SCHWA_HZ = VOWELS_HZ[-1]


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
    "angry": Manner(4.0, 2.2, -4.0, 0.30, 6.0, 4.5, 1.4, -5.0, -0.6, -0.01, 0.16, 1.1, 0.022),
    "happy": Manner(5.5, 5.0, 1.5, 0.16, 2.0, 2.5, 0.0, 1.0, -0.1, 0.08, 0.0, 1.15, 0.008),
    "sad": Manner(-2.0, 0.7, -2.5, -0.45, -5.0, 1.2, -1.1, 7.0, 0.9, -0.03, -0.06, 0.7, 0.012),
}
# How much two utterances of the same emotion and speaker differ (standard deviations, in the order of `Manner`).
VARIATION = Manner(0.8, 0.25, 1.0, 0.08, 1.2, 0.4, 0.2, 1.2, 0.2, 0.012, 0.025, 0.05, 0.002)


def draw_voice(woman: bool, rng: np.random.Generator) -> Voice:
    """A speaker: women speak about nine semitones higher, from vocal tracks about a seventh shorter."""
    return Voice(
        pitch_hz=(200 if woman else 118) * 2 ** (rng.uniform(-2.5, 2.5) / 12),
        formant_scale=(1.15 if woman else 1.0) * rng.uniform(0.93, 1.07),
        tilt_octaves=rng.uniform(-0.5, 0.5),
        rate=rng.uniform(0.88, 1.14),
        range_scale=rng.uniform(0.8, 1.25),
        breath_db=rng.uniform(-3, 3),
        colour_db=rng.uniform(-5, 5),
        noise_db=rng.uniform(-54, -38),
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


def draw_seconds(rng: np.random.Generator) -> float:
    """The length of an utterance: 0.7 to 8 s, 2.7 s in the mean."""
    return float(np.clip(2.45 * np.exp(0.45 * rng.standard_normal()), SHORTEST_SECONDS + 0.02, LONGEST_SECONDS - 0.02))


def speak(voice: Voice, emotion: str, rng: np.random.Generator) -> np.ndarray:
    """One utterance.

    Args:
        voice: who speaks.
        emotion: one of `ser.emotions.EMOTIONS`.
        rng: everything else about it.

    Returns:
        The waveform at 16 kHz, (samples,), 16-bit integers.
    """
    manner = draw_manner(emotion, rng)
    speech = render(compose(voice, manner, draw_seconds(rng), rng), rng)
    # The microphone: more or less of the sound's difference than of the sound itself.
    bright = 10 ** (voice.colour_db / 20)
    speech = speech + 0.5 * (bright - 1) * np.diff(speech, prepend=0.0)
    speech /= np.sqrt(np.mean(speech**2))
    speech += 10 ** (voice.noise_db / 20) * rng.standard_normal(len(speech)) * 10 ** (-manner.energy_db / 20)
    # The recording gain is drawn anew each time: loudness alone is not the label.
    level_db = -27 + manner.energy_db + 4.0 * rng.standard_normal()
    speech *= min(10 ** (level_db / 20), 0.95 / np.max(np.abs(speech)))
    return np.round(speech * 32767).astype(np.int16)


def compose(voice: Voice, manner: Manner, seconds: float, rng: np.random.Generator) -> Score:
    """Fill the asked time with phrases of syllables.

    Returns:
        A score of `seconds`, rounded to 10 ms, which begins and ends in silence.
    """
    num_blocks = round(seconds * SAMPLE_RATE_HZ / BLOCK)
    voicing, aspiration, pitch = np.zeros(num_blocks), np.zeros(num_blocks), np.full(num_blocks, np.nan)
    frication = np.zeros((num_blocks, len(FRICATION_BANDS_HZ)))
    tract = np.tile(SCHWA_HZ, (num_blocks, 1))
    end = num_blocks - 6
    here, left, phrase = 6, 0, 1
    while end - here >= 8:
        if left == 0:
            if here > 6:
                here += round(100 * rng.uniform(0.10, 0.28) * 2**manner.pause_octaves)
            left = phrase = int(rng.integers(3, 9))
        length = 100 / (SYLLABLES_PER_SECOND * voice.rate * 2**manner.rate_octaves) * np.exp(rng.normal(0, 0.18))
        length = min(max(round(length * (1.3 if left == 1 else 1.0)), 9), end - here)
        if length < 7:
            break
        accent = rng.standard_normal()
        loud = 10 ** ((0.6 * accent + 0.8 * rng.standard_normal()) * manner.energy_range_db / 20)
        onset = round(length * rng.uniform(0.22, 0.4))
        vowel = SCHWA_HZ + manner.vowel_space * (VOWELS_HZ[rng.integers(len(VOWELS_HZ))] - SCHWA_HZ)
        consonant = slice(here, here + onset)
        nucleus = slice(here + onset, here + length)
        tract[here : here + length] = vowel
        voicing[nucleus], aspiration[nucleus] = loud, loud
        match rng.choice(["sonorant", "fricative", "stop", "aspirate"], p=[0.4, 0.25, 0.25, 0.1]):
            case "sonorant":
                voicing[consonant], aspiration[consonant] = 0.3 * loud, 0.2 * loud
                tract[consonant, 0] = 270
            case "fricative":
                band = rng.integers(len(FRICATION_BANDS_HZ))
                frication[consonant, band] = loud * (0.5 if band == 2 else 1.0)
            case "stop":
                frication[here + onset - 1, rng.integers(len(FRICATION_BANDS_HZ))] = 1.5 * loud
                tract[consonant, 0] = 270
            case "aspirate":
                aspiration[consonant] = 3 * loud
        # The accent is reached in the syllable's middle; between middles the melody glides.
        through = 1 - left / phrase
        pitch[here + (onset + length) // 2] = (
            manner.range_semitones * voice.range_scale * accent + manner.slope_semitones * (through - 0.5)
        )
        here += length
        left -= 1
    set_blocks = np.flatnonzero(~np.isnan(pitch))
    melody = np.interp(np.arange(num_blocks), set_blocks, pitch[set_blocks])
    semitones = manner.pitch_semitones + uniform_filter1d(melody, 5)
    tract = uniform_filter1d(tract, 5, axis=0, mode="nearest")
    tract[:, 0] *= 1 + manner.opening
    formants = voice.formant_scale * (1 + manner.formant_shift) * np.hstack([tract, higher_formants(num_blocks)])
    formants = formants[:, formants.max(axis=0) < 7700]
    return Score(
        pitch_hz=np.clip(voice.pitch_hz * 2 ** (semitones / 12), 60, 600),
        voicing=uniform_filter1d(voicing, 3),
        aspiration=uniform_filter1d(aspiration, 3) * 10 ** ((voice.breath_db + manner.breath_db) / 20),
        frication=uniform_filter1d(frication, 3, axis=0),
        formants_hz=formants,
        bandwidths_hz=50 + 0.04 * formants,
        tilt_hz=1500 * 2 ** (voice.tilt_octaves + manner.tilt_octaves),
        jitter=manner.jitter,
        shimmer=4 * manner.jitter,
    )


def higher_formants(num_blocks: int) -> np.ndarray:
    """The fourth to eighth formant, (num_blocks, 5): those of a uniform tube of 17.5 cm, which vowels hardly move."""
    return np.tile(1000.0 * np.arange(4, 9) - 500, (num_blocks, 1))
