"""What somebody claimed without measuring, beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kerashpo.compare.findings import Findings
from kerashpo.compare.numbers import interval, number
from kerashpo.compare.runs import Result
from kerashpo.reporting.blocks import Block, Heading, Paragraph, Table
from kerashpo.reporting.language import Texts
from kerashpo.reporting.numbers import duration

_COLUMNS = (
    "compare.tuner", "simulated.accuracy", "simulated.measured", "simulated.time",
    "simulated.seconds", "simulated.ratio", "simulated.efficiency",
)  # fmt: skip


def simulated_blocks(
    findings: Findings,
    groups: Mapping[str, Sequence[Result]],
    simulated: Mapping[str, Mapping[str, float]],
    texts: Texts,
) -> list[Block]:
    """Returns the table of accuracy, time and efficiency, simulated and measured.

    Efficiency is what was measured: the epochs until the target was reached.

    Args:
        findings: the problem.
        groups: its results by tuner.
        simulated: by tuner, ``accuracy`` and ``minutes``, either may be missing.
        texts: in which language.
    """
    rows = tuple(
        _row(tuner, findings, groups[tuner], simulated.get(tuner, {}), texts)
        for tuner in findings.reached
    )
    return [
        Heading(texts("simulated.title"), 3),
        Paragraph(texts("simulated.explained")),
        Table(tuple(map(texts, _COLUMNS)), rows),
    ]


def _row(
    tuner: str,
    findings: Findings,
    group: Sequence[Result],
    claimed: Mapping[str, float],
    texts: Texts,
) -> tuple[str, ...]:
    seconds = sum(result.seconds for result in group) / len(group)
    accuracy, time = claimed.get("accuracy"), claimed.get("minutes")
    reached = findings.reached[tuner]
    return (
        tuner,
        "-" if accuracy is None else f"{number(100 * accuracy, 0, texts)} %",
        interval(findings.test[tuner], findings.task, texts),
        "-" if time is None else duration(60 * time, texts),
        duration(seconds, texts),
        "-" if time is None else f"{number(60 * time / seconds, 0, texts)}×",
        texts(
            "simulated.reached",
            epochs=number(reached.epochs, 0, texts),
            seeds=reached.seeds,
            of=reached.of,
        ),
    )
