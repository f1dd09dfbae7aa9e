"""Answers for recordings of any length, in any company."""

import itertools

import numpy as np
import pytest

from ser.audio.decoding import AudioError
from ser.audio.silence import Trim, trimmed
from ser.recognition.predicting import blocks_of, predict
from ser.recognition.recordings import Recording
from tests.made_up.recognisers import ensemble_of, recording_of, small_system, voice

LONG = voice(3.7)


def answers(ensemble, recordings, max_seconds=60.0, batch_seconds=20.0):
    return list(predict(ensemble, recordings, max_seconds, batch_seconds))


def posterior(ensemble, samples):
    return answers(ensemble, [recording_of(samples)])[0].posterior


@pytest.mark.parametrize("batch_seconds", [0.01, 0.4, 3, 100])
@pytest.mark.parametrize("name", ["CNNGRU", "CNNRecCap"])
def test_a_long_recording_is_the_weighted_mean_of_its_blocks(name, batch_seconds):
    ensemble = ensemble_of(small_system(name), small_system(name, seed=1))
    (found,) = answers(ensemble, [recording_of(LONG)], 1.0, batch_seconds)
    parts = [LONG[start : start + 16_000] for start in range(0, len(LONG), 16_000)]
    assert [len(part) for part in parts] == [16_000] * 3 + [11_200]
    each = [posterior(ensemble, part) for part in parts]
    assert np.allclose(found.posterior, np.average(each, axis=0, weights=[len(part) for part in parts]), atol=1e-5)
    assert not np.allclose(found.posterior, np.mean(each, axis=0), atol=1e-5), "the weights matter"
    assert found.cautions["blocks"] == "mean over 4 blocks of at most 1 s"
    assert found.seconds == 3.7


@pytest.mark.parametrize(("samples", "number"), [(16_000, 1), (16_639, 1), (16_640, 2), (32_000, 2), (32_639, 2)])
def test_a_rest_shorter_than_an_analysis_window_joins_the_last_block(samples, number):
    edges = blocks_of(samples, 16_000)
    assert len(edges) == number
    assert edges[0][0] == 0
    assert edges[-1][1] == samples
    assert all(earlier[1] == later[0] for earlier, later in itertools.pairwise(edges))
    assert all(stop - start >= 640 for start, stop in edges)
    (found,) = answers(ensemble_of(small_system("CNNGRU")), [recording_of(voice(3)[:samples])], 1.0)
    assert ("blocks" in found.cautions) == (number > 1)


def test_only_the_heard_part_is_cut_into_blocks():
    samples = np.concatenate([np.zeros(16_000), voice(1.5), np.zeros(16_000)]).astype(np.float32)
    trim = Trim(30, 0.05)
    ensemble, untrimmed = ensemble_of(small_system(), trim=trim), ensemble_of(small_system())
    start, stop = trimmed(samples, trim)
    (found,) = answers(ensemble, [recording_of(samples)])
    assert np.allclose(found.posterior, posterior(untrimmed, samples[start:stop]), atol=1e-5)
    assert not np.allclose(found.posterior, posterior(untrimmed, samples), atol=1e-5)
    assert found.seconds == 3.5
    assert "blocks" not in answers(ensemble, [recording_of(samples)], 2.0)[0].cautions


@pytest.mark.parametrize("batch_seconds", [0.05, 0.5, 1.5, 50])
def test_company_and_order_change_nothing(batch_seconds, tmp_path):
    """Unusable recordings among them, at any place."""
    ensemble = ensemble_of(small_system())
    missing = Recording(str(tmp_path / "none.wav"))
    usable = [recording_of(voice(seconds, seed=7)) for seconds in (0.3, 2.4, 0.01, 1.2, 0.8)]
    alone = [answers(ensemble, [each], 1.0)[0].posterior for each in usable]
    for order in ([0, 1, 2, 3, 4], [4, 1, 3, 2, 0]):
        recordings = [
            missing,
            *(usable[place] for place in order[:3]),
            missing,
            *(usable[place] for place in order[3:]),
        ]
        found = answers(ensemble, [*recordings, missing], 1.0, batch_seconds)
        assert [isinstance(each, AudioError) for each in found] == [True] + [False] * 3 + [True] + [False] * 2 + [True]
        good = [each for each in found if not isinstance(each, AudioError)]
        assert [each.recording for each in good] == [usable[place] for place in order]
        assert np.allclose([each.posterior for each in good], [alone[place] for place in order], atol=1e-5)
        assert str(found[0]) == f"{tmp_path / 'none.wav'}: missing"


def test_no_recordings_have_no_answers():
    assert answers(ensemble_of(small_system()), []) == []


def test_answers_come_while_later_recordings_are_not_read_yet():
    """Otherwise an hour of audio would be kept in memory."""
    read = []

    def recordings():
        for place in range(40):
            read.append(place)
            yield recording_of(voice(1))

    found = predict(ensemble_of(small_system("CNNGRU")), recordings(), 60.0, 0.25)
    next(found)
    assert len(read) <= 3
