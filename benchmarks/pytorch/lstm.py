"""The lesson's LSTM, trained on sequences, in plain PyTorch: lstm.py DATA.npz EPOCHS"""

import json
import sys

import numpy as np
import torch
from epochs import train
from torch import Tensor, nn


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(10, 64, num_layers=2, batch_first=True)
        self.dense = nn.Linear(64, 5)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.recurrent(x)
        return self.dense(states[:, -1])  # (batch, classes)


torch.manual_seed(42)
data = np.load(sys.argv[1])
x, y = torch.from_numpy(data["x_train"]), torch.from_numpy(data["y_train"]).long()

model = Recurrent()
figures, seconds = train(model, nn.CrossEntropyLoss(), (x, y), int(sys.argv[2]))

parameters = sum(each.numel() for each in model.parameters())
print(json.dumps({"samples": [len(x), 0], "parameters": parameters, "seconds": seconds} | figures))
