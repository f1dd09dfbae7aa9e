"""The names of a result's protocol and fold in texts and tables."""

from collections.abc import Mapping


def protocol_of(about: Mapping) -> str:
    """The protocol, and whether the sets leak.

    Args:
        about: a run's or a pooled `result.json`; older ones have no entry `leaks`.

    Example:
        >>> protocol_of({"protocol": "split", "leaks": ["train and test share 1 speaker: 03"]})
        'split (leaks)'
    """
    return f"{about['protocol']} (leaks)" if about.get("leaks") else about["protocol"]


def fold_of(about: Mapping) -> str:
    """The number of a run's fold, and its name in the user's file if it has one.

    Example:
        >>> fold_of({"fold": 2, "fold_name": "b"}), fold_of({"fold": 2})
        ("2 ('b')", '2')
    """
    name = about.get("fold_name")
    return f"{about['fold']}" + (f" ({name!r})" if name else "")
