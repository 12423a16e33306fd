"""Compiled epochs on TensorFlow: one trace for many configurations."""

from kerashpo.training.loops.compiled.tensorflow.engine import TensorFlowEngine

__all__ = ["TensorFlowEngine"]
