"""The lesson's neuron, with NumPy only."""

import numpy as np


def sigmoid(z: float) -> float:
    return float(1 / (1 + np.exp(-z)))


inputs = np.array([2.0, 3.0, 1.0])
weights = np.array([0.5, -0.3, 0.8])
bias = 0.1
print(sigmoid(float(np.dot(inputs, weights)) + bias))
