"""A new head on a frozen MobileNetV2 in plain Keras.

mobilenet.py DATA.npz WEIGHTS EPOCHS [in-order]
"""

import json
import sys

import numpy as np
from clock import clock
from tensorflow import keras
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.layers import Dense, Dropout, GlobalAveragePooling2D
from tensorflow.keras.models import Sequential

keras.utils.set_random_seed(42)
data = np.load(sys.argv[1])
x, x_val = data["x_train"].astype("float32") / 255, data["x_val"].astype("float32") / 255
y = keras.utils.to_categorical(data["y_train"], 10)
y_val = keras.utils.to_categorical(data["y_val"], 10)

base = MobileNetV2(weights=None, include_top=False, input_shape=(96, 96, 3))
base.load_weights(sys.argv[2])
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
    epochs=int(sys.argv[3]),
    validation_data=(x_val, y_val),
    shuffle="in-order" not in sys.argv,
    callbacks=[clock(seconds)],
)

result = {"samples": [len(x), len(x_val)], "parameters": model.count_params(), "seconds": seconds}
print("\n" + json.dumps(result | history.history))
