"""Time one training step of every system against its literal implementation (`plain.py`).

One step is 16 segments of 2 s: waveform, spectrogram, standardisation, network, summed cross-entropy, backward, Adam.
Two processes, one per variant because the allocator is process-wide, take turns block by block. Both variants have the
same weights, and loss and gradients are compared with dropout off: the loss in float32 and float64, the gradients in
float64, because in float32 rounding decides which of two nearly equal values a max pool picks and so where its gradient
goes (the plain network's float32 gradients differ from its float64 gradients by as much).

    python benchmarks/step.py --check

The share of the peak is a step's speed relative to its fastest convolution or matrix product, or to a square matrix
product if that is faster (`ceiling.py`), timed between the blocks of the same run.

On a GPU (`--device cuda`) the time includes the host's work. The targets are for CPUs.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import sys
import time
from pathlib import Path
from statistics import median, quantiles

import torch
from ceiling import OperationRates, time_square_product
from numpy.linalg import norm
from plain import CAPSULE_SIZES, GRU_SIZES, LSTM_SIZES, NUM_EMOTIONS, SYSTEMS, Network, plain_name, plain_network
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ser.audio.frames import num_samples
from ser.networks.branches import CapsuleBranch, RecurrentBranch
from ser.networks.capsule_layers import RecCaps, SeqCaps
from ser.networks.convolutions import PlainConvolutions, SpectralTemporalConvolutions
from ser.networks.spectrogram import Moments
from ser.processes.allocator import keep_freed_memory

BATCH, FRAMES = 16, 200
BLOCK_STEPS = 2
TARGETS = dict.fromkeys(SYSTEMS, 3.0) | {"CNN_LSTM": 2.0}
TOLERANCE = 1e-5  # relative, of the loss and of the norm of every parameter's gradient


def make_batch(device: str = "cpu") -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noise of varying colour, (batch, samples), frame counts and emotions, both (batch,)."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(BATCH, num_samples(FRAMES) + 1, generator=generator)
    colour = torch.rand(BATCH, 1, generator=generator)
    waveform = 0.1 * (noise[:, 1:] + colour * noise[:, :-1])
    emotion = torch.randint(NUM_EMOTIONS, (BATCH,), generator=generator)
    return waveform.to(device), torch.full((BATCH,), FRAMES, device=device), emotion.to(device)


def our_network(system: str) -> Network:
    """A system of `SYSTEMS` with the layers of `ser`."""
    convolutions = PlainConvolutions() if system == "CNN_LSTM" else SpectralTemporalConvolutions()
    sizes = convolutions.taps, NUM_EMOTIONS
    branches = {
        "gru": lambda: RecurrentBranch(nn.GRU, *sizes, **GRU_SIZES),
        "lstm": lambda: RecurrentBranch(nn.LSTM, *sizes, **LSTM_SIZES),
        "seqcap": lambda: CapsuleBranch(SeqCaps, *sizes, **CAPSULE_SIZES),
        "reccap": lambda: CapsuleBranch(RecCaps, *sizes, **CAPSULE_SIZES),
    }
    return Network(convolutions, [branches[name]() for name in SYSTEMS[system]])


def wait_for(device: str) -> None:
    """Wait until a GPU has finished its work."""
    if device != "cpu":
        torch.cuda.synchronize(device)


class Trainer:
    """One variant of one system, training on one batch."""

    def __init__(self, system: str, plain: bool, device: str, state: dict) -> None:
        self.device = device
        self.network = (plain_network if plain else our_network)(system).to(device)
        self.network.load_state_dict({plain_name(name): value for name, value in state.items()} if plain else state)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        self.batch = make_batch(device)

    def gradients(self) -> tuple[list[float], dict]:
        """The losses in float32 and float64, and the gradients in float64, with dropout off."""
        waveform, frames, emotion = self.batch
        network = copy.deepcopy(self.network).to(self.device)  # .to() flattens recurrent weights again
        for module in network.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0  # not eval(), in which recurrent layers on a GPU have no backward
        losses = [network.loss(waveform, frames, emotion).item()]
        loss = network.double().loss(waveform.double(), frames, emotion)
        loss.backward()
        return [*losses, loss.item()], {name: weight.grad.cpu().numpy() for name, weight in network.named_parameters()}

    def peak(self) -> float:
        """Floating-point operations per second of the fastest operation of two steps, or of a square matrix product."""
        with OperationRates(lambda: wait_for(self.device)) as rates:
            time_square_product(self.device)
            for _ in range(2):
                self.network.loss(*self.batch).backward()
        self.optimiser.zero_grad()
        return rates.fastest

    def steps(self, count: int) -> list[float]:
        """Train and return the seconds of each step."""
        seconds = []
        for _ in range(count):
            start = time.perf_counter()
            self.optimiser.zero_grad()
            self.network.loss(*self.batch).backward()
            self.optimiser.step()
            wait_for(self.device)
            seconds.append(time.perf_counter() - start)
        return seconds


def serve(plain: bool, threads: int, device: str, requests) -> None:
    """One variant's process: answer the parent's requests in turn."""
    torch.set_num_threads(threads)
    torch.backends.cudnn.allow_tf32 = False  # as in `ser fit`
    if not plain:
        keep_freed_memory()
    trainer = None
    while (request := requests.recv()) is not None:
        action, *arguments = request
        if action == "build":
            trainer = Trainer(arguments[0], plain, device, arguments[1])
            requests.send(trainer.gradients())
        elif action == "steps":
            requests.send(trainer.steps(*arguments))
        elif action == "peak":
            requests.send(trainer.peak())


def ask(process, *request):
    """Send a request and wait for the answer, so that only one process works at a time."""
    process.send(request)
    return process.recv()


def initial_state(system: str) -> dict[str, torch.Tensor]:
    """Initial weights of `ser` with non-zero biases, and the batch's statistics for standardisation."""
    torch.manual_seed(0)
    network, moments = our_network(system), Moments()
    for name, values in network.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(values, std=0.1)
    for spectrogram in network.spectrogram(make_batch()[0]):
        moments.add(spectrogram)
    network.standardisation.statistics.copy_(moments.statistics())
    return network.state_dict()


