"""`ser protocol NAME --data.corpus.root FOLDER`: show the sets of each fold, their speakers, and what they share."""

import argparse
import json

import pandas as pd
from jsonargparse import DefaultHelpFormatter

from ser.audio.waveforms import Waveforms
from ser.data.corpora.corpus import Corpus
from ser.data.corpora.release import absolute
from ser.data.folds import fold_warnings
from ser.data.labels import Labels
from ser.data.leaks import recording_digests
from ser.data.protocols import PROTOCOLS, Protocol, make_protocol
from ser.data.protocols.by_file import SplitProtocol
from ser.data.split_report import describe, report
from ser.data.splits import read_split
from ser.emotions import PAPER_EMOTIONS, by_label
from ser.errors import InputError
from ser.files import new_file, write_text
from ser.training.options.arguments import files_first
from ser.training.options.configuration import restrict
from ser.training.options.parser import ClassParser

ABOUT = "\n".join(f"  {name:16}{each.about}" for name, each in PROTOCOLS.items())
DESCRIPTION = f"""The training, validation and test sets of every fold of a protocol: their speakers, their utterances
per emotion, and the speakers, dialogs, utterances and recordings (by content) that they share.

protocols, as --data.protocol of ser fit and ser crossval:
{ABOUT}
speaker, wu2019 and session need a corpus with sessions, and no speaker in two of them.

  ser protocol wu2019 --data.corpus.root DIR             IEMOCAP, the test sets of the paper's Table 2
  ser protocol wu2019 --data.corpus.root DIR --data.test_halves MMFFM             those of its Table 3
  ser protocol speaker --data emodb --data.corpus.root DIR                       another corpus
  ser protocol speaker_groups --data.num_folds 6 --data manifest --data.corpus.csv FILE
  ser protocol speaker --data.corpus.root DIR --out folds.csv             also write the split itself
  ser protocol --splits mine.csv --data.corpus.root DIR                          check your own split
  ser protocol split --splits mine.csv --data.corpus.root DIR    the sets that a training on it would use

exit codes: 0 no leaks; 1 the sets share more than the protocol allows; 2 invalid input"""


class ProtocolData:
    """The corpus to split.

    Args:
        corpus: where the utterances come from.
        emotions: labels to use, in the order of the tables.
        merge: labels that count as another emotion, as {excited: happy}.
        test_halves: the tested dialog half of each session under wu2019; MMFFF gives Table 2, MMFFM Table 3.
        num_folds: number of groups under speaker_groups.

    Raises:
        InputError: if `test_halves` has other letters than F and M, under any protocol.
    """

    def __init__(
        self,
        corpus: Corpus,
        emotions: list[str] = PAPER_EMOTIONS,
        merge: dict[str, str] | None = None,
        test_halves: str = "MMFFF",
        num_folds: int | None = None,
    ) -> None:
        if not test_halves or set(test_halves) - set("FM"):
            raise InputError(f"test_halves is {test_halves!r}, but must be one F or M for each session")
        self.corpus, self.labels = corpus, Labels(emotions, merge)
        self.test_halves, self.num_folds = test_halves, num_folds


def main(arguments: list[str]) -> int:
    """Run `ser protocol ARGUMENTS`.

    Returns:
        0 if there are no leaks, else 1.

    Raises:
        InputError: if an option, the corpus, the split file or `--out` cannot be used.
    """
    parser = _parser()
    settings = parser.read(files_first(arguments))
    if not settings.name and not settings.splits:
        parser.error(f"give a protocol ({', '.join(PROTOCOLS)}) or your own split (--splits FILE.csv)")
    out = new_file("--out", absolute(settings.out), (".json", ".csv")) if settings.out else None
    protocol, audited = settings.name or "speaker", settings.splits and settings.name != SplitProtocol.name
    own = read_split(absolute(settings.splits)) if audited else None
    data = parser.build(settings).data
    rules: type[Protocol] | Protocol = PROTOCOLS[protocol]
    if not own:
        rules = make_protocol(protocol, data.test_halves, data.num_folds, settings.splits)
    utterances, left_out = data.corpus.select(data.labels)
    halves = None if own else rules.test_halves
    remarks: list[tuple[int | str, list[str]]] = []
    if own:
        sets, title = own.sets(utterances, data.corpus.names()), f"Split {own.file} by the rules of protocol {protocol}"
    else:
        rules.known = data.corpus.names
        numbers = {fold: rules.fold_name(fold) or fold for fold in range(1, rules.num_folds(utterances) + 1)}
        sets = {name: rules.sets(utterances, fold) for fold, name in numbers.items()}
        remarks = [(name, rules.remarks(utterances, fold)) for fold, name in numbers.items()]
        title = f"Protocol {protocol}" + (f", test halves {halves}" if halves else "")
    digests = None if settings.no_audio else recording_digests(Waveforms(utterances), len(utterances))
    folds = {name: utterances.assign(set=column) for name, column in sets.items()}
    about = {"corpus": data.corpus.name, "protocol": protocol, "test_halves": halves, "own_split": bool(own)}
    about |= {"audio_compared": digests is not None, **describe(folds, digests, rules, data.labels.emotions)}
    about["warnings"] += fold_warnings(remarks)
    print(f"{title}\n{data.corpus.name} in {data.corpus.location}: {len(utterances)} utterances\n")
    if left_out:
        print(f"Other labels, left out: {by_label(left_out)}.\n")
    print(report(about))
    if out:
        new_file("--out", out)  # reading the audio takes a while, and the file may exist by now
    if out and out.suffix == ".json":
        write_text(out, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    elif out:
        columns = ["fold", "utterance", "set", "session", "speaker", "emotion"]
        table = pd.concat([utterances.assign(fold=name) for name, utterances in folds.items()])
        write_text(out, table[table.set != ""][columns].to_csv(index=False, lineterminator="\n"))
    return 1 if any(fold["leaks"] for fold in about["folds"]) else 0


class _Help(argparse.RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Keeps the line breaks of the examples."""


def _parser() -> ClassParser:
    restrict()
    parser = ClassParser(prog="ser protocol", description=DESCRIPTION, formatter_class=_Help)
    parser.add_argument(
        "name",
        nargs="?",
        choices=[*PROTOCOLS],
        help="The protocol; with --splits, the one whose rules apply (speaker), or split for the sets of a training.",
    )
    parser.add_class_arguments(ProtocolData, "data", sub_configs=True)
    parser.set_defaults({"data.corpus": {"class_path": "ser.data.IEMOCAP"}})
    parser.add_argument(
        "--splits",
        type=str | None,
        metavar="FILE",
        help="Your own split, CSV: columns utterance, set (train, val or dev, test) and, for several folds, fold.",
    )
    parser.add_argument(
        "--no-audio", "--no_audio", action="store_true", help="Do not compare the contents of the recordings."
    )
    parser.add_argument(
        "--out",
        type=str | None,
        metavar="FILE",
        help="Also write .json (everything shown here) or .csv (the split itself, as --splits reads it).",
    )
    return parser
