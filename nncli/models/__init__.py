"""The kinds of model that nncli trains."""

from nncli.models.convolutional import CNN
from nncli.models.kind import ModelKind
from nncli.models.recurrent import LSTM, RNN
from nncli.models.transfer import TRANSFER

KINDS: dict[str, ModelKind] = {
    "rnn": RNN,
    "lstm": LSTM,
    "cnn": CNN,
    "transfer": TRANSFER,
}

__all__ = ["KINDS", "ModelKind"]
