"""Fixtures: results and reports."""

from tests.made_up.reports import paper_report, report, results

__all__ = ["paper_report", "report", "results"]
