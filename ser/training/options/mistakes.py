"""Error messages about options: the option, the nearest known one, the file and line."""

import re

from jsonargparse import ArgumentParser

from ser.errors import nearest
from ser.training.options.arguments import option_names
from ser.training.options.configuration import ALLOWED

HINT = "(all options"  # start of the line about --help, which a nested parser has already added
UNKNOWN = (
    r"unrecognized arguments: (?:--)?([^\s=]+)",
    r"[Oo]ption '([^']+)'",  # "is not accepted" by a class, "Subcommand does not accept" it
    r"(\S+): no such option(?:; did you mean (\S+)\?)?",  # from a nested parser
)
NOISE = (
    r"Does not validate against any of the Union subtypes|Subtypes: .*|Errors:|Given value type: .*",
    r"- Expected a <class 'NoneType'>|Given value: NestedArg.*|Given value: [{\[].*|" + re.escape(HINT) + ".*",
)
CLASS = "class_path"  # in messages about classes with options
IN_WORDS = {
    r"<class '(?:\w+\.)*(\w+)'>": r"\1",
    r"typing\.Literal\[(.*)\]": r"one of \1",
    r"Expected a ": "expected ",
    r"\. Got value: ": ", got ",
    r"(expected str, got (?:[\d.]+|True|False|None))$": r"\1; put text in quotes",  # YAML reads no as False
}


def explain(message: str, parser: ArgumentParser, places: dict[str, str]) -> str:
    """Rewrite a message of jsonargparse for the user.

    Args:
        parser: the parser that raised the error; the nested parser of a class has the options of that class.
        places: file and line of the options in configuration files (`ser.training.options.configuration.check_files`).
    """
    message = re.sub(r"Group '([^']+)' does not accept option '", r"Option '\1.", message)
    message = re.sub(r"Call to compute_fn of link .*? failed: ", "", message, flags=re.DOTALL)
    keys = list(dict.fromkeys(re.findall(r'Parser key "([^"]+)"', message)))
    keys = [key for key in keys if not any(other.startswith(f"{key}.") for other in keys)]  # without parent keys
    nested = re.search(r"NestedArg\(key='([^']+)'", message)  # option of a plain value or of an unnamed class
    if nested and not re.search(rf"\b{re.escape(nested[1])}\b", message.replace(nested[0], "")):
        named = f"; first name a class that has it: --{'.'.join(keys)} CLASS" if CLASS in message else ""
        return f"{'.'.join([*keys, nested[1]])}: no such option{named}"
    if "import path denylist" in message:
        named = message.partition("Importing '")[2].partition("'")[0]
        if (value := message.partition("Given value: ")[2]) and named.rpartition(".")[2] not in value:
            option = ".".join(keys)
            return (
                f"{option}: options without a class; first name a class that has them: class_path in a file, "
                f"--{option} CLASS on the command line"
            )
        if named.startswith("lightning.pytorch.loggers"):
            return f"trainer.logger is {named}, but ser sets it itself; use --wandb.mode"
        return (
            f"{named}: a configuration can name only classes of {', '.join(ALLOWED)}, and none that calls functions "
            "named in the file"
        )
    if shortened := re.search(r"ambiguous option: (\S+) could match (.*)", message):
        names = [name for name in shortened[2].split(", ") if not name.endswith("+")]
        return f"{shortened[1]}: no such option; did you mean {' or '.join(names)}?"
    for form in UNKNOWN:
        if found := re.search(form, message):
            return _unknown(keys, *found.groups(), parser=parser, places=places)
    return _plain(message, keys)


def _plain(message: str, keys: list[str]) -> str:
    """A message about a value: the option, then what was expected."""
    lines = re.sub(r"(?:- )?Parser key \"[^\"]+\"(?: element \d+)?:", "", message).splitlines()
    useful = [line for line in lines if line.strip() and not re.fullmatch(rf" *(?:{'|'.join(NOISE)})", line)]
    text = "\n".join(useful)
    for form, words in IN_WORDS.items():
        text = re.sub(form, words, text)
    text = re.sub(r"^ *- (expected .*)\n *Given value: (.*)$", r"\1, got \2", text)  # of an option that can be null
    name = ".".join(keys)
    if "\n" in text or not name:
        return f"{name}:\n{text}" if name else text
    inner = re.fullmatch(r"([\w.]+): (.*)", rest := text.strip().removeprefix("- "))  # from a nested parser
    return f"{name}.{rest}" if inner else f"{name}: {rest}"


def _unknown(
    keys: list[str], option: str, near: str | None = None, *, parser: ArgumentParser, places: dict[str, str]
) -> str:
    if near:
        suggestion = f"; did you mean {'.'.join([*keys, near])}?"
    else:
        suggestion = "" if keys else nearest(option, [name.removeprefix("--") for name in option_names(parser)])
    name = ".".join([*keys, option])
    return f"{f'{places[name]}: ' if name in places else ''}{name}: no such option{suggestion}"
