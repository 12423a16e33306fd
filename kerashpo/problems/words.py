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


def inverse_frequencies(
    texts: Sequence[Sequence[str]], numbers: dict[str, int], size: int
) -> Array:
    """Returns each word's inverse document frequency (size,), smoothed as scikit-learn's.

    Args:
        texts: the words of each text of the training part.
        numbers: see `vocabulary`.
        size: the size of the vocabulary.
    """
    having = np.zeros(size)
    for text in texts:
        having[[numbers[word] for word in set(text) if word in numbers]] += 1
    return np.log((1 + len(texts)) / (1 + having)) + 1


def weighted(
    texts: Sequence[Sequence[str]], numbers: dict[str, int], idf: Array, length: int
) -> tuple[Array, Array]:
    """Returns the distinct known words of each text and their tf-idf, both (n, length).

    Counts are logarithmic, and each text's weights have the length 1. Words are in the order of
    their first occurrence; those after the first `length` are left out; zeros fill the rest.

    Args:
        texts: the words of each text.
        numbers: see `vocabulary`.
        idf: see `inverse_frequencies`.
        length: the most words of a text.
    """
    found = np.zeros((len(texts), length), "int32")
    weights = np.zeros((len(texts), length), "float32")
    for row, weight, text in zip(found, weights, texts):
        counts = Counter(numbers[word] for word in text if word in numbers)
        words = np.array(list(counts)[:length], int)
        row[: len(words)] = words
        times = np.array(list(counts.values())[:length])
        values = (1 + np.log(times)) * idf[words]
        weight[: len(words)] = values / max(float(np.linalg.norm(values)), 1e-9)
    return found, weights
