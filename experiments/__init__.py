"""What was measured, and how: each folder holds its commands, its results and a README."""
