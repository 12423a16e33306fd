"""Search spaces: parameters, their domains, and the conditions under which they exist.

A `Space` is an ordered tuple of parameters. Each has a flat name (nested names are
joined with ``/``), a domain, and conditions (a parent and the values of it under which
the parameter exists). The constructors:

=======================================  ================================================
``uniform(low, high, step=None)``        a float, every value equally likely
``loguniform(low, high)``                a float, its logarithm equally likely
``reverse_log(low, high)``               a float, most likely near `high`
``integer(low, high, step, log)``        a whole number, both ends included
``choice(values, ordered=False)``        one of some values
``boolean()``                            False or True
``fixed(value)``                         not tuned, but recorded
``lazy(lambda c: ...)``                  computed from the other values, not tuned
``when(parent, values, {...})``          parameters that exist only under their parent
=======================================  ================================================

Example:
    >>> from kerashpo import space
    >>> s = space.Space({
    ...     "lr": space.loguniform(1e-4, 1e-1),
    ...     "optimizer": space.choice(["sgd", "adam"]),
    ...     **space.when("optimizer", "sgd", {"momentum": space.uniform(0.0, 0.99)}),
    ... })
    >>> s.names
    ('lr', 'optimizer', 'momentum')

A choice may be among spaces of their own, see `choice`. `Space.from_file`, `from_dict` and
`to_dict` are the plain form in TOML and JSON; `from_hyperopt`, `from_optuna`,
`from_configspace` and back are in `kerashpo.space.formats`.

`Cube` is the numeric view that algorithms use: one column in [0, 1] for each tunable
parameter, NaN where it is inactive. To add a kind of domain: a frozen dataclass in
``domains`` with the methods of `Domain`, a line in ``KINDS`` of ``domain_json``, and a
constructor here.
Open ``space.py`` first, then ``domains.py``.

Other modules: ``params`` (one parameter), ``scales``, ``cube``, ``perturb`` (a configuration near
another one), ``discovery`` (the space of a `build_model`), ``joining``, ``projection`` and
``observed_ranges`` (ranges that depend on other values), ``lazy_values`` (values computed when a
trial begins), ``definition_checks``, ``choice_labels`` (choices that are not JSON), and
``libraries`` (spaces of Hyperopt, Optuna and ConfigSpace).
"""

from kerashpo.space.constructors import (
    boolean,
    choice,
    fixed,
    integer,
    loguniform,
    reverse_log,
    uniform,
    when,
)
from kerashpo.space.cube import Cube
from kerashpo.space.domains import Boolean, Choice, Domain, Fixed, Float, Integer
from kerashpo.space.lazy import lazy
from kerashpo.space.libraries import (
    from_configspace,
    from_hyperopt,
    from_optuna,
    to_configspace,
    to_optuna,
)
from kerashpo.space.params import Condition, Param
from kerashpo.space.space import Space

__all__ = [
    "Boolean",
    "Choice",
    "Condition",
    "Cube",
    "Domain",
    "Fixed",
    "Float",
    "Integer",
    "Param",
    "Space",
    "boolean",
    "choice",
    "fixed",
    "from_configspace",
    "from_hyperopt",
    "from_optuna",
    "integer",
    "lazy",
    "loguniform",
    "reverse_log",
    "to_configspace",
    "to_optuna",
    "uniform",
    "when",
]
