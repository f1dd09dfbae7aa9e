"""EMOVO: Italian emotional speech."""

import re
from typing import ClassVar

from ser.data.manifests._public_corpus import PublicCorpus


class EMOVO(PublicCorpus):
    """EMOVO: three women and three men, 14 sentences in seven states.

    A name has state (in Italian: disgusto, gioia, neutro, paura, rabbia, sorpresa, tristezza), speaker and sentence.

    **Source**: G. Costantini et al., LREC, 3501-3504, 2014.
    """

    title = "EMOVO"
    reference = "Costantini et al., 2014"
    example = "dis-f1-b1.wav"
    form = r"(?P<emotion>dis|gio|neu|pau|rab|sor|tri)-(?P<speaker>[fm][1-3])-[bdln]\d"
    emotions: ClassVar = {
        "neu": ("neutral", 84),
        "gio": ("happy", 84),
        "tri": ("sad", 84),
        "rab": ("angry", 84),
        "pau": ("fearful", 84),
        "dis": ("disgust", 84),
        "sor": ("surprised", 84),
    }

    def speaker(self, form: re.Match) -> tuple[str, str]:
        return form["speaker"], form["speaker"][0].upper()
