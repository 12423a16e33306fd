"""Training: how one Keras model goes through its epochs, and nothing about which model or how long.

- `fitdata`: what `search` was given, normalised once a study.
- `randomness`: the keys that make an epoch trained twice give the same values.
- `ways`: the seam. A `Way` trains epochs ``first..last`` of a model; `choose` says which way fits.
- `plain`: `model.fit`, one call a segment.
- `compiled`: whole epochs as one graph call, with traces shared between configurations.

To add a way: subclass `Way`, teach `choose` when it is exact, and run it through
``tests/training/test_exactness.py`` beside the others.
"""
