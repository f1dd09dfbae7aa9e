"""`ser lambda` as a command."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.commands.lambda_ import main
from ser.emotions import PAPER_EMOTIONS
from ser.files import digest
from ser.results.lambda_curve import apply, choose, curve
from ser.results.pooled import summarise
from ser.results.predictions import posterior_columns, scores
from ser.results.statistics import bootstrap_speakers, compare
from tests.made_up.two_branches import sample, table

UA_CHOICE = ["0.49", "40.0", "62.5"]  # the lambda nearest to 0.6 at which the GRU decides


def write(folder, test, validation, system="CNNGRUSeqCap", averaged=None):
    """Write the files of a cross-validation that `ser lambda` reads."""
    folder.mkdir(exist_ok=True)
    tables = {"predictions.csv": test, "validation.csv": validation}
    if averaged:
        tables |= {"predictions_averaged.csv": averaged[0], "validation_averaged.csv": averaged[1]}
    for name, rows in tables.items():
        rows.to_csv(folder / name, index=False)
    about = {
        "kind": "crossval",
        "system": system,
        "corpus": "emodb",
        "protocol": "speaker",
        "folds": sorted(set(test.fold.tolist())),
        "seeds": sorted(set(test.seed.tolist())),
        **summarise(test, validation),
        "runs": [{"seed": 1, "fold": fold} for fold in sorted(set(test.fold.tolist()))],
        "averaged": {"epochs": 5} if averaged else None,
        "digests": {name: digest(folder / name) for name in tables},
    }
    (folder / "result.json").write_text(json.dumps(about))
    return folder


def rows_of(text, title):
    """The rows of the printed table whose title contains these words, below its two header lines."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if title in line)
    return [" ".join(line.split()) for line in lines[start + 3 : lines.index("", start)]]


@pytest.fixture
def crossval(tmp_path):
    return write(tmp_path / "gru_seqcap", sample(20), sample(21))


def test_the_command_prints_the_result_and_writes_the_curve(crossval, capsys):
    assert main([str(crossval)]) == 0
    text = capsys.readouterr().out
    test, validation = sample(20), sample(21)
    written = pd.read_csv(crossval / "lambda.csv")
    assert written.set.value_counts().to_dict() == {"val": 101, "test": 101}
    for name, rows in (("val", validation), ("test", test)):
        pd.testing.assert_frame_equal(
            written[written.set == name].drop(columns="set").reset_index(drop=True), curve(rows), rtol=1e-12
        )
    lines = text.splitlines()
    assert lines[0].startswith("CNNGRUSeqCap on emodb, protocol speaker")
    points = zip(curve(validation).itertuples(), curve(test).itertuples(), strict=True)
    for line, (first, second) in zip(rows_of(text, "The curve over lambda"), [*points][::10], strict=False):
        assert line.startswith(f"{first.lambda_:.2f} {100 * first.wa:.1f} {100 * first.wa_low:.1f} to ")
        assert f" {100 * second.wa:.1f} {100 * second.wa_low:.1f} to {100 * second.wa_high:.1f} " in line
    tuned, fixed = apply(test, choose(validation)), apply(test, 0.6)
    printed = rows_of(text, "Test result by lambda")
    for title, rows, line in zip(("0.6", "chosen"), (fixed, tuned), printed, strict=True):
        low, high = bootstrap_speakers(rows)["wa"]
        assert line.startswith(title)
        assert f" {100 * scores(rows)['wa']:.2f} {100 * low:.1f} to {100 * high:.1f} " in line
        assert f" {100 * scores(rows)['ua']:.2f} " in line
    difference = rows_of(text, "Effect of choosing lambda")[0]
    assert f"chosen per fold - 0.6 paired {100 * compare(fixed, tuned).wa_difference:+.1f} " in difference
    choices = [line.split()[:3] for line in rows_of(text, "chosen on each fold's validation rows, by WA")]
    assert choices == [[str(row.fold), "1", f"{row.lambda_:g}"] for row in choose(validation).itertuples()]
    assert lines[-1] == f"Written: {crossval / 'lambda.csv'}"


