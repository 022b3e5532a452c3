"""The lesson's RNN on one half wave of a sine, in plain Keras: rnn.py EPOCHS"""

import json
import sys

import numpy as np
from clock import clock
from tensorflow import keras
from tensorflow.keras.layers import Dense, Input, SimpleRNN
from tensorflow.keras.models import Sequential

keras.utils.set_random_seed(42)
wave = np.sin(np.linspace(0, np.pi, 21))
x, y = wave[:-1].reshape(1, 20, 1), wave[1:].reshape(1, 20, 1)

model = Sequential([Input((20, 1)), SimpleRNN(32, return_sequences=True), Dense(1)])
model.compile(optimizer="adam", loss="mse")
seconds: list[float] = []
history = model.fit(x, y, epochs=int(sys.argv[1]), verbose=0, callbacks=[clock(seconds)])

result = {"samples": [len(x), 0], "parameters": model.count_params(), "seconds": seconds}
print("\n" + json.dumps(result | history.history))
