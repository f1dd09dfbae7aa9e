"""Conversion of audio at the start of a training, interrupted by signals and continued."""

from __future__ import annotations

import os
import shlex
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser.audio.recording import read_recording
from ser.audio.waveforms import Waveforms
from ser.emotions import PAPER_EMOTIONS
from tests.conftest import CONF
from tests.made_up.recordings import table
from tests.process import Command

NUMBER = 600


@pytest.fixture
def manifest(tmp_path) -> Path:
    """Recordings of 8 kHz, of two sessions of two speakers."""
    random = np.random.default_rng(1)
    lines = ["utterance,path,session,speaker,emotion"]
    for place in range(NUMBER):
        soundfile.write(tmp_path / f"{place:03}.wav", random.uniform(-0.3, 0.3, 4_000), 8_000)
        emotion = PAPER_EMOTIONS[place // 4 % len(PAPER_EMOTIONS)]
        lines.append(f"u{place:03},{place:03}.wav,{place % 4 // 2},s{place % 4},{emotion}")
    path = tmp_path / "corpus.csv"
    path.write_text("\n".join(lines))
    return path


def test_a_conversion_that_is_interrupted_leaves_whole_files_and_goes_on_from_them(manifest, tmp_path):
    cache = tmp_path / "cache"
    command = ["fit", "--config", CONF / "cnn_gru.yaml", "--data", "manifest", "--data.corpus.csv", manifest]
    command = [*map(str, command), "--wandb.mode", "disabled", "--out", str(tmp_path / "run")]
    kept: dict[str, int] = {}
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        environment = {**os.environ, "SER_CACHE": str(cache)}
        process = Command(command, tmp_path / "out", tmp_path / "err", environment=environment)
        before = len(kept)
        process.until(lambda before=before: len(list(cache.glob("*.pcm"))) > before)
        os.kill(process.pid, number)
        ended = process.wait(120)
        assert ended.code == code, ended.err
        assert ended.err.splitlines()[-2:] == [
            f"ser: {number.name}: finished work is kept; to continue:",
            shlex.join(["ser", *command]),
        ]
        assert "Traceback" not in ended.err
        found = {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}
        assert all(name.endswith(".pcm") and not name.startswith(".") for name in found)
        assert kept.items() < found.items()
        assert len(found) < NUMBER, "it was interrupted after the conversion"
        assert not (tmp_path / "run").exists()
        kept = found
    paths = [tmp_path / f"{place:03}.wav" for place in range(NUMBER)]
    waveforms = Waveforms(table(*paths), cache)
    assert kept.items() < {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}.items()
    assert len(list(cache.iterdir())) == NUMBER
    for row in range(0, NUMBER, 50):
        assert np.array_equal(waveforms.read(row) * 32768, read_recording(paths[row]))
