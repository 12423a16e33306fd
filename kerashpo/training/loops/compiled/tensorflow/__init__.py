"""Engine for compiled epochs on TensorFlow: one trace serves many configurations.

``engine`` finds the trace of a model, ``traces`` holds its graphs, ``graphs`` traces them,
``slots`` are the variables of a shared trace, ``lifting`` turns constants into variables,
``activations`` exchanges activations in a traced loop, ``streams`` are `tf.data` pipelines that a
graph reads, ``runtime`` sets TensorFlow's options.
"""

from kerashpo.training.loops.compiled.tensorflow.engine import TensorFlowEngine

__all__ = ["TensorFlowEngine"]
