"""KerasTuner's verified mistakes beside ours, and its own unit tests on our oracles."""
