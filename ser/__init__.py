"""Capsule networks for speech emotion recognition (Wu et al., ICASSP 2019)."""

__version__ = "0.2.0"
