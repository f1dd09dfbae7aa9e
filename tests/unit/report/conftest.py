"""Results and reports for the tests of their parts."""

from tests.made_up.reports import paper_report, report, results

__all__ = ["paper_report", "report", "results"]
