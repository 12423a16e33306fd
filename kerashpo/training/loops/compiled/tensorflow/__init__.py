"""Engine for compiled epochs on TensorFlow: one trace serves many configurations."""

from kerashpo.training.loops.compiled.tensorflow.engine import TensorFlowEngine

__all__ = ["TensorFlowEngine"]
