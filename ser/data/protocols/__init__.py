"""Protocols by name: who trains, who validates and who is tested in each fold."""

from ser.data.protocols.by_file import SplitProtocol
from ser.data.protocols.by_session import HalvesProtocol, SessionProtocol, SpeakerProtocol
from ser.data.protocols.by_speaker import OneSpeakerProtocol, SpeakerGroupsProtocol
from ser.data.protocols.protocol import Protocol
from ser.errors import InputError

__all__ = ["PROTOCOLS", "Protocol", "make_protocol"]

PROTOCOLS: dict[str, type[Protocol]] = {
    each.name: each
    for each in (
        *(SpeakerProtocol, HalvesProtocol, SessionProtocol),
        *(OneSpeakerProtocol, SpeakerGroupsProtocol, SplitProtocol),
    )
}


def make_protocol(
    name: str, test_halves: str = "MMFFF", num_folds: int | None = None, splits: str | None = None
) -> Protocol:
    """The protocol of this name, with its own option.

    Raises:
        InputError: for an unknown name, an option that is missing, or one of another protocol.
    """
    if name not in PROTOCOLS:
        raise InputError(f"protocol is {name!r}, but must be one of {', '.join(PROTOCOLS)}")
    chosen, options = PROTOCOLS[name], {"num_folds": num_folds, "splits": splits}
    for option, value in options.items():
        if option == chosen.option and value is None:
            raise InputError(f"protocol {name} needs data.{option}")
        if option != chosen.option and value is not None:
            owner = next(each.name for each in PROTOCOLS.values() if each.option == option)
            raise InputError(f"data.{option} is {value!r}, but belongs to protocol {owner}; the protocol is {name}")
    value = (options | {"test_halves": test_halves}).get(chosen.option)
    return chosen() if chosen.option is None else chosen(value)
