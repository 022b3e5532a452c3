"""A new head on a frozen base in plain Keras; then, where asked for, its last layers learn too.

transfer.py NETWORK DATA.npz WEIGHTS EPOCHS LAYERS [in-order]
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
seconds: list[float] = []
figures: dict[str, list[float]] = {}


def train(learning_rate: float) -> None:
    """So many epochs with what is trainable now."""
    adam = keras.optimizers.Adam(learning_rate)
    model.compile(optimizer=adam, loss="categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x,
        y,
        batch_size=32,
        epochs=int(sys.argv[4]),
        validation_data=(x_val, y_val),
        shuffle="in-order" not in sys.argv,
        callbacks=[clock(seconds)],
    )
    for name, values in history.history.items():
        figures[name] = figures.get(name, []) + values


train(0.001)
if int(sys.argv[5]):
    base.trainable = True
    for layer in base.layers[: -int(sys.argv[5])]:
        layer.trainable = False
    train(0.00001)

result = {"samples": [len(x), len(x_val)], "parameters": model.count_params(), "seconds": seconds}
print("\n" + json.dumps(result | figures))
