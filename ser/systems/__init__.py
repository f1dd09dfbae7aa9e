"""The systems by name, for configuration files (`class_path: ser.systems.CNNRecCap`)."""

from ser.systems.satt2017 import CNNLSTM
from ser.systems.system import System
from ser.systems.wu2019 import CNNGRU, CNNGRUSeqCap, CNNRecCap, CNNSeqCap

SYSTEMS: dict[str, type[System]] = {
    each.__name__: each for each in (CNNLSTM, CNNGRU, CNNSeqCap, CNNRecCap, CNNGRUSeqCap)
}

__all__ = ["CNNGRU", "CNNLSTM", "SYSTEMS", "CNNGRUSeqCap", "CNNRecCap", "CNNSeqCap"]
