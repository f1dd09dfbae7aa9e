"""The lambda curve: against the plain formula, chosen on validation rows alone, and as a command."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.emotions import EMOTIONS
from ser.errors import InputError
from ser.files import digest
from ser.lambda_curve import LAMBDAS, apply, choose, curve, main
from ser.pooled import summarise
from ser.results import posterior_columns, scores
from ser.statistics import bootstrap_speakers, compare


def table(actual, capsule, gru, speakers, folds=1, lambda_=0.6):
    """A predictions table of a system with two branches."""
    capsule, gru = np.asarray(capsule, float), np.asarray(gru, float)
    posterior = lambda_ * capsule + (1 - lambda_) * gru
    rows = pd.DataFrame(
        {
            "utterance": [f"u{i}" for i in range(len(actual))],
            "speaker": np.asarray(speakers).astype(str),
            "session": "1",
            "seed": 1,
            "fold": folds,
            "emotion": [EMOTIONS[i] for i in actual],
            "predicted": [EMOTIONS[i] for i in posterior.argmax(1)],
        }
    )
    for branch, values in (("", posterior), ("capsule", capsule), ("gru", gru)):
        rows[posterior_columns(branch)] = values
    return rows


def sample(seed, utterances=120, folds=2, sharpness=1.5):
    """Two branches that are right somewhat more often than not, each in its own way."""
    generator = np.random.default_rng(seed)
    actual = generator.integers(0, 4, utterances)
    logits = generator.normal(size=(2, utterances, 4)) + sharpness * np.eye(4)[actual]
    capsule, gru = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    fold = np.arange(utterances) % folds + 1
    return table(actual, capsule, gru, speakers=10 * fold + generator.integers(0, 3, utterances), folds=fold)


def one_branch_wrong_each():
    """Four utterances, certain posteriors: the GRU is wrong on the third, the capsules are on the fourth."""
    right, wrong = np.eye(4), np.roll(np.eye(4), 1, axis=1)
    return table(range(4), [*right[:3], wrong[3]], [*right[:2], wrong[2], right[3]], speakers=[1, 2, 1, 2])


# --- the curve


def test_every_point_is_the_score_of_the_plain_formula():
    rows = sample(1)
    found = curve(rows, draws=0).set_index("lambda_")
    assert len(found) == 101
    assert (found.index[0], found.index[-1]) == (0, 1)
    for each in LAMBDAS:
        plain = scores(
            table(
                [EMOTIONS.index(name) for name in rows.emotion],
                rows[posterior_columns("capsule")],
                rows[posterior_columns("gru")],
                rows.speaker,
                lambda_=each,
            )
        )
        assert found.wa[each] == pytest.approx(plain["wa"])
        assert found.ua[each] == pytest.approx(plain["ua"])


def test_the_ends_are_the_branches():
    rows = sample(2)
    ends = curve(rows, draws=0).iloc[[0, -1]]
    actual = [EMOTIONS.index(name) for name in rows.emotion]
    for branch, wa in zip(("gru", "capsule"), ends.wa, strict=True):
        assert (rows[posterior_columns(branch)].to_numpy().argmax(1) == actual).mean() == pytest.approx(wa)


def test_its_interval_is_that_of_the_statistics():
    rows = sample(3)
    found = curve(rows, draws=500, seed=7).set_index("lambda_")
    for each in (0.0, 0.35, 0.6, 1.0):
        expected = bootstrap_speakers(apply(rows, each), draws=500, seed=7)
        assert tuple(found.loc[each, ["wa_low", "wa_high"]]) == pytest.approx(expected["wa"])
        assert tuple(found.loc[each, ["ua_low", "ua_high"]]) == pytest.approx(expected["ua"])


def test_one_speaker_has_a_curve_but_no_interval():
    found = curve(sample(4).assign(speaker="x"), draws=100)
    assert found.wa.notna().all()
    assert found.wa_low.isna().all()


# --- the choice


def by_hand(rows, metric):
    """Lambda by the rule of the docstring, written plainly."""
    points = []
    for each in LAMBDAS:
        found = scores(apply(rows, each))
        rank = (-round(found[metric], 12), -round(found["ua" if metric == "wa" else "wa"], 12))
        points.append((*rank, round(abs(each - 0.6), 12), each))
    return min(points)[-1]


@pytest.mark.parametrize("metric", ["wa", "ua"])
@pytest.mark.parametrize("seed", range(2))
def test_the_choice_follows_the_rule(seed, metric):
    rows = sample(seed, utterances=60)
    chosen = choose(rows, metric)
    assert chosen.fold.tolist() == [1, 2]
    for fold, found in zip(chosen.fold, chosen.itertuples(), strict=True):
        part = rows[rows.fold == fold]
        assert found.lambda_ == by_hand(part, metric)
        assert found.wa == pytest.approx(scores(apply(part, found.lambda_))["wa"])
        assert found.ua == pytest.approx(scores(apply(part, found.lambda_))["ua"])


def test_equals_are_decided_by_the_papers_value():
    alike = sample(1)
    alike[posterior_columns("gru")] = alike[posterior_columns("capsule")].to_numpy()
    assert choose(alike).lambda_.tolist() == [0.6, 0.6]
    # One branch is wrong on the third utterance, the other on the fourth; both are certain, so the heavier one wins.
    # Every lambda has three of four right.
    rows = one_branch_wrong_each()
    assert set(curve(rows, draws=0).wa) == {0.75}
    assert choose(rows).lambda_.item() == 0.6


def test_each_seed_and_fold_has_its_own():
    rows = sample(5)
    several = pd.concat([rows, sample(6).assign(seed=2)])
    found = choose(several)
    assert list(zip(found.seed, found.fold, strict=True)) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    pd.testing.assert_frame_equal(found[found.seed == 1], choose(rows))


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=5)
def test_the_order_of_rows_does_not_matter(seed):
    rows = sample(8)
    pd.testing.assert_frame_equal(choose(rows.sample(frac=1, random_state=seed)), choose(rows))


# --- its application


def test_applying_the_lambda_that_was_used_changes_nothing():
    rows = sample(9)
    again = apply(rows, 0.6)
    pd.testing.assert_frame_equal(again, rows)
    assert apply(rows, 1.0)[posterior_columns()].to_numpy() == pytest.approx(
        rows[posterior_columns("capsule")].to_numpy()
    )


def test_every_fold_gets_its_own_lambda_whatever_the_order_of_rows():
    rows = sample(10).sample(frac=1, random_state=0)
    lambdas = pd.DataFrame({"seed": [1, 1], "fold": [2, 1], "lambda_": [1.0, 0.0]})
    found = apply(rows, lambdas)
    for fold, branch in ((1, "gru"), (2, "capsule")):
        part = found[found.fold == fold]
        assert (part[posterior_columns()].to_numpy() == part[posterior_columns(branch)].to_numpy()).all()
    assert found.index.equals(rows.index)


def test_bad_lambdas_and_single_branches_are_refused():
    rows = sample(11)
    with pytest.raises(InputError, match=r"lambda is 1\.5, but must be at least 0 and at most 1"):
        apply(rows, 1.5)
    with pytest.raises(InputError, match="no lambda for seed 1, fold 2"):
        apply(rows, pd.DataFrame({"seed": [1], "fold": [1], "lambda_": [0.5]}))
    single = rows.drop(columns=posterior_columns("gru"))
    for use in (curve, choose, lambda predictions: apply(predictions, 0.5)):
        with pytest.raises(InputError, match="two branches, capsule and gru, but there is no column gru_p_neutral"):
            use(single)


# --- the command


def write(folder, test, validation, system="CNNGRUSeqCap", averaged=None):
    """The folder of a cross-validation, as far as it is read."""
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
    assert [line.split()[0] for line in lines[4:15]] == [f"{i / 10:.1f}" for i in range(11)]
    tuned, fixed = apply(test, choose(validation)), apply(test, 0.6)
    for title, rows in (("chosen", tuned), ("0.6", fixed)):
        row = next(line for line in lines[-8:] if line.startswith(f"{title} "))
        low, high = bootstrap_speakers(rows)["wa"]
        assert f"{100 * scores(rows)['wa']:.1f} [{100 * low:.1f}, {100 * high:.1f}]" in row
        assert f"{100 * scores(rows)['ua']:.1f} [" in row
    assert f"{100 * compare(fixed, tuned).wa_difference:+.1f} [" in text
    for row in choose(validation).itertuples():
        assert any(line.split()[:3] == ["1", str(row.fold), f"{row.lambda_:.2f}"] for line in lines)
    assert lines[-1] == f"Written: {crossval / 'lambda.csv'}"


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
        lines = "\n".join(printed).splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("Chosen on each fold's validation rows"))
        curves = pd.read_csv(crossval / "lambda.csv")
        found.append((lines[start : start + 4], curves[curves.set == "val"].to_csv()))
    assert found[0] == found[1]
    assert len(found[0][0]) == 4


def test_the_metric_and_the_files_can_be_named(crossval, tmp_path, capsys):
    picture, target = tmp_path / "curve.png", tmp_path / "curve.csv"
    assert main([str(crossval), "--metric", "ua", "--out", str(target), "--figure", str(picture)]) == 0
    assert "by UA" in capsys.readouterr().out
    drawn = picture.read_bytes()
    assert drawn.startswith(b"\x89PNG")
    assert main([str(crossval), "--metric", "ua", "--out", str(target), "--figure", str(picture)]) == 0
    assert picture.read_bytes() == drawn, "a figure may be drawn again"
    assert not (crossval / "lambda.csv").exists()
    first = target.read_bytes()
    assert main([str(crossval), "--out", str(target)]) == 0, "a lambda curve may be written again"
    assert target.read_bytes() == first


def test_averaged_posteriors_on_request(tmp_path, crossval, capsys):
    with pytest.raises(InputError, match="no averaged posteriors; they are made by ser crossval --epochs-averaged"):
        main([str(crossval), "--averaged"])
    folder = write(tmp_path / "averaged", sample(20), sample(21), averaged=(sample(22), sample(23)))
    assert main([str(folder), "--averaged"]) == 0
    assert "mean posteriors of the last epochs" in capsys.readouterr().out
    assert not (folder / "lambda.csv").exists(), "the curve of the chosen epochs stays its own file"
    written = pd.read_csv(folder / "lambda_averaged.csv")
    assert written[written.set == "test"].wa.to_numpy() == pytest.approx(curve(sample(22), draws=0).wa.to_numpy())


def test_what_cannot_be_is_refused_before_anything_is_written(crossval, tmp_path):
    single = sample(20).drop(columns=posterior_columns("gru"))
    folder = write(tmp_path / "seqcap", single, single, system="CNNSeqCap")
    precious = tmp_path / "precious.csv"
    precious.write_text("mine\n")
    for arguments, words in (
        ([folder], "seqcap: CNNSeqCap has no lambda: lambda weighs two branches"),
        ([tmp_path / "absent"], "absent"),
        ([crossval, "--out", precious], "precious.csv exists and holds something other than a lambda curve"),
        ([crossval, "--out", tmp_path], "is a folder; name a file"),
        ([crossval, "--out", tmp_path / "no" / "curve.csv"], "there is no folder"),
        ([crossval, "--figure", tmp_path / "curve.pdf"], "end its name in .png"),
        ([crossval, "--figure", tmp_path / "no" / "curve.png"], "there is no folder"),
    ):
        with pytest.raises(InputError, match=words):
            main([str(each) for each in arguments])
    assert precious.read_text() == "mine\n"
    assert not list(tmp_path.glob("**/lambda.csv"))
    with (crossval / "predictions.csv").open("a") as file:
        file.write("edited\n")
    with pytest.raises(InputError, match=r"predictions\.csv"):
        main([str(crossval)])


def test_a_file_in_the_place_of_the_figure_is_left_alone(crossval, tmp_path):
    for name, content in (("photo.png", b"\xff\xd8\xff mine"), ("picture.png", b"\x89PNG\r\n\x1a\n mine")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name} exists and is no picture of a lambda curve"):
            main([str(crossval), "--figure", str(tmp_path / name)])
        assert (tmp_path / name).read_bytes() == content
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match=r"folder\.png is a folder"):
        main([str(crossval), "--figure", str(tmp_path / "folder.png")])
    assert not (crossval / "lambda.csv").exists()


def test_help_and_usage(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "lambda weighs the capsule branch, 1 - lambda the GRU branch" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit) as stop:
        main(["somewhere", "--metric", "f1"])
    assert stop.value.code == 2


def test_no_training_framework_is_loaded():
    look = "import sys, ser.lambda_curve, ser.pooled; sys.exit(any(m in sys.modules for m in ('lightning', 'wandb')))"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
