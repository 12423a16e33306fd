"""How good and how dear are a tuner's suggestions, against its peers.

python -m experiments.suggestions.run --method kerashpo --seeds 0-19
python -m experiments.suggestions.tables
"""
