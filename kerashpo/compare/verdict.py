"""What may be claimed, in words."""

from __future__ import annotations

from collections.abc import Iterable

from kerashpo.analysis.ranks import Ranking
from kerashpo.reporting.language import Texts


def verdict(ranking: Ranking | None, what: str, texts: Texts) -> str:
    """Returns the claim that the tests support, and no more.

    Args:
        ranking: the tuners; None where there is one tuner or one seed.
        what: the problem's name, or what all problems are called.
        texts: in which language.
    """
    if ranking is None:
        return texts("verdict.one", problem=what)
    p = shown_p(ranking.friedman, texts)
    first, level = ranking.names[0], f"{ranking.level:g}"
    told = {"problem": what, "first": first, "p": p, "level": level, "blocks": ranking.blocks}
    if ranking.winner is not None:
        return texts("verdict.winner", **told)
    if not ranking.losers:
        sentence = texts("verdict.pairs" if ranking.differs else "verdict.chance", **told)
        return f"{sentence} {_power(ranking, texts)}".strip()
    others = [name for name in ranking.names[1:] if name not in ranking.losers]
    return texts(
        "verdict.partly",
        losers=listed(ranking.losers, texts),
        others=listed(others, texts),
        **told,
    )


def _power(ranking: Ranking, texts: Texts) -> str:
    """Says so where so few blocks could not have shown anything whatever happened."""
    least = min(1.0, len(ranking.pairs) * 2.0 ** (1 - ranking.blocks))
    if least < ranking.level:
        return ""
    return texts("verdict.power", blocks=ranking.blocks, least=shown_p(least, texts))


def shown_p(p: float, texts: Texts) -> str:
    """Returns a p value as text, with the language's decimal mark."""
    text = "< 0.001" if p < 0.001 else f"= {p:.3f}"
    return text.replace(".", texts("number.mark"))


def listed(names: Iterable[str], texts: Texts) -> str:
    """Returns names as an enumeration."""
    *head, last = names
    return f"{', '.join(head)} {texts('number.and')} {last}" if head else last
