"""The lesson's CNN on 28×28 images, in plain Keras: cnn.py DATA.npz EPOCHS [in-order]"""

import json
import sys

import numpy as np
from clock import clock
from tensorflow import keras
from tensorflow.keras.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from tensorflow.keras.models import Sequential

keras.utils.set_random_seed(42)
data = np.load(sys.argv[1])
x, y = data["x_train"].astype("float32") / 255, data["y_train"]
x_val, y_val = data["x_val"].astype("float32") / 255, data["y_val"]

model = Sequential(
    [
        Input((28, 28, 1)),
        Conv2D(32, (3, 3), activation="relu"),
        MaxPooling2D((2, 2)),
        Conv2D(64, (3, 3), activation="relu"),
        MaxPooling2D((2, 2)),
        Flatten(),
        Dense(128, activation="relu"),
        Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
seconds: list[float] = []
history = model.fit(
    x,
    y,
    batch_size=32,
    epochs=int(sys.argv[2]),
    validation_data=(x_val, y_val),
    shuffle="in-order" not in sys.argv,
    callbacks=[clock(seconds)],
)

result = {"samples": [len(x), len(x_val)], "parameters": model.count_params(), "seconds": seconds}
print("\n" + json.dumps(result | history.history))
