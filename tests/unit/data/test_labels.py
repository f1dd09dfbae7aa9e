"""The labels of a corpus that are used, and the emotion that each counts as."""

from __future__ import annotations

import pytest

from ser.data.corpora.corpus import Corpus, Listing
from ser.data.corpora.emodb import EmoDB
from ser.data.corpora.iemocap import IEMOCAP
from ser.data.labels import Labels, in_order
from ser.emotions import PAPER_EMOTIONS
from ser.errors import CorpusError, InputError


@pytest.mark.parametrize(
    ("emotions", "merge", "message"),
    [
        (["sad"], {}, "data.emotions is ['sad'], but must be 2 to 100 names"),
        ([], {}, "but must be 2 to 100 names"),
        ([f"e{number}" for number in range(101)], {}, "but must be 2 to 100 names"),
        (["sad", "happy", "sad"], {}, "'sad' is there twice"),
        (["sad", "all"], {}, "'all' cannot be used"),
        (["sad", "speakers"], {}, "'speakers' cannot be used"),
        (["sad", ""], {}, "'' cannot be used"),
        (["sad", "a/b"], {}, "'a/b' cannot be used"),
        (["sad", "happy "], {}, "'happy ' cannot be used"),
        (["sad", "_happy"], {}, "'_happy' cannot be used"),
        (["sad", "a\nb"], {}, "cannot be used: use letters, digits, spaces and hyphens, and not all, fold"),
        (["sad", "joy/fun"], {}, "; --data.merge counts a label as an emotion of another name"),
        (["sad", "happy"], {1: "sad"}, "data.merge counts 1 as 'sad', but labels are text; put the label in quotes"),
        (["sad", "x" * 41], {}, "cannot be used"),
        (["sad", 3], {}, "data.emotions"),
        (["sad", "happy"], {"excited": "joy"}, "counts 'excited' as 'joy', which is not in data.emotions (sad, happy)"),
        (["sad", "happy"], {"happy": "sad"}, "counts 'happy' as 'sad', but 'happy' is in data.emotions"),
        (["sad", "happy"], {"happy": "happy"}, "'happy' as 'happy', and is circular: happy -> happy"),
        (["sad", "happy"], {"a": "b", "b": "a"}, "counts 'a' as 'b', and is circular: a -> b -> a"),
        (["sad", "happy"], {"a": "b", "b": "c", "c": "a"}, "is circular: a -> b -> c -> a"),
        (["sad", "happy"], {"a": "b", "b": "sad"}, "'a' as 'b', which counts as 'sad' itself; name the emotion at the"),
        (["sad", "happy"], {"a": "b", "b": "c", "c": "b"}, "data.merge counts 'a' as 'b', which counts as 'c' itself"),
    ],
)
def test_refusals(emotions, merge, message):
    with pytest.raises(InputError) as refused:
        Labels(emotions, merge)
    assert message in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_names_in_any_script_with_spaces_and_hyphens():
    names = ["pleasant surprise", "hot-anger", "Freude", "грусть", "喜び", "4"]
    assert Labels(names).emotions == tuple(names)
    assert Labels().emotions == tuple(PAPER_EMOTIONS)


def test_a_label_counts_as_itself_as_another_or_not_at_all():
    labels = Labels(["sad", "happy"], {"excited": "happy", "delighted": "happy"})
    expected = {"sad": "sad", "happy": "happy", "excited": "happy", "delighted": "happy", "bored": None, "Sad": None}
    assert {label: labels.emotion_of(label) for label in expected} == expected


def test_an_emotion_may_consist_of_merged_labels_only():
    labels = Labels(["negative", "positive"], {"sad": "negative", "angry": "negative", "happy": "positive"})
    assert labels.unknown(["sad", "happy", "angry"]) == []
    assert labels.emotion_of("angry") == "negative"


def test_labels_that_no_utterance_has_are_named_with_those_there_are():
    labels = Labels(["sad", "hapy"], {"exited": "hapy", "bored": "sad"})
    known = "(its labels: excited, happy, sad)"
    assert labels.unknown(["happy", "sad", "sad", "excited"]) == [
        f"data.emotions: no utterance is labelled 'hapy'; did you mean happy? {known}",
        f"data.merge: no utterance is labelled 'exited'; did you mean excited? {known}",
        f"data.merge: no utterance is labelled 'bored' {known}",
    ]


def test_labels_of_a_table_begin_with_the_papers():
    assert in_order(["bored", "sad", "angry", "Angst", "sad"]) == ["angry", "sad", "Angst", "bored"]


