"""Images to classify, one file per family: built-in digits, Keras's data sets, folders."""

from nncli.data.images.digits import DIGITS
from nncli.data.images.folder import FOLDER
from nncli.data.images.keras_sets import CIFAR10, CIFAR100, FASHION_MNIST, MNIST

__all__ = ["CIFAR10", "CIFAR100", "DIGITS", "FASHION_MNIST", "FOLDER", "MNIST"]
