"""The lesson's RNN on one half wave of a sine, in plain PyTorch: rnn.py EPOCHS"""

import json
import sys

import torch
from epochs import train
from torch import Tensor, nn


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.RNN(1, 32, batch_first=True)
        self.dense = nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.recurrent(x)
        return self.dense(states)  # (batch, steps, 1)


torch.manual_seed(42)
wave = torch.sin(torch.linspace(0, torch.pi, 21))
x, y = wave[:-1].reshape(1, 20, 1), wave[1:].reshape(1, 20, 1)

model = Recurrent()
figures, seconds = train(model, nn.MSELoss(), (x, y), int(sys.argv[1]))

parameters = sum(each.numel() for each in model.parameters())
print(json.dumps({"samples": [1, 0], "parameters": parameters, "seconds": seconds} | figures))