class Listed(Corpus):
    """A corpus of given labels, one utterance each."""

    title, name = "a listing", "listed"

    def __init__(self, labels, folder, problems=()):
        self.labels, self.folder, self.problems = labels, folder, list(problems)

    def place(self):
        return self.folder

    def listed(self) -> Listing:
        rows = [
            {"utterance": f"u{number}", "path": str(self.folder / f"{number}.wav"), "speaker": "x", "emotion": label}
            for number, label in enumerate(self.labels)
        ]
        return Listing(rows, [f"list:{number}" for number in range(len(rows))], self.problems)


@pytest.fixture
def listed(tmp_path, wav, speech):
    """A corpus of these labels, whose last recording is damaged: listed(labels)."""

    def make(*labels, problems=()):
        for number in range(len(labels) - 1):
            wav(tmp_path / f"{number}.wav", speech(0.1, number))
        (tmp_path / f"{len(labels) - 1}.wav").write_bytes(b"no audio")
        return Listed(labels, tmp_path, problems)

    return make


def test_labels_not_asked_for_are_counted_and_their_audio_is_not_read(listed):
    corpus = listed("calm", "sad", "excited", "happy", "calm", "bored")
    table, left_out = corpus.select(Labels(["happy", "sad"], {"excited": "happy"}))
    assert dict(zip(table.utterance, table.emotion, strict=True)) == {"u1": "sad", "u2": "happy", "u3": "happy"}
    assert left_out == {"bored": 1, "calm": 2}
    assert corpus.utterances(Labels(["sad", "calm"])).emotion.tolist() == ["calm", "sad", "calm"]
    table, [problem], left_out = corpus.read()
    assert table.emotion.tolist() == ["calm", "sad", "excited", "happy", "calm"]
    assert problem.startswith("list:5: ")
    assert left_out == {}


def test_an_emotion_that_never_occurs_is_a_problem_unless_lines_could_not_be_read(listed):
    with pytest.raises(CorpusError) as caught:
        listed("sad", "happy", "sad", "bored").utterances()
    assert [line.partition(" (")[0] for line in caught.value.problems] == [
        "data.emotions: no utterance is labelled 'neutral'",
        "data.emotions: no utterance is labelled 'angry'",
    ]
    with pytest.raises(CorpusError) as caught:
        listed("sad", "happy", problems=["list:9: unreadable"]).utterances(Labels(["sad", "neutral"]))
    assert caught.value.problems == ["list:9: unreadable"], "neutral may be in that line"


def test_native_labels_of_emodb_have_the_fields_names(tmp_path, wav, speech):
    """Langeweile, Ekel and Angst besides the paper's four (Burkhardt et al., 2005)."""
    letters = {"L": "bored", "E": "disgust", "A": "fearful", "W": "angry", "F": "happy", "T": "sad", "N": "neutral"}
    for number, (speaker, letter) in enumerate((speaker, letter) for speaker in ("03", "08") for letter in letters):
        wav(tmp_path / f"{speaker}a01{letter}a.wav", speech(0.1, number))
    table = EmoDB(str(tmp_path)).utterances(Labels(list(letters.values())))
    assert {name[5]: emotion for name, emotion in zip(table.utterance, table.emotion, strict=True)} == letters
    assert dict(zip(table.speaker, table.gender, strict=True)) == {"03": "M", "08": "F"}
    assert EmoDB(str(tmp_path)).select()[1] == {"bored": 2, "disgust": 2, "fearful": 2}


def test_native_labels_of_iemocap_have_the_fields_names(release):
    names = {"exc": "excited", "fru": "frustrated", "sur": "surprised", "fea": "fearful", "dis": "disgust"}
    names |= {"oth": "other"}
    expected = {}
    for place, (label, name) in enumerate(names.items()):
        dialog = ("Ses01F_impro01", "Ses01M_impro02a", "Ses02F_impro01", "Ses02M_impro02a")[place % 4]
        line = 3 + 4 * (place // 4)  # an utterance, neutral or angry before
        old = release.line(dialog, line)
        expected[old.split("\t")[1]] = name
        release.line(dialog, line, old.replace("neu", label).replace("ang", label))
    wanted = ["angry", "happy", "sad", *names.values()]
    table, left_out = IEMOCAP(str(release.root)).select(Labels(wanted))
    assert set(table.emotion) == set(wanted)
    assert table.set_index("utterance").emotion[list(expected)].to_dict() == expected
    assert left_out == {"undecided": 4}
    assert table.gender.tolist() == [name[-4] for name in table.utterance]


def test_merging_excited_has_an_option_of_iemocap(release):
    option = IEMOCAP(str(release.root), merge_excited=True).select()
    merge = IEMOCAP(str(release.root)).select(Labels(merge={"excited": "happy"}))
    assert option[0].equals(merge[0])
    assert (option[0].emotion == "happy").sum() == 8
    assert option[1] == merge[1] == {"undecided": 4}
