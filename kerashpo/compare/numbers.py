"""Numbers as a reader of either language expects them."""

from __future__ import annotations

import math
from collections.abc import Callable

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
    return _bracketed(score, lambda value: metric(value, task, texts))


def loss_interval(score: Score, texts: Texts) -> str:
    """Returns the same of a loss, which has no bound: large ones without decimals."""
    return _bracketed(score, lambda value: number(value, 3 if abs(value) < 100 else 0, texts))


def _bracketed(score: Score, told: Callable[[float], str]) -> str:
    low, high = score.bounds.low, score.bounds.high
    if not math.isfinite(low) or not math.isfinite(high):
        return told(score.mean)
    ends = (told(end).removesuffix(" %") for end in (low, high))
    return f"{told(score.mean)} [{'; '.join(ends)}]"
