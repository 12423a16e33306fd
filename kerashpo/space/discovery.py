"""Discovery: infers a conditional space from calls of a function that declares parameters.

Without explicit conditions, a loop over ``hp.Int("layers", 1, 3)`` hides parameters
from one call. Discovery changes the values of parameters and records what is declared
then. It first changes all of them together, so that a space without hidden parameters needs
few calls. If that reveals other parameters, groups of half the size each identify by a binary
code which of n parameters is the reason, in 2 log2(n) calls. From all calls it infers
under which values of which parent each parameter exists.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, final

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Scalar
from kerashpo.space.domains import Domain, Float, Integer
from kerashpo.space.joining import joined
from kerashpo.space.params import Condition, Param
from kerashpo.space.space import Space, exclusive

Values: TypeAlias = Mapping[str, Scalar]
Probe: TypeAlias = Callable[[Values], "Sequence[Param]"]
Key: TypeAlias = "tuple[str, tuple[Condition, ...], str]"
"""A name, its explicit conditions, and the kind of its domain."""

SMALL = 10
"""Domains with at most this many values are tried completely, others at their ends."""
_LISTED = 32
#: Between values that lie farther apart, equal steps of a loop need not all be tried.
_STEADY = 4
MAX_CALLS = 60
MAX_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the function: the values of its parameters, and what it declared, in order."""

    values: Values
    keys: frozenset[Key]
    order: tuple[Key, ...] = ()


class _BoundReached(Exception):
    """Raised when the bound of calls or seconds is reached."""


