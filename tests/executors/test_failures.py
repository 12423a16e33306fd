"""The one line that a failed trial is reported with."""

from __future__ import annotations

import pytest

from kerashpo.executors.failures import classify, telling_line

TENSORFLOW = """Graph execution error:

Detected at node gradient_tape/mse/sub defined at (most recent call last):
<stack traces unavailable>
Incompatible shapes: [32] vs. [32,3]
\t [[{{node gradient_tape/mse/sub}}]] [Op:__inference_epoch_1068]"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TENSORFLOW, "Incompatible shapes: [32] vs. [32,3]"),
        ("Graph execution error:", "Graph execution error:"),
        ("\nFirst.\nSecond.", "First."),
        ("  ", ""),
    ],
)
def test_the_line_says_what_is_wrong(text, line):
    assert telling_line(text) == line
    assert classify("fit", ValueError(text)).message == f"ValueError: {line}"
