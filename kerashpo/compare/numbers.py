"""Numbers as a reader of either language expects them."""

from __future__ import annotations

import math

from kerashpo.compare.findings import Score
from kerashpo.problems.task import Task
from kerashpo.reporting.language import Texts


def number(value: float, decimals: int, texts: Texts) -> str:
    """Returns a number with the language's decimal mark, a dash for none."""
    if not math.isfinite(value):
        return "-"
    text = f"{value:.{decimals}f}".replace(".", texts("number.mark"))
    return text if float(f"{value:.{decimals}f}") or not text.startswith("-") else text[1:]


def metric(value: float, task: Task, texts: Texts, decimals: int | None = None) -> str:
    """Returns a score: accuracies in per cent, others as they are."""
    if task.classes:
        text = number(100 * value, 1 if decimals is None else decimals, texts)
        return text if text == "-" else f"{text} %"
    return number(value, 3 if decimals is None else decimals, texts)


def difference(score: Score, task: Task, texts: Texts) -> str:
    """Returns a mean difference with its interval: of accuracies in percentage points."""
    return interval(score, task, texts).replace(" %", f" {texts('number.points')}")


def interval(score: Score, task: Task, texts: Texts) -> str:
    """Returns a mean with its bootstrap interval in brackets."""
    mean = metric(score.mean, task, texts)
    low, high = score.bounds.low, score.bounds.high
    if math.isnan(low):
        return mean
    ends = (metric(end, task, texts).removesuffix(" %") for end in (low, high))
    return f"{mean} [{'; '.join(ends)}]"


def minutes(seconds: float, texts: Texts) -> str:
    """Returns a time as a reader says it: seconds, or minutes from two on."""
    if not math.isfinite(seconds):
        return "-"
    if seconds < 120:
        return f"{number(seconds, 1, texts)} s"
    return f"{number(seconds / 60, 1, texts)} min"
