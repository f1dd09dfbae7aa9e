"""Draw a run from its files: python docs/figure.py RUN PICTURE.png."""

import json
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

mpl.use("Agg")
import matplotlib.pyplot as plt

run, picture = Path(sys.argv[1]), sys.argv[2]
result = json.loads((run / "result.json").read_text())
metrics = pd.read_csv(run / "metrics.csv")
metrics["epoch"] += metrics.epoch.min() == 0  # older versions counted from 0
metrics = metrics[metrics.epoch <= metrics["train/loss"].count()]  # the last row is the evaluation of the best epoch
curves = metrics.groupby("epoch").first()
epochs = curves.index

figure, (loss, accuracy, matrix) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
loss.plot(epochs, curves["train/loss"], "k-", label="train/loss")
loss.plot(epochs, curves["val/loss"], "k--", label="val/loss")
accuracy.plot(epochs, 100 * curves["val/wa"], "k-", label="val/wa")
accuracy.plot(epochs, 100 * curves["val/ua"], "k--", label="val/ua")
accuracy.axhline(25, color="gray", linestyle=":", label="chance (UA)")
for axes, title in ((loss, "cross-entropy"), (accuracy, "validation, %")):
    axes.axvline(result["epoch"], color="gray", linewidth=6, alpha=0.3, label="chosen epoch")
    axes.set(xlabel="epoch", title=title)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=8)
counts = np.array(result["confusion"])
shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
matrix.imshow(shares, cmap="Greys", vmin=0, vmax=1)
names = list(result["recall"])
matrix.set(
    xticks=range(4),
    yticks=range(4),
    xticklabels=names,
    yticklabels=names,
    xlabel="predicted",
    ylabel="actual",
    title=f"test: WA {100 * result['wa']:.1f} %, UA {100 * result['ua']:.1f} %",
)
for row, column in np.ndindex(4, 4):
    colour = "white" if shares[row, column] > 0.5 else "black"
    matrix.text(column, row, counts[row, column], ha="center", va="center", color=colour)
figure.suptitle(f"{result['system']} on {result['corpus']}, protocol {result['protocol']}, fold {result['fold']}")
figure.savefig(picture, dpi=110)
