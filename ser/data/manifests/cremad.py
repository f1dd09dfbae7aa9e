"""CREMA-D: the crowd-sourced emotional multimodal actors dataset."""

import re
from functools import cached_property
from typing import ClassVar

from ser.data.corpora.csv_lines import read_lines
from ser.data.manifests._public_corpus import PublicCorpus
from ser.errors import InputError

DEMOGRAPHICS = "VideoDemographics.csv"
GENDERS = {"Female": "F", "Male": "M"}


class CremaD(PublicCorpus):
    """CREMA-D: 48 men and 43 women, twelve sentences, labelled with the emotion that was acted.

    A name has actor, sentence, emotion and level (XX: unspecified; one recording of the release has X). The genders
    are read from `VideoDemographics.csv` in the folder or the one above, and empty without this file.

    **Source**: H. Cao et al., IEEE Transactions on Affective Computing 5(4), 377-390, 2014.
    """

    title = "CREMA-D"
    reference = "Cao et al., 2014"
    licence = "ODbL 1.0"
    example = "1001_DFA_ANG_XX.wav"
    form = r"(?P<speaker>10(?:0[1-9]|[1-8]\d|9[01]))_[A-Z]{3}_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(?:LO|MD|HI|XX?)"
    emotions: ClassVar = {
        "NEU": ("neutral", 1087),
        "HAP": ("happy", 1271),
        "SAD": ("sad", 1271),
        "ANG": ("angry", 1271),
        "FEA": ("fearful", 1271),
        "DIS": ("disgust", 1271),
    }

    def speaker(self, form: re.Match) -> tuple[str, str]:
        return form["speaker"], self._genders.get(form["speaker"], "")

    @cached_property
    def _genders(self) -> dict[str, str]:
        places = (folder / DEMOGRAPHICS for folder in (self.folder, self.folder.parent))
        file = next((place for place in places if place.is_file()), None)
        problems: list[str] = []
        lines = read_lines(file, ("ActorID", "Sex"), problems) if file else ()
        genders = {cells["ActorID"]: GENDERS.get(cells["Sex"], "") for _, cells in lines}
        if problems:
            raise InputError("\n".join(problems))
        return genders
