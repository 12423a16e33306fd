"""Numbers, intervals and names of a comparison as text, the same on the screen and in reports."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from kerashpo.compare.statistics import Score
from kerashpo.compare.tuners import BASELINES
from kerashpo.i18n.texts import Texts
from kerashpo.problems.task import Task


def tuner_name(texts: Texts, tuner: str) -> str:
    """Returns the displayed name of a tuner or baseline."""
    return texts(f"compare.{tuner}") if tuner in BASELINES else tuner


def metric_name(texts: Texts, task: Task) -> str:
    """Returns the translated name of the task's metric, or the name itself if there is none."""
    return texts.sentences["metric"].get(task.metric, task.metric.replace("_", " "))


def number(value: float, decimals: int, texts: Texts) -> str:
    """Returns a number with the language's decimal mark, a dash for none."""
    if not math.isfinite(value):
        return "-"
    text = f"{value:.{decimals}f}".replace(".", texts("number.mark"))
    return text if float(f"{value:.{decimals}f}") or not text.startswith("-") else text[1:]


def metric(value: float, task: Task, texts: Texts) -> str:
    """Returns a score: accuracies in per cent, others as they are."""
    return share(value, texts) if task.is_share else quantity(value, texts)


def share(value: float, texts: Texts) -> str:
    """Returns a share of samples in per cent."""
    text = number(100 * value, 1, texts)
    return text if text == "-" else f"{text} %"


def quantity(value: float, texts: Texts) -> str:
    """Returns a number without bounds, e.g. a loss: large ones without decimals."""
    return number(value, 3 if abs(value) < 100 else 0, texts)


def difference(score: Score, task: Task, texts: Texts) -> str:
    """Returns a mean difference with its interval: of accuracies in percentage points."""
    return interval(score, task, texts).replace(" %", f" {texts('number.points')}")


def interval(score: Score, task: Task, texts: Texts) -> str:
    """Returns a mean with its bootstrap interval in brackets."""
    return bracketed(score, lambda value: metric(value, task, texts))


def loss_interval(score: Score, texts: Texts) -> str:
    """Returns a mean loss with its bootstrap interval in brackets."""
    return bracketed(score, lambda value: quantity(value, texts))


def bracketed(score: Score, written: Callable[[float], str]) -> str:
    """Returns ``mean [low; high]``, the mean alone where there is no interval."""
    low, high = score.bounds.low, score.bounds.high
    if not math.isfinite(low) or not math.isfinite(high):
        return written(score.mean)
    ends = (written(end).removesuffix(" %") for end in (low, high))
    return f"{written(score.mean)} [{'; '.join(ends)}]"


def p_value(p: float, texts: Texts) -> str:
    """Returns a p value as text, with the language's decimal mark."""
    text = "< 0.001" if p < 0.001 else f"= {p:.3f}"
    return text.replace(".", texts("number.mark"))


def enumeration(names: Iterable[str], texts: Texts) -> str:
    """Returns names as an enumeration: a, b and c."""
    *head, last = names
    return f"{', '.join(head)} {texts('number.and')} {last}" if head else last


def short(value: object) -> str:
    """Returns a hyperparameter's value with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
