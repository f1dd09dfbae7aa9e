"""`ser predict`: posteriors of a run's test files, rows, timelines, and files and options that cannot be used."""

import json
import os
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd
import parselmouth
import pytest
import scipy.signal
import scipy.stats
import soundfile
import torch
from parselmouth.praat import call

import ser as package
from ser.audio.silence import Trim, trimmed
from tests.commands.conftest import content_of
from tests.conftest import CONF, SMALL_CAPSULES
from tests.made_up.release import noise, write_wav
from tests.shared_runs import run_once

EMOTIONS = ["neutral", "angry", "happy", "sad"]
POSTERIORS = [f"p_{name}" for name in EMOTIONS]


@pytest.fixture(scope="session")
def trimmed_run(made_once, tiny):
    """A run without the silence at the ends of utterances."""
    words = ["fit", "--config", CONF / "gru_seqcap.yaml", *tiny, *SMALL_CAPSULES, "--data.trim_silence", "true"]
    words += ["--data.trim_margin_seconds", 0, "--data.trim_threshold_db", 10]
    return made_once("trimmed", lambda place: run_once(place, *words)) / "run"


@pytest.fixture(scope="session")
def speaker_run(made_once, tiny):
    """A run that is standardised by speaker."""
    words = ["fit", "--config", CONF / "cnn_gru.yaml", *tiny, "--data.statistics", "speaker"]
    return made_once("by-speaker", lambda place: run_once(place, *words)) / "run"


@pytest.fixture(scope="session")
def recordings(tiny_corpus):
    """The file of every utterance."""
    return {path.stem: path for path in tiny_corpus.rglob("[!.]*.wav")}


@pytest.fixture
def tested(recordings):
    """The test files of a run in the order of its predictions, and their posteriors."""

    def read(run: Path) -> tuple[list[Path], np.ndarray]:
        table = pd.read_csv(run / "predictions.csv")
        return [recordings[name] for name in table.utterance], table[POSTERIORS].to_numpy()

    return read


@pytest.fixture
def rows(ser):
    """The rows that `ser predict ARGUMENTS --json` prints."""

    def predict(*words, code: int = 0) -> pd.DataFrame:
        finished = ser("predict", *words, "--json")
        assert finished.code == code, finished.err
        return pd.DataFrame([json.loads(line) for line in finished.out.splitlines()])

    return predict


@pytest.fixture
def long(recordings, tmp_path):
    """The first recordings joined, 3.3 s."""
    samples = np.concatenate([soundfile.read(recordings[name])[0] for name in sorted(recordings)])[:52_800]
    soundfile.write(tmp_path / "long.wav", samples, 16_000, "PCM_16")
    return tmp_path / "long.wav"


@pytest.mark.parametrize("config", ["cnn_gru", "seqcap", "reccap", "gru_seqcap", "cnn_lstm"])
def test_a_run_answers_as_in_its_test(rows, fitted, tested, config):
    run = fitted(config)[0]
    files, expected = tested(run)
    found = rows(run, *files)
    assert [name for name in found if name.startswith("p_")] == POSTERIORS, "the order of the run's emotions"
    assert found.path.tolist() == [str(path) for path in files]
    assert np.allclose(found[POSTERIORS], expected, atol=1e-5)
    assert found.emotion.tolist() == pd.read_csv(run / "predictions.csv").predicted.tolist()


def test_a_checkpoint_and_exported_weights_answer_as_the_run(ser, rows, fitted, tested, tmp_path):
    run = fitted("reccap")[0]
    files, expected = tested(run)
    checkpoint = run / "checkpoints" / "best.ckpt"
    assert ser("export-weights", checkpoint, "--out", tmp_path / "weights.safetensors").code == 0
    for system in (checkpoint, tmp_path / "weights.safetensors"):
        found = rows(system, *files)
        assert np.allclose(found[POSTERIORS], expected, atol=1e-5)
        assert not found.cautions.explode().str.contains(" on").any(), "these files were only tested"


