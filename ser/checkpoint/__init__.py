"""Checkpoints and weights: `ser.checkpoint.load` reads a trained system."""

from ser.checkpoint.reading import load

__all__ = ["load"]
