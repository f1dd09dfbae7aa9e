"""Dialogs of the built-in corpus: speakers, emotions, and label files in IEMOCAP's format."""

import zlib
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from ser.audio.frames import SAMPLE_RATE_HZ
from ser.data.synthetic.speech import draw_voice, speak

NUM_SESSIONS = 5
ACTORS = "FM"
# For each label the emotion of the voice, the category of the raters' votes, and valence, activation and dominance.
# Readers must leave out utterances without a majority (xxx), frustration and excitement.
LABELS = {
    "neu": ("neutral", "Neutral", (2.5, 2.5, 2.5)),
    "ang": ("angry", "Anger", (1.5, 4.0, 4.0)),
    "hap": ("happy", "Happiness", (4.5, 3.5, 3.0)),
    "sad": ("sad", "Sadness", (2.0, 1.5, 2.0)),
    "xxx": ("neutral", "Other", (3.0, 3.0, 3.0)),
    "fru": ("angry", "Frustration", (2.0, 3.0, 3.5)),
    "exc": ("happy", "Excited", (4.5, 4.5, 3.5)),
}
OTHERS = ("xxx", "fru", "exc")
# Slightly imbalanced, like real corpora; repeated as needed. The first four labels cover all emotions.
ORDER = ("neu", "sad", "ang", "hap", "neu", "sad", "neu", "ang", "hap", "sad")


@dataclass(frozen=True)
class Line:
    """One utterance of a dialog."""

    utterance: str  # Ses01F_impro01_M003: session 1, dialog impro01 of half F, fourth utterance of the man
    label: str  # as in IEMOCAP's label files

    @property
    def emotion(self) -> str:
        """Emotion of the voice."""
        return LABELS[self.label][0]

    def speak(self, seed: int) -> np.ndarray:
        """Synthesise the utterance: 16 kHz, (samples,), 16-bit integers; depends only on (seed, line)."""
        session, actor = int(self.utterance[3:5]), ACTORS.index(self.utterance.rsplit("_", 1)[1][0])
        voice = draw_voice(ACTORS[actor] == "F", np.random.default_rng([seed, session, actor]))
        return speak(voice, self.emotion, np.random.default_rng([seed, zlib.crc32(self.utterance.encode())]))


def screenplay(session: int, utterances_per_speaker: int, seed: int) -> dict[str, list[Line]]:
    """Write the dialogs of one session, in each of which both actors speak.

    Args:
        session: 1 to 5.
        utterances_per_speaker: improvised utterances of the four emotions for each actor.
        seed: determines their order.

    Returns:
        The lines of each dialog, in speaking order. Each improvised dialog also has one utterance per actor with
        another label, and each session has a short scripted dialog.
    """
    rng = np.random.default_rng([seed, session])
    dialogs = {}
    for half, size in zip(ACTORS, ((utterances_per_speaker + 1) // 2, utterances_per_speaker // 2), strict=True):
        scenes = ["impro01", "impro05a", "impro05b"] if (session, half) == (3, "M") else ["impro01", "impro02"]
        shares = [np.array_split(rng.permutation(np.resize(ORDER, size)), len(scenes)) for _ in ACTORS]
        for number, scene in enumerate(scenes):
            labels = [
                rng.permutation([*share[number], OTHERS[(session + number + actor) % 3]]).tolist()
                for actor, share in enumerate(shares)
            ]
            dialogs[f"Ses{session:02d}{half}_{scene}"] = labels
    dialogs[f"Ses{session:02d}M_script01_1" + ("b" if session == 5 else "")] = [["neu", "ang"], ["sad", "hap"]]
    return {dialog: _in_turn(dialog, labels) for dialog, labels in dialogs.items()}


def _in_turn(dialog: str, labels: list[list[str]]) -> list[Line]:
    return [
        Line(f"{dialog}_{actor}{number:03d}", label)
        for number, pair in enumerate(zip_longest(*labels))
        for actor, label in zip(ACTORS, pair, strict=True)
        if label
    ]


def label_file(lines: list[Line], lengths: list[int]) -> str:
    """Write a dialog's label file in IEMOCAP's format.

    Args:
        lines: the utterances, in speaking order.
        lengths: number of samples of each utterance.
    """
    text = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    start = 1.5
    for line, length in zip(lines, lengths, strict=True):
        end = start + length / SAMPLE_RATE_HZ
        _, category, scales = LABELS[line.label]
        means = ", ".join(f"{scale:.4f}" for scale in scales)
        text.append(f"[{start:.4f} - {end:.4f}]\t{line.utterance}\t{line.label}\t[{means}]")
        text.append(f"C-E2:\t{category};\t()")
        text.append("A-E3:\tval {:.0f}; act {:.0f}; dom  {:.0f};\t()".format(*scales))
        text.append("")
        start = end + 0.6
    return "\n".join(text) + "\n"
