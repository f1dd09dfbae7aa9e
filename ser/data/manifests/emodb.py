"""EMO-DB: the Berlin database of emotional speech."""

import re
from typing import ClassVar

from ser.data.corpora.emodb import SESSIONS
from ser.data.manifests._public_corpus import PublicCorpus

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
    emotions: ClassVar = {
        "N": ("neutral", 79),
        "F": ("happy", 71),
        "T": ("sad", 62),
        "W": ("angry", 127),
        "A": ("fearful", 69),
        "E": ("disgust", 46),
        "L": ("bored", 81),
    }

    def speaker(self, form: re.Match) -> tuple[str, str]:
        return form["speaker"], "M" if form["speaker"] in MEN else "F"