def test_silence_is_trimmed_as_in_the_test(rows, trimmed_run, tested):
    files, expected = tested(trimmed_run)
    cut = [trimmed(soundfile.read(path)[0], Trim(10, 0)) for path in files]
    assert [stop - start for start, stop in cut] != [soundfile.info(path).frames for path in files]
    assert np.allclose(rows(trimmed_run, *files)[POSTERIORS], expected, atol=1e-5)


def test_each_speakers_own_audio_standardises(rows, speaker_run, tested, tmp_path):
    """Either a table has the speakers, or all recordings are of one."""
    files, expected = tested(speaker_run)
    table = pd.DataFrame({"path": files, "speaker": pd.read_csv(speaker_run / "predictions.csv").speaker})
    table.to_csv(tmp_path / "speakers.csv", index=False)
    assert set(table.speaker) == {"Ses01F"}
    assert np.allclose(rows(speaker_run, tmp_path / "speakers.csv")[POSTERIORS], expected, atol=1e-5)
    assert np.allclose(rows(speaker_run, *files, "--speaker", *files)[POSTERIORS], expected, atol=1e-5)
    listed = rows(speaker_run, files[0], "--speaker", tmp_path / "speakers.csv")
    assert np.allclose(listed[POSTERIORS], expected[:1], atol=1e-5)


def test_a_cross_validation_answers_with_mean_and_deviation_of_its_folds(ser, rows, undisturbed, recordings, tmp_path):
    files = [recordings[name] for name in sorted(recordings)[:4]]
    each = np.stack([rows(undisturbed[0] / f"seed1-fold0{fold}", *files)[POSTERIORS] for fold in range(1, 6)])
    assert len({answer.tobytes() for answer in each}) == 5
    found = rows(undisturbed[0], *files)
    assert np.allclose(found[POSTERIORS], each.mean(axis=0), atol=1e-6)
    assert np.allclose(found[[f"sd_{name}" for name in EMOTIONS]], each.std(axis=0, ddof=1), atol=1e-6)


def test_recordings_and_speakers_of_the_training_are_named(rows, undisturbed, recordings, tmp_path):
    """The digest of the samples is that of soundfile's."""
    paths = [undisturbed[0] / f"seed1-fold0{fold}" / "checkpoints" / "best.ckpt" for fold in range(1, 6)]
    checkpoints = [torch.load(path, weights_only=True) for path in paths]
    numbers = set()
    for path in (recordings[name] for name in sorted(recordings) if name.startswith(("Ses02F_impro", "Ses02M_impro"))):
        digest = blake2b(soundfile.read(path, dtype="float32")[0].tobytes(), digest_size=8).hexdigest()
        pd.DataFrame({"path": [path], "speaker": ["Ses02F"]}).to_csv(tmp_path / "one.csv", index=False)
        (cautions,) = rows(undisturbed[0], tmp_path / "one.csv").cautions
        for role, word in (("train", "trained"), ("val", "validated")):
            number = sum(digest in checkpoint["recordings"][role] for checkpoint in checkpoints)
            numbers.add((role, number))
            assert (f"{word} on (this recording, by {number} of 5 systems)" in cautions) == (number > 0)
            number = sum("synthetic:Ses02F" in checkpoint["speakers"][role] for checkpoint in checkpoints)
            assert (f"speaker {word} on (synthetic:Ses02F, by {number} of 5 systems)" in cautions) == (number > 0)
    assert {role for role, number in numbers if number} == {"train", "val"}


def test_batch_order_and_company_change_nothing(rows, fitted, tested, long):
    run = fitted("gru_seqcap")[0]
    files, expected = tested(run)
    for batch_seconds in (0.01, 0.6, 100):
        found = rows(run, long, *reversed(files), "--batch_seconds", batch_seconds)
        assert np.allclose(found[POSTERIORS][:0:-1], expected, atol=1e-5)


def test_a_long_recording_is_the_weighted_mean_over_blocks(rows, fitted, long, tmp_path):
    run = fitted("gru_seqcap")[0]
    samples = soundfile.read(long, dtype="int16")[0]
    parts = [write_wav(tmp_path / f"{place}.wav", samples[16_000 * place :][:16_000]) for place in range(4)]
    each, (whole,) = rows(run, *parts), rows(run, long, "--max_seconds", 1).to_dict("records")
    assert each.seconds.tolist() == pytest.approx([1, 1, 1, 0.3])
    expected = np.average(each[POSTERIORS], axis=0, weights=each.seconds)
    assert np.allclose([whole[name] for name in POSTERIORS], expected, atol=1e-5)
    assert "blocks (mean over 4 blocks of at most 1 s)" in whole["cautions"]
    (at_once,) = rows(run, long).to_dict("records")
    assert not any(line.startswith("blocks") for line in at_once["cautions"])


