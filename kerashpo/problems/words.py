"""Texts as numbers of words: the vocabulary of a training part, token arrays, tf-idf."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerashpo.problems.splits import Array

PADDING, UNKNOWN = 0, 1
"""The numbers of a place after the text's end, and of a word that the vocabulary lacks."""
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[@#]\w+|\d+|[!?]")


def words_of(text: str) -> list[str]:
    """Returns a text's words in lower case; mentions, hashtags, numbers, ! and ? are words too."""
    return _WORD.findall(text.lower())


def vocabulary(texts: Sequence[Sequence[str]], size: int) -> dict[str, int]:
    """Returns numbers of the commonest words, from 2, the commonest first.

    Args:
        texts: the words of each text of the training part.
        size: how many numbers there are, those of padding and unknown words among them.
    """
    counts = Counter(word for text in texts for word in text)
    # Ties in alphabetical order, so that the numbers do not depend on the order of texts.
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: number for number, word in enumerate(ranked[: size - 2], start=2)}


def tokens(texts: Sequence[Sequence[str]], numbers: dict[str, int], length: int) -> Array:
    """Returns the first words of each text as numbers, int32 (n, length), padded with zeros."""
    found = np.zeros((len(texts), length), "int32")
    for row, text in zip(found, texts):
        known = [numbers.get(word, UNKNOWN) for word in text[:length]]
        row[: len(known)] = known
    return found


def counted(x: Array, size: int) -> Any:
    """Returns how often each text holds each known word: a sparse matrix (n, size)."""
    from scipy.sparse import csr_matrix

    rows, places = np.nonzero(x > UNKNOWN)
    ones = np.ones(len(rows))
    return csr_matrix((ones, (rows, x[rows, places])), shape=(len(x), size))


def tfidf(train: Array, others: Sequence[Array], size: int) -> tuple[Any, list[Any]]:
    """Returns tf-idf matrices with logarithmic counts, weighted by the training part's texts."""
    from sklearn.feature_extraction.text import TfidfTransformer

    weights = TfidfTransformer(sublinear_tf=True)
    fitted = weights.fit_transform(counted(train, size))
    return fitted, [weights.transform(counted(x, size)) for x in others]
