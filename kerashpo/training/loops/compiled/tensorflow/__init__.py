"""Compiled epochs on TensorFlow: one trace for many configurations, variables lent to a trial."""

from kerashpo.training.loops.compiled.tensorflow.engine import TensorFlowEngine

__all__ = ["TensorFlowEngine"]
