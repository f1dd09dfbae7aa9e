"""What a configuration file may say: plain values, every key once, classes that a run is made of; nothing else runs."""

from __future__ import annotations

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
    check_keys(text, str(path))
    return _read_plain(text)


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
    """Refuse a key that stands twice in one place: the second would silently win.

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
    open_nodes, seen = [yaml.compose(text, Loader=yaml.SafeLoader)], set()
    while open_nodes:
        node = open_nodes.pop()
        if not isinstance(node, yaml.CollectionNode) or id(node) in seen:  # an alias leads to the same node
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            open_nodes += node.value
            continue
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value in lines:
                raise yaml.constructor.ConstructorError(
                    problem=f"{name + ', ' if name else ''}line {line}: the key {key.value!r} stands there again "
                    f"(first in line {lines[key.value]})"
                )
            lines[str(key.value)] = line
            open_nodes.append(value)
