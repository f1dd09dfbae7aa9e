"""A recording of any length as 16 kHz samples: what is read from it, its cautions, and its temporary file."""

import tempfile
from math import nan

import numpy as np
import pytest
import soundfile
import torch
from torchaudio.transforms import Resample

from ser.audio import decoding, sound
from ser.audio.blocks import Block
from ser.audio.cuts import Cut
from ser.audio.decoding import ANY_LENGTH, AudioError, decode_blocks
from ser.audio.sound import listen
from ser.audio.waveforms import Waveforms
from ser.data.leaks import recording_digests
from ser.errors import InputError
from ser.networks.spectrogram import DFT_LENGTH, NUM_BINS
from tests.made_up.recordings import table, tone

RATES = [8_000, 22_050, 44_100, 48_000, 96_000]
STEP = 1 / 32_768


def heard(path):
    return listen(decode_blocks(path, ANY_LENGTH, any_container=True))


def random_pcm(num_samples, seed=0):
    return np.random.default_rng(seed).integers(-32_768, 32_768, num_samples).astype(np.int16)


@pytest.fixture
def noise_file(tmp_path):
    """50 s and a part of a frame at 16 kHz, with every 16-bit value possible."""
    soundfile.write(tmp_path / "a.wav", random_pcm(800_077), 16_000)
    return tmp_path / "a.wav"


@pytest.mark.parametrize(("suffix", "num_samples"), [("wav", 1), ("wav", 639), ("wav", 320_000), ("flac", 676_001)])
@pytest.mark.parametrize("in_memory", [1, 1 << 22])
def test_16_bits_at_16_khz_stay_as_they_are(tmp_path, monkeypatch, suffix, num_samples, in_memory):
    monkeypatch.setattr(sound, "_IN_MEMORY_BYTES", in_memory)
    monkeypatch.setattr(decoding, "_BLOCK_SAMPLES", 100_003)
    pcm = random_pcm(num_samples)
    soundfile.write(tmp_path / f"a.{suffix}", pcm, 16_000)
    found = heard(tmp_path / f"a.{suffix}")
    assert found.num_samples == num_samples
    assert found.seconds == num_samples / 16_000
    assert found.read().dtype == np.float32
    assert np.array_equal(found.read(), pcm / 32_768)


def test_any_slice_can_be_read_in_any_order(noise_file):
    pcm, found = soundfile.read(noise_file, dtype="float32")[0], heard(noise_file)
    for start, stop in [
        (640_000, 640_001),
        (0, 640),
        (319_999, 320_001),
        (5, 5),
        (7, 3),
        (800_000, 10**7),
        (10**7, None),
    ]:
        assert np.array_equal(found.read(start, stop), pcm[start:stop])
    assert np.array_equal(found.read(800_000), pcm[800_000:])
    assert np.array_equal(found.read(stop=9), pcm[:9])


def test_a_part_is_a_slice_and_a_part_of_it_too(noise_file):
    pcm, whole = soundfile.read(noise_file, dtype="float32")[0], heard(noise_file)
    part = whole.part(1_000, 700_000)
    assert np.array_equal(part.read(), pcm[1_000:700_000])
    assert np.array_equal(part.read(5, 10**7), pcm[1_005:700_000]), "nothing beyond the part"
    inner = part.part(399_000, 400_000)
    assert (inner.num_samples, inner.seconds) == (1_000, 0.0625)
    assert np.array_equal(inner.read(10, 20), pcm[400_010:400_020])
    assert inner.cautions == whole.cautions


@pytest.mark.parametrize(
    ("cut", "start", "stop"),
    [
        (Cut(), 0, 800_077),
        (Cut(1.5, 2), 24_000, 32_000),
        (Cut(0.00004), 1, 800_077),
        (Cut(nan, 50.01), 0, 800_077),
        (Cut(21, 50), 336_000, 800_000),
    ],
)
def test_a_cut_has_the_samples_between_its_times(noise_file, cut, start, stop):
    pcm = soundfile.read(noise_file, dtype="float32")[0]
    assert np.array_equal(heard(noise_file).cut(cut).read(), pcm[start:stop])


def test_a_cut_outside_the_recording_is_refused(noise_file):
    with pytest.raises(AudioError, match=r"end is 50\.1 s, but the recording has 50\.0048 s"):
        heard(noise_file).cut(Cut(1, 50.1))


def test_pieces_are_all_samples_in_order(noise_file):
    pcm, part = soundfile.read(noise_file, dtype="float32")[0], heard(noise_file).part(17, 800_000)
    pieces = list(part.pieces())
    assert len(pieces) == 3
    assert np.array_equal(np.concatenate(pieces), pcm[17:800_000])
    assert list(part.part(0, 0).pieces()) == []


