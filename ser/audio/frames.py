"""Samples and frames: frame t is samples [160 t, 160 t + 640) at 16 kHz (Wu et al., 2019, section 4.1)."""

SAMPLE_RATE_HZ = 16_000
WINDOW_SAMPLES = 640  # 40 ms
SHIFT_SAMPLES = 160  # 10 ms
FRAMES_PER_SECOND = SAMPLE_RATE_HZ // SHIFT_SAMPLES


def num_frames(num_samples):
    """Number of frames of a waveform; 0 or negative below 640 samples.

    Accepts integers, arrays and tensors.

    Example:
        >>> num_frames(32_480), num_frames(640)
        (200, 1)
    """
    return 1 + (num_samples - WINDOW_SAMPLES) // SHIFT_SAMPLES


def num_samples(frames):
    """Number of samples covered by a number of frames, the last window included.

    Example:
        >>> num_samples(200)
        32480
    """
    return (frames - 1) * SHIFT_SAMPLES + WINDOW_SAMPLES
