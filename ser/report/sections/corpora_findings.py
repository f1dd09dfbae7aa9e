"""The findings of a report across corpora in sentences, and their limitations."""

from ser.report.across_corpora import Cell
from ser.report.page.values import percent, percent_interval, points
from ser.report.sections.findings import FEW, ONE
from ser.results.predictions import of_emotions
from ser.results.speaker_counts import counted
from ser.results.statistics import ua_note

MOST_LISTED = 8  # sentences on single tests; if there are more, one for each system
CAUTIONS = (
    "Corpora differ in language, recordings, speakers, the wording of their labels, and in whether emotions are acted. "
    "The program does not know which of these a corpus has, so a difference between two cells has no known cause.",
    "Off the diagonal the posterior is the mean over the systems of all folds and seeds, which usually scores higher "
    "than one system; on the diagonal every utterance is answered by one system. The scores of every system alone are "
    "in their own table.",
    "A system that answers with other emotions than the tested corpus has chooses among fewer after its posterior is "
    "divided by the sum over the shared ones: with fewer emotions any score is higher, also that of a constant answer.",
    "Speakers are compared by name and corpus and recordings by content; a person who speaks in both corpora under "
    "different names is not found.",
    "No two cells are tested against each other. The intervals cover the choice of test speakers only, not another "
    "training or another corpus.",
)


def findings(cells: list[Cell], common: list[Cell]) -> list[str]:
    """One sentence for every test on another corpus, or for every system if there are many; then the incomplete.

    Args:
        common: the same results over the emotions of all; the same list if these are equal; empty if there are none.
    """
    own = {(cell.system, cell.trained): cell for cell in common if cell.each is None}
    transfers = [cell for cell in cells if cell.each is not None]
    lines = _ranges(transfers) if len(transfers) > MOST_LISTED else [_sentence(cell) for cell in transfers]
    lines += [line for cell in common if cell.each is not None and (line := _beside_own(cell, own, cells is common))]
    return lines + [
        f"The cross-validation of {cell.system} on {cell.trained} is incomplete, {cell.missing}."
        for cell in cells
        if cell.each is None and cell.missing
    ]


def _sentence(cell: Cell) -> str:
    found, constant = cell.scores, cell.constant["wa"]
    most = max(cell.counts, key=cell.counts.get)
    verdict = "" if found["wa"] > constant else ", not less than the system"
    return (
        f"{cell.system} trained on {cell.trained_name} and tested on {cell.tested}: WA {percent(found['wa'], 1)} % "
        f"(95 % interval {percent_interval(cell.intervals['wa'])}), UA {percent(found['ua'], 1)} %"
        f"{of_emotions(found)}, {counted(cell.utterances, 'utterance')} of {counted(cell.speakers, 'speaker')}, "
        f"{len(cell.emotions)} emotions. Always answering {most} would reach a WA of {percent(constant, 1)} %{verdict}."
    )


def _ranges(transfers: list[Cell]) -> list[str]:
    lines = []
    for system in sorted({cell.system for cell in transfers}):
        own = sorted((cell for cell in transfers if cell.system == system), key=lambda cell: cell.scores["wa"])
        low, high, below = own[0], own[-1], sum(cell.scores["wa"] <= cell.constant["wa"] for cell in own)
        lines.append(
            f"{system}: {counted(len(own), 'test')} on another corpus, WA between {percent(low.scores['wa'], 1)} % "
            f"({low.trained} on {low.tested}) and {percent(high.scores['wa'], 1)} % ({high.trained} on {high.tested}); "
            f"{below} of them no higher than always answering the most frequent emotion."
        )
    return lines


def _beside_own(cell: Cell, own: dict[tuple[str, str], Cell], same: bool) -> str:
    """A sentence on a test beside the cross-validation on the tested corpus, over the same emotions."""
    beside = own.get((cell.system, cell.tested))
    if not beside or beside.counts != cell.counts:
        return ""
    on = "On" if same else f"Over {', '.join(cell.emotions)}: on"
    wa, other, alone = cell.scores["wa"], beside.scores["wa"], [each["wa"] for each in cell.alone()]
    single = sum(alone) / len(alone)
    systems = (
        f"; its {len(alone)} systems, each alone, {percent(single, 1)} % on average, {points(single - other)} points"
    )
    return (
        f"{on} {cell.tested}{' (leaks)' if beside.leaks else ''} the cross-validation of {cell.system} has a WA of "
        f"{percent(other, 1)} %, the training on {cell.trained_name} {percent(wa, 1)} % ({points(wa - other)} points"
        f"{systems if len(alone) > 1 else ''})."
    )


def cautions(cells: list[Cell]) -> list[str]:
    """The limitations of the results."""
    lines = list(CAUTIONS)
    by_number: dict[int, list[str]] = {}
    for cell in cells:
        by_number.setdefault(cell.speakers, []).append(cell.title)
    lines += [
        f"{'; '.join(titles)}: {counted(number, 'tested speaker')}. {FEW if number > 1 else ONE}"
        for number, titles in sorted(by_number.items())
    ]
    lines += [f"{cell.title}: {note}" for cell in cells if (note := ua_note(cell.intervals))]
    lines += [
        f"{cell.title}: leak in training, allowed with --allow_leaks: {line}." for cell in cells for line in cell.leaks
    ]
    lines += [
        f"{cell.title} is standardised by {cell.source['statistics']}: it used test audio, but not its labels."
        for cell in cells
        if str(cell.source["statistics"]).startswith("speaker")
    ]
    codes = sorted({digest for cell in cells if (digest := cell.source.get("code_digest"))})
    if len(codes) > 1:
        lines.append(f"The systems were trained by different versions of the code (digests: {', '.join(codes)}).")
    return lines + [f"{cell.title}: {line}." for cell in cells for line in cell.about.get("warnings") or []]
