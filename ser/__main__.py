"""The command `ser`: dispatch only, so that help and mistakes are answered at once."""

from __future__ import annotations

import sys

USAGE = """usage: ser COMMAND ...

Capsule networks for speech emotion recognition (Wu et al., ICASSP 2019).

  ser fit --config FILE [--config FILE ...] [--out FOLDER]
                       train a system on one fold, then test its best epoch
  ser test --config RUN/config.yaml --ckpt_path RUN/checkpoints/best.ckpt
                       test a checkpoint on speakers it was not trained on
  ser validate --config RUN/config.yaml --ckpt_path RUN/checkpoints/best.ckpt
                       the same on the validation speaker
  ser corpus check FOLDER
                       what a corpus holds and what is wrong with it
  ser corpus synth FOLDER
                       write the built-in corpus

Try it:    ser fit --config conf/reccap.yaml --config conf/demo.yaml
Options:   ser COMMAND --help        --version prints the version
"""


def main() -> int:
    """Run the command in `sys.argv`; the exit code is 2 where the user can mend the cause."""
    arguments = sys.argv[1:]
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    if command == "--version":
        from ser import __version__

        print(f"ser {__version__}")
        return 0
    if command not in ("fit", "test", "validate", "corpus"):
        print(f"ser: unknown command {command!r}\n\n{USAGE}", end="", file=sys.stderr)
        return 2

    from ser.errors import InputError

    try:
        if command == "corpus":
            from ser.corpora import main as run

            return run(arguments[1:])
        from ser.cli import main as run

        return run()
    except InputError as error:
        print(f"ser: {error}", file=sys.stderr)
        return 2
    except UnicodeDecodeError as error:
        print(f"ser: a configuration file is not UTF-8: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ser: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
