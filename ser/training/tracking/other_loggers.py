"""Lightning's own loggers, beside the record of a run."""

from pathlib import Path
from typing import Literal

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from ser.errors import InputError

Name = Literal["tensorboard", "csv"]
Names = Name | list[Name] | None


def other_loggers(names: Names, folder: Path) -> list[Logger]:
    """The loggers of these names, which write into `tensorboard/` and `csv/` of the run's folder.

    Raises:
        InputError: if TensorBoard is not installed.
    """
    classes = {"tensorboard": TensorBoardLogger, "csv": CSVLogger}
    chosen = [names] if isinstance(names, str) else names or []
    try:
        return [classes[name](folder, name=name) for name in dict.fromkeys(chosen)]
    except ModuleNotFoundError as error:
        raise InputError("--loggers tensorboard needs TensorBoard: pip install 'ser[tensorboard]'") from error
