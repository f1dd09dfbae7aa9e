"""Systems, and studies whose rows a test makes up."""

from tests.made_up.studies import counted, make_shared, patient
from tests.made_up.systems import statistics, system

__all__ = ["counted", "make_shared", "patient", "statistics", "system"]
