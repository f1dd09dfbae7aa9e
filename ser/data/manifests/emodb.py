"""EMO-DB: the Berlin database of emotional speech."""

import re
from typing import ClassVar

from ser.data.corpora.emodb import EMOTION_OF_LETTER, SESSIONS
from ser.data.manifests._public_corpus import PublicCorpus

PUBLISHED = {"N": 79, "W": 127, "F": 71, "T": 62, "L": 81, "E": 46, "A": 69}  # recordings
MEN = {man for man, _ in SESSIONS.values()}


class EmoDB(PublicCorpus):
    """All seven emotions of EMO-DB: five men and five women, ten sentences.

    A name has speaker, sentence, the first letter of the emotion in German (Wut, Langeweile, Ekel, Angst, Freude,
    Trauer, neutral) and often a letter for the version.

    **Source**: F. Burkhardt et al., Interspeech, 1517-1520, 2005.
    """

    title = "EMO-DB"
    reference = "Burkhardt et al., 2005"
    example = "03a01Fa.wav"
    form = r"(?P<speaker>03|08|09|1[0-6])[a-z]\d\d(?P<emotion>[NFTWAEL])[a-z]?"
    emotions: ClassVar = {letter: (emotion, PUBLISHED[letter]) for letter, emotion in EMOTION_OF_LETTER.items()}

    def speaker(self, form: re.Match) -> tuple[str, str]:
        return form["speaker"], "M" if form["speaker"] in MEN else "F"
