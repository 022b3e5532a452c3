"""A new head on a frozen base in plain Keras.

transfer.py NETWORK DATA.npz WEIGHTS EPOCHS [in-order]
"""

import json
import sys

import numpy as np
from clock import clock
from tensorflow import keras
from tensorflow.keras.layers import Dense, Dropout, GlobalAveragePooling2D
from tensorflow.keras.models import Sequential

keras.utils.set_random_seed(42)
network, data = getattr(keras.applications, sys.argv[1]), np.load(sys.argv[2])
x, x_val = data["x_train"].astype("float32") / 255, data["x_val"].astype("float32") / 255
y = keras.utils.to_categorical(data["y_train"], 10)
y_val = keras.utils.to_categorical(data["y_val"], 10)

base = network(weights=None, include_top=False, input_shape=x.shape[1:])
base.load_weights(sys.argv[3])
base.trainable = False
model = Sequential(
    [
        base,
        GlobalAveragePooling2D(),
        Dense(256, activation="relu"),
        Dropout(0.5),
        Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
seconds: list[float] = []
history = model.fit(
    x,
    y,
    batch_size=32,
    epochs=int(sys.argv[4]),
    validation_data=(x_val, y_val),
    shuffle="in-order" not in sys.argv,
    callbacks=[clock(seconds)],
)

result = {"samples": [len(x), len(x_val)], "parameters": model.count_params(), "seconds": seconds}
print("\n" + json.dumps(result | history.history))
