"""Pure tones, and tables of recordings."""

from pathlib import Path

import numpy as np
import pandas as pd


def table(*paths: Path) -> pd.DataFrame:
    return pd.DataFrame({"path": [str(path) for path in paths]})


def tone(frequency_hz: float, sample_rate_hz: int, seconds: float = 0.5, amplitude: float = 0.5) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * sample_rate_hz)) / sample_rate_hz)
