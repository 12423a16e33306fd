"""The report of a comparison, as blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kerashpo.analysis.anytime import Axis
from kerashpo.analysis.ranks import Ranking
from kerashpo.compare.findings import FRACTIONS, Findings, by_tuner
from kerashpo.compare.numbers import difference, interval, loss_interval, metric, number
from kerashpo.compare.output import tuner_name
from kerashpo.compare.provenance import Provenance
from kerashpo.compare.runs import Result
from kerashpo.compare.simulated import simulated_blocks
from kerashpo.compare.tuners import BASELINES
from kerashpo.compare.verdict import shown_p, verdict
from kerashpo.reporting.blocks import Block, Code, Heading, Items, Paragraph, Picture, Table
from kerashpo.reporting.language import Texts
from kerashpo.reporting.numbers import duration


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that a report tells.

    Attributes:
        findings: one for each problem.
        overall: the tuners over all problems, None for one problem.
        results: the rows.
        provenance: where they come from.
        simulated: by tuner, what somebody claimed without measuring.
    """

    findings: Sequence[Findings]
    overall: Ranking | None
    results: Sequence[Result]
    provenance: Provenance
    simulated: Mapping[str, Mapping[str, float]]


class Pictures(Protocol):
    """Draws the figures of a report."""

    def anytime(self, problem: str, by: Axis) -> Picture:
        """Draws the best so far of a problem, against what was spent."""

    def ranks(self, problem: str, ranking: Ranking) -> Picture:
        """Draws average ranks, of a problem or, by the empty name, of all."""


def write(comparison: Comparison, pictures: Pictures, texts: Texts) -> list[Block]:
    """Returns the report of a comparison.

    Args:
        comparison: what to tell.
        pictures: draws the figures.
        texts: in which language.
    """
    blocks: list[Block] = [Heading(texts("report.title"), 1)]
    blocks += _claims(comparison, texts)
    if comparison.overall is not None:
        blocks.append(Heading(texts("report.overall")))
        blocks += _ranks("", comparison.overall, pictures, texts)
    for findings in comparison.findings:
        blocks += _problem(findings, comparison, pictures, texts)
    blocks += _provenance(comparison.provenance, texts)
    glossary = ("test", "interval", "rank", "friedman", "p", "anytime", "target", "seconds")
    blocks.append(Heading(texts("report.glossary")))
    blocks.append(Items(tuple(texts(f"glossary.{name}") for name in glossary)))
    return blocks


def _claims(comparison: Comparison, texts: Texts) -> list[Block]:
    several = len(comparison.findings) > 1
    claims: list[Block] = []
    if several:
        what = texts("verdict.all", problems=len(comparison.findings))
        claims.append(Paragraph(verdict(comparison.overall, what, texts), strong=True))
    found = [verdict(f.ranking, f.task.name, texts) for f in comparison.findings]
    claims.append(Items(tuple(found)) if several else Paragraph(found[0], strong=True))
    return claims


def _problem(
    findings: Findings, comparison: Comparison, pictures: Pictures, texts: Texts
) -> list[Block]:
    task, name = findings.task, findings.task.name
    mine = [result for result in comparison.results if result.problem == name]
    blocks: list[Block] = [
        Heading(name),
        Paragraph(texts(f"problem.{name}")),
        Paragraph(texts("report.decides", seeds=findings.seeds, metric=_metric(findings, texts))),
        _scores(findings, by_tuner(mine), texts),
        Paragraph(_gain(findings, texts)),
    ]
    if comparison.simulated and task.classes:
        blocks += simulated_blocks(findings, by_tuner(mine), comparison.simulated, texts)
    if findings.ranking is not None:
        blocks.append(Heading(texts("report.ranks", problem=name), 3))
        blocks += _ranks(name, findings.ranking, pictures, texts)
    blocks.append(Heading(texts("report.anytime", problem=name), 3))
    blocks += [pictures.anytime(name, by) for by in ("epochs", "seconds", "trials")]
    blocks.append(_anytime(findings, texts))
    target = metric(findings.target, task, texts)
    blocks.append(Heading(texts("report.target", problem=name, target=target), 3))
    blocks.append(_reached(findings, texts))
    blocks.append(Heading(texts("report.best", problem=name), 3))
    blocks.append(_best(by_tuner(mine), findings, texts))
    return blocks


def _metric(findings: Findings, texts: Texts) -> str:
    return texts(f"metric.{findings.task.metric}")


