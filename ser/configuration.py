"""What a configuration file may say: plain values, every key once, classes that a run is made of; nothing else runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml
from jsonargparse import get_loader, set_loader, set_parsing_settings

from ser.errors import InputError

# Importing runs code, so a file names no module but these. Lightning's loggers are refused later, with a remedy.
ALLOWED = (
    *("ser.data", "ser.systems"),
    *(f"lightning.pytorch.{part}" for part in ("accelerators", "callbacks", "loggers", "plugins", "profilers")),
    "lightning.pytorch.strategies",
)
DENIED = ("*", "lightning.pytorch.callbacks.lambda_function")  # the second calls any function that a file names

WHOLE_NUMBER = "tag:yaml.org,2002:int"
MOST_CHARACTERS = 1000  # of a number: Python reads longer ones in some notations and then cannot print them

_read_plain = get_loader("yaml")


def restrict() -> None:
    """Hold every parser of this process to local files, keys that stand once, and the classes of `ALLOWED`.

    Lightning's command line switches addresses on when it is imported, so this comes after that import.
    """
    set_parsing_settings(
        config_read_mode_fsspec_enabled=False,
        config_read_mode_urls_enabled=False,
        instantiate_subclass_spec_in_any=False,
        import_path_denylist=list(DENIED),
        import_path_allowlist=list(ALLOWED),
    )
    set_loader("yaml", _read_strictly, (yaml.YAMLError,))


def _read_strictly(text: str, path: str = "") -> object:
    try:
        check_keys(text, str(path))
        return _read_plain(text)
    except (ValueError, RecursionError) as error:  # a number, a date, a depth that Python does not read
        raise yaml.YAMLError(f"{f'{path}: ' if path else ''}not YAML that can be read: {error}") from error


def explain(message: str) -> str:
    """A parser's message; what it says about a class that may not be named, in words for the user."""
    if "import path denylist" not in message:
        return message
    named = message.partition("Importing '")[2].partition("'")[0]
    return (
        f"{named}: a configuration may name classes of {', '.join(ALLOWED)} only, and none that calls functions which "
        "the file chooses"
    )


def read_yaml(path: Path) -> dict:
    """Keys and values from a YAML file: plain types only, every key once.

    Raises:
        InputError: naming the file, and the line where there is one.
    """
    try:
        text = path.read_text(encoding="utf-8")
        check_keys(text, str(path))
        written = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a value may look like a date and be none
        raise InputError(f"{path}: not YAML: {error}") from error
    if not isinstance(written, dict):
        raise InputError(f"{path}: not a list of keys and values")
    return written


def check_keys(text: str, name: str = "") -> None:
    """Refuse a key that stands twice, nested or with points ("data: {fold: 1}" and "data.fold: 2").

    The second would silently win. An alias is refused as well: it can hold itself, or expand to more than any memory.

    Args:
        text: YAML.
        name: of the file, for the message.

    Raises:
        yaml.YAMLError: naming file, line and key; also if it is not YAML.

    Example:
        >>> check_keys("a: {b: 1}\\nc: 2\\na: 3", "x.yaml")
        Traceback (most recent call last):
        yaml.constructor.ConstructorError: x.yaml, line 3: the key 'a' stands there again (first in line 1)
    """
    lines: dict[str, int] = {}
    for full, key in sorted(_keys(text, name), key=lambda each: each[1].start_mark.index):
        if full in lines:
            cause = f"the key {key.value!r} stands there again (first in line {lines[full]})"
            raise _refusal(key, name, cause)
        lines[full] = key.start_mark.line + 1


def _keys(text: str, name: str) -> Iterator[tuple[str, yaml.ScalarNode]]:
    """Every key with its name on the command line; each value is looked at once, since there are no aliases."""
    seen: set[int] = set()
    open_nodes = [("", yaml.compose(text, Loader=yaml.SafeLoader))]
    while open_nodes:
        prefix, node = open_nodes.pop()
        if id(node) in seen:
            raise _refusal(node, name, "an alias (*) uses this value again, which is not read; write it out there")
        seen.add(id(node))
        if node is not None and node.tag == WHOLE_NUMBER and len(node.value) > MOST_CHARACTERS:
            raise _refusal(node, name, f"a number of {len(node.value)} characters")
        if isinstance(node, yaml.SequenceNode):
            open_nodes += [(f"{prefix}[{number}].", value) for number, value in enumerate(node.value)]
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal(key, name, "a key that is not one word")
            full = _full_name(prefix + key.value)
            open_nodes.append((f"{full.removesuffix('.init_args')}.", value))
            yield full, key


def _refusal(node: yaml.Node, name: str, cause: str) -> yaml.YAMLError:
    place = f"{name}, " if name else ""
    return yaml.constructor.ConstructorError(problem=f"{place}line {node.start_mark.line + 1}: {cause}")


def _full_name(name: str) -> str:
    """The name of a key as the command line has it, without the "init_args" on its way."""
    *way, last = name.split(".")
    return ".".join([*(part for part in way if part != "init_args"), last])