def test_draws_that_lack_an_emotion_are_named(tmp_path, capsys):
    whole, alone = sample(20), sample(21)
    alone = alone[(alone.emotion != "sad") | (alone.speaker == "10")]  # only one of six speakers has "sad"
    assert main([str(write(tmp_path / "one", alone, whole))]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "draws of speakers lacked" in line]
    number = bootstrap_speakers(alone)["redrawn"]
    assert line.startswith(f"test, UA: {number:,} draws of speakers lacked an emotion of the test set")
    assert number == pytest.approx(10_000 * (5 / 6) ** 6 / (1 - (5 / 6) ** 6), rel=0.05)
    assert main([str(write(tmp_path / "other", alone[alone.emotion != "sad"], whole))]) == 0
    printed = capsys.readouterr().out
    assert "test, UA is the mean over 3 of 4 emotions." in printed
    assert "validation, UA" not in printed


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=4)
def test_test_posteriors_cannot_change_the_choice(tmp_path_factory, seed):
    folder, validation = tmp_path_factory.mktemp("crossval"), sample(21)
    found = []
    for name, test in (("one", sample(20)), ("other", sample(seed, sharpness=seed % 5))):
        crossval = write(folder / name, test, validation)
        with pytest.MonkeyPatch.context() as patch:
            printed = []
            patch.setattr("builtins.print", lambda *words, into=printed: into.append(" ".join(words)))
            assert main([str(crossval)]) == 0
        curves = pd.read_csv(crossval / "lambda.csv")
        choices = rows_of("\n".join(printed), "chosen on each fold's validation rows")
        found.append((choices, curves[curves.set == "val"].to_csv()))
    assert found[0] == found[1]
    assert len(found[0][0]) == 2


def test_the_metric_and_the_files_can_be_named(crossval, tmp_path, capsys):
    picture, target = tmp_path / "curve.png", tmp_path / "curve.csv"
    assert main([str(crossval), "--metric", "ua", "--out", str(target), "--figure", str(picture)]) == 0
    assert "by UA" in capsys.readouterr().out
    drawn = picture.read_bytes()
    assert drawn.startswith(b"\x89PNG")
    assert main([str(crossval), "--metric", "ua", "--out", str(target), "--figure", str(picture)]) == 0
    assert picture.read_bytes() == drawn, "an existing figure can be replaced"
    assert not (crossval / "lambda.csv").exists()
    first = target.read_bytes()
    assert main([str(crossval), "--out", str(target)]) == 0, "an existing lambda curve can be replaced"
    assert target.read_bytes() == first


@pytest.mark.parametrize(
    ("options", "choice"),
    [([], ["0.6", "60.0", "37.5"]), (["--metric", "wa"], ["0.6", "60.0", "37.5"]), (["--metric", "ua"], UA_CHOICE)],
)
def test_the_metric_that_was_asked_for_chooses(tmp_path, capsys, options, choice):
    """The capsules recognise three of four neutral utterances, the GRU one of four and the only angry one."""
    neutral, angry = np.eye(4)[0], np.eye(4)[1]
    capsule, gru = [neutral, neutral, neutral, angry, neutral], [neutral, angry, angry, angry, angry]
    validation = table([0, 0, 0, 0, 1], capsule, gru, speakers=[1, 2, 1, 2, 1])
    folder = write(tmp_path / "result", sample(20, folds=1), validation)
    assert main([str(folder), *options]) == 0
    title = f"chosen on each fold's validation rows, by {options[-1].upper() if options else 'WA'}"
    (line,) = rows_of(capsys.readouterr().out, title)
    assert line.split() == ["1", "1", *choice]


def test_averaged_posteriors_on_request(tmp_path, capsys):
    folder = write(tmp_path / "averaged", sample(20), sample(21), averaged=(sample(22), sample(23)))
    assert main([str(folder), "--averaged"]) == 0
    assert "mean posteriors of the last epochs" in capsys.readouterr().out
    assert not (folder / "lambda.csv").exists(), "lambda.csv is only for the chosen epochs"
    written = pd.read_csv(folder / "lambda_averaged.csv")
    assert written[written.set == "test"].wa.to_numpy() == pytest.approx(curve(sample(22), draws=0).wa.to_numpy())