def test_44100_hz_and_back_gives_nearly_the_same(rows, fitted, long, tmp_path):
    samples = soundfile.read(long)[0]
    soundfile.write(tmp_path / "resampled.wav", scipy.signal.resample_poly(samples, 441, 160), 44_100, "FLOAT")
    for config in ("cnn_gru", "reccap"):
        found = rows(fitted(config)[0], long, tmp_path / "resampled.wav")
        assert np.allclose(*found[POSTERIORS].to_numpy(), atol=1e-3)
        assert found.seconds.tolist() == pytest.approx([3.3, 3.3], abs=1e-3)


def test_two_equal_channels_are_one(rows, fitted, long, tmp_path):
    samples = soundfile.read(long)[0]
    soundfile.write(tmp_path / "stereo.flac", np.stack([samples] * 2, axis=1), 16_000, "PCM_16")
    one, two = rows(fitted("cnn_gru")[0], long, tmp_path / "stereo.flac")[POSTERIORS].to_numpy()
    assert np.allclose(one, two, atol=1e-6)


def test_json_lines_are_all_of_standard_output(ser, fitted, tested, tmp_path):
    run = fitted("cnn_gru")[0]
    files, _ = tested(run)
    (tmp_path / "more").mkdir()
    write_wav(tmp_path / "more" / "short.wav", noise(0.03))
    (tmp_path / "more" / "notes.txt").touch()
    words = ["predict", run, files[0], tmp_path / "none.wav", tmp_path / "more", files[1], "--out", tmp_path / "x.csv"]
    finished = ser(*words, "--json")
    assert finished.code == 1
    found = [json.loads(line) for line in finished.out.splitlines()]
    assert [each["path"] for each in found] == [str(files[0]), str(tmp_path / "more" / "short.wav"), str(files[1])]
    for each in found:
        assert list(each) == ["path", "emotion", *POSTERIORS, "entropy", "seconds", "cautions"]
        posterior = [each[name] for name in POSTERIORS]
        assert each["entropy"] == pytest.approx(scipy.stats.entropy(posterior, base=2))
        assert each["emotion"] == EMOTIONS[int(np.argmax(posterior))]
        assert isinstance(each["cautions"], list)
    assert found[1]["cautions"][0].startswith("short (30.0 ms")
    assert found[0]["seconds"] == soundfile.info(files[0]).duration
    assert [line for line in finished.err.splitlines() if "none.wav" in line] == [
        f"ser predict: {tmp_path / 'none.wav'}: missing"
    ]
    assert "left out in folders, by their ending: 1 .txt" in finished.err
    assert f"Written: {tmp_path / 'x.csv'}" in finished.err
    table = pd.read_csv(tmp_path / "x.csv", keep_default_na=False)
    assert list(table) == list(found[0])
    assert table.cautions.tolist() == ["; ".join(each["cautions"]) for each in found]
    assert table.path.tolist() == [each["path"] for each in found]
    assert table.emotion.tolist() == [each["emotion"] for each in found]
    for name in ("entropy", "seconds", *POSTERIORS):
        assert table[name].tolist() == pytest.approx([each[name] for each in found])


def test_a_table_is_printed(ser, fitted, tested):
    run = fitted("cnn_gru")[0]
    files, expected = tested(run)
    finished = ser("predict", run, *files[:2])
    assert finished.code == 0
    assert finished.err == ""
    header, first, _ = finished.out.splitlines()
    assert header.split()[:2] == ["recording", "emotion"]
    assert header.split()[-3:] == ["entropy", "seconds", "cautions"]
    percentages = [f"{100 * value:.1f}" for value in expected[0]]
    assert first.split()[1:6] == [EMOTIONS[expected[0].argmax()], *percentages]
    assert first.split()[0][1:] == str(files[0])[-31:]


