"""Compiled training loop: whole epochs as one graph call over `train_step` and `test_step`.

- `compiled_loop`: `CompiledLoop`: callbacks, order of samples, one graph call per epoch.
- `engine`: the interface of a backend. An `Engine` opens a `CompiledSession` for one model, and
  holds the caches: shared graphs, graphs of single models, data on the device.
- `signature`: the key under which models share a trace, or why a model gets its own trace.
- `canonical_config`: Keras configurations as hashable values, the parts of that key.
- `programs`: the persistent cache of compiled programs.
- `tensorflow/`: traces that do not depend on the widths of layers, and their variables.
- `jax/`: epochs under `jax.lax.scan`, compiled once for each set of shapes.

A `CompiledLoop` belongs to one study and holds its traces; nothing here is global.
"""

from kerashpo.training.loops.compiled.compiled_loop import CompiledLoop

__all__ = ["CompiledLoop"]
