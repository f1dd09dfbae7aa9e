"""SAVEE: the Surrey audio-visual expressed emotion database."""

import re
from typing import ClassVar

from ser.data.manifests._public_corpus import PublicCorpus


class SAVEE(PublicCorpus):
    """SAVEE: four English men, 15 sentences for each emotion and 30 for neutral.

    A recording is named by emotion and sentence in a folder named after the speaker (DC/a01.wav), or with the speaker
    in front (DC_a01.wav); its utterance is named DC_a01 in both cases.

    **Source**: S. Haq and P. J. B. Jackson, Multimodal emotion recognition, in Machine Audition (IGI Global), 2010.
    """

    title = "SAVEE"
    reference = "Haq and Jackson, 2010"
    licence = "for research only"
    example = "DC_a01.wav or DC/a01.wav"
    form = r"(?P<speaker>DC|JE|JK|KL)[/_](?P<emotion>sa|su|a|d|f|h|n)\d\d"
    emotions: ClassVar = {
        "n": ("neutral", 120),
        "h": ("happy", 60),
        "sa": ("sad", 60),
        "a": ("angry", 60),
        "f": ("fearful", 60),
        "d": ("disgust", 60),
        "su": ("surprised", 60),
    }

    def speaker(self, form: re.Match) -> tuple[str, str]:
        return form["speaker"], "M"
