"""`ser corpus check FOLDER`: list the contents of a corpus and its problems.
`ser corpus manifest KIND FOLDER`: write the manifest of a public corpus.
`ser corpus synth FOLDER`: write the built-in corpus.
`ser corpus cache [--empty]`: list or empty the cache of converted recordings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ser.errors import InputError
from ser.paths import expand_home
from ser.training.options.arguments import Parser

if TYPE_CHECKING:
    from ser.data.corpora.corpus import Corpus
    from ser.data.labels import Labels


def main(argv: list[str]) -> int:
    """Run `ser corpus ARGV`.

    Returns:
        0 if the corpus has no problems, else 2.

    Raises:
        InputError: if the path is not a corpus, or the corpus cannot be written.
    """
    options = expand_home(_parser().parse_args(argv))
    return options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="ser corpus",
        description="Check, describe or write a corpus; list the cache.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    check = commands.add_parser("check", help="list the contents of a corpus and its problems, with file and line")
    check.add_argument("path", metavar="PATH", help="folder of IEMOCAP or EMO-DB, or a manifest (CSV)")
    check.add_argument("--kind", help="iemocap, emodb or manifest (default: detected from the files)")
    check.add_argument(
        "--style", choices=["improvised", "scripted", "all"], help="IEMOCAP: dialogs to use (default: improvised)"
    )
    check.add_argument("--merge-excited", action="store_true", help="IEMOCAP: count excited as happy")
    check.add_argument(
        "--emotions",
        metavar="LIST",
        help="labels to use, as neutral,happy (default: all; with --merge, the paper's four, as for data.emotions)",
    )
    check.add_argument("--merge", metavar="MAP", help="labels that count as another, as excited=happy,calm=neutral")
    check.set_defaults(run=_check)

    _add_manifest(commands)

    synth = commands.add_parser("synth", help="write the built-in corpus")
    synth.add_argument("folder", metavar="FOLDER", help="a new or empty folder, or one written by this command")
    synth.add_argument("--utterances-per-speaker", type=int, metavar="N", help="improvised utterances per speaker")
    synth.add_argument("--seed", type=int, metavar="N", help="seed of the voices and sentences")
    synth.set_defaults(run=_synth)

    cache = commands.add_parser("cache", help="list or empty the cache of converted recordings")
    cache.add_argument("--empty", action="store_true", help="remove them (not while a training reads them)")
    cache.set_defaults(run=_cache)
    return parser


def _add_manifest(commands: argparse._SubParsersAction) -> None:
    folder = Path(__file__).parents[1] / "data" / "manifests"
    kinds = sorted(path.stem for path in folder.glob("[a-z]*.py"))
    manifest = commands.add_parser(
        "manifest",
        help="write the manifest (CSV) of a public corpus from the names of its files",
        description="Write the manifest (CSV) of a public corpus with the columns utterance, path, speaker, gender and "
        "emotion, taken from the names of its .wav files; no audio is read. All its emotions are listed, in the "
        "words of data.emotions. Paths are relative to the manifest if the recordings are in its folder or below.",
    )
    manifest.add_argument("kind", metavar="KIND", help=", ".join(kinds))
    manifest.add_argument("folder", metavar="FOLDER", help="folder of the recordings, which may have subfolders")
    manifest.add_argument("--out", metavar="FILE.csv", required=True, help="a new file, in an existing folder")
    manifest.set_defaults(run=_manifest, kinds=kinds)


def _manifest(options: argparse.Namespace) -> int:
    if options.kind not in options.kinds:
        raise InputError(f"{options.kind}: no such public corpus; choose from {', '.join(options.kinds)}")
    from ser.data.manifests._writing import write_manifest

    print(write_manifest(options.kind, options.folder, options.out))
    return 0


def _check(options: argparse.Namespace) -> int:
    from ser.data.corpora.summary import census

    report = census(_corpus(options), _labels(options))
    print(report)
    return 2 if report.problems else 0


def _labels(options: argparse.Namespace) -> Labels | None:
    """The chosen labels; None for all.

    Raises:
        InputError: if they cannot be used.
    """
    from ser.data.labels import Labels

    if options.emotions is None and options.merge is None:
        return None
    pairs = [pair.partition("=") for pair in (options.merge or "").split(",") if pair.strip()]
    if unsound := ["".join(pair) for pair in pairs if not pair[1]]:
        raise InputError(f"--merge: {unsound[0]!r} is not of the form excited=happy")
    merge = {label.strip(): emotion.strip() for label, _, emotion in pairs}
    if len(merge) < len(pairs):
        raise InputError(f"--merge: {options.merge!r} counts a label twice")
    if options.emotions is None:
        return Labels(merge=merge)
    return Labels([name.strip() for name in options.emotions.strip("[]").split(",")], merge)


def _corpus(options: argparse.Namespace) -> Corpus:
    from ser.data.corpora import kinds
    from ser.data.corpora.iemocap import IEMOCAP
    from ser.data.corpora.summary import detect

    if options.kind and options.kind not in kinds():
        raise InputError(f"--kind {options.kind}: no such corpus; choose from {', '.join(kinds())}")
    corpus = kinds()[options.kind](options.path) if options.kind else detect(options.path)
    if not options.style and not options.merge_excited:
        return corpus
    if not isinstance(corpus, IEMOCAP):
        raise InputError("--style and --merge-excited are for IEMOCAP only")
    return IEMOCAP(options.path, options.style or "improvised", options.merge_excited)


def _synth(options: argparse.Namespace) -> int:
    from ser.data.corpora.summary import census
    from ser.data.synthetic.corpus import Synthetic

    chosen = {"utterances_per_speaker": options.utterances_per_speaker, "seed": options.seed}
    corpus = Synthetic(options.folder, **{name: value for name, value in chosen.items() if value is not None})
    written = corpus.prepare()
    report = census(corpus)
    print(f"{'Written to' if written else 'Already there:'} {corpus.location}\n\n{report}")
    return 2 if report.problems else 0


def _cache(options: argparse.Namespace) -> int:
    from ser.audio.cache import contents, empty

    if options.empty:
        print(f"Removed: {empty()}")
    else:
        print(contents())
    return 0
