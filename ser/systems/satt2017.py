"""The published baseline of Table 1 as a LightningModule."""

from torch import nn

from ser.bounds import Dropout, Emotions, Units, checked
from ser.emotions import PAPER_EMOTIONS
from ser.networks.branches import RecurrentBranch
from ser.networks.convolutions import PlainConvolutions
from ser.systems.system import System


class CNNLSTM(System):
    """CNN_LSTM: the published baseline of Table 1.

    Args:
        emotions: see `System`.
        lstm_units: cells per direction.
        dense_units: units of the dense layer.
        dropout: rate after the dense layer.
        **options: see `System`.

    Source:
        Satt et al. (2017), as far as the details are known; dropout is assumed.
    """

    @checked("model.")
    def __init__(
        self,
        emotions: Emotions = PAPER_EMOTIONS,
        lstm_units: Units = 128,
        dense_units: Units = 64,
        dropout: Dropout = 0.5,
        **options,
    ) -> None:
        convolutions = PlainConvolutions()
        lstm = RecurrentBranch(nn.LSTM, convolutions.taps, len(emotions), lstm_units, dense_units, dropout)
        super().__init__(emotions, convolutions, {"lstm": lstm}, [1.0], **options)
        self.save_hyperparameters(logger=False)
