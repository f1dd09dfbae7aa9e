"""Damaged manifests: what is done to a sound one, and what the message says."""

from ser.emotions import PAPER_EMOTIONS
from tests.slow.faults.damages import Damage, content, folder, gone, line, linked, text

CSV = "corpus.csv"
ROWS = [
    "utterance,path,session,speaker,emotion",
    *(f"{name},{name}.wav,{1 + name // 2},s{name},{emotion}" for name, emotion in enumerate(PAPER_EMOTIONS)),
]
MANIFEST_DAMAGES: dict[str, tuple[Damage, str]] = {
    "no file": (gone(CSV), "manifest not found in {root}/corpus.csv: no such file"),
    "a folder for it": (folder(CSV), "manifest not found in {root}/corpus.csv: not a file"),
    "an empty file": (content(CSV, lambda old: b""), "{root}/corpus.csv: empty"),
    "only the header": (
        content(CSV, lambda old: old[: old.index(b"\n")]),
        "{root}/corpus.csv: no labelled utterance found",
    ),
    "no header": (
        line(CSV, 1, ""),
        "{root}/corpus.csv:2: no column path, speaker, emotion (needed: ",
    ),
    "a column missing": (
        text(CSV, ",speaker,", ",person,"),
        "{root}/corpus.csv:1: no column speaker (needed: path, ",
    ),
    "a column twice": (text(CSV, ",speaker,", ",path,speaker,"), "{root}/corpus.csv:1: two columns with the same name"),
    "another separator": (
        text(CSV, ",", "|"),
        "{root}/corpus.csv:1: no column path, speaker, emotion (needed: path, speaker, emotion; "
        "read with the separator ',')",
    ),
    "UTF-16": (content(CSV, lambda old: old.decode().encode("utf-16")), "{root}/corpus.csv:1: not UTF-8 (byte 0xff)"),
    "Latin-1": (
        line(CSV, 3, "J\u00e4ger,1.wav,1,s1,sad".encode("latin-1")),
        "{root}/corpus.csv:3: not UTF-8 (byte 0xe4)",
    ),
    "a cell too few": (line(CSV, 3, "1,1.wav,1,s1"), "{root}/corpus.csv:3: 4 cells, but the header has 5"),
    "a cell too many": (line(CSV, 3, "1,1,5.wav,1,s1,sad"), "{root}/corpus.csv:3: 6 cells, but the header has 5"),
    "an empty cell": (line(CSV, 3, "1,1.wav,,s1,sad"), "{root}/corpus.csv:3: column session is empty"),
    "an open quote": (
        line(CSV, 5, '"3,3.wav,2,s3,sad'),
        "{root}/corpus.csv:5: not a line of CSV (unexpected end of data)",
    ),
    "a huge cell": (line(CSV, 3, "1" * 200_000 + ROWS[2]), "{root}/corpus.csv:3: not a line of CSV (field larger than"),
    "a NUL in a path": (
        line(CSV, 3, "1,1\0.wav,1,s1,sad"),
        "{root}/corpus.csv:3: '{root}/1\\x00.wav': unreadable (embedded null",
    ),
    "an emotion misspelt": (
        text(CSV, "happy", "hapy"),
        "data.emotions: no utterance is labelled 'happy'; did you mean hapy? (its labels: angry, hapy, neutral, sad)",
    ),
    "only other emotions": (
        lambda root: [text(CSV, word, "joy")(root) for word in PAPER_EMOTIONS],
        "data.emotions: no utterance is labelled 'neutral' (its labels: joy)",
    ),
    "an emotion in capitals": (
        text(CSV, "sad", "Sad"),
        "no utterance is labelled 'sad'; did you mean Sad? (its labels",
    ),
    "no emotion": (text(CSV, ",sad", ","), "{root}/corpus.csv:5: column emotion is empty"),
    "a name twice": (line(CSV, 3, "0,1.wav,1,s1,sad"), "{root}/corpus.csv:3: utterance 0 was already given in line 2"),
    "a path twice": (
        line(CSV, 3, "1,0.wav,1,s1,sad"),
        "{root}/corpus.csv:3: path {root}/0.wav was already given in line 2",
    ),
    "a link to another path": (
        linked("0.wav", "1.wav"),
        "{root}/corpus.csv:3: path {root}/1.wav was already given in line 2",
    ),
    "a recording missing": (gone("1.wav"), "{root}/corpus.csv:3: {root}/1.wav: missing"),
    "a recording that is none": (
        content("1.wav", lambda old: b"x" * 99),
        "{root}/corpus.csv:3: {root}/1.wav: unreadable (Format",
    ),
    "one speaker in a session": (text(CSV, "s1", "s0"), "session 1 has 1 speaker(s) (s0), not two"),
    "three speakers in a session": (
        text(CSV, "2,s2", "1,s2"),
        "session 1 has 3 speaker(s) (s0, s1, s2)",
    ),
    "a speaker in two sessions": (
        text(CSV, "s2", "s1"),
        "speaker s1 appears in sessions 1, 2; folds would",
    ),
    "an unknown dialog half": (
        lambda root: [
            text(CSV, old, new)(root)
            for old, new in [("emotion\n", "emotion,dialog_half\n"), *((word, f"{word},X") for word in PAPER_EMOTIONS)]
        ],
        "{root}/corpus.csv:2: dialog_half is 'X', but must be F, M or empty",
    ),
}
