"""`ser export-weights CHECKPOINT --out FILE.safetensors`: a trained system as numbers and text alone, for others to
test or to begin with."""

import argparse

from ser.files import digest, new_file
from ser.paths import expand_home
from ser.training.options.arguments import Parser

DESCRIPTION = """Write a checkpoint's weights as safetensors: numbers and text, nothing that could run. The file's
metadata hold the system's name and hyperparameters, on whom and what it and its initial weights were trained, and
whose audio standardises its spectrogram, so that ser test --ckpt_path, ser fit --init_weights and ser.checkpoint.load
take it like a checkpoint. The same checkpoint gives the same file every time."""


def main(arguments: list[str]) -> int:
    """Run `ser export-weights ARGUMENTS`.

    Raises:
        InputError: if the checkpoint cannot be used, or the file not be written.
    """
    options = expand_home(_parser().parse_args(arguments))
    out = new_file("--out", options.out, (".safetensors",), make_folder=True)

    from ser.checkpoint.reading import read_checkpoint
    from ser.checkpoint.safetensors_file import write_weights

    checkpoint = read_checkpoint(options.checkpoint)
    write_weights(checkpoint, out)
    print(f"{checkpoint['system']}, epoch {checkpoint['epoch'] + 1}: {out}\nSHA-256 {digest(out)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="ser export-weights", description=DESCRIPTION)
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="of a run, such as RUN/checkpoints/best.ckpt")
    parser.add_argument("--out", metavar="FILE.safetensors", required=True, help="a new file")
    return parser