@final
@dataclass(slots=True)
class Discovery:
    """Calls a function with chosen values and infers its space.

    Args:
        probe: calls the function with some values (defaults for the others) and returns
            what it declared, parents first. Errors with other than default values are
            recorded, except definitions that contradict themselves.
        max_calls: the most calls, failed ones included.
        max_seconds: seconds after the first call, which also imports and downloads, from which no
            further call begins; None for no limit.

    Attributes:
        calls: the calls that succeeded.
        errors: the exceptions of the other calls.
        dependent: names of parameters whose range or choices depend on other values.
        clashes: pairs of definitions of one name that are of different kinds and exist
            together; the first of each pair is used.
        complete: whether discovery ended before a bound was reached.
    """

    probe: Probe
    max_calls: int = MAX_CALLS
    max_seconds: float | None = MAX_SECONDS
    calls: list[Call] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    dependent: set[str] = field(default_factory=set)
    clashes: list[tuple[Param, Param]] = field(default_factory=list)
    complete: bool = True
    _params: dict[Key, Param] = field(default_factory=dict)
    _explored: set[Key] = field(default_factory=set)
    _parents: set[str] = field(default_factory=set)
    _widened: dict[Key, Values] = field(default_factory=dict)
    _explained: set[tuple[str, Scalar]] = field(default_factory=set)
    _assumed: list[Call] = field(default_factory=list)
    _known: dict[tuple[tuple[str, Scalar], ...], Call | None] = field(default_factory=dict)
    _began: float = 0.0

    def run(self) -> Space:
        """Returns the space.

        Raises:
            InvalidSpace: if a definition contradicts itself.
            Exception: whatever the function raises with its default values.
        """
        try:
            base = self._call({})
            self._began = time.monotonic()
            if base is None:
                raise self.errors[0]
            self._explore({}, base, base.keys)
            while self._widened:
                # Values that only these others allow may reveal further parameters.
                key, context = self._widened.popitem()
                widened = self._call(context)
                if widened is not None:
                    self._explore(context, widened, [key])
        except _BoundReached:
            self.complete = False
        return Space.of(self._consistent())

    def _call(self, values: Values) -> Call | None:
        """Calls the function with some values, others at their defaults; None if it fails."""
        at = tuple(sorted(values.items(), key=lambda item: item[0]))
        if at in self._known:
            return self._known[at]
        spent = time.monotonic() - self._began
        late = self.max_seconds is not None and spent > self.max_seconds
        if self._known and (len(self._known) >= self.max_calls or late):
            raise _BoundReached
        self._known[at] = None
        try:
            declared = self.probe(values)
        except InvalidSpace:
            raise
        except Exception as error:
            self.errors.append(error)
            return None
        call = self._known[at] = self._record(declared, values)
        self.calls.append(call)
        return call

    def _record(self, declared: Sequence[Param], values: Values) -> Call:
        used: dict[str, Scalar] = {}
        for param in declared:
            key = _key(param)
            known = self._params.setdefault(key, param)
            if known.domain != param.domain:
                self.dependent.add(param.name)
                whole = joined(known.domain, param.domain)
                if whole != known.domain:
                    self._widened[key] = values
                self._params[key] = Param(known.name, whole, known.conditions)
            if param.active(used):
                used[param.name] = values.get(param.name, param.domain.default)
        order = tuple(_key(param) for param in declared)
        return Call(used, frozenset(order), order)

    def _explore(self, context: Values, baseline: Call, keys: Iterable[Key]) -> None:
        """Finds which parameters of `keys`, declared in a context, determine others' existence."""
        self._explored.update(keys)
        new = [param for key, param in self._params.items() if key in keys]
        decisive: set[str] = set()
        columns = [[(param.name, value) for value in _others(param.domain)] for param in new]
        for row in itertools.zip_longest(*columns):
            changes = {n: value for n, value in filter(None, row) if n not in decisive}
            if changes:
                decisive |= self._decisive(context, baseline, changes)
        for param in new:
            if param.name in decisive:
                self._try_all(context, baseline, param)

    def _decisive(self, context: Values, baseline: Call, changes: Values) -> set[str]:
        """Returns the names among the changes that alter what is declared."""
        call = self._call({**context, **changes})
        if call is not None and call.keys == baseline.keys:
            return set()
        if len(changes) == 1:
            return set(changes)
        found = set() if call is None else self._decoded(context, baseline, changes, call)
        rest = [(name, value) for name, value in changes.items() if name not in found]
        if found:
            # One change may have hidden the effect of another.
            return found | self._decisive(context, baseline, dict(rest)) if rest else found
        for half in (rest[: len(rest) // 2], rest[len(rest) // 2 :]):
            found |= self._decisive(context, baseline, dict(half))
        return found

    def _decoded(self, context: Values, baseline: Call, changes: Values, call: Call) -> set[str]:
        """Returns the single changes that explain the combined effect of all, if they can be found.

        The changes are numbered. For each binary digit, the changes whose number has a 1 there
        are made: a parameter that depends on one change reveals the digits of its number. A
        last call with these changes alone confirms that they are the reason.
        """
        names, affected = list(changes), call.keys ^ baseline.keys
        codes: dict[Key, int] = dict.fromkeys(affected, 0)
        for digit in range((len(names) - 1).bit_length()):
            some = {name: changes[name] for n, name in enumerate(names) if n >> digit & 1}
            partial = self._call({**context, **some})
            if partial is None:
                return set()
            for key in affected & (partial.keys ^ baseline.keys):
                codes[key] |= 1 << digit
        found = {names[code]: changes[names[code]] for code in codes.values() if code < len(names)}
        alone = self._call({**context, **found})
        if alone is None or alone.keys != call.keys:
            return set()
        if alone.keys >= baseline.keys:
            # Nothing is hidden: two values of each parameter are enough.
            self._explained |= set(found.items())
            if new := alone.keys - self._explored:
                self._explore({**context, **found}, alone, new)
        return set(found)

    def _try_all(self, context: Values, baseline: Call, param: Param) -> None:
        """Calls the function with every value of a decisive parameter; explores new parameters."""
        domain = param.domain
        if 0 < domain.levels <= _LISTED:
            self._parents.add(param.name)
        if domain.levels == 2 and (param.name, _others(domain)[0]) in self._explained:
            return
        if 0 < domain.levels <= _LISTED:
            found = self._all_values(context, baseline, param)
        else:
            found = {value: self._call({**context, param.name: value}) for value in _others(domain)}
        shown = [(value, call) for value, call in found.items() if call is not None]
        # The call that declared most comes first: everything a loop declares is explored together.
        for value, call in sorted(shown, key=lambda pair: -len(pair[1].keys)):
            if new := call.keys - self._explored:
                self._explore({**context, param.name: value}, call, new)

    def _all_values(
        self, context: Values, baseline: Call, param: Param
    ) -> dict[Scalar, Call | None]:
        values = list(param.domain.listed())
        found: dict[Scalar, Call | None] = {param.domain.default: baseline}
        long = isinstance(param.domain, Integer) and len(values) > SMALL
        for value in [values[-1], values[0]] if long else values:
            if value not in found:
                found[value] = self._call({**context, param.name: value})
        known = sorted(values.index(value) for value in found if value in values)
        for low, high in itertools.pairwise(known):
            self._between(context, param, values, found, (low, high))
        return found

    def _between(
        self,
        context: Values,
        param: Param,
        values: list[Scalar],
        found: dict[Scalar, Call | None],
        ends: tuple[int, int],
    ) -> None:
        """Bisects whole numbers; equal declarations at both ends hold between them too.

        So do declarations that grow by equally many with each step, as in a loop.
        """
        low, high = ends
        if high - low < 2:
            return
        lower, upper = found[values[low]], found[values[high]]
        if lower is not None and upper is not None and lower.keys == upper.keys:
            self._assumed += [
                Call({**lower.values, param.name: value}, lower.keys)
                for value in values[low + 1 : high]
            ]
            return
        middle = (low + high) // 2
        found[values[middle]] = self._call({**context, param.name: values[middle]})
        if high - low > _STEADY and self._grows_steadily(context, param, values, found, ends):
            return
        self._between(context, param, values, found, (low, middle))
        self._between(context, param, values, found, (middle, high))

    def _grows_steadily(
        self,
        context: Values,
        param: Param,
        values: list[Scalar],
        found: dict[Scalar, Call | None],
        ends: tuple[int, int],
    ) -> bool:
        """Whether each step declares as many parameters as the others, those declared next.

        Then that is assumed for the values that were not tried. The middle was tried, and the
        first step is tried here.
        """
        low, high = ends
        lower, upper = found[values[low]], found[values[high]]
        if lower is None or upper is None or not lower.keys < upper.keys:
            return False
        new = [key for key in upper.order if key not in lower.keys]
        each, rest = divmod(len(new), high - low)
        if rest:
            return False
        grown = {place: new[: each * (place - low)] for place in range(low + 1, high)}
        for place in ((low + high) // 2, low + 1):
            if values[place] not in found:
                found[values[place]] = self._call({**context, param.name: values[place]})
            call = found[values[place]]
            if call is None or call.keys != lower.keys.union(grown[place]):
                return False
        for place, keys in grown.items():
            if values[place] not in found:
                names = {key[0]: upper.values[key[0]] for key in keys if key[0] in upper.values}
                at = {**lower.values, **names, param.name: values[place]}
                self._assumed.append(Call(at, lower.keys.union(keys)))
        return True

    def _consistent(self) -> list[Param]:
        """Returns the parameters with their conditions; the first of definitions that clash."""
        params = [self._conditioned(key, param) for key, param in self._params.items()]
        kept: list[Param] = []
        for param in params:
            rivals = (p for p in kept if p.name == param.name and _clash(p, param, params))
            rival = next(rivals, None)
            if rival is None:
                kept.append(param)
            else:
                self.clashes.append((rival, param))
        return kept

    def _conditioned(self, key: Key, param: Param) -> Param:
        """Adds the conditions that the calls imply."""
        calls = [*self.calls, *self._assumed]
        present = [call.values for call in calls if key in call.keys]
        absent = [call.values for call in calls if key not in call.keys]
        if not absent:
            return param
        known = [
            name for name in dict.fromkeys(k[0] for k in self._params) if name in self._parents
        ]
        for parents in (*((name,) for name in known), *itertools.combinations(known, 2)):
            inferred = tuple(_condition(name, present) for name in parents)
            if param.name in parents or None in inferred:
                continue
            conditions = tuple(c for c in inferred if c is not None)
            if not any(all(c.holds(values) for c in conditions) for values in absent):
                new = tuple(c for c in conditions if c not in param.conditions)
                return Param(param.name, param.domain, (*param.conditions, *new))
        return param


def _key(param: Param) -> Key:
    return (param.name, param.conditions, param.domain.kind)


def _clash(one: Param, other: Param, params: Sequence[Param]) -> bool:
    """Whether two definitions of a name, of different kinds, can exist together."""
    different = one.domain.kind != other.domain.kind
    return different and not exclusive(one, other, params)


def _condition(parent: str, present: list[Values]) -> Condition | None:
    if not all(parent in values for values in present):
        return None
    found = list(dict.fromkeys(values[parent] for values in present))
    if all(isinstance(value, (int, float)) for value in found):
        found.sort(key=float)  # type: ignore[arg-type]
    return Condition(parent, tuple(found))


def _others(domain: Domain) -> list[Scalar]:
    """Returns the values to try: all others of a small domain, the ends of a large one."""
    if domain.levels == 1:
        return []
    if 0 < domain.levels <= SMALL and not isinstance(domain, Float):
        return [value for value in domain.listed() if value != domain.default]
    return [end for end in (domain.at(1.0), domain.at(0.0)) if end != domain.default]
