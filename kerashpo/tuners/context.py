"""``context=``: features of the data, by which a search chooses among earlier studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kerashpo import experience
from kerashpo.algorithms.earlier_studies import EarlierStudy
from kerashpo.core.errors import InvalidInput
from kerashpo.experience.distance import Features, distances
from kerashpo.experience.notes import check_features

if TYPE_CHECKING:  # it imports Keras, which `optimize` does not
    from kerashpo.tuners.fit_request import Request

NEAREST = 3
"""How many of the earlier studies whose data are known a search starts from."""


def check_context(context: Any) -> None:
    """Raises InvalidInput unless it is None, ``"auto"`` or a mapping of features."""
    if isinstance(context, Mapping):
        check_features(context)
        return
    if context is None or (isinstance(context, str) and context == "auto"):
        return
    raise InvalidInput(
        'context must be "auto", the features of the data (kt.experience.data_features(X, y)) or '
        f"None. Received: {context!r}."
    )


def function_context(context: Any) -> Features | None:
    """Returns the features that a search without data is given, None for none.

    Args:
        context: the argument of `optimize`.

    Raises:
        InvalidInput: for ``"auto"``, and for features that are no finite numbers.
    """
    if isinstance(context, str) and context == "auto":
        raise InvalidInput(
            'context="auto" reads the data of a tuner\'s search; optimize gets a function. Pass '
            "the features: context=kt.experience.data_features(X, y) or a mapping of numbers."
        )
    check_context(context)
    if context is None:
        return None
    return check_features(context)


def read_context(context: Any, request: Request, own: bool) -> Features | None:
    """Returns the features of the data of a search, None without a context.

    Args:
        context: the tuner's argument.
        request: the call of `search`.
        own: whether the user's own code reads the data.

    Raises:
        InvalidInput: for ``"auto"`` with data that are not one array of inputs and one of targets.
    """
    if context is None or isinstance(context, Mapping):
        return None if context is None else check_features(context)
    if own:
        given = dict(zip(("x", "y"), request.args))
        named = {name.lower(): value for name, value in request.kwargs.items()}
        x, y = (given.get(name, named.get(name)) for name in ("x", "y"))
    else:
        x, y = request.data.x, request.data.y
    if not all(hasattr(one, "shape") for one in (x, y)):
        raise InvalidInput(
            'context="auto" needs one array (or data frame) of inputs and one of targets. Pass the '
            "features instead, context=kt.experience.data_features(X, y), or leave it out."
        )
    # Imported with the estimators that it compares, on first use.
    return experience.data_features(x, np.asarray(y))


def nearest_sources(
    sources: Sequence[EarlierStudy], features: Mapping[str, float] | None
) -> tuple[EarlierStudy, ...]:
    """Returns the sources to start from: the nearest first, where the data are known.

    Of the sources with noted data the `NEAREST` ones, then those without.
    """
    known = [one for one in sources if one.features is not None]
    if features is None or not known:
        return tuple(sources)
    apart = distances(features, [dict(one.features or ()) for one in known])
    order = np.argsort(apart, kind="stable")[:NEAREST]
    return (*(known[i] for i in order), *(one for one in sources if one.features is None))
