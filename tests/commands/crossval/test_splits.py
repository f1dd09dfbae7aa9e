"""A split from a file: leaks are refused or told everywhere, and so is a validation taken from training."""

import json

import pandas as pd
import pytest

from ser.data import Synthetic
from tests.conftest import CONF, SMALL_CAPSULES


@pytest.fixture
def split_file(tiny_corpus, tmp_path):
    """Write a split of the tiny corpus by session, in which some rows are changed: split_file(change)."""

    def write(change=lambda row, word: word):
        table = Synthetic(str(tiny_corpus), utterances_per_speaker=8).utterances()
        word = {1: "test", 2: "dev"}
        sets = [change(row, word.get(row.session, "train")) for row in table.itertuples()]
        rows = table.assign(set=sets, fold="official")[["utterance", "fold", "set"]]
        rows[rows.set != ""].to_csv(tmp_path / "official.csv", index=False)
        return ["--data.protocol", "split", "--data.splits", tmp_path / "official.csv"]

    return write


@pytest.fixture
def options(least):
    return ["--config", CONF / "gru_seqcap.yaml", *least, *SMALL_CAPSULES]


def half_trains(row, word):
    return "train" if row.session == 1 and row.utterance.endswith(("0", "2", "4", "6")) else word


LEAK = "train and test share 2 speakers: Ses01F, Ses01M"


@pytest.mark.parametrize("command", ["fit", "crossval"])
def test_a_split_that_leaks_is_refused(ser, options, split_file, tmp_path, command):
    finished = ser(command, *options, *split_file(half_trains), "--out", tmp_path / "run")
    assert finished.code == 2
    assert LEAK in finished.err
    assert "--allow_leaks" in finished.err
    assert not (tmp_path / "run").exists()


def test_an_allowed_leak_is_told_by_every_result(ser, options, split_file, tmp_path):
    finished = ser("crossval", *options, *split_file(half_trains), "--allow_leaks", "--out", tmp_path / "leaky")
    assert finished.code == 0, finished.err
    head, _, result = finished.out.partition("so far")
    assert "protocol split (leaks)" in head
    assert f"  leaks       fold 1: {LEAK}" in head
    assert "protocol split (leaks), 1 runs pooled" in result
    assert f"  leak     fold 1: {LEAK}" in result
    own, pooled = (
        json.loads((tmp_path / "leaky" / each / "result.json").read_text()) for each in ("seed1-fold01", ".")
    )
    assert own["leaks"] == [LEAK]
    assert own["fold_name"] == pooled["runs"][0]["fold_name"] == "official"
    assert pooled["leaks"] == [f"fold 1: {LEAK}"]
    printed = (tmp_path / "leaky" / "seed1-fold01.log").read_text()
    assert printed.count(f"  leak        {LEAK}") == 2, "before the training and with the result"
    assert "protocol split (leaks), fold 1 ('official')" in printed
    assert "protocol split (leaks)" in ser("lambda", tmp_path / "leaky", "--out", tmp_path / "lambda.csv").out
    report = ser("report", tmp_path / "leaky", "--out", tmp_path / "report")
    assert report.code == 0, report.err
    tables = (tmp_path / "report" / "tables.md").read_text().replace("\\_", "_")
    assert "Protocol split (leaks) on synthetic" in tables
    assert f"Leak, allowed with --allow_leaks: fold 1: {LEAK}." in tables
    assert "was tested on a split that leaks, which was allowed" in tables
    tested = ser("test", "--config", tmp_path / "leaky" / "config.yaml", "--ckpt_path", best(tmp_path / "leaky"))
    assert tested.code == 2
    assert "was trained on synthetic:Ses01F" in tested.err
    fold = tmp_path / "leaky" / "seed1-fold01"
    words = ["--config", fold / "config.yaml", "--ckpt_path", best(tmp_path / "leaky"), "--out", tmp_path / "validated"]
    validated = ser("validate", *words)
    assert validated.code == 0, validated.err
    assert "protocol split (leaks)" in validated.out
    assert json.loads((tmp_path / "validated" / "result.json").read_text())["leaks"] == [LEAK]


def best(folder):
    return folder / "seed1-fold01" / "checkpoints" / "best.ckpt"


def test_without_validation_rows_training_speakers_validate_and_every_result_says_so(
    ser, options, split_file, tmp_path
):
    split = split_file(lambda row, word: "" if row.session == 3 else word.replace("dev", "train"))
    finished = ser("crossval", *options, *split, "--out", tmp_path / "run")
    assert finished.code == 0, finished.err
    own, pooled = (json.loads((tmp_path / "run" / each / "result.json").read_text()) for each in ("seed1-fold01", "."))
    people = [who.split(":")[1] for who in own["speakers"]["val"]]
    said = f"official.csv has no validation rows: training speakers {', '.join(people)} validate"
    assert not {*people} & {"Ses01F", "Ses01M", "Ses03F", "Ses03M"}
    assert {*own["warnings"]} >= {said, "official.csv leaves out 16 utterances"}
    assert f"fold 1: {said}" in pooled["warnings"]
    assert f"\n  warning     fold 1: {said}\n" in finished.out
    assert f"\n  warning     {said}\n" in (tmp_path / "run" / "seed1-fold01.log").read_text()
    table = pd.read_csv(tmp_path / "run" / "predictions.csv")
    assert set(table.speaker) == {"Ses01F", "Ses01M"}
    config = (tmp_path / "run" / "config.yaml").read_text()
    assert f"splits: {tmp_path / 'official.csv'}" in config
    known = json.loads((tmp_path / "run" / "identity.json").read_text())["config"]
    assert known["data.splits"].startswith("SHA-256 ")


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        (["--data.protocol", "speaker_groups"], ["protocol speaker_groups needs data.num_folds"]),
        (["--data.protocol", "speaker_groups", "--data.num_folds", 2], ["data.num_folds is 2", "at least 3"]),
        (["--data.protocol", "speaker_groups", "--data.num_folds", 11], ["data.num_folds is 11", "only 10 speaker(s)"]),
        (
            ["--data.num_folds", 5],
            ["data.num_folds is 5", "belongs to protocol speaker_groups; the protocol is wu2019"],
        ),
        (["--data.protocol", "split"], ["protocol split needs data.splits"]),
        (["--data.splits", "a.csv"], ["data.splits is", "belongs to protocol split"]),
        (["--data.protocol", "split", "--data.splits", "absent.csv"], ["absent.csv: unreadable (No such file"]),
        (["--data.protocol", "one_speaker", "--allow_leaks"], ["allow_leaks applies to protocol split"]),
        (["--data.protocol", "random"], ["data.protocol: expected one of", "'one_speaker'"]),
    ],
)
@pytest.mark.parametrize("command", ["fit", "crossval"])
def test_refusals(refused, command, given, parts):
    refused([command, "--config", CONF / "cnn_gru.yaml", "TINY", "--data.protocol", "wu2019", *given], parts)
