"""Engine for compiled epochs on JAX: `lax.scan` over batches, compiled once per set of shapes.

``engine`` finds the executable of a model, ``executables`` compiles it, ``graphs`` has the
functions to compile, ``population`` trains several models at once, ``lifting`` turns constants into
inputs, ``padding`` gives models of many widths equal shapes, ``threefry`` draws the masks of
dropout.
"""

from kerashpo.training.loops.compiled.jax.engine import JaxEngine

__all__ = ["JaxEngine"]
