"""Engine for compiled epochs on JAX: `lax.scan` over batches, compiled once per set of shapes."""

from kerashpo.training.loops.compiled.jax.engine import JaxEngine

__all__ = ["JaxEngine"]
