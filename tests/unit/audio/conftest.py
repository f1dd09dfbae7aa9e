"""Fixtures: synthetic recordings."""

from tests.made_up.release import speech, wav

__all__ = ["speech", "wav"]
