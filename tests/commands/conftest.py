"""What the tests of several commands share."""

from tests.made_up.release import release, speech, wav
from tests.made_up.reports import report, results
from tests.made_up.studies import make_shared, refused, short_corpus, write_study

__all__ = ["make_shared", "refused", "release", "report", "results", "short_corpus", "speech", "wav", "write_study"]
