"""The report's figures."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ser.report.page.blocks import Picture
from ser.report.page.drawing import GREY, drawing, label, styles
from ser.report.page.values import percent, points
from ser.report.reported_results import Entry, has_papers_emotions
from ser.report.sections.comparisons import Pair
from ser.report.sections.folds import speaker_accuracies
from ser.report.sections.paper_tables import ROWS, comparability, confusion_matrices, paper_intervals
from ser.results.speaker_counts import counted

CHOSEN = "chosen epoch"
FEW = 5  # emotions of a matrix that fits a third of the page


def _whisker(axes: Axes, place: float, value: float, interval: tuple[float, float] | None, **look) -> None:
    look = {"linestyle": "none", "markersize": 6, **look}
    errors = None if interval is None else [[100 * (value - interval[0])], [100 * (interval[1] - value)]]
    axes.errorbar([100 * value], [place], xerr=errors, capsize=3, elinewidth=1.3, **look)


def _name_rows(axes: Axes, names: list[str], what: str) -> None:
    """Label one row for each name, the first at the top."""
    axes.set_xlabel(f"{what}, 95 % interval")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)


def draw_scores(entries: list[Entry]) -> Picture:
    """WA and UA of every result with 95 % intervals, the paper's below each in grey."""
    ours = {"marker": "o", "color": "black"}
    theirs = {"marker": "D", "color": GREY, "markerfacecolor": "white"}
    beside_paper = has_papers_emotions(entries)
    with drawing(8.5, 1.3 + 0.55 * len(entries)) as sheet:
        panels = sheet.figure.subplots(1, 2, sharey=True)
        for number, (axes, score) in enumerate(zip(panels, ("wa", "ua"), strict=True)):
            for place, entry in enumerate(entries):
                named = ("ours", "paper") if place == 0 else (None, None)
                _whisker(axes, place - 0.13, entry.scores[score], entry.intervals[score], label=named[0], **ours)
                if beside_paper and (row := ROWS.get(entry.about["system"])):
                    intervals = paper_intervals(row)
                    interval = intervals and intervals[number]
                    _whisker(axes, place + 0.2, getattr(row, score), interval, label=named[1], **theirs)
            _name_rows(axes, [label(entry.title) for entry in entries], f"{score.upper()} (%)")
        sheet.figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
        values = "; ".join(
            f"{each.title} WA {percent(each.scores['wa'], 1)}, UA {percent(each.scores['ua'], 1)}" for each in entries
        )
        title = "WA and UA with 95 % intervals by a bootstrap over speakers."
        if beside_paper:
            title = "WA and UA with 95 % intervals: ours by a bootstrap over speakers, the paper's where known."
            title = f"{title} {comparability(entries)}"
        return sheet.picture("scores", title, f"Intervals of WA and UA: {values}.")


def draw_differences(compared: list[Pair]) -> Picture:
    """Differences of compared pairs with 95 % intervals."""
    names = [f"{label(pair.second)}\nminus {label(pair.first)}" for pair in compared]
    with drawing(8.5, 1.1 + 0.55 * len(compared)) as sheet:
        for axes, measure in zip(sheet.figure.subplots(1, 2, sharey=True), ("WA", "UA"), strict=True):
            axes.axvline(0, color="black", linewidth=1, linestyle=":")
            for place, pair in enumerate(compared):
                filled = "black" if pair.distinguishable(measure) else "white"
                look = {"marker": "o" if pair.comparison.paired else "s", "color": "black", "markerfacecolor": filled}
                _whisker(axes, place, pair.difference(measure), pair.interval(measure), **look)
            _name_rows(axes, names, f"difference in {measure} (points)")
            axes.tick_params(axis="y", labelsize=8)
        values = "; ".join(f"{pair.second} minus {pair.first} {points(pair.difference('WA'))}" for pair in compared)
        title = "Differences with 95 % intervals. Filled: distinguishable; hollow: not. Squares: unpaired."
        return sheet.picture("differences", title, f"Differences in WA, points: {values}.")


