"""Damaged corpora: each damage is found, and the message names the place and the cause."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ser.data.corpora.corpus import Corpus
from ser.data.corpora.emodb import EmoDB
from ser.data.corpora.iemocap import IEMOCAP
from ser.data.corpora.manifest import Manifest
from ser.data.protocols.by_session import SpeakerProtocol
from ser.errors import InputError
from tests.made_up.release import Release, noise, write_wav
from tests.slow.faults.damaged_manifests import CSV, MANIFEST_DAMAGES, ROWS
from tests.slow.faults.damages import (
    Damage,
    content,
    copied,
    folder,
    gone,
    line,
    linked,
    moved,
    pipe,
    sound,
    with_other_labels,
    without_women,
)

# Paths in the small release: dialogs of two sessions, an utterance every four lines of a label file.
LABELS = "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
WAVS = "Session1/sentences/wav/Ses01F_impro01"
FIRST = f"{WAVS}/Ses01F_impro01_M000.wav"
LINE = "[0.5000 - 0.6000]\tSes01F_impro01_M000\tneu\t[2.5000, 3.0000, 2.5000]"


NAN = np.where(np.arange(3200) == 7, np.nan, 0.1)

IEMOCAP_DAMAGES: dict[str, tuple[Damage, str]] = {
    "no session": (
        gone("Session*"),
        "IEMOCAP not found in {root}: no Session1 ... Session5 (IEMOCAP) here or in IEMOCAP_full_release/",
    ),
    "no release": (shutil.rmtree, "IEMOCAP not found in {root}: no such folder"),
    "no labels": (gone("Session1/dialog"), "{root}/Session1/dialog/EmoEvaluation: missing"),
    "no audio": (gone("Session2/sentences"), "{root}/Session2/sentences/wav: missing"),
    "a session misnamed": (moved("Session2", "Session02"), "{root}/Session02: not named like a session (Session1)"),
    "a session copied": (
        lambda root: shutil.copytree(root / "Session1", root / "Session1 (copy)"),
        "{root}/Session1 (copy): not named like a session (Session1)",
    ),
    "a session under another number": (
        moved("Session2", "Session3"),
        "{root}/Session3/dialog/EmoEvaluation/Ses02F_impro01.txt: not named like a dialog of session 3",
    ),
    "no label file of a dialog": (
        gone(LABELS),
        "{root}/" + WAVS + ": audio without a label file ({root}/" + LABELS[:-4],
    ),
    "no audio of a dialog": (
        gone(WAVS),
        "{root}/" + LABELS + ":3: Ses01F_impro01_M000 has no audio file ({root}/" + FIRST,
    ),
    "a recording missing": (
        gone(FIRST),
        "{root}/" + LABELS + ":3: Ses01F_impro01_M000 has no audio file ({root}/" + FIRST,
    ),
    "a label missing": (line(LABELS, 3, ""), "{root}/" + FIRST + ": audio without a label line in {root}/" + LABELS),
    "an empty label file": (content(LABELS, lambda old: b""), "{root}/" + LABELS + ": no line with an utterance"),
    "a folder for a label file": (folder(LABELS), "{root}/" + LABELS + ": not a file"),
    "a pipe for a label file": (pipe(LABELS), "{root}/" + LABELS + ": not a file"),
    "a label file in UTF-16": (
        content(LABELS, lambda old: old.decode().encode("utf-16")),
        "{root}/" + LABELS + ":1: not UTF-8 (byte 0xff)",
    ),
    "a label file cut off": (
        content(LABELS, lambda old: old[: old.index(b"_M001") + 8]),
        "{root}/" + LABELS + ":11: malformed line",
    ),
    "a line in Latin-1": (line(LABELS, 4, "Ärger".encode("latin-1")), "{root}/" + LABELS + ":4: not UTF-8 (byte 0xc4)"),
    "spaces for tabs": (line(LABELS, 3, LINE.replace("\t", " ")), "{root}/" + LABELS + ":3: malformed line"),
    "a comma for the point": (line(LABELS, 3, LINE.replace("0.5000", "0,5000", 1)), ":3: malformed times '[0,5000 - "),
    "an end before the start": (
        line(LABELS, 3, LINE.replace("0.6", "0.4")),
        ":3: Ses01F_impro01_M000 ends at 0.4000 s",
    ),
    "an indented line": (line(LABELS, 3, " " + LINE), ":3: Ses01F_impro01_M000 is named in a line that does not begin"),
    "an unknown emotion": (line(LABELS, 3, LINE.replace("neu", "joy")), ":3: unknown emotion 'joy' (known: neu, ang, "),
    "an emotion in capitals": (line(LABELS, 3, LINE.replace("neu", "NEU")), ":3: unknown emotion 'NEU' (known: neu, "),
    "no emotion": (line(LABELS, 3, LINE.replace("neu", "")), "{root}/" + LABELS + ":3: malformed line"),
    "a name twice": (line(LABELS, 7, LINE), ":7: Ses01F_impro01_M000 was already labelled in line 3"),
    "a name of another dialog": (
        line(LABELS, 3, LINE.replace("Ses01F", "Ses01M")),
        ":3: Ses01M_impro01_M000 is not named like an utterance of dialog Ses01F_impro01",
    ),
    "a name without a speaker": (
        line(LABELS, 3, LINE.replace("M000", "X000")),
        ":3: Ses01F_impro01_X000 is not named like an utterance of dialog Ses01F_impro01",
    ),
    "a name with a field more": (
        line(LABELS, 3, LINE.replace("M000", "M_X000")),
        ":3: Ses01F_impro01_M_X000 is not named like an utterance of dialog Ses01F_impro01",
    ),
    "one speaker in a session": (without_women, "session 1 has 1 speaker(s) (Ses01M), not two"),
    "only other emotions": (
        with_other_labels,
        "data.emotions: no utterance is labelled 'neutral' (its labels: excited, other, ",
    ),
}

WAV = "wav/03a01Nb.wav"
EMODB_DAMAGES: dict[str, tuple[Damage, str]] = {
    "no recording": (
        gone("wav/*"),
        "EMO-DB not found in {root}: no recordings named like 03a01Fa.wav (EMO-DB) here or in wav/",
    ),
    "a recording misnamed": (
        moved(WAV, "wav/3a01Nb.wav"),
        "{root}/wav/3a01Nb.wav: not named like a recording of EMO-DB",
    ),
    "an unknown letter": (
        moved(WAV, "wav/03a01Xb.wav"),
        "{root}/wav/03a01Xb.wav: not named like a recording of EMO-DB",
    ),
    "samples beyond full scale": (
        sound(WAV, np.append(noise() / 8000, 1.5), subtype="FLOAT"),
        "{root}/" + WAV + ": samples reach 1.5, but full scale is 1; multiply all recordings by one factor (1/32768",
    ),
    "written into a pipe": (
        content(WAV, lambda old: old[:40] + b"\xff" * 4 + old[44:]),
        "03a01Nb.wav: of unknown length (its header promises 4294967295 bytes of samples, 3200 are there: it was "
        "written into a pipe, or its writer was stopped); write it again: ffmpeg -i FILE -c copy new.wav, or ",
    ),
    "channels of opposite sign": (
        sound(WAV, np.outer(noise(), [1, -1]).astype(np.int16)),
        "{root}/" + WAV + ": the channels cancel out (their mean is silence)",
    ),
    "an unknown speaker": (
        moved(WAV, "wav/07a01Nb.wav"),
        "{root}/wav/07a01Nb.wav: unknown speaker 07 (known: 03, 08, ",
    ),
    "a copy beside it": (copied(WAV, "wav/03a01Nb (1).wav"), "03a01Nb (1).wav: not named like a recording of EMO-DB"),
    "two with one name": (
        copied(WAV, "wav/03a01Nb.WAV"),
        "{root}/wav/03a01Nb.WAV, {root}/wav/03a01Nb.wav: the utterance name 03a01Nb is used for several recordings",
    ),
    "half a pair": (gone("wav/08*"), "session 1 has 1 speaker(s) (03), not two"),
    "only other emotions": (
        gone("wav/*[NWFT]b.wav"),
        "data.emotions: no utterance is labelled 'neutral' (its labels: bored)",
    ),
    "the built-in corpus": (
        content("ser-synthetic.json", lambda old: b"{}"),
        "{root}: holds the built-in corpus, not EMO-DB",
    ),
    "a recording empty": (content(WAV, lambda old: b""), "{root}/" + WAV + ": empty (0 bytes)"),
    "a recording without samples": (
        content(WAV, lambda old: old[:40] + bytes(4)),
        "{root}/" + WAV + ": empty (no samples)",
    ),
    "a recording cut off": (
        content(WAV, lambda old: old[:-100]),
        "{root}/" + WAV + ": truncated (its header promises 3200 bytes of samples, 3100 are there)",
    ),
    "zeros for samples": (content(WAV, lambda old: old[:44] + bytes(len(old) - 44)), "{root}/" + WAV + ": silence"),
    "samples that are no numbers": (
        sound(WAV, NAN, subtype="FLOAT"),
        "{root}/" + WAV + ": has samples that are not finite",
    ),
    "a recording too short": (
        sound(WAV, noise(0.039)),
        "{root}/" + WAV + ": shorter than one analysis window (39.0 ms",
    ),
    "a recording too long": (sound(WAV, np.tile(noise(1), 601)), "{root}/" + WAV + ": longer than 600 s (601 s)"),
    "an impossible rate": (
        sound(WAV, noise(), 1000),
        "{root}/" + WAV + ": its sample rate of 1000 Hz cannot be converted",
    ),
    "a text for a recording": (content(WAV, lambda old: b"RIFF\n" * 99), "{root}/" + WAV + ": unreadable ("),
    "a header of zeros": (content(WAV, lambda old: bytes(44) + old[44:]), "{root}/" + WAV + ": unreadable ("),
    "a flipped bit in a header": (
        content(WAV, lambda old: old[:24] + b"\x81" + old[25:]),
        "{root}/" + WAV + ": unreadable (its header contradicts itself: 1 channel(s) of 16 bits at 16001 Hz",
    ),
    "a folder for a recording": (folder(WAV), "{root}/" + WAV + ": not a file"),
    "a pipe for a recording": (pipe(WAV), "{root}/" + WAV + ": not a file"),
    "a link to nothing": (linked("nothing", WAV), "{root}/" + WAV + ": missing"),
    "a link to itself": (linked(WAV, WAV), "{root}/" + WAV + ": unreadable (Too many levels of symbolic links)"),
}


@pytest.fixture(scope="module")
def sound_corpora(tmp_path_factory) -> Path:
    """One small undamaged corpus of each layout."""
    root = tmp_path_factory.mktemp("sound")
    Release(root / "iemocap")
    for speaker in ("03", "08", "10", "09"):
        for letter in "NWFTL":
            write_wav(root / "emodb" / "wav" / f"{speaker}a01{letter}b.wav", noise())
    for name in range(4):
        write_wav(root / "manifest" / f"{name}.wav", noise())
    (root / "manifest" / CSV).write_text("\n".join(ROWS) + "\n")
    return root


LAYOUTS: dict[str, tuple[Callable[[Path], Corpus], dict[str, tuple[Damage, str]]]] = {
    "iemocap": (lambda root: IEMOCAP(str(root)), IEMOCAP_DAMAGES),
    "emodb": (lambda root: EmoDB(str(root)), EMODB_DAMAGES),
    "manifest": (lambda root: Manifest(str(root / CSV)), MANIFEST_DAMAGES),
}
DAMAGES = [(layout, case) for layout, (_, damages) in LAYOUTS.items() for case in damages]


def test_the_corpora_are_sound_before_they_are_damaged(sound_corpora):
    for layout, (corpus, _) in LAYOUTS.items():
        assert len(corpus(sound_corpora / layout).utterances()) == {"iemocap": 16, "emodb": 16, "manifest": 4}[layout]
    assert len(DAMAGES) >= 48


@pytest.mark.parametrize(("layout", "case"), DAMAGES)
def test_a_damage_is_found_and_named(sound_corpora, tmp_path, layout, case):
    corpus, damages = LAYOUTS[layout]
    damage, message = damages[case]
    root = tmp_path / layout
    shutil.copytree(sound_corpora / layout, root)
    damage(root)
    with pytest.raises(InputError) as caught:
        SpeakerProtocol().num_folds(corpus(root).utterances())
    assert message.replace("{root}", str(root)) in str(caught.value)
