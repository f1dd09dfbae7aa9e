"""Reading of configuration files, restricted to plain values, unique keys and the classes that a run is made of."""

import re
from itertools import pairwise
from pathlib import Path

import yaml
from jsonargparse import get_loader, set_loader, set_parsing_settings

from ser.errors import InputError
from ser.training.options.arguments import FILES
from ser.training.options.yaml_keys import Place, check_keys

# Importing runs code, so a file can name only these modules.
ALLOWED = (
    *("ser.data", "ser.systems"),
    *(f"lightning.pytorch.{part}" for part in ("accelerators", "callbacks", "plugins", "profilers")),
    "lightning.pytorch.strategies",
)
DENIED = ("*", "lightning.pytorch.callbacks.lambda_function")  # the second calls any function named in a file

NOTHING = "tag:yaml.org,2002:null"
SUFFIXES = (".yaml", ".yml")
_read_plain = get_loader("yaml")


def restrict() -> None:
    """Restrict every parser of this process to local files, unique keys and the classes of `ALLOWED`.

    Call it after importing Lightning's CLI: the import enables URLs.
    """
    set_parsing_settings(
        config_read_mode_fsspec_enabled=False,
        config_read_mode_urls_enabled=False,
        instantiate_subclass_spec_in_any=False,
        import_path_denylist=list(DENIED),
        import_path_allowlist=list(ALLOWED),
    )
    set_loader("yaml", _read_strictly, (yaml.YAMLError,))


def _read(text: str, name: str = "") -> tuple[object, dict[str, Place]]:
    """The values of a YAML text and the places of its keys; an empty text has no keys."""
    places = check_keys(text, name)
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    empty = node is None or (node.tag == NOTHING and not node.value)
    return ({} if empty else _read_plain(text)), places


def _read_strictly(text: str) -> object:
    try:
        return _read(text)[0]
    except (ValueError, RecursionError) as error:  # a number, a date or a depth that Python cannot read
        raise yaml.YAMLError(f"unreadable YAML: {error}") from error


def read_yaml(path: Path) -> dict:
    """Keys and values of a YAML file, read as by `--config`: plain types only, unique keys.

    Raises:
        InputError: with the file, and the line if known.
    """
    return _read_file(path)[0]


def _read_file(path: Path) -> tuple[dict, dict[str, Place]]:
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        written, places = _read(text, str(path))
        if isinstance(written, str):  # the loader's result for keys without values
            written = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not YAML: not UTF-8 (byte 0x{error.object[error.start]:02x})") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(_describe(error, text, str(path))) from error
    if not isinstance(written, dict):
        raise InputError(f"{path}: not a mapping of keys to values")
    return written, places


def _describe(error: Exception, text: str, name: str) -> str:
    """The line and the cause of a YAML error."""
    if isinstance(error, yaml.reader.ReaderError):
        line, cause = text.count("\n", 0, error.position), f"not YAML: {error.reason} (#x{error.character:04x})"
    elif not isinstance(error, yaml.MarkedYAMLError):
        return f"{name}: not YAML: {error}"
    elif error.problem_mark is None:  # the message contains the place
        return str(error)
    else:
        line = error.problem_mark.line
        if re.match(" *\t", "".join(text.splitlines()[line : line + 1])):
            cause = "a tab; YAML is indented with spaces"
        elif error.problem == "but found another document":
            cause = "a second document begins; a file holds one configuration"
        else:
            cause = f"not YAML: {', '.join(part for part in (error.context, error.problem) if part)}"
    return f"{name}:{line + 1}: {cause}"


def check_files(arguments: list[str]) -> dict[str, str]:
    """Read the configuration files of a command line, and the files that these refer to.

    Returns:
        The place ("FILE:LINE") of each option, by its name on the command line.

    Raises:
        InputError: with the file, and the line if known.
    """
    found: dict[str, str] = {}
    for word, after in pairwise([*arguments, ""]):
        name, equals, value = word.partition("=")
        value = value if equals else after
        if name.startswith("-") and (name in FILES or value.endswith(SUFFIXES)):
            prefix = "" if name in ("-c", "--config") else f"{name.removeprefix('--')}."
            _check_file(Path(value).expanduser(), prefix, found, ())
    return found


def _check_file(path: Path, prefix: str, found: dict[str, str], above: tuple[Path, ...]) -> None:
    if path in above or not path.is_file():  # a pipe can be read only once
        return
    for name, (line, value) in _read_file(path)[1].items():
        full = re.sub(r"\[\d+\]", "", f"{prefix}{name}")
        found[full] = f"{path}:{line}"
        if isinstance(value, yaml.ScalarNode) and value.value.endswith(SUFFIXES):
            _check_file(path.parent / value.value, f"{full}.", found, (*above, path))


class _Dumper(yaml.SafeDumper):
    """Quotes text that `--config` would read as a number: 1e-4, ._0 or ._"""


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"([-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+|\.[0-9_]+([eE][-+][0-9]+)?)$"),
    list("-+0123456789."),
)


def to_yaml(config: dict) -> str:
    """A configuration as YAML text that reads back unchanged."""
    return yaml.dump(config, Dumper=_Dumper, sort_keys=False)
