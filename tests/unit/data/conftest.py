"""Recordings and small releases for the tests of the corpora."""

from tests.made_up.release import release, speech, wav

__all__ = ["release", "speech", "wav"]
