"""The systems by name, for configuration files (`class_path: ser.systems.CNNRecCap`).

Every concrete subclass of `System` in a file of this folder is one; there is no list to add it to.
"""

from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules

from ser.systems.system import System

SYSTEMS: dict[str, type[System]] = {}
for _module in iter_modules(__path__, f"{__name__}."):
    SYSTEMS |= {
        name: found
        for name, found in vars(import_module(_module.name)).items()
        if isinstance(found, type) and issubclass(found, System) and not isabstract(found)
    }
globals().update(SYSTEMS)

__all__ = ["SYSTEMS", *SYSTEMS]
