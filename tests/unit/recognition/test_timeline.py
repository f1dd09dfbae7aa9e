"""Files of a timeline, read by Praat, pandas, json and matplotlib; their names."""

import json
import os
from io import BytesIO

import matplotlib.image
import numpy as np
import pandas as pd
import parselmouth
import pytest
from parselmouth.praat import call

from ser.audio.cuts import Cut
from ser.errors import InputError
from ser.recognition.file_names import file_names
from ser.recognition.recordings import Recording
from ser.recognition.stretches import TimelineOptions
from ser.recognition.textgrid import write_textgrid
from ser.recognition.timeline import Timeline

SEGMENTS = [(0.0, 0.25, ""), (0.25, 1.123456, "sad"), (1.123456, 2.5, "angry"), (2.5, 3.1, "")]


def made(segments=SEGMENTS, emotions=("angry", "sad"), path="call.wav", capsules=True, number=7, cautions=None):
    seconds = segments[-1][1]
    starts = np.linspace(0, seconds, number + 1)[:-1]
    silent = starts < 0.2
    posteriors = np.random.default_rng(0).dirichlet(np.ones(len(emotions)), number)
    posteriors[silent] = np.nan
    table = {"start": starts, "end": np.minimum(starts + 1, seconds), "emotion": np.where(silent, "", emotions[0])}
    table |= {"silent": silent, **{f"p_{name}": column for name, column in zip(emotions, posteriors.T, strict=True)}}
    if capsules:
        table |= {
            f"{name}_{place}": np.where(silent, np.nan, 0.5) for name in ("length", "coupling") for place in (1, 2)
        }
    rows = pd.DataFrame([(*row, not row[2]) for row in segments], columns=["start", "end", "emotion", "silent"])
    return Timeline(path, seconds, emotions, pd.DataFrame(table), rows, cautions or {}, TimelineOptions())


def by_praat(path):
    """Start, end and label of every interval, as Praat reads them."""
    grid = parselmouth.read(str(path))
    assert call(grid, "Get number of tiers") == 1
    assert call(grid, "Get tier name", 1) == "emotion"
    numbers = range(1, call(grid, "Get number of intervals", 1) + 1)
    each = ("Get start time of interval", "Get end time of interval", "Get label of interval")
    return [tuple(call(grid, what, 1, number) for what in each) for number in numbers], call(grid, "Get total duration")


def as_intervals(segments):
    return [(pytest.approx(start), pytest.approx(end), emotion or "silence") for start, end, emotion in segments]


@pytest.mark.parametrize(
    "segments",
    [
        SEGMENTS,
        [(0.0, 2.0, "sad")],
        [(0.0, 2.0, "")],
        [(0.0, 1 / 3, "sad"), (1 / 3, 2 / 3, "sad"), (2 / 3, 0.70001, "angry")],
        [(0.0, 0.1, "joy / Freude (übermäßig)"), (0.1, 0.3, 'with "quotes"')],
        [(place / 10, (place + 1) / 10, ("", "sad", "angry")[place % 3]) for place in range(500)],
    ],
)
def test_praat_reads_the_segments(segments, tmp_path):
    timeline = made(segments)
    write_textgrid(timeline.segments, timeline.seconds, tmp_path / "x.TextGrid")
    found, seconds = by_praat(tmp_path / "x.TextGrid")
    assert found == as_intervals(segments)
    assert seconds == pytest.approx(segments[-1][1])
    assert os.listdir(tmp_path) == ["x.TextGrid"], "no temporary file is left"


def test_a_textgrid_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "x.TextGrid" / "in the way").mkdir(parents=True)
    with pytest.raises(InputError, match=r"x\.TextGrid cannot be written"):
        write_textgrid(made().segments, made().seconds, tmp_path / "x.TextGrid")
    assert os.listdir(tmp_path) == ["x.TextGrid"]


def test_four_files_have_the_same_timeline(tmp_path):
    timeline = made(cautions={"clipped": "3 %"})
    paths = timeline.write(tmp_path / "new", "call")
    assert [path.name for path in paths] == ["call.csv", "call.json", "call.TextGrid", "call.png"]
    assert sorted(os.listdir(tmp_path / "new")) == sorted(path.name for path in paths)
    pd.testing.assert_frame_equal(pd.read_csv(paths[0], keep_default_na=True).fillna({"emotion": ""}), timeline.windows)
    about = json.loads(paths[1].read_text())
    assert list(about) == ["path", "seconds", "systems", "emotions", "options", "cautions", "segments", "windows"]
    assert (about["path"], about["seconds"], about["emotions"]) == ("call.wav", 3.1, ["angry", "sad"])
    assert about["options"] == {
        "window_seconds": 2,
        "step_seconds": 0.5,
        "smoothing": 5,
        "silence": "energy",
        "silence_db": 40,
    }
    assert about["cautions"] == ["clipped (3 %)"]
    expected = [
        {"start": start, "end": end, "emotion": name or None, "silent": not name} for start, end, name in SEGMENTS
    ]
    assert about["segments"] == expected
    windows = pd.DataFrame(about["windows"])
    assert windows.emotion.isna().equals(timeline.windows.silent)
    numbers = timeline.windows.columns.drop(["emotion", "silent"])
    assert np.allclose(windows[numbers].astype(float), timeline.windows[numbers], equal_nan=True, rtol=1e-15)
    assert by_praat(paths[2])[0] == as_intervals(SEGMENTS)


