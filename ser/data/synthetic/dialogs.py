"""Who says what with which emotion in the built-in corpus, and how IEMOCAP's release would write it down."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from ser.data.synthetic.prosody import speak
from ser.data.synthetic.synthesis import SAMPLE_RATE_HZ
from ser.data.synthetic.voices import Voice, draw_voice
from ser.emotions import EMOTIONS

NUM_SESSIONS = 5
ACTORS = "FM"
SHARES = {"neutral": 0.34, "angry": 0.20, "happy": 0.20, "sad": 0.26}  # mildly uneven, as in real corpora
LABELS = {"neutral": "neu", "angry": "ang", "happy": "hap", "sad": "sad"}
# What readers must leave out, and how it sounds: frustration, excitement, and utterances without a majority.
OTHERS = (("xxx", "neutral"), ("fru", "angry"), ("exc", "happy"))
VOTES = {
    "neu": ("Neutral", (2.5, 2.5, 2.5)),
    "ang": ("Anger", (1.5, 4.0, 4.0)),
    "hap": ("Happiness", (4.5, 3.5, 3.0)),
    "sad": ("Sadness", (2.0, 1.5, 2.0)),
    "xxx": ("Other", (3.0, 3.0, 3.0)),
    "fru": ("Frustration", (2.0, 3.0, 3.5)),
    "exc": ("Excited", (4.5, 4.5, 3.5)),
}


@dataclass(frozen=True)
class Line:
    """One utterance to be spoken."""

    utterance: str  # Ses01F_impro01_M003: session 1, dialog impro01 of half F, fourth utterance of the man
    label: str  # as in IEMOCAP's label files
    emotion: str  # how it is spoken

    @property
    def session(self) -> int:
        return int(self.utterance[3:5])

    @property
    def actor(self) -> str:
        return self.utterance.rsplit("_", 1)[1][0]

    def speak(self, seed: int) -> np.ndarray:
        """The utterance, 16 kHz, (samples,), 16-bit integers: a function of (seed, line) and of nothing else."""
        rng = np.random.default_rng([seed, zlib.crc32(self.utterance.encode())])
        return speak(voice(seed, self.session, self.actor), self.emotion, rng)


def voice(seed: int, session: int, actor: str) -> Voice:
    """The voice of a session's actor ("F" or "M")."""
    return draw_voice(actor == "F", np.random.default_rng([seed, session, ACTORS.index(actor)]))


def screenplay(session: int, utterances_per_speaker: int, seed: int) -> dict[str, list[Line]]:
    """The dialogs of one session; both actors speak in every one.

    Args:
        session: 1 to 5.
        utterances_per_speaker: improvised utterances of the four emotions for each actor.
        seed: of their order.

    Returns:
        For each dialog its lines, in the order of speaking. Beside the improvised utterances of the four emotions
        there is one with another label for each actor in each improvised dialog, and a short scripted dialog.
    """
    plan: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for half, size in zip(ACTORS, ((utterances_per_speaker + 1) // 2, utterances_per_speaker // 2), strict=True):
        dialogs = improvised_dialogs(session, half)
        for actor in ACTORS:
            rng = np.random.default_rng([seed, session, ACTORS.index(half), ACTORS.index(actor)])
            emotions = rng.permutation(deal(size)).tolist()
            for number, (dialog, share) in enumerate(zip(dialogs, np.array_split(emotions, len(dialogs)), strict=True)):
                turns = [(LABELS[emotion], emotion) for emotion in share.tolist()]
                turns.insert(int(rng.integers(len(turns) + 1)), OTHERS[(session + number + (actor == "M")) % 3])
                plan.setdefault(dialog, {})[actor] = turns
    scripted = f"Ses{session:02d}M_script01_1" + ("b" if session == 5 else "")
    plan[scripted] = {"F": [("neu", "neutral"), ("ang", "angry")], "M": [("sad", "sad"), ("hap", "happy")]}
    return {dialog: list(_interleave(dialog, turns)) for dialog, turns in plan.items()}


def improvised_dialogs(session: int, half: str) -> list[str]:
    """Names as in the release, those with a suffix included."""
    scenes = ["impro01", "impro05a", "impro05b"] if (session, half) == (3, "M") else ["impro01", "impro02"]
    return [f"Ses{session:02d}{half}_{scene}" for scene in scenes]


def deal(size: int) -> list[str]:
    """Emotions for so many utterances, each next one the emotion that lacks most towards its share.

    Example:
        >>> deal(4)
        ['neutral', 'sad', 'angry', 'happy']
        >>> [deal(20).count(emotion) for emotion in EMOTIONS]
        [7, 4, 4, 5]
    """
    dealt: list[str] = []
    for number in range(1, size + 1):
        lacking = [round(SHARES[emotion] * number - dealt.count(emotion), 9) for emotion in EMOTIONS]
        dealt.append(EMOTIONS[lacking.index(max(lacking))])
    return dealt


def label_file(lines: list[Line], lengths: list[int], newline: str = "\n") -> str:
    """A dialog's file of labels, as IEMOCAP writes it.

    Args:
        lines: the utterances, in the order of speaking.
        lengths: their samples.
        newline: how a line ends.
    """
    text = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    start = 1.5
    for line, length in zip(lines, lengths, strict=True):
        end = start + length / SAMPLE_RATE_HZ
        vote, scales = VOTES[line.label]
        means = ", ".join(f"{scale:.4f}" for scale in scales)
        text.append(f"[{start:.4f} - {end:.4f}]\t{line.utterance}\t{line.label}\t[{means}]")
        text += [f"C-{rater}:\t{vote};\t()" for rater in ("E2", "E3", "E4", f"{line.actor}{line.session}")]
        marks = "val {:.0f}; act {:.0f}; dom  {:.0f};".format(*scales)
        text += [f"A-{rater}:\t{marks}\t()" for rater in ("E3", "E4", f"{line.actor}{line.session}")]
        text.append("")
        start = end + 0.6
    return newline.join(text) + newline


def _interleave(dialog: str, turns: dict[str, list[tuple[str, str]]]) -> Iterator[Line]:
    for number, pair in enumerate(zip_longest(turns["F"], turns["M"])):
        for actor, turn in zip(ACTORS, pair, strict=True):
            if turn is not None:
                yield Line(f"{dialog}_{actor}{number:03d}", *turn)
