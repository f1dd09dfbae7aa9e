"""Recordings, made as for the tests of the corpora."""

from tests.data.conftest import speech, wav

__all__ = ["speech", "wav"]
