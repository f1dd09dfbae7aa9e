"""Corpora by name, for configuration files (`class_path: ser.data.IEMOCAP`)."""

from ser.data.corpora import kinds
from ser.data.synthetic.corpus import Synthetic

globals().update({each.__name__: each for each in kinds().values()})

__all__ = [*sorted(each.__name__ for each in kinds().values()), "Synthetic"]
