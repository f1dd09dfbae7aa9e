"""Read WAV and other audio files as 16 kHz mono waveforms."""
