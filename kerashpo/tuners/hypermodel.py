"""`HyperModel`, keras_tuner's own: a class with ``build(hp)``."""

from keras_tuner import HyperModel

__all__ = ["HyperModel"]
