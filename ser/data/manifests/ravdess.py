"""RAVDESS: the Ryerson audio-visual database of emotional speech and song."""

import re
from typing import ClassVar

from ser.data.manifests._public_corpus import PublicCorpus


class RAVDESS(PublicCorpus):
    """Speech of RAVDESS: 24 North American actors, two sentences; its songs are left out.

    A name has seven numbers: modality (03: audio only), vocal channel (01: speech, 02: song), emotion, intensity,
    sentence, repetition and actor; actors with odd numbers are men. Neutral has one intensity, the others have two.

    **Source**: S. R. Livingstone and F. A. Russo, PLoS ONE 13(5), e0196391, 2018.
    """

    title = "RAVDESS"
    reference = "Livingstone and Russo, 2018"
    licence = "CC BY-NC-SA 4.0"
    example = "03-01-06-01-02-01-12.wav"
    form = r"03-01-(?P<emotion>0[1-8])-0[12]-0[12]-0[12]-(?P<speaker>0[1-9]|1\d|2[0-4])"
    left_out: ClassVar = {"sung": r"03-02-0[1-6]-0[12]-0[12]-0[12]-(?:0[1-9]|1\d|2[0-4])"}
    emotions: ClassVar = {
        "01": ("neutral", 96),
        "02": ("calm", 192),
        "03": ("happy", 192),
        "04": ("sad", 192),
        "05": ("angry", 192),
        "06": ("fearful", 192),
        "07": ("disgust", 192),
        "08": ("surprised", 192),
    }

    def speaker(self, form: re.Match) -> tuple[str, str]:
        return form["speaker"], "M" if int(form["speaker"]) % 2 else "F"
