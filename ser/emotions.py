"""The four emotions, in the order of Table 2 of the paper; every posterior and matrix follows it."""

EMOTIONS: tuple[str, ...] = ("neutral", "angry", "happy", "sad")
NUM_EMOTIONS = len(EMOTIONS)
IGNORED = -100  # label of a filler row in a batch; ignored by losses and scores
