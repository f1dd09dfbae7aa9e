"""Fixtures: small systems, and studies whose rows a test adds itself."""

from tests.made_up.studies import counted, make_shared, patient
from tests.made_up.systems import statistics, system

__all__ = ["counted", "make_shared", "patient", "statistics", "system"]
