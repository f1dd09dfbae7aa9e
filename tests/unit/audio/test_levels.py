"""Messages about the level of recordings with a known level."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from ser.audio.checking import check_recording

TIME = np.arange(16_000) / 16_000
VOICE = sum(np.sin(2 * np.pi * 140 * k * TIME + k) / k for k in range(1, 12)) * np.sin(np.pi * TIME)
VOICE = VOICE / np.abs(VOICE).max()  # full scale, reached once
NOISE = np.random.default_rng(0).uniform(-1, 1, 16_000)
LOUD = np.clip(2 * VOICE, -1, 1)

CASES = {
    "speech": (0.5 * VOICE, {}),
    "speech at full scale": (VOICE, {}),
    "clipped": (LOUD, {"clipped": " % of the samples are in runs at the highest or lowest value"}),
    "clipped, then turned down": (0.4 * LOUD, {"clipped": " % of the samples"}),
    "clipped on one side": (np.minimum(VOICE, 0.5), {"clipped": " % of the samples"}),
    "a thousandth clipped": (np.where(np.arange(16_000) < 18, 1, 0.9 * VOICE), {}),
    "a little more clipped": (np.where(np.arange(16_000) < 19, 1, 0.9 * VOICE), {"clipped": "0.1 % of the samples"}),
    "few steps": (3 / 32_768 * VOICE, {"nearly silent": "the peak is 8"}),
    "61 dB below": (10 ** (-61 / 20) * VOICE, {"nearly silent": "the peak is 61 dB below full scale"}),
    "59 dB below": (10 ** (-59 / 20) * VOICE, {}),
    "hardly a sound, and a click upwards": (np.where(TIME == 0.5, 0.5, 0.0005 * NOISE), {}),
    "hardly a sound, and a click downwards": (np.where(TIME == 0.5, -0.5, 0.0005 * NOISE), {}),
    "off-centre": (0.2 * NOISE + 0.7, {"off-centre": "the mean is 0.7"}),
    "off-centre downwards": (0.2 * NOISE - 0.03, {"off-centre": "the mean is -0.0"}),
    "hardly off-centre": (0.2 * NOISE + 0.01, {}),
    "two channels": (np.stack([0.5 * VOICE, 0.5 * NOISE], axis=1), {}),
    "one of ten channels": (np.outer(VOICE, [1] + 9 * [0]), {}),
    "opposite, and a hum": (
        np.stack([0.5 * VOICE, 0.005 * NOISE - 0.5 * VOICE], axis=1),
        {"nearly cancelled": "the mean of the channels is 4"},
    ),
    "beyond full scale": (1.1 * VOICE, {"beyond full scale": "samples reach 1.1; values beyond 1 are clipped"}),
    "hardly beyond it": (32_768 / 32_767 * VOICE, {"beyond full scale": "samples reach 1.0000305;"}),
    "a channel beyond it": (np.stack([1.05 * VOICE, 0 * VOICE], axis=1), {"beyond full scale": "samples reach 1.05;"}),
}


@pytest.mark.parametrize("case", CASES)
def test_levels(tmp_path, case):
    samples, expected = CASES[case]
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT" if np.abs(samples).max() > 1 else "PCM_16")
    found = check_recording(tmp_path / "a.wav").cautions
    assert found.keys() == expected.keys()
    assert all(words in found[kind] for kind, words in expected.items())


def test_one_recording_in_files_of_several_kinds_has_one_digest(tmp_path):
    pcm = np.int16(20_000 * VOICE)
    for name, subtype in (("a.wav", "PCM_16"), ("b.wav", "FLOAT"), ("c.flac", "PCM_24")):
        soundfile.write(tmp_path / name, pcm / 32_768, 16_000, subtype=subtype)
    soundfile.write(tmp_path / "d.wav", pcm, 8_000)
    digests = [check_recording(tmp_path / name).digest for name in ("a.wav", "b.wav", "c.flac", "d.wav")]
    assert len(set(digests[:3])) == 1
    assert digests[3] != digests[0]


@pytest.mark.parametrize(("lowest", "highest"), [(-0.75, 0.5), (-0.25, 0.625)])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_the_peak_is_the_largest_sample_of_either_sign(tmp_path, lowest, highest, channels, subtype):
    samples = np.zeros((1600, channels))
    samples[700, 0], samples[900, -1] = lowest, highest
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype=subtype)
    assert check_recording(tmp_path / "a.wav").peak == max(-lowest, highest)
