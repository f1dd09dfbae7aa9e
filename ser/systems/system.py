"""The base of all systems: spectrogram, shared convolutions, parallel branches; training and scoring."""

from abc import ABC, abstractmethod
from copy import deepcopy
from typing import Literal

import torch
from lightning import Callback, LightningModule
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MeanMetric

from ser.audio.frames import WINDOW_SAMPLES, num_frames
from ser.bounds import Emotions, LearningRate, checked
from ser.data.datamodule import EmotionData
from ser.data.segments import Batch
from ser.emotions import IGNORED
from ser.errors import InputError
from ser.networks.branches import Branch
from ser.networks.convolutions import Convolutions, FeatureMap, convolve_in_pieces, joined
from ser.networks.spectrogram import NUM_BINS, Spectrogram, Standardisation
from ser.systems.dropout import SeededDropout
from ser.systems.learning_rate import LearningRateRule
from ser.systems.lineage import entries, entries_of_fold, heard
from ser.systems.metrics import EmotionScores
from ser.systems.spectrogram_statistics import measure

CONVOLVED_FRAMES = 1504  # at once, if no gradient is needed; utterances of a batch are convolved independently


def validation_of(fold: int) -> str:
    """The stage in the metrics of another fold that is validated in the same training."""
    return f"val_fold{fold}"


