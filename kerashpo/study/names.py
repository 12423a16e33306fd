"""The names of what lies in a study's folder."""

from __future__ import annotations

LOG_NAME = "study.sqlite"
CHECKPOINTS = "checkpoints"
