"""`ser test --config RUN/config.yaml --ckpt_path RUN/checkpoints/best.ckpt`: test a checkpoint on speakers it was not
trained on."""

from ser.training.options.command import run
from ser.training.run import evaluate_checkpoint

ABOUT = "Test a checkpoint on speakers it was not trained on."


def main(arguments: list[str]) -> int:
    """Run `ser test ARGUMENTS`."""
    run(lambda: evaluate_checkpoint("test", "test", arguments, ABOUT), ["ser", "test", *arguments])
    return 0
