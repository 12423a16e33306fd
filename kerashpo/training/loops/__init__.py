"""Training loops: the interface, and its implementations.

==================  ===============================================================
``base``            `TrainingLoop`, and `choose`, which picks the fastest exact one
``compiled``        whole epochs as one graph call, on TensorFlow and JAX
``model_fit``       Keras's own `model.fit`, one call for several epochs
``batches``         the data adapters of `model_fit`: batches in a keyed order
``user_fit``        a `HyperModel.fit` that the user wrote
``redirected_fit``  its calls of `model.fit`, carried out by compiled epochs
==================  ===============================================================
"""
