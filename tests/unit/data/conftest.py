"""Fixtures: synthetic recordings and small releases."""

from tests.made_up.release import release, speech, wav

__all__ = ["release", "speech", "wav"]
