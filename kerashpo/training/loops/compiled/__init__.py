"""Whole epochs as one graph call, over the model's own `train_step` and `test_step`.

- `epochs`: `CompiledLoop`, the way: callbacks, order of samples, one call an epoch.
- `engine`: the seam below it. An `Engine` opens a `Session` on one model; one engine a backend.
- `structure`: the key under which models share a trace, or why one gets a trace of its own.
- `describe`: configurations as hashable values; raises `Opaque` for what it cannot vouch for.
- `tensorflow/`: traces that do not depend on the widths of layers, and variables lent to a trial.
- `jax/`: epochs under `jax.lax.scan`, compiled once for each set of shapes.

A `CompiledLoop` belongs to one study and holds its traces; nothing here is global.
"""

from kerashpo.training.loops.compiled.compiled_loop import CompiledLoop

__all__ = ["CompiledLoop"]
