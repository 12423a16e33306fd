"""Experiments: each folder has commands, results and a README with the method."""
