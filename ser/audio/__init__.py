"""Recordings: WAV and other files on disk become 16 kHz mono waveforms."""