def _scores(findings: Findings, groups: Mapping[str, Sequence[Result]], texts: Texts) -> Table:
    label = _metric(findings, texts)
    columns = (
        "tuner", "test_score", "test_loss", "val_score", "rank", "trials", "epochs", "seconds",
    )  # fmt: skip
    ranking = findings.ranking
    ranks = dict(zip(ranking.names, ranking.ranks)) if ranking else {}
    rows = []
    for tuner, group in groups.items():
        spent = [_mean(group, name) for name in ("trials", "epochs")]
        rows.append(
            (
                tuner_name(texts, tuner),
                interval(findings.test[tuner], findings.task, texts),
                loss_interval(findings.loss[tuner], texts),
                interval(findings.validation[tuner], findings.task, texts),
                number(ranks.get(tuner, float("nan")), 2, texts),
                *(number(value, 0, texts) for value in spent),
                number(_mean(group, "seconds"), 1, texts),
            )
        )
    names = tuple(texts(f"compare.{column}", metric=label) for column in columns)
    return Table(names, tuple(rows))


def _mean(group: Sequence[Result], name: str) -> float:
    return sum(float(getattr(result, name)) for result in group) / len(group)


def _gain(findings: Findings, texts: Texts) -> str:
    first = findings.ranking.names[0] if findings.ranking else next(iter(findings.reached))
    low, high = findings.gain.bounds.low, findings.gain.bounds.high
    gain = difference(findings.gain, findings.task, texts)
    if low != low:
        return texts("report.gain_one", first=first, gain=gain)
    return texts("report.gain" if low > 0 or high < 0 else "report.no_gain", first=first, gain=gain)


def _ranks(name: str, ranking: Ranking, pictures: Pictures, texts: Texts) -> list[Block]:
    friedman = texts("report.friedman", p=shown_p(ranking.friedman, texts), blocks=ranking.blocks)
    columns = tuple(texts(f"report.{key}") for key in ("pair", "p", "corrected", "claim"))
    rows = tuple(
        (
            f"{pair.better} - {pair.worse}",
            shown_p(pair.p, texts).removeprefix("= "),
            shown_p(pair.corrected, texts).removeprefix("= "),
            texts("report.apart" if ranking.apart(pair.better, pair.worse) else "report.alike"),
        )
        for pair in ranking.pairs
    )
    blocks: list[Block] = [Paragraph(friedman)]
    if len(ranking.names) > 2:
        blocks.append(pictures.ranks(name, ranking))
    return [*blocks, Table(columns, rows)]


def _anytime(findings: Findings, texts: Texts) -> Table:
    columns = [f"{round(fraction * findings.budget)}" for fraction in FRACTIONS]
    heads = (texts("compare.tuner"), *(texts("report.after", epochs=c) for c in columns))
    rows = tuple(
        (tuner, *(metric(value, findings.task, texts) for value in values))
        for tuner, values in findings.anytime.items()
    )
    return Table(heads, rows)


def _reached(findings: Findings, texts: Texts) -> Table:
    keys = ("compare.tuner", "report.reached", "compare.epochs", "compare.seconds")
    rows = tuple(
        (
            tuner,
            f"{found.seeds}/{found.of}",
            number(found.epochs, 0, texts),
            duration(found.seconds, texts),
        )
        for tuner, found in findings.reached.items()
    )
    return Table(tuple(map(texts, keys)), rows)


def _best(groups: Mapping[str, Sequence[Result]], findings: Findings, texts: Texts) -> Items:
    cost = findings.task.objective.cost
    told = []
    for tuner, group in groups.items():
        if tuner not in BASELINES:
            best = min(group, key=lambda result: (cost(result.val_score), result.val_loss))
            values = ", ".join(f"{key}={_short(v)}" for key, v in best.best_config.items())
            told.append(texts("compare.best", tuner=tuner, seed=best.seed, values=values))
    return Items(tuple(told))


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _provenance(provenance: Provenance, texts: Texts) -> list[Block]:
    blocks: list[Block] = [Heading(texts("report.provenance"))]
    for session in provenance.sessions:
        versions = ", ".join(f"{name} {number}" for name, number in session.versions.items())
        busy = max(load for load in session.load) > session.cores
        told = texts(
            "report.session",
            date=session.date,
            runs=session.runs,
            workers=session.workers,
            machine=session.machine,
            cores=session.cores,
            load=" / ".join(number(load, 1, texts) for load in session.load),
            versions=versions,
        )
        blocks += [Paragraph(told), Code(session.command)]
        if busy:
            blocks.append(Paragraph(texts("report.busy")))
    return blocks
