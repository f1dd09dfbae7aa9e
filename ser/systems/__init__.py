"""The five systems by name, for configuration files (`class_path: ser.systems.CNNRecCap`)."""

from ser.systems.satt2017 import CNNLSTM
from ser.systems.wu2019 import CNNGRU, CNNGRUSeqCap, CNNRecCap, CNNSeqCap

SYSTEMS = {system.__name__: system for system in (CNNGRU, CNNSeqCap, CNNRecCap, CNNGRUSeqCap, CNNLSTM)}

__all__ = ["CNNGRU", "CNNLSTM", "SYSTEMS", "CNNGRUSeqCap", "CNNRecCap", "CNNSeqCap"]
