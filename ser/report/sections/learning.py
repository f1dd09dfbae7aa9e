"""Learning curves, fold by fold."""

from __future__ import annotations

from matplotlib.ticker import MaxNLocator

from ser.report.page.blocks import Picture
from ser.report.reported_results import Entry
from ser.report.sections.figures import drawing
from ser.results.speaker_counts import counted


def draw_learning(entry: Entry) -> Picture:
    """Training loss and validation WA of every fold over the epochs, with the chosen epochs."""
    folds = entry.about["folds"]
    columns = min(5, len(folds))
    rows = -(-len(folds) // columns)
    with drawing(2.05 * columns + 0.5, 1.9 * rows + 0.6) as sheet:
        panels = sheet.figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        twins = []
        for place, (axes, fold) in enumerate(zip(panels.flat, folds, strict=False)):
            twin = axes.twinx()
            twins.append(twin)
            for run in (run for run in entry.runs if run.fold == fold):
                curves, chosen = run.curves, run.curves[run.curves.epoch == run.about["epoch"]]
                look = {"linewidth": 1, "marker": "." if len(curves) < 3 else None}  # one point makes no line
                axes.plot(curves.epoch, curves.train_loss, "--", color="#555555", label="training loss", **look)
                twin.plot(curves.epoch, 100 * curves.val_wa, "k-", label="validation WA", **look)
                twin.plot(chosen.epoch, 100 * chosen.val_wa, "ko", markersize=5, label="chosen epoch")
            axes.set_title(f"fold {fold}", fontsize=9)
            axes.tick_params(labelsize=8)
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
            twin.tick_params(labelsize=8, labelright=(place % columns == columns - 1 or fold == folds[-1]))
            twin.spines["right"].set_visible(True)
            twin.set_ylim(0, 102)
            twin.grid(visible=False)
        panels.flat[0].set_ylim(bottom=0)
        handles = {}
        for axes in (panels.flat[0], twins[0]):
            handles |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        sheet.figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=3, fontsize=9)
        sheet.figure.supxlabel("epoch", fontsize=9)
        sheet.figure.supylabel("training loss", fontsize=9)
        for twin in {twins[-1], *twins[columns - 1 :: columns]}:
            twin.set_ylabel("validation WA (%)", fontsize=9)
        for axes in panels.flat[len(folds) :]:
            axes.remove()
        epochs = ", ".join(str(run.about["epoch"]) for run in entry.runs)
        lines = f"; one line for each of {entry.num_seeds} seeds" if entry.num_seeds > 1 else ""
        title = f"{entry.title}: training loss (left) and validation WA (right) of every fold{lines}."
        alt = f"Learning curves of {entry.title}, {counted(len(folds), 'fold')}; chosen epochs {epochs}."
        return sheet.picture(f"learning-{entry.stem}", title, alt)
