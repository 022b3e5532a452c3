"""The lesson's CNN on 28×28 images, in plain PyTorch: cnn.py DATA.npz EPOCHS"""

import json
import sys

import numpy as np
import torch
from epochs import train
from images import part_of
from torch import nn

torch.manual_seed(42)
data = np.load(sys.argv[1])
part, validation = part_of(data, "train"), part_of(data, "val")

model = nn.Sequential(
    nn.Conv2d(1, 32, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(64 * 5 * 5, 128),
    nn.ReLU(),
    nn.Linear(128, 10),
)
figures, seconds = train(model, nn.CrossEntropyLoss(), part, int(sys.argv[2]), validation)

parameters = sum(each.numel() for each in model.parameters())
samples = [len(part[0]), len(validation[0])]
print(json.dumps({"samples": samples, "parameters": parameters, "seconds": seconds} | figures))
