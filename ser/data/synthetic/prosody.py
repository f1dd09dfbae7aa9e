"""From a voice and a manner to an utterance: syllables, phrases, melody."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

from ser.data.synthetic.synthesis import BLOCK, FRICATION_BANDS_HZ, SAMPLE_RATE_HZ, Score, render
from ser.data.synthetic.voices import Manner, Voice, draw_manner

SHORTEST_SECONDS, LONGEST_SECONDS = 0.7, 8.0
SYLLABLES_PER_SECOND = 4.6
BLOCKS_PER_SECOND = SAMPLE_RATE_HZ // BLOCK
MARGIN = 6  # blocks of silence at both ends
SHORTEST_SYLLABLE = 8  # blocks
CLOSED_HZ = 270.0  # first formant of a closed mouth
HIGHEST_FORMANT_HZ = 7700.0
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
    articulation = Articulation(round(seconds * BLOCKS_PER_SECOND))
    usual_length = BLOCKS_PER_SECOND / (SYLLABLES_PER_SECOND * voice.rate * 2**manner.rate_octaves)
    here, end = MARGIN, articulation.num_blocks - MARGIN
    left, phrase = 0, 1
    while end - here >= SHORTEST_SYLLABLE:
        if left == 0:
            if here > MARGIN:
                here += round(BLOCKS_PER_SECOND * rng.uniform(0.10, 0.28) * 2**manner.pause_octaves)
            left = phrase = int(rng.integers(3, 9))
        # The last syllable of a phrase is drawn out.
        length = round(usual_length * np.exp(rng.normal(0, 0.18)) * (1.3 if left == 1 else 1.0))
        length = min(max(length, SHORTEST_SYLLABLE + 1), end - here)
        if length < SHORTEST_SYLLABLE:
            break
        accent = rng.standard_normal()
        amplitude = 10 ** ((0.6 * accent + 0.8 * rng.standard_normal()) * manner.energy_range_db / 20)
        slope = manner.slope_semitones * (0.5 - left / phrase)
        pitch = manner.pitch_semitones + manner.range_semitones * voice.range_scale * accent + slope
        articulation.syllable(here, length, amplitude, pitch, manner.vowel_space, rng)
        here += length
        left -= 1
    return articulation.score(voice, manner)


class Articulation:
    """What the mouth does, block by block, before voice and manner colour it.

    Args:
        num_blocks: length of the utterance in blocks of 10 ms.
    """

    def __init__(self, num_blocks: int) -> None:
        self.num_blocks = num_blocks
        self.voicing, self.aspiration = np.zeros(num_blocks), np.zeros(num_blocks)
        self.frication = np.zeros((num_blocks, len(FRICATION_BANDS_HZ)))
        self.tract_hz = np.tile(SCHWA_HZ, (num_blocks, 1))
        self.pitch_targets: dict[int, float] = {}  # block: semitones

    def syllable(
        self, start: int, length: int, amplitude: float, pitch: float, vowel_space: float, rng: np.random.Generator
    ) -> None:
        """A consonant and a vowel.

        Args:
            start: first block.
            length: blocks.
            amplitude: of the vowel, linear.
            pitch: semitones above the speaker's own, reached in the middle of the vowel.
            vowel_space: 1 for a full vowel, 0 for schwa.
            rng: which sounds.
        """
        onset = round(length * rng.uniform(0.22, 0.4))
        consonant, vowel = slice(start, start + onset), slice(start + onset, start + length)
        self.pitch_targets[start + (onset + length) // 2] = pitch
        full_vowel = VOWELS_HZ[rng.integers(len(VOWELS_HZ))]
        self.tract_hz[start : start + length] = SCHWA_HZ + vowel_space * (full_vowel - SCHWA_HZ)
        self.voicing[vowel] = self.aspiration[vowel] = amplitude
        match rng.choice(["sonorant", "fricative", "stop", "aspirate"], p=[0.4, 0.25, 0.25, 0.1]):
            case "sonorant":
                self.voicing[consonant], self.aspiration[consonant] = 0.3 * amplitude, 0.2 * amplitude
                self.tract_hz[consonant, 0] = CLOSED_HZ
            case "fricative":
                band = rng.integers(len(FRICATION_BANDS_HZ))
                self.frication[consonant, band] = amplitude * (0.5 if band == 2 else 1.0)  # "f" is weak
            case "stop":  # silence, then a burst
                self.frication[start + onset - 1, rng.integers(len(FRICATION_BANDS_HZ))] = 1.5 * amplitude
                self.tract_hz[consonant, 0] = CLOSED_HZ
            case "aspirate":
                self.aspiration[consonant] = 3 * amplitude

    def score(self, voice: Voice, manner: Manner) -> Score:
        """The control tracks; averages over 30 and 50 ms let neighbouring sounds run into each other."""
        blocks = np.arange(self.num_blocks)
        melody = np.interp(blocks, list(self.pitch_targets), list(self.pitch_targets.values()))
        pitch_hz = voice.pitch_hz * 2 ** (uniform_filter1d(melody, 5) / 12)
        tract_hz = uniform_filter1d(self.tract_hz, 5, axis=0, mode="nearest")
        tract_hz[:, 0] *= 1 + manner.opening
        formants_hz = np.hstack([tract_hz, higher_formants(self.num_blocks)])
        formants_hz *= voice.formant_scale * (1 + manner.formant_shift)
        formants_hz = formants_hz[:, formants_hz.max(axis=0) < HIGHEST_FORMANT_HZ]
        return Score(
            pitch_hz=np.clip(pitch_hz, 60, 600),
            voicing=uniform_filter1d(self.voicing, 3),
            aspiration=uniform_filter1d(self.aspiration, 3) * 10 ** ((voice.breath_db + manner.breath_db) / 20),
            frication=uniform_filter1d(self.frication, 3, axis=0),
            formants_hz=formants_hz,
            bandwidths_hz=50 + 0.04 * formants_hz,
            tilt_hz=1500 * 2 ** (voice.tilt_octaves + manner.tilt_octaves),
            jitter=manner.jitter,
            shimmer=4 * manner.jitter,
        )


def higher_formants(num_blocks: int) -> np.ndarray:
    """The fourth to eighth formant, (num_blocks, 5): those of a uniform tube of 17.5 cm, which vowels hardly move."""
    return np.tile(1000.0 * np.arange(4, 9) - 500, (num_blocks, 1))
