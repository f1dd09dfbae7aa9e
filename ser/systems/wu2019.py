"""The four systems of Wu et al. (2019) as LightningModules."""

from abc import ABC, abstractmethod
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from ser.bounds import Dropout, Emotions, LearningRate, Units, checked
from ser.emotions import PAPER_EMOTIONS
from ser.networks.branches import CapsuleBranch, RecurrentBranch
from ser.networks.capsule_layers import EmoCaps, RecCaps, SeqCaps
from ser.networks.convolutions import SpectralTemporalConvolutions
from ser.systems.system import System


class CNNGRU(System):
    """CNN_GRU: a bidirectional GRU on the shared convolutions.

    Args:
        emotions: see `System`.
        gru_units: cells per direction.
        dense_units: units of the dense layer.
        dropout: rate after the dense layer.
        **options: see `System`.

    Source:
        Wu et al. (2019), section 3.
    """

    @checked("model.")
    def __init__(
        self,
        emotions: Emotions = PAPER_EMOTIONS,
        gru_units: Units = 64,
        dense_units: Units = 64,
        dropout: Dropout = 0.5,
        **options,
    ) -> None:
        convolutions = SpectralTemporalConvolutions()
        gru = RecurrentBranch(nn.GRU, convolutions.taps, len(emotions), gru_units, dense_units, dropout, pool_bins=4)
        super().__init__(emotions, convolutions, {"gru": gru}, [1.0], **options)
        self.save_hyperparameters(logger=False)


class CapsuleSystem(System, ABC):
    """A system whose only branch is a capsule branch.

    Args:
        emo_caps: the routing over windows.
        emotions: see `System`.
        magnitude: scale of the spectrogram, "log" or "linear".
        standardise: one mean and deviation per frequency "bin" or one "scalar" for all.
        learning_rate: the initial learning rate of Adam.
        **capsules: sizes of the capsule branch, see `CapsuleBranch`.
    """

    @abstractmethod
    @checked("model.")
    def __init__(
        self,
        emo_caps: type[EmoCaps],
        emotions: Emotions = PAPER_EMOTIONS,
        magnitude: Literal["log", "linear"] = "log",
        standardise: Literal["bin", "scalar"] = "bin",
        learning_rate: LearningRate = 0.001,
        **capsules,
    ) -> None:
        convolutions = SpectralTemporalConvolutions()
        capsule = CapsuleBranch(emo_caps, convolutions.taps, len(emotions), **capsules)
        super().__init__(emotions, convolutions, {"capsule": capsule}, [1.0], magnitude, standardise, learning_rate)


class CNNSeqCap(CapsuleSystem):
    """CNN_SeqCap: sequential capsules on the shared convolutions.

    Source:
        Wu et al. (2019), sections 2.2 and 3.
    """

    def __init__(self, **options) -> None:
        super().__init__(SeqCaps, **options)
        self.save_hyperparameters(logger=False)


class CNNRecCap(CapsuleSystem):
    """CNN_RecCap: capsules with a recurrent connection between windows on the shared convolutions.

    Source:
        Wu et al. (2019), sections 2.3 and 3.
    """

    def __init__(self, **options) -> None:
        super().__init__(RecCaps, **options)
        self.save_hyperparameters(logger=False)


class CNNGRUSeqCap(System):
    """CNN_GRU-SeqCap: sequential capsules and a GRU in parallel.

    Args:
        emotions: see `System`.
        lambda_: weight of the capsule branch in the posterior; the GRU branch has 1 - lambda. Training ignores it.
        gru_units: cells per direction.
        dense_units: units of each branch's dense layer.
        dropout: rate after the dense layer.
        magnitude: scale of the spectrogram, "log" or "linear".
        standardise: one mean and deviation per frequency "bin" or one "scalar" for all.
        learning_rate: the initial learning rate of Adam.
        **capsules: sizes of the capsule branch, see `CapsuleBranch`.

    Source:
        Wu et al. (2019), section 3 and Fig. 2; lambda = 0.6 in section 4.2.
    """

    @checked("model.")
    def __init__(
        self,
        emotions: Emotions = PAPER_EMOTIONS,
        lambda_: Annotated[float, Field(ge=0, le=1)] = 0.6,
        gru_units: Units = 64,
        dense_units: Units = 64,
        dropout: Dropout = 0.5,
        magnitude: Literal["log", "linear"] = "log",
        standardise: Literal["bin", "scalar"] = "bin",
        learning_rate: LearningRate = 0.001,
        **capsules,
    ) -> None:
        convolutions = SpectralTemporalConvolutions()
        taps, number = convolutions.taps, len(emotions)
        # Without *: the command line reads from this call which options **capsules can have.
        capsule = CapsuleBranch(SeqCaps, taps, number, dense_units=dense_units, dropout=dropout, **capsules)
        gru = RecurrentBranch(nn.GRU, taps, number, gru_units, dense_units, dropout, pool_bins=4)
        branches, weights = {"capsule": capsule, "gru": gru}, [lambda_, 1 - lambda_]
        super().__init__(emotions, convolutions, branches, weights, magnitude, standardise, learning_rate)
        self.save_hyperparameters(logger=False)
