"""The keys of a YAML text: their places, and a check that they are unique."""

from collections.abc import Iterator

import yaml

WHOLE_NUMBER = "tag:yaml.org,2002:int"
MOST_CHARACTERS = 1000  # of a number: Python can read longer ones in some notations, but not print them

Place = tuple[int, yaml.Node]  # line and value of a key


def check_keys(text: str, name: str = "") -> dict[str, Place]:
    """Refuse duplicate keys, nested or dotted ("data: {fold: 1}" and "data.fold: 2"), and aliases.

    The second of two equal keys would silently win. An alias can contain itself, or expand beyond any memory.

    Returns:
        Line and value of every key, by its name on the command line.

    Raises:
        yaml.YAMLError: with file, line and key; also for text that is not YAML.

    Example:
        >>> check_keys("a: {b: 1}\\nc: 2\\na: 3", "x.yaml")
        Traceback (most recent call last):
        yaml.constructor.ConstructorError: x.yaml:3: duplicate key 'a' (first in line 1)
    """
    found: dict[str, Place] = {}
    for full, key, value in sorted(_keys(text, name), key=lambda each: each[1].start_mark.index):
        if full in found:
            raise _refusal(key, name, f"duplicate key {key.value!r} (first in line {found[full][0]})")
        found[full] = key.start_mark.line + 1, value
    return found


def _keys(text: str, name: str) -> Iterator[tuple[str, yaml.ScalarNode, yaml.Node]]:
    """Every key with its name on the command line; each value is visited once, since aliases are refused."""
    seen: set[int] = set()
    open_nodes = [("", yaml.compose(text, Loader=yaml.SafeLoader))]
    while open_nodes:
        prefix, node = open_nodes.pop()
        if id(node) in seen:
            raise _refusal(node, name, "an alias (*) uses this value again, which is not supported; repeat the value")
        seen.add(id(node))
        if node is not None and node.tag == WHOLE_NUMBER and len(node.value) > MOST_CHARACTERS:
            raise _refusal(node, name, f"a number of {len(node.value)} characters")
        if isinstance(node, yaml.SequenceNode):
            open_nodes += [(f"{prefix}[{number}].", value) for number, value in enumerate(node.value)]
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal(key, name, "a key that is not one word")
            *way, last = (prefix + key.value).split(".")
            full = ".".join([*(part for part in way if part != "init_args"), last])
            open_nodes.append((f"{full.removesuffix('.init_args')}.", value))
            yield full, key, value


def _refusal(node: yaml.Node, name: str, cause: str) -> yaml.YAMLError:
    place = f"{name}:" if name else "line "
    return yaml.constructor.ConstructorError(problem=f"{place}{node.start_mark.line + 1}: {cause}")
