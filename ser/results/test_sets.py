"""The test set of a result: which utterances, of whom, and with which labels."""

from hashlib import blake2b

import pandas as pd

from ser.results.predictions import emotions_of


def describe_test_set(predictions: pd.DataFrame) -> dict:
    """Digest, number, counts and speakers of the test utterances; results with equal digests can be compared."""
    once = predictions.drop_duplicates("utterance").sort_values("utterance")
    columns = (once[name].astype(str) for name in ("utterance", "speaker", "emotion"))
    rows = map("\t".join, zip(*columns, strict=True))
    counts = once.emotion.value_counts()
    return {
        "digest": blake2b("\n".join(rows).encode(), digest_size=8).hexdigest(),
        "utterances": len(once),
        "counts": {emotion: int(counts.get(emotion, 0)) for emotion in emotions_of(predictions)},
        "speakers": sorted(once.speaker.astype(str).unique()),
    }