def test_levels_are_the_variances_of_10_ms(noise_file):
    pcm, whole = soundfile.read(noise_file, dtype="float32")[0], heard(noise_file)
    for part, start, stop in [(whole, 0, 800_077), (whole.part(33, 700_000), 33, 700_000)]:
        frames = [pcm[place : place + 160] for place in range(start, stop - 159, 160)]
        assert np.array_equal(part.levels(), np.array([frame.var() for frame in frames]))
    assert whole.part(0, 159).levels().shape == (0,)
    assert whole.part(0, 0).levels().shape == (0,)


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (16_000, 2), (44_100, 2), (8_000, 1)])
def test_the_digest_of_a_recording_is_that_of_a_corpus_with_it(tmp_path, rate, channels):
    """Of 45 s: a corpus is converted at once, a sound in three pieces."""
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (45 * rate + 11, channels))
    soundfile.write(tmp_path / "a.wav", samples, rate)
    soundfile.write(tmp_path / "b.wav", 0.9 * samples, rate)
    expected = recording_digests(Waveforms(table(tmp_path / "a.wav", tmp_path / "b.wav"), tmp_path / "cache"), 2)
    assert [heard(tmp_path / name).digest() for name in ("a.wav", "b.wav")] == expected
    assert expected[0] != expected[1]


@pytest.mark.parametrize("rate", RATES)
def test_tones_of_several_channels_are_those_of_the_closed_form(tmp_path, rate):
    """Longer than two pieces, and each channel with its own frequency, up to three quarters of the possible."""
    seconds = 42.3
    highest = 0.75 * min(rate, 16_000) / 2
    frequencies = [97.3, 0.4 * highest, highest]
    channels = np.stack([tone(frequency, rate, seconds) for frequency in frequencies], axis=1)
    soundfile.write(tmp_path / "a.wav", channels, rate, subtype="FLOAT")
    found = heard(tmp_path / "a.wav")
    expected = sum(tone(frequency, 16_000, seconds) for frequency in frequencies) / 3
    assert found.num_samples == len(expected)
    assert np.abs(found.read() - expected)[800:-800].max() <= STEP


@pytest.mark.parametrize("rate", [1_000, 655_350])
def test_the_lowest_and_the_highest_rate(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", tone(200, rate, 1.5), rate, subtype="FLOAT")
    found = heard(tmp_path / "a.wav")
    expected = tone(200, 16_000, 1.5)
    assert found.num_samples == len(expected)
    assert np.abs(found.read() - expected)[1600:-1600].max() <= STEP
    soundfile.write(tmp_path / "b.wav", np.ones(2000), 999)
    with pytest.raises(AudioError, match="999 Hz cannot be converted to 16000 Hz"):
        heard(tmp_path / "b.wav")


@pytest.mark.parametrize("rate", RATES)
def test_pieces_are_converted_without_a_seam(tmp_path, monkeypatch, rate):
    """Noise, by torchaudio at once; the pieces are shorter than those of a real recording."""
    monkeypatch.setattr(sound, "_PIECE_SECONDS", 2)
    monkeypatch.setattr(decoding, "_BLOCK_SAMPLES", 30_011)
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, (round(9.3 * rate), 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    options = {"lowpass_filter_width": 64, "rolloff": 0.95, "resampling_method": "sinc_interp_kaiser", "beta": 14.77}
    expected = Resample(rate, 16_000, **options)(torch.from_numpy(samples.mean(axis=1))).numpy()
    found = heard(tmp_path / "a.wav")
    assert found.num_samples == len(expected)
    assert np.abs(found.read() - expected).max() <= STEP


def test_nothing_is_left_in_the_temporary_folder(tmp_path, monkeypatch, noise_file):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(sound, "_IN_MEMORY_BYTES", 1000)
    found = heard(noise_file)
    assert list(folder.iterdir()) == []
    folder.rmdir()
    assert len(found.read()) == 800_077, "the file needs no name"


def test_a_missing_temporary_folder_is_named(tmp_path, monkeypatch, noise_file):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    monkeypatch.setattr(sound, "_IN_MEMORY_BYTES", 1000)
    with pytest.raises(InputError) as caught:
        heard(noise_file)
    how = "audio is converted there (the environment variable TMPDIR chooses another)"
    assert str(caught.value) == f"{tmp_path / 'none'}: No such file or directory; {how}"


def test_no_temporary_folder_at_all_is_one_message(tmp_path, monkeypatch, noise_file):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "none")])
    monkeypatch.setattr(sound, "_IN_MEMORY_BYTES", 1000)
    with pytest.raises(InputError, match=r"^No usable temporary directory found in .*TMPDIR chooses another\)$"):
        heard(noise_file)


