"""Recordings, as the tests of the corpora make them."""

from tests.data.conftest import speech, wav

__all__ = ["speech", "wav"]
