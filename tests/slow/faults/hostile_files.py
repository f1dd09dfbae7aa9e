"""Files that pass for checkpoints: archives, pickles and entries that no training has written."""

import os
import pickle
import struct
import zipfile

import torch

from ser.systems import CNNGRU

SMALL = {"gru_units": 4, "dense_units": 4}


def sound(**changes) -> dict:
    """A valid checkpoint with changed entries."""
    people = {name: [f"elsewhere:{name}"] for name in ("train", "val", "test")}
    system = CNNGRU(**SMALL)
    checkpoint = {
        "system": "CNNGRU",
        "hyper_parameters": dict(system.hparams),
        "state_dict": dict(system.state_dict()),
        "speakers": people,
        "recordings": people,
        "standardised_by": "train",
        "epoch": 0,
        "global_step": 1,
    }
    return {**checkpoint, **changes}


def initial(**sets) -> dict:
    heard = {"train": [], "val": [], **sets}
    return {"speakers": heard, "recordings": heard, "complete": True}


def with_weight(tensor, name="branches.gru.head.3.bias") -> dict:
    checkpoint = sound()
    checkpoint["state_dict"][name] = tensor
    return checkpoint


class Touch:
    """Creates a file when unpickled."""

    def __init__(self, marker) -> None:
        self.marker = str(marker)

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def write_pickle(path, marker):
    torch.save(sound(epoch=Touch(marker)), path)


def write_bare_pickle(path, marker):
    path.write_bytes(pickle.dumps(sound(epoch=Touch(marker))))


def write_legacy(path, marker):
    torch.save(sound(epoch=Touch(marker)), path, _use_new_zipfile_serialization=False)


def write_script(path, marker):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("script/constants.pkl", pickle.dumps(Touch(marker)))
        archive.writestr("script/data.pkl", pickle.dumps(Touch(marker)))
        archive.writestr("script/version", "3\n")


def write_bomb(path, marker):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", bytes(2**24))


def write_truncated(path, marker):
    torch.save(sound(), path)
    path.write_bytes(path.read_bytes()[:-2000])


def write_pipe(path, marker):
    os.mkfifo(path)


def write_folder(path, marker):
    path.mkdir()


def write_loop(path, marker):
    path.symlink_to(path)


def write_deep(path, marker):
    """A hundred thousand nested lists: too deep for Python to write, but not to read."""
    word = b"X%s%s" % (len(b"sizes").to_bytes(4, "little"), b"sizes")
    lists = b"(" + word + b"]" * 100_000 + b"a" * 99_999 + b"u"
    torch.save(sound(hyper_parameters={}), path)
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    name = next(name for name in entries if name.endswith("data.pkl"))
    key = entries[name].index(b"hyper_parameters")
    place = entries[name].index(b"}", key) + 1
    end = place + 2 if entries[name][place : place + 1] == b"q" else place + 5  # after BINPUT or LONG_BINPUT
    entries[name] = entries[name][:end] + lists + entries[name][end:]
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)


def write_two_directories(path, marker):
    """A pickle that grows a thousandfold according to the directory that torch reads, but not to that of `zipfile`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", b"\x80\x02" + b"N0" * 2_000_000 + b"N.")
        archive.writestr("x/version", "3\n")
    content = path.read_bytes()
    end = content.rindex(b"PK\5\6")
    size, offset = struct.unpack_from("<II", content, end + 12)
    directory = content[offset : offset + size]
    sizes = [struct.pack("<I", entry.file_size) for entry in zipfile.ZipFile(path).infolist()]
    harmless = directory
    for each in sizes:
        harmless = harmless.replace(each, struct.pack("<I", 1))
    path.write_bytes(content[:offset] + directory + harmless + content[end:])


def endless_list() -> list:
    endless = []
    endless.append(endless)
    return endless


def saved(checkpoint):
    return lambda path, marker: torch.save(checkpoint(), path)


def without(*names):
    return saved(lambda: {name: value for name, value in sound().items() if name not in names})
