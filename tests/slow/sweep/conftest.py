"""Studies for the tests of their parts."""

from tests.made_up.studies import counted, make_shared, patient, refused, short_corpus, write_study

__all__ = ["counted", "make_shared", "patient", "refused", "short_corpus", "write_study"]
