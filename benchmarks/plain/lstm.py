"""The lesson's LSTM, trained on sequences, in plain Keras: lstm.py DATA.npz EPOCHS [in-order]"""

import json
import sys

import numpy as np
from clock import clock
from tensorflow import keras
from tensorflow.keras.layers import LSTM, Dense, Input
from tensorflow.keras.models import Sequential

keras.utils.set_random_seed(42)
data = np.load(sys.argv[1])
x, y = data["x_train"], keras.utils.to_categorical(data["y_train"], 5)

model = Sequential(
    [
        Input((100, 10)),
        LSTM(64, return_sequences=True),
        LSTM(64),
        Dense(5, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
seconds: list[float] = []
history = model.fit(
    x,
    y,
    batch_size=32,
    epochs=int(sys.argv[2]),
    shuffle="in-order" not in sys.argv,
    callbacks=[clock(seconds)],
)

result = {"samples": [len(x), 0], "parameters": model.count_params(), "seconds": seconds}
print("\n" + json.dumps(result | history.history))