def count_flops(system: str) -> int:
    """Floating-point operations of the plain network's convolutions and matrix products, forward and backward."""
    with torch.device("meta"):
        network = plain_network(system)
        spectrogram = torch.zeros(BATCH, 512, FRAMES)
        frames = torch.zeros(BATCH, dtype=torch.long)
        with FlopCounterMode(display=False) as counter:
            maps = network.convolutions(spectrogram, frames)
            sum(branch(maps).sum() for branch in network.branches).backward()
    return counter.get_total_flops()


def worst_difference(plain: tuple, ours: tuple) -> float:
    """Largest relative difference of a loss and of any parameter's gradient."""
    (plain_losses, plain_gradients), (our_losses, our_gradients) = plain, ours
    differences = [abs(b - a) / abs(a) for a, b in zip(plain_losses, our_losses, strict=True)]
    for name, gradient in our_gradients.items():
        expected = plain_gradients[plain_name(name)]
        differences.append(norm(gradient - expected) / norm(expected))
    return float(max(differences))


def measure(system: str, steps: int, plain, ours) -> dict:
    """Compare both variants of a system and time them in alternating blocks."""
    state = initial_state(system)
    difference = worst_difference(ask(plain, "build", system, state), ask(ours, "build", system, state))
    for process in (plain, ours):
        ask(process, "steps", BLOCK_STEPS)  # warm-up
    plain_seconds, our_seconds, ratios, peaks = [], [], [], []
    for _ in range(max(2, steps // BLOCK_STEPS)):
        peaks += [ask(process, "peak") for process in (plain, ours)]
        plain_block, our_block = ask(plain, "steps", BLOCK_STEPS), ask(ours, "steps", BLOCK_STEPS)
        plain_seconds += plain_block
        our_seconds += our_block
        ratios.append(sum(plain_block) / sum(our_block))
    low, _, high = quantiles(ratios, n=4)
    flops, peak = count_flops(system), max(peaks)
    return {
        "system": system,
        "plain_ms": 1e3 * median(plain_seconds),
        "ours_ms": 1e3 * median(our_seconds),
        "ratio": median(plain_seconds) / median(our_seconds),
        "ratio_quartiles": [low, high],
        "target": TARGETS[system],
        "gflop": flops / 1e9,
        "peak_gflop_per_s": peak / 1e9,
        "plain_share_of_peak": flops / median(plain_seconds) / peak,
        "ours_share_of_peak": flops / median(our_seconds) / peak,
        "difference": difference,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), metavar="SYSTEM")
    parser.add_argument("--steps", type=int, default=20, help="timed steps per variant (default: 20)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default: 2)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a target ratio is missed")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    context, connections, processes = multiprocessing.get_context("spawn"), [], []
    for plain in (True, False):
        connection, other_end = context.Pipe()
        process = context.Process(target=serve, args=(plain, options.threads, options.device, other_end), daemon=True)
        process.start()
        connections.append(connection)
        processes.append(process)

    print("system          plain ms  ours ms  ratio  quartiles    target  plain/peak  ours/peak  difference")
    rows, digits = [], 0 if options.device == "cpu" else 2
    for system in options.systems:
        row = measure(system, options.steps, *connections)
        rows.append(row)
        low, high = row["ratio_quartiles"]
        print(
            f"{system:15} {row['plain_ms']:8.{digits}f} {row['ours_ms']:8.{digits}f} {row['ratio']:6.2f}"
            f"  {low:4.2f} - {high:4.2f}  {row['target']:6.1f}"
            f"  {row['plain_share_of_peak']:10.0%} {row['ours_share_of_peak']:10.0%}  {row['difference']:10.1e}",
            flush=True,
        )
    where = f"{options.threads} threads" if options.device == "cpu" else torch.cuda.get_device_name(options.device)
    print(f"peak: the fastest operation, {max(row['peak_gflop_per_s'] for row in rows):.0f} GFLOP/s, {where}, float32")
    for connection, process in zip(connections, processes, strict=True):
        connection.send(None)
        process.join()
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")

    different = [row["system"] for row in rows if not row["difference"] <= TOLERANCE]
    slow = [row["system"] for row in rows if row["ratio"] < row["target"]]
    if different:
        print(f"losses or gradients differ by more than {TOLERANCE:g}: {', '.join(different)}")
    if slow:
        print(f"below the target ratio: {', '.join(slow)}")
    return 1 if different or (options.check and slow) else 0


if __name__ == "__main__":
    sys.exit(main())
