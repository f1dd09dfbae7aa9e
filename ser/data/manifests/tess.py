"""TESS: the Toronto emotional speech set."""

import re
from typing import ClassVar

from ser.data.manifests._public_corpus import PublicCorpus


class TESS(PublicCorpus):
    """TESS: two women, 200 words in one carrier phrase, each in seven emotions.

    A name has speaker (OAF: the older, YAF: the younger), word and emotion (ps: pleasant surprise). In some copies one
    recording is named OA_bite_neutral.wav.

    **Source**: M. K. Pichora-Fuller and K. Dupuis, Toronto emotional speech set, doi:10.5683/SP2/E8H2MF, 2020.
    """

    title = "TESS"
    reference = "Pichora-Fuller and Dupuis, 2020"
    licence = "Creative Commons, non-commercial"
    example = "OAF_back_angry.wav"
    form = r"(?P<speaker>OAF?|YAF)_[a-z]+_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)"
    emotions: ClassVar = {
        "neutral": ("neutral", 400),
        "happy": ("happy", 400),
        "sad": ("sad", 400),
        "angry": ("angry", 400),
        "fear": ("fearful", 400),
        "disgust": ("disgust", 400),
        "ps": ("surprised", 400),
    }

    def speaker(self, form: re.Match) -> tuple[str, str]:
        return f"{form['speaker'][:2]}F", "F"
