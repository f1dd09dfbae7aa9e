"""Copies of a folder of recordings with silence at both ends, and of these cut to the speech again.

    python -m benchmarks.silence FOLDER COPIES

`COPIES/padded` has 0.9 s of noise, 60 dB below each recording's peak, before and after it; `COPIES/cut` has the padded
recordings as `--data.trim_silence true` reads them.
"""

import sys
from pathlib import Path

import numpy as np
import soundfile

from ser.audio.silence import Trim, trimmed

SILENCE_SECONDS = 0.9
BELOW_PEAK_DB = 60


def padded(speech: np.ndarray, sample_rate_hz: int, seed: int) -> np.ndarray:
    """16-bit samples between faint noise."""
    deviation = np.abs(speech.astype(np.int32)).max() * 10 ** (-BELOW_PEAK_DB / 20)
    noise = np.random.default_rng(seed).normal(0, deviation, (2, round(SILENCE_SECONDS * sample_rate_hz)))
    before, after = np.rint(noise).astype(np.int16)
    return np.concatenate([before, speech, after])


def main(source: Path, target: Path) -> None:
    for name in ("padded", "cut"):
        (target / name).mkdir(parents=True, exist_ok=True)
    for seed, path in enumerate(sorted(source.glob("*.wav"))):
        speech, sample_rate_hz = soundfile.read(path, dtype="int16")
        longer = padded(speech, sample_rate_hz, seed)
        soundfile.write(target / "padded" / path.name, longer, sample_rate_hz)
        start, stop = trimmed(longer / np.float32(32_768), Trim())
        soundfile.write(target / "cut" / path.name, longer[start:stop], sample_rate_hz)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
