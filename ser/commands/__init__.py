"""The command `ser`: dispatch only, so that help and usage errors appear at once.

Each file of this folder is a command of the same name: the first paragraph of its docstring is printed by `ser --help`,
and its `main` runs the command. Files that begin with "_" are started by other commands and not listed.
"""

import ast
import gc
import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from textwrap import fill

from ser.processes.streams import open_missing, outlive_readers

HEAD = """usage: ser COMMAND ...

Capsule networks for speech emotion recognition (Wu et al., ICASSP 2019).
"""
FOOT = """
Try it:    ser fit --config reccap --config demo
Options:   ser COMMAND --help        --version prints the version
"""
IN_DOCSTRING = re.compile(r"`(ser [^`]+)`: ([^`]+?)\.?(?=\s*(?:`|$))")


def modules() -> dict[str, str]:
    """The module of every command, by the command's name."""
    stems = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")
    return {stem.strip("_").replace("_", "-"): f"{__name__}.{stem}" for stem in stems}


def usage() -> str:
    """The text of `ser --help`: usage and purpose of every command."""
    lines = [HEAD]
    for module in modules().values():
        if (stem := module.rpartition(".")[2]).startswith("_"):
            continue
        source = (Path(__file__).parent / f"{stem}.py").read_text(encoding="utf-8")
        first = (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0].replace("\n", " ")
        for called, does in IN_DOCSTRING.findall(first):
            lines += [f"  {called}", fill(does, 84, initial_indent=" " * 6, subsequent_indent=" " * 6)]
    return "\n".join([*lines, FOOT])


@cache
def freeze() -> None:
    """Exclude the objects created so far from garbage collection; only once, or a later call would keep garbage."""
    gc.freeze()


def main(arguments: list[str]) -> int:
    """Run `ser ARGUMENTS` and return the exit code, 2 for errors that the user can fix."""
    open_missing()
    outlive_readers()
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help"):
        print(usage(), end="")
        return 0 if arguments else 2
    if command == "--version":
        from ser import __version__

        print(f"ser {__version__}")
        return 0
    if command not in modules():
        print(f"ser: unknown command {command!r}\n\n{usage()}", end="", file=sys.stderr)
        return 2

    from ser.errors import InputError, about_file
    from ser.processes.interruption import Interrupted

    try:
        for word in arguments:
            if any("\ud800" <= letter <= "\udfff" for letter in word):  # bytes that Python could not decode
                raise InputError(f"{word!r} is not UTF-8, so config.yaml could not contain it")
        gc.disable()  # imports create a million lasting objects; collection would take a fifth of the time
        run = import_module(modules()[command]).main
        freeze()
        gc.enable()
        return run(arguments[1:])
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
        print(f"ser: {interrupted.number.name}: finished work is kept; to continue:", file=sys.stderr)
        print(interrupted.command, file=sys.stderr)
        return interrupted.code
