"""On a GPU: the same results as on the CPU, without synchronisation. Run `pytest -m gpu` on a machine with a GPU."""

import copy
import json
import os
import warnings
from contextlib import contextmanager

import pandas as pd
import pytest
import torch
from torch.nn import functional as F

from ser.emotions import PAPER_EMOTIONS
from ser.results.predictions import posterior_columns
from ser.systems import SYSTEMS
from ser.systems.learning_rate import LearningRateRule
from tests.conftest import CONF, TINY_SEGMENTS
from tests.made_up.waveforms import batch_of, speech_like
from tests.process import Command
from tests.unit.systems.test_learning_rate import FakeTrainer, Module

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device and `pytest -m gpu`"),
]
LENGTHS = [1600, 640, 16_000, 23_457, 32_480, 52_001]  # 0.04 s to 3.3 s; odd and even frame counts


@pytest.fixture(autouse=True)
def ieee():
    """Full float32, as in `ser fit`; torch's default rounds the inputs of convolutions to 10 bits."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


@pytest.fixture(params=SYSTEMS)
def system(request):
    torch.manual_seed(0)
    system = SYSTEMS[request.param](dropout=0.0)
    reference = system.spectrogram(speech_like(32_000, torch.Generator().manual_seed(1))[None])[0]
    system.standardisation.statistics.copy_(torch.stack([reference.mean(1), reference.std(1)]))
    return system


def waveforms(seed):
    generator = torch.Generator().manual_seed(seed)
    return [speech_like(length, generator) for length in LENGTHS]


def loss_of(system, waveform, lengths):
    emotion = torch.arange(len(lengths), device=lengths.device) % 4
    return sum(F.cross_entropy(logits, emotion) for logits in system.logits(waveform, lengths).values())


def gradients(system):
    return {name: parameter.grad.cpu() for name, parameter in system.named_parameters()}


@contextmanager
def counting_waits():
    """A list that receives one element for each synchronisation with the device."""
    waits = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield waits
        finally:
            torch.cuda.set_sync_debug_mode("default")
    waits += [each for each in caught if "synchronizing CUDA operation" in str(each.message)]


def test_posteriors_are_those_of_the_processor_in_any_batch(system):
    """Alone or in a batch, with noise in the padding: equal to 1e-5."""
    recordings = waveforms(seed=2)
    batch, lengths = batch_of(recordings, extra=4801)
    beyond = torch.arange(batch.shape[1]) >= lengths[:, None]
    batch[beyond] = torch.randn(int(beyond.sum()), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        expected = system.posterior(batch, lengths)
        system.cuda()
        together = system.posterior(batch.cuda(), lengths.cuda()).cpu()
        alone = [system.posterior(each[None].cuda(), torch.tensor([len(each)]).cuda()).cpu() for each in recordings]
    assert (expected[0] - expected[-1]).abs().max() > 1e-4, "outputs must differ, or the test is void"
    assert (together - expected).abs().max() < 1e-5
    assert (torch.cat(alone) - expected).abs().max() < 1e-5


def test_gradients_are_those_of_the_processor(system):
    """In float64: in float32, rounding decides which of two nearly equal values a max pool picks."""
    batch, lengths = batch_of([waveforms(seed=4)[place] for place in (0, 1, 2, 4)])  # 7, 1, 97 and 200 frames
    system.double()
    loss_of(system, batch.double(), lengths).backward()
    expected = gradients(system)
    system.zero_grad()
    system.cuda()
    loss_of(system, batch.double().cuda(), lengths.cuda()).backward()
    for name, gradient in gradients(system).items():
        assert (gradient - expected[name]).norm() <= 1e-8 * expected[name].norm(), name


def test_a_step_reads_no_value_on_the_host(system):
    """A CUDA graph captures forward and backward; replayed on other input, it gives that input's loss and gradients."""
    system.cuda()
    alike = copy.deepcopy(system).cuda()  # .cuda() flattens recurrent weights again
    batch, lengths = (each.cuda() for each in batch_of(waveforms(seed=5)))
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):  # warm-up, which creates plans and workspaces
            system.zero_grad(set_to_none=True)
            loss_of(system, batch, lengths).backward()
    stream.synchronize()
    system.zero_grad(set_to_none=True)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = loss_of(system, batch, lengths)
        loss.backward()
    for seed in (6, 7):
        changed, changed_lengths = batch_of(waveforms(seed))
        batch.copy_(changed)
        lengths.copy_(changed_lengths - 160 * seed // 2)
        lengths.clamp_(min=640)
        graph.replay()
        expected = loss_of(alike, batch, lengths)
        expected.backward()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
        for (name, captured), gradient in zip(gradients(system).items(), gradients(alike).values(), strict=True):
            assert (captured - gradient).norm() <= 1e-3 * gradient.norm(), name
        alike.zero_grad()


def test_the_learning_rate_rule_waits_for_the_device_only_when_it_looks():
    rule, trainer = LearningRateRule(hold_epochs=0, window_steps=8, check_every=4), FakeTrainer()
    losses = torch.tensor([1.4] * 8 + [0.1] * 20, device="cuda")
    looks = []
    for step, loss in enumerate(losses.unbind(), start=1):
        with counting_waits() as waits:
            rule.on_train_batch_end(trainer, Module(), {"loss": loss}, None, 0)
        if waits and step > 1:  # the first step moves the window to the device
            looks.append(step)
    assert looks == [8, 12, 16, 20, 24, 28]
    assert trainer.rate == 0.0005


@pytest.fixture(scope="module")
def corpus(tiny_corpus):
    words = ["--data.corpus", "ser.data.Synthetic", "--data.corpus.root", tiny_corpus]
    return [*words, "--data.corpus.utterances_per_speaker", 8, "--wandb.mode", "disabled", *TINY_SEGMENTS]


@pytest.mark.filterwarnings("ignore:GPU available but not used")
@pytest.mark.parametrize("name", ["cnn_lstm", "gru_seqcap", "reccap"])
def test_what_was_trained_on_a_gpu_answers_the_same_on_the_processor(ser, corpus, tmp_path, name):
    words = [*corpus, "--trainer.max_epochs", 2, "--data.batch_size", 2, "--data.statistics", "speaker"]
    torch.backends.cudnn.allow_tf32 = True  # torch's default
    finished = ser("fit", "--config", CONF / f"{name}.yaml", *words, "--out", tmp_path / "run")
    assert finished.code == 0, finished.err
    assert not torch.backends.cudnn.allow_tf32
    run = tmp_path / "run"
    assert torch.cuda.get_device_name() == json.loads((run / "result.json").read_text())["device"]
    tested = ["test", "--config", run / "config.yaml", "--ckpt_path", run / "checkpoints" / "best.ckpt"]
    finished = ser(*tested, "--trainer.accelerator", "cpu", "--out", tmp_path / "again")
    assert finished.code == 0, finished.err
    there, here = (pd.read_csv(folder / "predictions.csv") for folder in (run, tmp_path / "again"))
    assert (there.utterance == here.utterance).all()
    assert (there[posterior_columns(PAPER_EMOTIONS)] - here[posterior_columns(PAPER_EMOTIONS)]).abs().max().max() < 1e-5


def test_no_step_of_a_training_waits_for_the_device(ser, corpus, tmp_path):
    """Epochs, evaluation and checkpoints synchronise; ten times as many steps add almost no synchronisations."""
    counts = {}
    for batch_size in (1, 16):
        words = [*corpus, "--trainer.max_epochs", 1, "--data.batch_size", batch_size]
        out = tmp_path / str(batch_size)
        with counting_waits() as waits:
            finished = ser("fit", "--config", CONF / "cnn_gru.yaml", *words, "--out", out)
        assert finished.code == 0, finished.err
        counts[int(pd.read_csv(out / "metrics.csv").step.iloc[-1])] = len(waits)
    (many, most), (few, least) = sorted(counts.items(), reverse=True)
    assert many > 10 * few
    assert least > 0, "nothing was counted"
    assert most - least < (many - few) / 20, f"waits by steps: {counts}"


def test_folds_share_one_gpu(corpus, tmp_path):
    out = tmp_path / "crossval"
    words = ["--config", CONF / "cnn_gru.yaml", *corpus, "--trainer.max_epochs", 1, "--folds", "1-2"]
    command = Command(["crossval", *words, "--devices", "1", "--jobs", 2, "--out", out], tmp_path / "o", tmp_path / "e")
    finished = command.wait(300)
    assert finished.code == 0, finished.err
    results = [json.loads(path.read_text()) for path in sorted(out.rglob("result.json"))]
    assert {result["device"] for result in results if "device" in result} == {torch.cuda.get_device_name()}


def test_every_gpu_gets_its_workers(corpus, tmp_path):
    study = CONF.parent / "sweeps" / "demo.yaml"
    environment = {**os.environ, "SER_CACHE": str(tmp_path / "cache")}
    words = ["--config", study, "--per-device", 2, *corpus, "--trainer.max_epochs", 1]
    command = Command(
        ["sweep", *words, "--out", tmp_path / "study"], tmp_path / "o", tmp_path / "e", environment=environment
    )
    finished = command.wait(300)
    assert finished.code == 0, finished.err + finished.out
    assert f"  workers         {2 * torch.cuda.device_count()}\n" in finished.out
    results = [json.loads(path.read_text()) for path in (tmp_path / "study").rglob("result.json")]
    assert len(results) >= 6
    assert {result["device"] for result in results if "device" in result} == {torch.cuda.get_device_name()}
