"""The paper's emotions, the default of `data.emotions`; its order is the order of every posterior, table and matrix."""

PAPER_EMOTIONS = ["neutral", "angry", "happy", "sad"]  # the order of Table 2
IGNORED = -100  # label of a filler row in a batch; ignored by losses and scores
