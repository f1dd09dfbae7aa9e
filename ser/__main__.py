"""The command `ser`: dispatch only, so that help and mistakes are answered at once."""

from __future__ import annotations

import gc
import sys
from functools import cache
from importlib import import_module

from ser.processes.streams import open_missing, outlive_readers

USAGE = """usage: ser COMMAND ...

Capsule networks for speech emotion recognition (Wu et al., ICASSP 2019).

  ser fit --config FILE [--config FILE ...] [--out FOLDER]
                       train a system on one fold, then test its best epoch
  ser test --config RUN/config.yaml --ckpt_path RUN/checkpoints/best.ckpt
                       test a checkpoint on speakers it was not trained on
  ser validate --config RUN/config.yaml --ckpt_path RUN/checkpoints/best.ckpt
                       the same on the validation speaker
  ser crossval --config FILE [--folds 1-10] [--seeds 1] [--jobs 2] --out FOLDER
                       train and test every fold; go on where it was interrupted; pool the results
  ser sweep --config sweeps/demo.yaml [--workers 4] [--storage URL]
                       an Optuna study over options of a run; ser sweep status FILE
  ser export-weights CHECKPOINT --out FILE.safetensors
                       a trained system as numbers and text alone, for others to test or to begin with
  ser report FOLDER [FOLDER ...] --out FOLDER
                       results of cross-validations beside the paper's tables, and what differences mean
  ser lambda FOLDER    a two-branch system's results over lambda, from its saved posteriors
  ser protocol NAME --data.corpus.root FOLDER
                       who trains, validates and tests in each fold; what the sets share
  ser corpus check FOLDER
                       what a corpus holds and what is wrong with it
  ser corpus synth FOLDER
                       write the built-in corpus

Try it:    ser fit --config conf/reccap.yaml --config conf/demo.yaml
Options:   ser COMMAND --help        --version prints the version
"""

MODULES = {
    **dict.fromkeys(("fit", "test", "validate"), "ser.training.run"),
    "session": "ser.training.session",  # what `ser crossval` starts; not a user's command
    "validated": "ser.training.validated",  # what a study's trial starts
    "sweep-worker": "ser.sweep.workers.worker",  # what `ser sweep` starts
    "crossval": "ser.training.cross_validation",
    "sweep": "ser.commands.sweep",
    "export-weights": "ser.commands.export_weights",
    "report": "ser.commands.report",
    "lambda": "ser.commands.lambda_",
    "protocol": "ser.commands.protocol",
    "corpus": "ser.commands.corpus",
}
LIGHTNING = ("fit", "test", "validate", "session", "validated", "crossval")  # LightningCLI reads sys.argv itself


@cache
def freeze() -> None:
    """Leave what is there now to no collector of garbage, once: later it would keep the garbage of a first command."""
    gc.freeze()


def main() -> int:
    """Run the command in `sys.argv`; the exit code is 2 where the user can mend the cause."""
    open_missing()
    outlive_readers()
    arguments = sys.argv[1:]
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    if command == "--version":
        from ser import __version__

        print(f"ser {__version__}")
        return 0
    if command not in MODULES:
        print(f"ser: unknown command {command!r}\n\n{USAGE}", end="", file=sys.stderr)
        return 2

    from ser.errors import InputError, about_file
    from ser.processes.interruption import Interrupted

    try:
        for word in arguments:
            if any("\ud800" <= letter <= "\udfff" for letter in word):  # how Python keeps bytes that are no text
                raise InputError(f"{word!r} is not UTF-8: no configuration could name it")
        gc.disable()  # a million objects come and stay; to look for garbage among them takes a fifth of the time
        run = import_module(MODULES[command]).main
        freeze()  # nor is it looked for among them later
        gc.enable()
        return run() if command in LIGHTNING else run(arguments[1:])
    except InputError as error:
        print(f"ser: {error}", file=sys.stderr)
        return 2
    except UnicodeDecodeError as error:
        print(f"ser: a configuration file is not UTF-8: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ser: {about_file(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ser: interrupted", file=sys.stderr)
        return 130
    except Interrupted as interrupted:
        print(f"ser: {interrupted.number.name}: what is finished is kept; to go on:", file=sys.stderr)
        print(interrupted.command, file=sys.stderr)
        return interrupted.code


if __name__ == "__main__":
    sys.exit(main())
