"""`ser export-weights CHECKPOINT --out FILE.safetensors`: write a trained system's weights as safetensors, to share
them, test them or start a training from them."""

import argparse

from ser.files import digest, new_file
from ser.paths import expand_home
from ser.training.options.arguments import Parser

DESCRIPTION = """Write a checkpoint's weights to a safetensors file, which cannot contain code. The file's metadata
hold the system's name and hyperparameters, the training data of the system and of its initial weights, and whose
audio standardises the spectrogram, so that ser test --ckpt_path, ser fit --init_weights and ser.checkpoint.load accept
it like a checkpoint. The same checkpoint always gives the same file."""


def main(arguments: list[str]) -> int:
    """Run `ser export-weights ARGUMENTS`.

    Raises:
        InputError: if the checkpoint cannot be used, or the file cannot be written.
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
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="a checkpoint, such as RUN/checkpoints/best.ckpt")
    parser.add_argument("--out", metavar="FILE.safetensors", required=True, help="the file to write; must not exist")
    return parser