class System(LightningModule, ABC):
    """A spectrogram, shared convolutions and parallel branches.

    The loss is the sum of the branches' cross-entropies; the posterior is the weighted mean of theirs. The system adds
    the learning-rate rule and the seeded dropout itself, so a plain `Trainer` trains it as `ser fit` does. On a GPU,
    also set `torch.backends.cudnn.allow_tf32 = False`, as `ser fit` does.

    Args:
        emotions: in the order of every posterior; on the command line always `data.emotions`.
        convolutions: shared by all branches.
        branches: by name.
        weights: of each branch in the posterior; they sum to 1.
        magnitude: scale of the spectrogram, "log" or "linear".
        standardise: one mean and deviation per frequency "bin" or one "scalar" for all.
        learning_rate: the initial learning rate of Adam.

    Source:
        Wu et al. (2019), sections 3 and 4.1.
    """

    @abstractmethod
    @checked("model.")
    def __init__(
        self,
        emotions: Emotions,
        convolutions: Convolutions,
        branches: dict[str, Branch],
        weights: list[float],
        magnitude: Literal["log", "linear"] = "log",
        standardise: Literal["bin", "scalar"] = "bin",
        learning_rate: LearningRate = 0.001,
    ) -> None:
        super().__init__()
        self.emotions = tuple(emotions)
        self.spectrogram = Spectrogram(magnitude)
        self.standardisation = Standardisation(standardise)
        self.convolutions = convolutions
        self.branches = nn.ModuleDict(branches)
        self.weights = weights
        self.learning_rate = learning_rate
        # Training and validation data of these weights (`ser.systems.lineage`); None if they are random.
        self.lineage: dict | None = None
        # One for each fold that a training validates; `setup` adds those of other folds.
        self.scores = nn.ModuleList([EmotionScores(emotions)])
        self.evaluation_losses = nn.ModuleList([MeanMetric("disable")])  # NaN stays NaN

    def logits(self, waveform: Tensor, lengths: Tensor, statistics: Tensor | None = None) -> dict[str, Tensor]:
        """Logits of each branch, (batch, emotions), with their gradient; the arguments are those of `posterior`.

        Arguments are not checked, since that would synchronise with the GPU in every training step.
        """
        size, most_frames = len(waveform), num_frames(waveform.shape[-1])
        if not torch.is_grad_enabled() and waveform.device.type == "cpu":
            size, most_frames = max(CONVOLVED_FRAMES // most_frames, 1), CONVOLVED_FRAMES
        pieces = zip(waveform.split(size), lengths.split(size), strict=True)
        each = [None] * len(lengths) if statistics is None else statistics.split(size)
        maps = joined([self._maps(*piece, own, most_frames) for piece, own in zip(pieces, each, strict=False)])
        return {name: branch(maps) for name, branch in self.branches.items()}

    def _maps(
        self, waveform: Tensor, lengths: Tensor, statistics: Tensor | None, most_frames: int
    ) -> dict[str, FeatureMap]:
        beyond = torch.arange(waveform.shape[-1], device=lengths.device) >= lengths.unsqueeze(-1)
        # The DFT is longer than the window, so NaN beyond the end would spread to frames before it.
        spectrogram = self.spectrogram(waveform.masked_fill(beyond, 0))
        standardised = self.standardisation(spectrogram, statistics)
        return convolve_in_pieces(self.convolutions, standardised, num_frames(lengths), most_frames)

    def combine(self, posteriors: dict[str, Tensor]) -> Tensor:
        """The weighted mean of the branches' posteriors, (batch, emotions) each."""
        return sum(weight * posterior for weight, posterior in zip(self.weights, posteriors.values(), strict=True))

    def branch_posteriors(
        self, waveform: Tensor, lengths: Tensor, statistics: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Posteriors of each branch, without dropout and without gradient; arguments and errors as in `posterior`."""
        _check_shapes(waveform, lengths, statistics)
        if int(lengths.min()) < WINDOW_SAMPLES or int(lengths.max()) > waveform.shape[-1]:
            raise InputError(
                f"lengths must be between {WINDOW_SAMPLES} samples (one analysis window) and the waveform's "
                f"{waveform.shape[-1]}, but are between {int(lengths.min())} and {int(lengths.max())}"
            )
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                logits = self.logits(waveform.to(self.dtype), lengths.long(), statistics)
        finally:
            self.train(training)
        return {name: each.softmax(-1) for name, each in logits.items()}

    def posterior(self, waveform: Tensor, lengths: Tensor, statistics: Tensor | None = None) -> Tensor:
        """Probabilities of the emotions for each utterance, independent of the rest of the batch.

        Args:
            waveform: (batch, samples) at 16 kHz, floating-point numbers in [-1, 1).
            lengths: (batch,) samples of each utterance, integers; the rest is padding.
            statistics: mean and deviation per bin to standardise each utterance by, (batch, 2, bins), instead of the
                system's own.

        Returns:
            (batch, emotions), rows summing to 1, in the order of `emotions`; without gradient (`logits` has one).

        Raises:
            InputError: if shapes or types do not fit, or an utterance is shorter than one analysis window.

        Source:
            Wu et al. (2019), section 3, last sentence.
        """
        return self.combine(self.branch_posteriors(waveform, lengths, statistics))

    def setup(self, stage: str) -> None:
        data = self.trainer.datamodule
        if isinstance(data, EmotionData) and data.emotions != self.emotions:
            own, given = ", ".join(self.emotions), ", ".join(data.emotions)
            raise InputError(f"the system answers with {own}, but the data have {given}, in this order")
        for _ in range(len(self.scores), 1 + len(_others(data))):
            self.scores.append(deepcopy(self.scores[0]))
            self.evaluation_losses.append(deepcopy(self.evaluation_losses[0]))
        for metric in [*self.scores, *self.evaluation_losses]:
            metric.reset()  # an evaluation outside training leaves inference tensors, which training cannot update
        if stage == "fit":
            self.lineage = entries_of_fold(data, self.lineage) if isinstance(data, EmotionData) else None
        if isinstance(data, EmotionData) and (stage == "fit" or data.statistics == "speaker"):
            statistics = measure(data, self.spectrogram.cpu())
            if stage == "fit":
                self.standardisation.statistics.copy_(statistics)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        logits = self.logits(batch.waveform, batch.lengths, batch.statistics)
        return self._summed_loss(logits, batch.emotion) * batch.scale

    def _summed_loss(self, logits: dict[str, Tensor], emotion: Tensor) -> Tensor:
        return sum(F.cross_entropy(each, emotion, ignore_index=IGNORED, reduction="sum") for each in logits.values())

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> dict[str, Tensor]:
        logits = self.logits(batch.waveform, batch.lengths, batch.statistics)
        posteriors = {name: each.softmax(-1) for name, each in logits.items()}
        posterior = self.combine(posteriors)
        self.scores[dataloader_idx].update(posterior, batch.emotion)
        losses = sum(
            F.cross_entropy(each, batch.emotion, reduction="none", ignore_index=IGNORED) for each in logits.values()
        )
        # One value for each utterance: a MeanMetric that keeps NaN takes no weights.
        self.evaluation_losses[dataloader_idx].update(losses[batch.emotion != IGNORED])
        return {"": posterior, **posteriors}

    test_step = validation_step

    def on_train_epoch_end(self) -> None:
        self._log_epoch()

    def on_validation_epoch_end(self) -> None:
        if self.trainer.state.fn == "fit":
            self._log_epoch()
        self._log_scores("val", 0)
        for place, other in enumerate(_others(self.trainer.datamodule), start=1):
            self._log_scores(validation_of(other.fold), place, logger=False)  # not shown: this fold may test them

    def on_test_epoch_end(self) -> None:
        self._log_scores("test", 0)

    def _log_epoch(self) -> None:
        """Log the epoch counted from 1, for loggers and names of checkpoints; Lightning counts from 0."""
        self.log("epoch", float(self.trainer.current_epoch + 1), sync_dist=True)

    def _log_scores(self, stage: str, place: int, logger: bool = True) -> None:
        scores, loss = self.scores[place], self.evaluation_losses[place]
        # `compute` has summed over processes already; the mean that `sync_dist` takes over them changes nothing.
        for name, value in {**scores.compute(), "loss": loss.compute()}.items():
            shown = logger and name in ("wa", "ua")
            self.log(f"{stage}/{name}", value.float(), prog_bar=shown, logger=logger, sync_dist=True)
        scores.reset()
        loss.reset()

    def configure_callbacks(self) -> list[Callback]:
        """The learning-rate rule and dropout by the seed of the `EmotionData`, unless the trainer has its own."""
        own: list[Callback] = [LearningRateRule()]
        if isinstance(data := self.trainer.datamodule, EmotionData):
            own.append(SeededDropout(data.seed))
        # Lightning calls this at the start of every fit, validation or test, and replaces callbacks of these types.
        return [each for each in own if not any(isinstance(given, type(each)) for given in self.trainer.callbacks)]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate, betas=(0.9, 0.999), eps=1e-8)

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["system"] = type(self).__name__
        checkpoint.update(self.lineage or {})

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        if not all(name in checkpoint for name in ("speakers", "recordings", "standardised_by")):
            return
        found = entries(checkpoint)
        going_on = self._trainer is not None and self._trainer.state.fn == "fit" and self.lineage
        if not going_on:
            self.lineage = found
        elif found["recordings"] == self.lineage["recordings"]:  # an interrupted training is resumed
            self.lineage["initial_weights"] = found["initial_weights"]
        else:
            self.lineage["initial_weights"] = heard(found)


def _others(data: object) -> list[EmotionData]:
    return data.others if isinstance(data, EmotionData) else []


def _check_shapes(waveform: Tensor, lengths: Tensor, statistics: Tensor | None) -> None:
    for name, value in (("waveform", waveform), ("lengths", lengths)):
        if not isinstance(value, Tensor):
            raise InputError(f"{name} must be a torch.Tensor, not {type(value).__name__}")
    if waveform.ndim != 2 or lengths.shape != waveform.shape[:1] or not len(lengths):
        raise InputError(
            f"waveform must be (batch, samples) and lengths (batch,), but they are {tuple(waveform.shape)} "
            f"and {tuple(lengths.shape)}"
        )
    if not waveform.is_floating_point():
        raise InputError(f"waveform must hold floating-point numbers in [-1, 1), but its type is {waveform.dtype}")
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise InputError(f"lengths must be integers, numbers of samples, but their type is {lengths.dtype}")
    if statistics is not None and statistics.shape != (expected := (len(lengths), 2, NUM_BINS)):
        raise InputError(f"statistics must be (batch, 2, bins), {expected}, but they are {tuple(statistics.shape)}")