def draw_matrices(entries: list[Entry]) -> Picture:
    """Confusion matrices in shades of grey with counts, ours and the paper's two."""
    matrices = confusion_matrices(entries)
    columns = min(3 if len(entries[0].emotions) <= FEW else 1, len(matrices))
    rows = -(-len(matrices) // columns)
    emotions, size = [label(emotion, 12) for emotion in entries[0].emotions], len(entries[0].emotions)
    look = {"ha": "center", "va": "center", "fontsize": 8 if size <= FEW else 6}
    side = 2.9 * max(1, size / FEW)
    with drawing(side * columns, side * rows) as sheet:
        places = sheet.figure.subplots(rows, columns, squeeze=False).flat
        for axes, (title, matrix) in zip(places, matrices.items(), strict=False):
            totals = matrix.sum(axis=1, keepdims=True)
            shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
            axes.imshow(shares, cmap="Greys", vmin=0, vmax=1)
            for (actual, predicted), share in np.ndenumerate(shares):
                text = f"{matrix[actual, predicted]}\n{100 * share:.0f} %"
                axes.text(predicted, actual, text, color="white" if share > 0.5 else "black", **look)
            axes.set_xticks(range(size), emotions, fontsize=8, **({"rotation": 90} if size > FEW else {}))
            axes.set_yticks(range(size), emotions, fontsize=8)
            axes.set_xlabel("predicted", fontsize=8)
            axes.set_ylabel("actual", fontsize=8)
            axes.set_title(label(title, 30), fontsize=10)
            axes.grid(visible=False)
            axes.spines[["top", "right"]].set_visible(True)
        for axes in places[len(matrices) :]:
            axes.remove()
        title = "Confusion matrices: counts, and per cent of the row, which also shade the cell."
        alt = f"Confusion matrices of {', '.join(matrices)}; the numbers are in the tables below."
        return sheet.picture("confusion", title, alt)


def draw_speakers(entries: list[Entry], suffix: str) -> Picture:
    """WA of every tested speaker for results on the same test set."""
    accuracies = [speaker_accuracies(entry) for entry in entries]
    people = sorted(accuracies[0])
    with drawing(8.5, 3.6) as sheet:
        axes = sheet.figure.subplots()
        for entry, found, look in zip(entries, accuracies, styles(len(entries)), strict=True):
            values = [100 * found[person] for person in people]
            axes.plot(range(len(people)), values, label=label(entry.title), linewidth=1, markersize=5, **look)
        names = [f"{label(speaker, 12)}\nsession {label(session, 6)}" for session, speaker in people]
        axes.set_xticks(range(len(people)), names, fontsize=8)
        axes.set(xlabel="tested speaker", ylabel="WA (%)")
        axes.set_ylim(top=102)
        sheet.figure.legend(loc="outside upper center", ncols=3, fontsize=9)
        title = f"WA of every tested speaker, protocol {entries[0].protocol}. Lines only guide the eye."
        alt = f"WA of {counted(len(people), 'speaker')}: {', '.join(entry.title for entry in entries)}; see the table."
        return sheet.picture(f"speakers{suffix}", title, alt)


def draw_learning(entry: Entry) -> Picture:
    """Training loss and, below it, validation WA of every fold over the epochs, a line per seed."""
    folds, seeds = entry.about["folds"], entry.about["seeds"]
    looks = dict(zip(seeds, styles(len(seeds)), strict=True))
    columns = min(5, len(folds))
    rows = -(-len(folds) // columns)
    with drawing(2.05 * columns + 0.5, 2.9 * rows + 0.8) as sheet:
        groups = sheet.figure.subplots(2 * rows, columns, sharex=True, squeeze=False).reshape(rows, 2, columns)
        panels = list(zip(groups[:, 0].flat, groups[:, 1].flat, strict=True))
        for place, (fold, (losses, scores)) in enumerate(zip(folds, panels, strict=False)):
            for run in (run for run in entry.runs if run.fold == fold):
                curves, chosen = run.curves, run.curves[run.curves.epoch == run.about["epoch"]]
                look = {"linewidth": 1.2, "markersize": 3.5, **looks[run.seed], "markevery": max(1, len(curves) // 5)}
                losses.plot(curves.epoch, curves.train_loss, **look)
                scores.plot(curves.epoch, 100 * curves.val_wa, label=f"seed {run.seed}", **look)
                hollow = {"markersize": 7, "markerfacecolor": "white", "linestyle": "none", "label": CHOSEN}
                scores.plot(chosen.epoch, 100 * chosen.val_wa, **{**looks[run.seed], **hollow})
            losses.set_title(f"fold {fold}", fontsize=9)
            scores.set_xlabel("epoch", fontsize=8)
            scores.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
            scores.tick_params(labelbottom=True)
            for axes, what in ((losses, "training loss"), (scores, "validation WA (%)")):
                axes.tick_params(labelsize=8, labelleft=place % columns == 0)
                axes.set_ylabel(what if place % columns == 0 else "", fontsize=8)
        highest = max((run.curves.train_loss.max() for run in entry.runs), default=1)
        for losses, scores in panels:
            losses.set_ylim(0, 1.05 * highest if np.isfinite(highest) and highest > 0 else 1)
            scores.set_ylim(0, 102)
        for axes in (axes for pair in panels[len(folds) :] for axes in pair):
            axes.remove()
        handles, labels = panels[0][1].get_legend_handles_labels()
        shown = dict(zip(labels[::-1], handles[::-1], strict=True))  # one entry for the chosen epochs of all seeds
        shown = {name: shown[name] for name in [*sorted(shown.keys() - {CHOSEN}, key=labels.index), CHOSEN]}
        sheet.figure.legend(shown.values(), shown, loc="outside upper center", ncols=6, fontsize=9)
        epochs = ", ".join(str(run.about["epoch"]) for run in entry.runs)
        several = f"; each of {entry.num_seeds} seeds has its own line and marker" if entry.num_seeds > 1 else ""
        title = f"{entry.title}: training loss and validation WA of every fold{several}. Hollow: the chosen epoch."
        alt = f"Learning curves of {entry.title}, {counted(len(folds), 'fold')}; chosen epochs {epochs}."
        return sheet.picture(f"learning-{entry.stem}", title, alt)