@pytest.mark.parametrize("capsules", [True, False])
def test_the_picture_is_wider_for_longer_recordings(capsules):
    sizes = {}
    for seconds in (0.3, 100, 7200):
        timeline = made([(0.0, seconds / 2, "sad"), (seconds / 2, seconds, "")], capsules=capsules, number=300)
        sizes[seconds] = matplotlib.image.imread(BytesIO(timeline.picture())).shape
    heights = {shape[0] for shape in sizes.values()}
    assert len(heights) == 1
    inch = sizes[0.3][1] / 8
    assert [shape[1] / inch for shape in sizes.values()] == [8, 25, 40]
    assert (heights.pop() / inch > 4) == capsules, "coupling has a panel of its own"


@pytest.mark.parametrize("number", [1, 300])
@pytest.mark.parametrize("values", [["p_angry"], ["coupling_1", "coupling_2"]])
def test_a_window_between_silent_ones_is_drawn(number, values):
    """No line leads to it."""
    pictures = set()
    for value in (0.2, 0.8):
        timeline = made([(0.0, 2.0, "sad")], number=number)
        timeline.windows[values] = np.nan
        timeline.windows.loc[number // 2, values] = value
        pictures.add(timeline.picture())
    assert len(pictures) == 2


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script>", "two\nlines", "$\\frac{x}$", "x" * 300, "日本語", "", "a_{b}^c$", "$\\no{$"]
)
def test_a_picture_of_any_name(title):
    shape = matplotlib.image.imread(
        BytesIO(made([(0.0, 2.0, "$x_"), (2.0, 3.0, "sad")], path=title, emotions=("$x_", "sad")).picture())
    ).shape
    assert min(shape[:2]) > 300


HOSTILE = [
    "a/call.wav",
    "b/call.mp3",
    "c/CALL.flac",
    "d/call-2.wav",
    "<script>alert(1)</script>.wav",
    "new\nline.wav",
    "../../etc/passwd.wav",
    "...wav",
    "..",
    "-rf.wav",
    ".hidden.wav",
    "x" * 300 + ".wav",
    "ü" * 200 + ".wav",
    "CON\x00.wav".replace("\x00", "\x01"),
    "a\\b.wav",
    "caf\udce9.wav",
    "日本語.wav",
    "",
]


def test_file_names_are_safe_and_distinct():
    recordings = [Recording(path) for path in HOSTILE] + [
        Recording("a/call.wav", Cut(0.5, 2)),
        Recording("a/call.wav", Cut(2)),
    ]
    names = file_names(recordings)
    assert len({name.casefold() for name in names}) == len(recordings)
    for name in names:
        assert all(letter.isalnum() or letter in "_.-" for letter in name), name
        assert name[0] not in ".-"
        assert 0 < len(f"{name}.TextGrid".encode()) <= 255
    assert names[:4] == ["call", "call-2", "CALL-3", "call-2-2"]
    assert names[-2:] == ["call-0.5_s_to_2_s", "call-2_s_to_the_end"]


def test_files_are_written_inside_the_folder_whatever_the_recording_is_called(tmp_path):
    recordings = [Recording(path) for path in HOSTILE[4:8]]
    for recording, name in zip(recordings, file_names(recordings), strict=True):
        made(path=recording.name).write(tmp_path / "out", name)
    assert os.listdir(tmp_path) == ["out"]
    assert len(os.listdir(tmp_path / "out")) == 4 * len(recordings)


def test_the_text_has_a_line_per_segment():
    lines = str(made(path="x\x1b[31m\n.wav", cautions={"clipped": "3 %"})).splitlines()
    assert lines[0] == r"'x\x1b[31m\n.wav': 3.1 s"
    assert lines[1].strip() == "caution: clipped (3 %)"
    assert [line.split() for line in lines[2:]] == [
        ["0.00", "0.25", "(silence)"],
        ["0.25", "1.12", "sad"],
        ["1.12", "2.50", "angry"],
        ["2.50", "3.10", "(silence)"],
    ]


def test_the_dictionary_is_json():
    assert json.loads(json.dumps(made().as_dict(), allow_nan=False))["windows"][0]["p_sad"] is None
