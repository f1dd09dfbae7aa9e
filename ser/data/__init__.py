"""Corpora by name, for configuration files (`class_path: ser.data.IEMOCAP`)."""

from ser.data.emodb import EmoDB
from ser.data.iemocap import IEMOCAP
from ser.data.manifest import Manifest
from ser.data.synthetic import Synthetic

__all__ = ["IEMOCAP", "EmoDB", "Manifest", "Synthetic"]
