"""Training: how one Keras model goes through its epochs, and nothing about which model or how long.

- `fitdata`: what `search` was given, normalised once a study.
- `randomness`: the keys that make an epoch trained twice give the same values.
- `ways`: the seam. A `Way` trains epochs ``first..last`` of a model; `choose` says which way fits.
- `plain`: `model.fit`, one call a segment.
- `portions`: which data a run of a configuration is trained on: folds, tuned arguments of `fit`.
- `segment`: one run through one task: hears epochs, reports them, keeps the best weights.
- `ownfit`, `returned`: a `HyperModel.fit` of the user's own, and what it returned.
- `derived`: metrics that no model logs: functions of the model, a weighted sum.
- `compiled`: whole epochs as one graph call, with traces shared between configurations.

To add a way: subclass `Way`, teach `choose` when it is exact, and run it through
``tests/training/test_exactness.py`` beside the others.
"""