def test_options_are_written_with_either_hyphen(rows, fitted, long):
    run = fitted("cnn_gru")[0]
    assert rows(run, long, "--max-seconds=1").equals(rows(run, long, "--max_seconds", 1))


def with_pauses(recordings, path):
    """Recordings and pauses of 0.6 s in turn."""
    sounds = [soundfile.read(recordings[name], dtype="int16")[0] for name in sorted(recordings)]
    parts = [np.concatenate(sounds[8 * place :][:8]) for place in range(3)]
    pause = np.zeros(9_600, np.int16)
    return write_wav(path, np.concatenate([parts[0], pause, parts[1], pause, parts[2]]))


@pytest.mark.parametrize("which", ["reccap", "trimmed", "crossval"])
def test_a_timeline_answers_as_for_audio_cut_at_its_times(
    ser, rows, fitted, trimmed_run, undisturbed, recordings, tmp_path, which
):
    """The windows are given as parts of the recording."""
    run = {"trimmed": trimmed_run, "crossval": undisturbed[0]}.get(which) or fitted("reccap")[0]
    file = with_pauses(recordings, tmp_path / "call.wav")
    words = ["predict", run, file, "--timeline", "--window_seconds", 0.5, "--step_seconds", 0.25]
    finished = ser(*words, "--out", tmp_path / "out")
    assert finished.code == 0, finished.err
    windows = pd.read_csv(tmp_path / "out" / "call.csv")
    assert windows.silent.any()
    spoken = windows[~windows.silent].reset_index(drop=True)
    spoken.assign(path=file)[["path", "start", "end"]].to_csv(tmp_path / "windows.csv", index=False)
    cut = rows(run, tmp_path / "windows.csv")
    names = [*POSTERIORS, "entropy", *(f"sd_{name}" for name in EMOTIONS if which == "crossval")]
    assert np.allclose(spoken[["start", "end", *names]], cut[["start", "end", *names]], atol=1e-5)
    about = json.loads((tmp_path / "out" / "call.json").read_text())
    grid = parselmouth.read(str(tmp_path / "out" / "call.TextGrid"))
    count = call(grid, "Get number of intervals", 1)
    found = [
        [call(grid, f"Get {what} of interval", 1, place) for what in ("start time", "end time", "label")]
        for place in range(1, count + 1)
    ]
    segments = [[row["start"], row["end"], row["emotion"] or "silence"] for row in about["segments"]]
    assert [row[2] for row in found] == [row[2] for row in segments]
    assert np.allclose([row[:2] for row in found], [row[:2] for row in segments])
    assert [line.split()[2] for line in finished.out.splitlines() if line.startswith("     ")] == [
        row[2].replace("silence", "(silence)") for row in segments
    ]


def test_a_timeline_as_json_is_that_of_the_file(ser, fitted, long, tmp_path):
    words = ["predict", fitted("seqcap")[0], long, tmp_path / "none.wav", "--timeline", "--json"]
    finished = ser(*words, "--out", tmp_path / "out")
    assert finished.code == 1
    (line,) = finished.out.splitlines()
    assert json.loads(line) == json.loads((tmp_path / "out" / "long.json").read_text())
    assert finished.err.count("none.wav: missing") == 1
    assert "Written: " in finished.err


HOSTILE = [
    b"<script>alert(1)<script>.wav",
    b"new\nline.wav",
    b"caf\xe9.wav",
    b"-rf.wav",
    b"x" * 240 + b".wav",
    b"a..wav",
]


