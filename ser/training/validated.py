"""Training a fold without a look at its test set: what a study does, again and again."""

from __future__ import annotations

from ser.training.options.command import run
from ser.training.run import RunCLI


class ValidatedCLI(RunCLI):
    """`ser fit` that ends with the validation."""

    def fit(self, **options) -> None:
        """Train, then validate the epoch with the best validation WA."""
        self._record_config()
        self._train(**options)
        self._evaluate(self.folder / "checkpoints" / "best.ckpt", ["val"])


def main() -> int:
    """Run `ser validated OPTIONS`; the options are those of `ser fit`."""
    run(ValidatedCLI, "fit")
    return 0
