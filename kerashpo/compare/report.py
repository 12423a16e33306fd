"""The report of a comparison as blocks, and the claims that its tests support."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kerashpo.analysis.anytime import Axis
from kerashpo.analysis.ranking import Ranking
from kerashpo.compare.formatting import (
    difference,
    enumeration,
    interval,
    loss_interval,
    metric,
    metric_name,
    number,
    p_value,
    short,
    tuner_name,
)
from kerashpo.compare.front_report import explained, front_tables
from kerashpo.compare.hypervolumes import Fronts
from kerashpo.compare.model_table import model_blocks
from kerashpo.compare.provenance import Provenance
from kerashpo.compare.runs import Result
from kerashpo.compare.statistics import FRACTIONS, Findings, by_tuner
from kerashpo.compare.tuners import BASELINES
from kerashpo.i18n.numbers import count, duration
from kerashpo.i18n.texts import Texts
from kerashpo.reporting.blocks import Block, Code, Heading, Items, Paragraph, Picture, Table


def verdict(ranking: Ranking | None, what: str, texts: Texts) -> str:
    """Returns the claim that the tests support, and no more.

    Args:
        ranking: the tuners; None where there is one tuner or one seed.
        what: the problem's title, or what all problems together are called.
        texts: the sentences of the output language.
    """
    if ranking is None:
        return texts("verdict.one", problem=what)
    p = p_value(ranking.friedman, texts)
    first, level = ranking.names[0], f"{ranking.level:g}"
    values = {"problem": what, "first": first, "p": p, "level": level, "blocks": ranking.blocks}
    if ranking.winner is not None:
        return texts("verdict.winner", **values)
    if not ranking.losers:
        key = "verdict.pairs" if ranking.differs else "verdict.chance"
        values["first"] = enumeration(ranking.leaders, texts)
        sentence = texts.plural(key, len(ranking.leaders), **values)
        return f"{sentence} {_power(ranking, texts)}".strip()
    others = [name for name in ranking.names[1:] if name not in ranking.losers]
    return texts(
        "verdict.partly",
        losers=enumeration(ranking.losers, texts),
        others=enumeration(others, texts),
        **values,
    )


def _power(ranking: Ranking, texts: Texts) -> str:
    """Returns a warning where there are too few blocks for any pair to differ significantly."""
    least = min(1.0, len(ranking.pairs) * 2.0 ** (1 - ranking.blocks))
    if least < ranking.level:
        return ""
    return texts("verdict.power", blocks=ranking.blocks, least=p_value(least, texts))


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
        texts: the sentences of the output language.
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """The contents of a comparison's report.

    Attributes:
        findings: the statistics of each problem.
        overall: the ranking over all problems, None for one problem.
        results: the results of all runs.
        provenance: the sessions that measured them.
        simulated: by tuner, what somebody claimed without measuring.
        fronts: by name the fronts of the problems with several objectives, whose scores are
            hypervolumes.
    """

    findings: Sequence[Findings]
    overall: Ranking | None
    results: Sequence[Result]
    provenance: Provenance
    simulated: Mapping[str, Mapping[str, float]]
    fronts: Mapping[str, Fronts] = field(default_factory=dict)


class FigureSource(Protocol):
    """Draws the figures of a report."""

    def anytime(self, problem: str, by: Axis) -> Picture:
        """Draws the best score so far on a problem, against epochs, trials or seconds."""

    def fronts(self, problem: str) -> Sequence[Picture]:
        """Draws the Pareto fronts of a problem with several objectives."""

    def ranks(self, problem: str, ranking: Ranking) -> Picture:
        """Draws average ranks, of a problem or, by the empty name, of all."""


def write(comparison: Comparison, pictures: FigureSource, texts: Texts) -> list[Block]:
    """Returns the report of a comparison.

    Args:
        comparison: the comparison to report.
        pictures: draws the figures.
        texts: the sentences of the output language.
    """
    blocks: list[Block] = [Heading(texts("report.title"), 1)]
    blocks += _claims(comparison, texts)
    if comparison.overall is not None:
        blocks.append(Heading(texts("report.overall")))
        blocks += _ranks("", comparison.overall, pictures, texts)
    for findings in comparison.findings:
        blocks += _problem(findings, comparison, pictures, texts)
    blocks += _provenance(comparison.provenance, texts)
    glossary = (
        *(("hypervolume",) if comparison.fronts else ()),
        "test",
        "interval",
        "rank",
        "friedman",
        "p",
        "anytime",
        "target",
        "seconds",
    )
    blocks.append(Heading(texts("report.glossary")))
    blocks.append(Items(tuple(texts(f"glossary.{name}") for name in glossary)))
    return blocks


def _claims(comparison: Comparison, texts: Texts) -> list[Block]:
    several = len(comparison.findings) > 1
    claims: list[Block] = []
    if several:
        what = texts("verdict.all", problems=len(comparison.findings))
        claims.append(Paragraph(verdict(comparison.overall, what, texts), strong=True))
    sentences = [
        verdict(f.ranking, f.task.titled(texts.language), texts) for f in comparison.findings
    ]
    claims.append(Items(tuple(sentences)) if several else Paragraph(sentences[0], strong=True))
    return claims


def _problem(
    findings: Findings, comparison: Comparison, pictures: FigureSource, texts: Texts
) -> list[Block]:
    task, name = findings.task, findings.task.name
    title, description = task.titled(texts.language), task.described(texts.language)
    mine = [result for result in comparison.results if result.problem == name]
    decides = "report.decides_same" if task.same_split else "report.decides"
    fronts = comparison.fronts.get(name)
    label = texts("front.dominance") if fronts else metric_name(texts, task)
    kept = "front.gain" if fronts else "report.gain"
    blocks: list[Block] = [
        Heading(title),
        *([Paragraph(description)] if description else []),
        Paragraph(texts(decides, seeds=findings.seeds, metric=label)),
        *([Paragraph(explained(fronts, texts))] if fronts else []),
        *([Paragraph(ties)] if (ties := ties_text(mine, texts)) else []),
        _scores(findings, by_tuner(mine), texts),
        Paragraph(_gain(findings, texts, kept)),
        *model_blocks(mine, task, texts),
    ]
    if fronts:
        blocks += [*front_tables(fronts, texts), *pictures.fronts(name)]
    if comparison.simulated and task.is_share:
        blocks += simulated_blocks(findings, by_tuner(mine), comparison.simulated, texts)
    if findings.ranking is not None:
        blocks.append(Heading(texts("report.ranks", problem=title), 3))
        blocks += _ranks(name, findings.ranking, pictures, texts)
    blocks.append(Heading(texts("report.anytime", problem=title), 3))
    blocks += [pictures.anytime(name, by) for by in ("epochs", "seconds", "trials")]
    blocks.append(_anytime(findings, texts))
    target = metric(findings.target, task, texts)
    blocks.append(Heading(texts("report.target", problem=title, target=target), 3))
    blocks.append(_reached(findings, texts))
    blocks.append(Heading(texts("report.best", problem=title), 3))
    blocks.append(_best(by_tuner(mine), findings, texts))
    return blocks


def ties_text(results: Sequence[Result], texts: Texts) -> str:
    """Returns how many trials of the median search tie, empty where they can be distinguished.

    Args:
        results: the results on one problem.
        texts: the sentences of the output language.
    """
    known = [r.saturation for r in results if r.saturation is not None and r.trials > 1]
    if not known or 2 * sum(found.saturated for found in known) <= len(known):
        return ""
    medians = {
        name: statistics.median(getattr(found, name) for found in known)
        for name in ("tied", "close", "trials", "rows", "detectable", "needed")
    }
    needed = float(f"{medians['needed']:.2g}")
    return texts(
        "compare.ties",
        tied=number(medians["tied"], 0, texts),
        close=number(medians["close"], 0, texts),
        trials=number(medians["trials"], 0, texts),
        rows=count(medians["rows"], texts),
        points=number(100 * medians["detectable"], 1, texts),
        needed=count(needed, texts),
    )


def _scores(findings: Findings, groups: Mapping[str, Sequence[Result]], texts: Texts) -> Table:
    label = metric_name(texts, findings.task)
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


def _gain(findings: Findings, texts: Texts, key: str) -> str:
    first = findings.ranking.names[0] if findings.ranking else next(iter(findings.reached))
    low, high = findings.gain.bounds.low, findings.gain.bounds.high
    gain = difference(findings.gain, findings.task, texts)
    if low != low:
        return texts(f"{key}_one", first=first, gain=gain)
    return texts(key if low > 0 or high < 0 else f"{key}_unsure", first=first, gain=gain)


def _ranks(name: str, ranking: Ranking, pictures: FigureSource, texts: Texts) -> list[Block]:
    friedman = texts("report.friedman", p=p_value(ranking.friedman, texts), blocks=ranking.blocks)
    columns = tuple(texts(f"report.{key}") for key in ("pair", "p", "corrected", "claim"))
    rows = tuple(
        (
            f"{pair.better} - {pair.worse}",
            p_value(pair.p, texts).removeprefix("= "),
            p_value(pair.corrected, texts).removeprefix("= "),
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
    sentences = []
    for tuner, group in groups.items():
        if tuner not in BASELINES:
            best = min(group, key=lambda result: (cost(result.val_score), result.val_loss))
            values = ", ".join(f"{key}={short(v)}" for key, v in best.best_config.items())
            sentences.append(texts("compare.best", tuner=tuner, seed=best.seed, values=values))
    return Items(tuple(sentences))


def _provenance(provenance: Provenance, texts: Texts) -> list[Block]:
    blocks: list[Block] = [Heading(texts("report.provenance"))]
    for session in provenance.sessions:
        versions = ", ".join(f"{name} {number}" for name, number in session.versions.items())
        busy = max(load for load in session.load) > session.cores
        sentence = texts(
            "report.session",
            date=session.date,
            runs=session.runs,
            workers=session.workers,
            machine=session.machine,
            cores=session.cores,
            load=" / ".join(number(load, 1, texts) for load in session.load),
            versions=versions,
        )
        blocks += [Paragraph(sentence), Code(session.command)]
        if busy:
            blocks.append(Paragraph(texts("report.busy")))
    return blocks
