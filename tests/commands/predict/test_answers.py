"""`ser predict`: posteriors of a run's test files, rows of answers, and the same in Python."""

import json
import subprocess
import sys
from hashlib import blake2b

import numpy as np
import pandas as pd
import pytest
import scipy.signal
import scipy.stats
import soundfile
import torch

import ser as package
from ser.audio.silence import Trim, trimmed
from tests.commands.predict.conftest import EMOTIONS, POSTERIORS
from tests.made_up.release import noise, write_wav


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
