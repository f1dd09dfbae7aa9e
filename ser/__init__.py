"""Capsule networks for speech emotion recognition, trained and compared honestly (Wu et al., ICASSP 2019)."""

__version__ = "0.2.0"