@pytest.mark.parametrize("missing", [1, 1_000, 1_000_000])
def test_a_full_temporary_folder_is_named(tmp_path, monkeypatch, noise_file, missing):
    """Also if no more than the last byte is missing, which is written last."""
    resource, signal = pytest.importorskip("resource"), pytest.importorskip("signal")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sound, "_IN_MEMORY_BYTES", 1000)
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 800_077 - missing, before[1]))
    try:
        with pytest.raises(InputError, match=r"^[^\n]*: File too large; .*TMPDIR chooses another\)$"):
            heard(noise_file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


NOISE = np.random.default_rng(3).uniform(-0.5, 0.5, 16_000)
CANCELLING = np.stack([NOISE, -NOISE], axis=1)
CASES = {  # format, subtype, sample rate, samples, the cautions and a part of each
    "WAV": ("WAV", "PCM_16", 16_000, NOISE, {}),
    "FLAC": ("FLAC", "PCM_16", 16_000, NOISE, {}),
    "MP3": ("MP3", None, 16_000, NOISE, {"lossy format": "MP3: "}),
    "Ogg Vorbis": ("OGG", "VORBIS", 16_000, NOISE, {"lossy format": "OGG: "}),
    "Ogg Opus": ("OGG", "OPUS", 16_000, NOISE, {"lossy format": "OGG: "}),
    "AU": ("AU", None, 16_000, NOISE, {"unchecked format": "AU: "}),
    "W64": ("W64", None, 16_000, NOISE, {"unchecked format": "W64: "}),
    "NIST": ("NIST", None, 16_000, NOISE, {"unchecked format": "NIST: "}),
    "telephone": ("WAV", "ULAW", 8_000, NOISE, {"low sample rate": "8000 Hz: the spectrogram is empty above 4000 Hz"}),
    "just too low": ("WAV", "PCM_16", 10_239, NOISE, {"low sample rate": "10239 Hz"}),
    "just not too low": ("WAV", "PCM_16", 10_240, NOISE, {}),
    "zeros": ("WAV", "PCM_16", 16_000, 0 * NOISE, {"silent": "all samples are equal"}),
    "an offset": ("WAV", "PCM_16", 16_000, 0 * NOISE + 0.25, {"silent": "all samples are equal"}),
    "opposite": ("WAV", "PCM_16", 16_000, CANCELLING, {"silent": "the channels cancel out"}),
    "nearly opposite": ("WAV", "PCM_16", 16_000, CANCELLING * [1, 0.99], {"nearly cancelled": "46 dB below"}),
    "clipped": ("WAV", "PCM_16", 16_000, np.clip(4 * NOISE, -0.5, 0.5), {"clipped": " % of the samples"}),
    "faint": ("WAV", "PCM_24", 16_000, 0.001 * NOISE, {"nearly silent": "the peak is 66 dB below full scale"}),
    "off-centre": ("WAV", "PCM_16", 16_000, 0.5 * NOISE + 0.5, {"off-centre": "of full scale, between 0.25"}),
    "loud": ("WAV", "FLOAT", 16_000, 2.2 * NOISE, {"beyond full scale": "samples reach 1.1; values beyond 1 are"}),
    "two at once": ("AU", "PCM_16", 8_000, 0 * NOISE, {"unchecked format": "AU", "low sample rate": "", "silent": ""}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_doubtful_about_a_recording(tmp_path, monkeypatch, case):
    container, subtype, rate, samples, expected = CASES[case]
    soundfile.write(tmp_path / "a", samples, rate, format=container, subtype=subtype)
    for block_samples in (1 << 20, 1_001):
        monkeypatch.setattr(decoding, "_BLOCK_SAMPLES", block_samples)
        found = heard(tmp_path / "a").cautions
        assert found.keys() == expected.keys()
        assert all(words in found[kind] for kind, words in expected.items())


def test_half_of_too_low_a_rate_is_within_the_spectrogram():
    assert sound.HIGHEST_HZ == NUM_BINS * 16_000 / DFT_LENGTH


def test_samples_without_a_file_have_no_format():
    samples = np.float32(NOISE)
    found = listen([Block(samples[:, None], samples, 16_000, 16_000, "")])
    assert found.cautions == {}
    assert np.abs(found.read() - samples).max() <= STEP / 2


def test_an_unusable_recording_is_refused_as_such(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"this is not audio\n" * 50)
    with pytest.raises(AudioError, match=r"a\.wav: unreadable \(Format not recognised\)"):
        heard(tmp_path / "a.wav")