def test_files_of_strange_names_are_answered_and_written_inside_the_folder(ser, rows, fitted, tmp_path):
    run, folder = fitted("cnn_gru")[0], tmp_path / "strange"
    for place, name in enumerate([*HOSTILE, b"sub/call.wav", b"other/call.wav", b"other/CALL.WAV"]):
        path = os.fsencode(folder) + b"/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_wav(Path(os.fsdecode(path)), noise(0.3, seed=place))
    before = content_of(tmp_path)
    table = rows(run, folder)
    assert content_of(tmp_path) == before
    assert len(table) == 9
    assert f"{folder}/caf\\xe9.wav" in table.path.tolist()
    finished = ser("predict", run, folder, "--timeline", "--out", tmp_path / "out")
    assert finished.code == 0, finished.err
    after = content_of(tmp_path)
    new = set(after) - set(before) - {tmp_path / "out"}
    assert {path: after[path] for path in before} == before
    assert {path.parent for path in new} == {tmp_path / "out"}
    assert len({path.name.casefold() for path in new}) == 4 * 9
    written = {json.loads(path.read_text())["path"] for path in new if path.suffix == ".json"}
    assert written == set(table.path), "none replaces another"
    for path in (path for path in new if path.suffix == ".png"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_each_file_that_cannot_be_used_has_one_message(ser, fitted, tmp_path):
    """The others are answered."""
    folder = tmp_path / "mixed"
    good = write_wav(folder / "good.wav", noise(0.3))
    (folder / "empty.wav").touch()
    (folder / "text\nof two lines.wav").write_text("not audio")
    (folder / "cut.wav").write_bytes(good.read_bytes()[:-100])
    os.mkfifo(folder / "pipe.wav")
    (folder / "loop").symlink_to(folder)
    (folder / "gone.flac").symlink_to(folder / "nowhere")
    (tmp_path / "nothing").mkdir()
    lines = ["path,start,end", "mixed/good.wav,0.1,0.2", "mixed/good.wav,x,", "mixed/good.wav,0.1,9", ",,"]
    (tmp_path / "parts.csv").write_text("\n".join([*lines, ",0,1", "mixed/good.wav,0.1,0.10001"]))
    run = fitted("cnn_gru")[0]
    finished = ser("predict", run, folder, tmp_path / "nothing", tmp_path / "parts.csv", "--json")
    assert finished.code == 1
    paths = [json.loads(line)["path"] for line in finished.out.splitlines()]
    assert paths == [str(good)] * 2
    messages = finished.err.splitlines()
    assert all(message.startswith("ser predict: ") for message in messages)
    parts = [
        "empty.wav: empty (0 bytes)",
        r"text\nof two lines.wav: unreadable",
        "cut.wav: truncated",
        "pipe.wav: not a",
    ]
    parts += ["gone.flac: missing", "nothing: there is no audio file", "parts.csv:3: start and end must be numbers"]
    parts += ["good.wav: end is 9 s, but the recording has 0.3 s", "parts.csv:6: column path is empty"]
    parts += ["good.wav, 0.1 s to 0.10001 s: shorter than a sample"]
    for part in parts:
        assert sum(part in message for message in messages) == 1, (part, messages)
    assert len(messages) == len(parts)
    timelines = ser("predict", run, folder, "--timeline", "--json")
    assert timelines.code == 1
    assert len(timelines.out.splitlines()) == 1
    assert len(timelines.err.splitlines()) == 5


@pytest.mark.parametrize("words", [["empty"], ["none.wav"], ["none.wav", "--timeline"]])
def test_nothing_to_answer_is_exit_code_1(ser, fitted, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    finished = ser("predict", fitted("cnn_gru")[0], *words, "--out", "out" if "--timeline" in words else "out.csv")
    assert finished.code == 1
    assert finished.out == ""
    assert finished.err.count("ser predict: ") == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "empty"]


RUN = "BEST OF cnn_gru"
REFUSALS = [
    (["none.ckpt", "a.wav"], ["none.ckpt: no such checkpoint"]),
    (["foreign.ckpt", "a.wav"], ["foreign.ckpt", "not"]),
    (["a.wav", "a.wav"], ["a.wav: not a readable checkpoint"]),
    (["unfinished", "a.wav"], ["unfinished: not finished (no result.json)", "last.ckpt"]),
    (["folder", "a.wav"], ["folder: there is no trained system"]),
    ([RUN, "a.wav", "--out", "there.csv"], ["--out there.csv exists already"]),
    ([RUN, "a.wav", "--out", "there.txt"], ["--out is there.txt, but must end in .csv"]),
    ([RUN, "a.wav", "--timeline", "--out", "there.csv"], ["--out there.csv already exists"]),
    ([RUN, "a.wav", "--timeline", "--out", "folder"], ["--out folder already exists and is not an empty folder"]),
    ([RUN, "a.wav", "--timeline", "--smoothing", 4], ["smoothing is 4, but must be an odd number"]),
    ([RUN, "a.wav", "--timeline", "--smoothing", 0], ["smoothing is 0"]),
    ([RUN, "a.wav", "--timeline", "--step_seconds", 2.5], ["step_seconds is 2.5, but must be at most window_seconds"]),
    ([RUN, "a.wav", "--timeline", "--silence_db", 5], ["silence_db is 5"]),
    ([RUN, "a.wav", "--timeline", "--max_seconds", 5], ["--max_seconds does not apply to --timeline"]),
    ([RUN, "a.wav", "--window_seconds", 1], ["--window_seconds needs --timeline"]),
    ([RUN, "a.wav", "--smoothing", 0], ["--smoothing needs --timeline"]),
    ([RUN, "a.wav", "--device", "nonsense"], ["device is 'nonsense', which cannot be used here"]),
    ([RUN, "a.wav", "--device", "meta"], ["device is 'meta', which cannot be used here"]),
    ([RUN, "a.wav", "--batch_seconds", 0], ["batch_seconds is 0"]),
    ([RUN, "a.wav", "--batch_seconds", 0, "--timeline"], ["batch_seconds is 0"]),
    ([RUN, "a.wav", "--max_seconds", "nan"], ["max_seconds is nan"]),
    ([RUN, "a.wav", "--speaker", "a.wav"], ["this system is not standardised by speaker"]),
    ([RUN, "a.wav", "--speaker", "a.wav", "--timeline"], ["this system is not standardised by speaker"]),
    ([RUN, "a.wav", "--speaker", "folder"], ["--speaker: folder: there is no audio file"]),
    (["BY SPEAKER", "a.wav"], ["give --speaker FILE"]),
    (["BY SPEAKER", "a.wav", "--timeline"], ["give --speaker FILE"]),
    (["BY SPEAKER", "a.wav", "--speaker", "none.wav"], ["--speaker: none.wav: missing"]),
    (["BY SPEAKER", "a.wav", "--speaker", "others.csv"], ["a.wav: is not in the list of --speaker"]),
]


@pytest.mark.parametrize(("words", "parts"), REFUSALS)
def test_refusals(refused, speaker_run, best_of, tmp_path, words, parts):
    write_wav(tmp_path / "a.wav", noise(0.3))
    write_wav(tmp_path / "b.wav", noise(0.3))
    torch.save({"state_dict": {"layer.weight": torch.zeros(2)}, "epoch": 3}, tmp_path / "foreign.ckpt")
    if words[0] == "unfinished":
        (tmp_path / "unfinished" / "checkpoints").mkdir(parents=True)
        (tmp_path / "unfinished" / "checkpoints" / "last.ckpt").write_bytes(best_of("cnn_gru").read_bytes())
    files = {"there.csv": "path\n", "folder/notes.txt": "mine", "others.csv": "path,speaker\nb.wav,anna\n"}
    words = [speaker_run if word == "BY SPEAKER" else word for word in words]
    refused(["predict", *words], parts, files)


@pytest.mark.parametrize("words", [[], ["run"], ["run", "a.wav", "--nonsense"], ["run", "a.wav", "--silence", "loud"]])
def test_wrong_usage(ser, words):
    finished = ser("predict", *words)
    assert finished.code == 2
    assert "Traceback" not in finished.err
    assert finished.out == ""


def test_the_package_imports_no_torch():
    code = "import sys, ser; assert callable(ser.load); sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_in_python_the_answers_are_the_same(rows, fitted, tested, long):
    run = fitted("gru_seqcap")[0]
    files, expected = tested(run)
    recogniser = package.load(str(run))
    table = recogniser.predict([*map(str, files), soundfile.read(long)])
    assert np.allclose(table[POSTERIORS][:-1], expected, atol=1e-5)
    assert np.allclose(table[POSTERIORS].iloc[-1], rows(run, long)[POSTERIORS].iloc[0], atol=1e-6)
    assert recogniser.emotions == tuple(EMOTIONS)
