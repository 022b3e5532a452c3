"""The lesson's picture of ReLU, with pyplot, into relu.png."""

import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(-5, 5, 100)
y = np.maximum(0, x)

plt.figure(figsize=(8, 6))
plt.plot(x, y, label="ReLU")
plt.xlabel("Input")
plt.ylabel("Output")
plt.title("ReLU activation function")
plt.legend()
plt.grid(True)
plt.savefig("relu.png")
