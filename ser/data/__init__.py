"""Corpora by name, for configuration files (`class_path: ser.data.IEMOCAP`)."""

from ser.data.corpora.emodb import EmoDB
from ser.data.corpora.iemocap import IEMOCAP
from ser.data.corpora.manifest import Manifest
from ser.data.synthetic.corpus import Synthetic

__all__ = ["IEMOCAP", "EmoDB", "Manifest", "Synthetic"]
