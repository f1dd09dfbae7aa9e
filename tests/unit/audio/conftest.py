"""Recordings, as the tests of the corpora make them."""

from tests.made_up.release import speech, wav

__all__ = ["speech", "wav"]
