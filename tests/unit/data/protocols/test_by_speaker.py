"""The protocols that test speakers or groups of speakers, on 29 speakers of 3 to 60 utterances."""

import numpy as np
import pandas as pd
import pytest

from ser.data.groups import balanced_groups
from ser.data.protocols import PROTOCOLS, make_protocol
from ser.data.protocols.by_speaker import OneSpeakerProtocol, SpeakerGroupsProtocol
from ser.emotions import PAPER_EMOTIONS
from ser.errors import InputError


def unequal(number=29, seed=1):
    """A corpus without sessions, whose speakers have 3 to 60 utterances."""
    draw, rows = np.random.default_rng(seed), []
    for speaker in range(number):
        for turn in range(draw.integers(3, 61)):
            rows.append((f"{speaker:02}-{turn}", f"s{speaker:02}", PAPER_EMOTIONS[draw.integers(4)]))
    return pd.DataFrame(rows, columns=["utterance", "speaker", "emotion"]).assign(session="", dialog_half="")


def test_one_speaker_is_tested_and_the_next_validates():
    table = unequal()
    for fold in (1, 28, 29):
        sets = OneSpeakerProtocol().sets(table, fold)
        assert set(table.speaker[sets == "test"]) == {f"s{fold - 1:02}"}
        assert set(table.speaker[sets == "val"]) == {f"s{fold % 29:02}"}
    with pytest.raises(InputError, match="fold is 30, but protocol one_speaker has folds 1 to 29"):
        OneSpeakerProtocol().sets(table, 30)


@pytest.mark.parametrize("number", [3, 6, 29])
def test_groups_of_unequal_speakers_are_balanced(number):
    table = unequal()
    groups = balanced_groups(table, number)
    assert sorted(speaker for group in groups for speaker in group) == sorted(set(table.speaker))
    sizes = [int(table.speaker.isin(group).sum()) for group in groups]
    largest = int(table.speaker.value_counts().max())
    assert max(sizes) - min(sizes) <= largest, "one speaker, who is not divided, at most"
    shares = [table.emotion[table.speaker.isin(group)].value_counts(normalize=True) for group in groups]
    if number == 3:
        assert max(abs(share[emotion] - 0.25) for share in shares for emotion in PAPER_EMOTIONS) < 0.06
    assert balanced_groups(table.sample(frac=1, random_state=0), number) == groups, "in any order of the table"


@pytest.mark.parametrize(
    ("table", "protocol", "words"),
    [
        (unequal(2), OneSpeakerProtocol(), "needs at least 3 speakers, .* corpus has 2"),
        (unequal(1), OneSpeakerProtocol(), "needs at least 3 speakers, .* corpus has 1"),
        (unequal(5), SpeakerGroupsProtocol(6), r"data.num_folds is 6, but this corpus has only 5 speaker\(s\)"),
        (unequal(4).groupby("speaker").head(1), SpeakerGroupsProtocol(4), "4 groups of speakers are too many"),
    ],
)
def test_too_few_speakers_are_refused(table, protocol, words):
    with pytest.raises(InputError, match=words):
        protocol.sets(table, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "random"}, "protocol is 'random', but must be one of speaker, wu2019, session, one_speaker, "),
        ({"name": "speaker_groups"}, "protocol speaker_groups needs data.num_folds"),
        ({"name": "split"}, "protocol split needs data.splits"),
        ({"name": "speaker", "num_folds": 5}, "num_folds is 5, but belongs to protocol speaker_groups; the protocol"),
        ({"name": "one_speaker", "splits": "a.csv"}, "data.splits is 'a.csv', but belongs to protocol split"),
        ({"name": "split", "splits": "a.csv", "num_folds": 3}, "belongs to protocol speaker_groups"),
    ],
)
def test_an_option_belongs_to_its_protocol(options, words):
    with pytest.raises(InputError, match=words):
        make_protocol(**options)


def test_only_the_halves_of_dialogs_share_speakers_and_only_files_may_leak():
    shared = {name: each.shared_speakers for name, each in PROTOCOLS.items() if each.shared_speakers}
    assert shared == {"wu2019": (("val", "test"),)}
    assert [name for name, each in PROTOCOLS.items() if each.may_leak] == ["split"]