def test_what_the_validation_curve_cannot_tell_is_said(tmp_path, capsys):
    """Mean posteriors of the last epochs, with the test utterances of one direction as validation of the other."""
    validation = sample(22).assign(fold=3 - sample(22).fold)
    chosen = "The epochs were chosen by validation WA with lambda 0.6"
    folder = write(tmp_path / "both", sample(20), sample(21), averaged=(sample(22), validation))
    for options, said, unsaid in (([], chosen, "same posteriors"), (["--averaged"], "All validation rows", chosen)):
        assert main([str(folder), *options]) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert said in text
        assert unsaid not in text
    other = validation.copy()
    other.loc[:29, posterior_columns(PAPER_EMOTIONS, "gru")] = 0.25
    folder = write(tmp_path / "partly", sample(20), sample(21), averaged=(sample(22), other))
    assert main([str(folder), "--averaged"]) == 0
    assert "90 of 120 validation rows are test rows" in " ".join(capsys.readouterr().out.split())


RESULT = "gru_seqcap"
REFUSALS = [
    (["seqcap"], ["seqcap (CNNSeqCap)", "lambda needs two branches"]),
    (["absent"], ["absent"]),
    (["edited"], ["predictions.csv"]),
    (["nan"], ["nan", "branch gru", "u7"]),
    (["text"], ["text", "branch gru", "u7"]),
    ([RESULT, "--averaged"], ["no averaged posteriors", "ser crossval with --epochs-averaged"]),
    ([RESULT, "--out", "precious.csv"], ["precious.csv exists already and was not written by this command"]),
    ([RESULT, "--out", "."], ["exists already"]),
    ([RESULT, "--out", "no/curve.csv"], ["there is no folder"]),
    ([RESULT, "--figure", "curve.pdf"], ["must end in .png"]),
    ([RESULT, "--figure", "no/curve.png"], ["there is no folder"]),
    ([RESULT, "--figure", "photo.png"], ["photo.png exists already and was not written by this command"]),
    ([RESULT, "--figure", "picture.png"], ["picture.png exists already and was not written by this command"]),
    ([RESULT, "--figure", "folder.png"], ["folder.png exists already"]),
]
FILES = {
    **{"precious.csv": "mine\n", "photo.png": b"\xff\xd8\xff mine", "picture.png": b"\x89PNG\r\n\x1a\n mine"},
    "folder.png/mine": "",
}


@pytest.mark.parametrize(("words", "parts"), REFUSALS)
def test_refusals(refused, tmp_path, words, parts):
    test, validation = sample(20), sample(21)
    single = test.drop(columns=posterior_columns(PAPER_EMOTIONS, "gru"))
    if words[0] == "seqcap":
        write(tmp_path / "seqcap", single, single, system="CNNSeqCap")
    elif words[0] in ("nan", "text"):
        test = test.astype({"gru_p_sad": object})
        test.loc[7, "gru_p_sad"] = {"nan": float("nan"), "text": "much"}[words[0]]
        write(tmp_path / words[0], test, validation)
    elif words[0] != "absent":
        write(tmp_path / words[0], test, validation)
    if words[0] == "edited":
        with (tmp_path / "edited" / "predictions.csv").open("a") as file:
            file.write("edited\n")
    refused(["lambda", *words], parts, FILES)


def test_help_and_usage(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "lambda weights the capsule branch, 1 - lambda the GRU branch" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit) as stop:
        main(["somewhere", "--metric", "f1"])
    assert stop.value.code == 2


def test_no_training_framework_is_loaded():
    imported = "import sys, ser.commands.lambda_, ser.results.pooled"
    look = f"{imported}; sys.exit(any(m in sys.modules for m in ('lightning', 'wandb')))"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
