"""Recordings, made as for the tests of the corpora."""

from tests.made_up.release import speech, wav

__all__ = ["speech", "wav"]
