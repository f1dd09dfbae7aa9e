"""`ser validate --config RUN/config.yaml --ckpt_path RUN/checkpoints/best.ckpt`: evaluate a checkpoint on the
validation speaker."""

from ser.training.options.command import run
from ser.training.run import evaluate_checkpoint

ABOUT = "Evaluate a checkpoint on the validation speaker."


def main(arguments: list[str]) -> int:
    """Run `ser validate ARGUMENTS`."""
    run(lambda: evaluate_checkpoint("validate", "val", arguments, ABOUT), ["ser", "validate", *arguments])
    return 0
