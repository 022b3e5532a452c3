"""A new head on a frozen VGG16 in plain PyTorch: vgg16.py DATA.npz WEIGHTS.npz EPOCHS"""

import json
import sys
from typing import Any

import numpy as np
import torch
from epochs import train
from images import part_of
from torch import nn

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def vgg16(weights: Any) -> nn.Sequential:
    """The convolutions, with Keras's weights: a kernel (height, width, in, out), a bias, …"""
    layers: list[nn.Module] = []
    number, channels = 0, 3
    for block in BLOCKS:
        for filters in block:
            convolution = nn.Conv2d(channels, filters, 3, padding=1)
            kernel, bias = weights[f"arr_{number}"], weights[f"arr_{number + 1}"]
            convolution.weight.data = torch.from_numpy(kernel).permute(3, 2, 0, 1).contiguous()
            convolution.bias.data = torch.from_numpy(bias)
            layers += [convolution, nn.ReLU()]
            number, channels = number + 2, filters
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers).requires_grad_(False)


torch.manual_seed(42)
data = np.load(sys.argv[1])
part, validation = part_of(data, "train"), part_of(data, "val")

model = nn.Sequential(
    vgg16(np.load(sys.argv[2])),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(512, 256),
    nn.ReLU(),
    nn.Dropout(0.5),
    nn.Linear(256, 10),
)
figures, seconds = train(model, nn.CrossEntropyLoss(), part, int(sys.argv[3]), validation)

parameters = sum(each.numel() for each in model.parameters())
samples = [len(part[0]), len(validation[0])]
print(json.dumps({"samples": samples, "parameters": parameters, "seconds": seconds} | figures))
