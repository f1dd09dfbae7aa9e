"""The four emotions, in the order of Table 2 of the paper; every posterior and matrix follows it."""

EMOTIONS: tuple[str, ...] = ("neutral", "angry", "happy", "sad")
NUM_EMOTIONS = len(EMOTIONS)
IGNORED = -100  # the label of a row that only fills a batch; counted nowhere
