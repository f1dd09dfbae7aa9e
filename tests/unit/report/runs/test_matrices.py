"""Small confusion matrices."""

from types import SimpleNamespace

from ser.report.runs.matrices import MOST_EMOTIONS, small_matrices


def run(name, emotions, counts):
    return SimpleNamespace(name=name, matrix=("test", emotions, counts))


def test_rows_are_per_cent_and_an_emotion_without_utterances_has_none():
    found, notes = small_matrices([SimpleNamespace(name="none", matrix=None), run("a", ["x", "y"], [[1, 2], [0, 0]])])
    (matrix,) = found.matrices
    assert (matrix.row, matrix.name, matrix.percents, notes) == (1, "a", [[33, 67], None], [])


def test_a_matrix_of_many_emotions_is_only_counted():
    many = [str(number) for number in range(MOST_EMOTIONS + 1)]
    found, notes = small_matrices([run("a", many, [[1] * len(many)] * len(many))])
    assert found is None
    assert notes == ["1 with more than 12 emotions: see their result.json."]
