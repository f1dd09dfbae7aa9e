"""Fixtures: studies."""

from tests.made_up.studies import counted, make_shared, patient, short_corpus, write_study

__all__ = ["counted", "make_shared", "patient", "short_corpus", "write_study"]
