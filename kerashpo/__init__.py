"""Hyperparameter search for Keras models."""
