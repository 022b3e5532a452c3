"""nncli: the neural-networks lesson as commands that train, measure and draw."""

__version__ = "0.1.0"
