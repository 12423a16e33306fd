"""`ComparisonOptions`: what to compare, from flags and from a TOML plan with the same keys."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerashpo.command_parser import CommandParser
from kerashpo.compare.tuners import TUNERS, TunerBudget, allowance, name_of
from kerashpo.core.errors import InvalidInput, nearest, require_integer, unknown
from kerashpo.core.import_string import is_import_string
from kerashpo.core.objective import to_objectives
from kerashpo.i18n.texts import language_of
from kerashpo.objectives import MEASURED, named
from kerashpo.problems.registry import task_names
from kerashpo.store.open import folder_of

FOLDS = 5
"""Folds of the final round of `recommended`."""
SIMULATED = ("accuracy", "minutes")


@dataclass(frozen=True, slots=True)
class ComparisonOptions:
    """A comparison.

    Attributes:
        problem: names of problems, or import strings such as ``my_file.py:function``.
        tuners: names of tuners, or import strings.
        objective: replaces the problems' objectives, e.g. ``("val_accuracy", "size")``: the
            first is a validation metric; empty for the problems' own. Several are compared by
            the hypervolume of their fronts.
        seeds: one split and one search for each.
        max_epochs: the most epochs of a trial.
        factor: Hyperband's reduction factor.
        max_trials: trials of the tuners that train each one fully.
        initial_points: trials before a Bayesian tuner's model (ours or a peer's) decides.
        epochs: epochs in all that every tuner gets; several budgets are several comparisons;
            empty for each tuner's usual budget, see `kerashpo.compare.tuners.allowance`.
        final_round: folds of a final round in every search of ours, within its budget; 0 for one
            in `recommended` alone. Searches whose budget is too small have none.
        target: a value of the objective whose epochs and seconds are reported; None for the
            problem's own.
        workers: processes that run searches side by side, or ``"ray"`` for those of a cluster
            whose nodes share the folder.
        out: the folder of the results.
        report: the report's path without its ending; empty for ``OUT/report``.
        simulated: by tuner, accuracy and minutes that somebody claimed without measuring.
        lang: ``"en"``, ``"es"`` or ``"auto"``, as in `kerashpo.i18n`.
        fresh: run everything again.
        dry_run: only print the plan.
        quiet: print the table alone.
    """

    problem: tuple[str, ...] = ("breast_cancer",)
    tuners: tuple[str, ...] = ("hyperband", "bayesian")
    objective: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    max_epochs: int = 50
    factor: int = 3
    max_trials: int = 25
    initial_points: int = 5
    epochs: tuple[int, ...] = ()
    final_round: int = 0
    target: float | None = None
    workers: int | str = 1
    out: str = "report/compare"
    report: str = ""
    simulated: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    lang: str = field(default_factory=language_of)
    fresh: bool = False
    dry_run: bool = False
    quiet: bool = False

    @property
    def total(self) -> int | None:
        """Epochs in all, of a comparison with one budget."""
        return self.epochs[0] if self.epochs else None

    def allowance(self, tuner: str) -> TunerBudget:
        """Returns the budget of one search of a tuner."""
        return allowance(tuner, self.max_epochs, self.factor, self.max_trials, self.total)

    def final_round_of(self, tuner: str) -> int | None:
        """Returns the folds of a tuner's final round, None where it has none.

        One needs a finalist and the untuned model on all folds, and two trainings before.
        """
        folds = self.final_round or (FOLDS if tuner == "recommended" else 0)
        least = (2 * (folds - 1) + 2) * self.max_epochs
        return folds if folds and self.allowance(tuner).epochs >= least else None

    def budgets(self) -> Iterator[ComparisonOptions]:
        """Yields a comparison for each budget; several write to folders of their own."""
        if len(self.epochs) < 2:
            yield self
            return
        for epochs in self.epochs:
            report = f"{self.report}-{epochs}" if self.report else ""
            out = str(folder_of(self.out) / f"epochs-{epochs}")
            yield dataclasses.replace(self, epochs=(epochs,), out=out, report=report)

    def check(self) -> None:
        """Raises InvalidInput for an invalid value."""
        self._check_names()
        for name in ("fresh", "dry_run", "quiet"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidInput(
                    f"{name} must be true or false. Received: {getattr(self, name)!r}."
                )
        require_integer("max_epochs", self.max_epochs, 1)
        require_integer("factor", self.factor, 2, why="of so many configurations one is promoted")
        require_integer("max_trials", self.max_trials, 1)
        require_integer("initial_points", self.initial_points, 1)
        if self.workers != "ray":
            require_integer("workers", self.workers, 1, why='processes side by side, or "ray"')
        if self.final_round:
            require_integer("final_round", self.final_round, 2, why="folds; 0 for none")
        self._check_epochs()
        if self.target is not None and not _finite(self.target):
            raise InvalidInput(f"target must be a finite number. Received: {self.target!r}.")
        _check_simulated(self.simulated, [name_of(tuner) for tuner in self.tuners])

    def _check_epochs(self) -> None:
        for epochs in self.epochs:
            require_integer("epochs", epochs, 1)
            if epochs < self.max_epochs:
                raise InvalidInput(
                    f"--epochs is the number of epochs of a whole search and must be at least "
                    f"{self.max_epochs}, those of one trial (max_epochs). Received: {epochs}. For "
                    f"trials of at most {epochs} epochs: --max-epochs {epochs}."
                )

    def _check_names(self) -> None:
        own = "or my_file.py:FUNCTION for one of your own"
        for kind, given, known in (
            ("problem", self.problem, task_names()),
            ("tuner", self.tuners, TUNERS),
        ):
            for name in given:
                if name not in known and not is_import_string(name):
                    raise unknown(kind, name, known, own)
            if not given:
                raise InvalidInput(f"Name at least one {kind}. Known: {', '.join(known)}.")
        object.__setattr__(self, "lang", language_of(self.lang))
        if self.objective:
            to_objectives(named(self.objective))
        names = [name_of(tuner) for tuner in self.tuners]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InvalidInput(f"Two tuners are called {twice!r}. Rename a file or a function.")
        if not self.seeds:
            raise InvalidInput("Name at least one seed, e.g. --seeds 0 1 2.")
        for seed in self.seeds:
            require_integer("a seed", seed, 0)
        if not isinstance(self.out, str) or not self.out:
            raise InvalidInput(f"out must be the name of a folder. Received: {self.out!r}.")
        folder_of(self.out)
        if not isinstance(self.report, str):
            raise InvalidInput(f"report must be a path without ending. Received: {self.report!r}.")


def _finite(value: object) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value)  # type: ignore[arg-type]


def _check_simulated(given: object, tuners: Sequence[str]) -> None:
    if not isinstance(given, Mapping):
        raise InvalidInput(f"simulated must be a table of tuners. Received: {given!r}.")
    for tuner, values in given.items():
        if tuner not in TUNERS and tuner not in tuners:
            raise unknown("tuner", tuner, TUNERS)
        known = isinstance(values, Mapping) and set(values) <= set(SIMULATED)
        if not known or not all(_finite(value) for value in values.values()):
            raise InvalidInput(
                f"simulated.{tuner} must hold numbers named {' and '.join(SIMULATED)}. "
                f"Received: {values!r}."
            )


def parse(argv: Sequence[str]) -> ComparisonOptions:
    """Returns the comparison that a command line asks for.

    A plan is read first, flags win over it.

    Raises:
        InvalidInput: for an unknown flag, name or value.
    """
    given = vars(_parser(argv).parse_args(argv))
    values = {name: value for name, value in given.items() if value is not None}
    plan = values.pop("plan", None)
    merged = {**(_read_plan(Path(plan)) if plan else {}), **values}
    options = ComparisonOptions(**{name: _frozen(name, value) for name, value in merged.items()})
    options.check()
    return options


def _parser(words: Sequence[str] = ()) -> CommandParser:
    parser = CommandParser(
        words,
        prog="python -m kerashpo.compare",
        description="Searches with several tuners on the same data and compares their winners.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    own = "or my_file.py:FUNCTION"
    add(
        "--problem",
        nargs="+",
        metavar="NAME",
        help=f"one or several of: {_list(task_names())}, {own} that returns a kerashpo.Task",
    )
    add(
        "--tuners",
        nargs="+",
        metavar="NAME",
        help=f"one or several of: {_list(TUNERS)}, {own} that returns a tuner",
    )
    add(
        "--objective",
        nargs="+",
        metavar="NAME",
        help="instead of the problems' own: a validation metric, and for Pareto fronts further "
        f"metrics or {_list(tuple(MEASURED))}",
    )
    add("--seeds", nargs="+", type=int, metavar="N", help="e.g. 0 1 2: each has its own split")
    add("--max-epochs", type=int, metavar="N", help="the most epochs of a trial (50)")
    add("--factor", type=int, metavar="N", help="Hyperband's reduction factor (3)")
    add("--max-trials", type=int, metavar="N", help="trials of full training (25)")
    add("--initial-points", type=int, metavar="N", help="before the Bayesian model decides (5)")
    add("--epochs", nargs="+", type=int, metavar="N", help="epochs in all of each whole search")
    add("--final-round", type=int, metavar="N", help="folds for the best trials of each search (0)")
    add("--target", type=float, metavar="X", help="a value whose epochs and seconds are reported")
    add(
        "--workers",
        type=_workers,
        metavar="N|ray",
        help="processes that search side by side (1), or the nodes of a Ray cluster",
    )
    add("--out", metavar="DIR", help="the folder of the results (report/compare)")
    add("--report", metavar="PATH", help="the report without its ending (OUT/report)")
    add("--plan", metavar="FILE.toml", help="the same settings in a file; flags win over it")
    language = "the language of what is printed (KERASHPO_LANG, else en)"
    add("--lang", metavar="en|es|auto", help=language)
    add("--fresh", action="store_true", default=None, help="run everything again")
    add("--dry-run", action="store_true", default=None, help="print what would run, and stop")
    add("--quiet", action="store_true", default=None, help="no progress, the table alone")
    return parser


def _read_plan(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InvalidInput(f"There is no plan {str(path)!r}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The plan {str(path)!r} is not valid TOML: {error}.") from error
    known = [field.name for field in dataclasses.fields(ComparisonOptions)]
    plan = {name.replace("-", "_"): value for name, value in found.items()}
    for name in plan:
        if name not in known:
            hint = nearest(name, known)
            raise InvalidInput(
                f"The plan {str(path)!r} has an unknown key {name!r}.{hint} "
                f"Known: {', '.join(known)}."
            )
    return plan


def _frozen(name: str, value: Any) -> Any:
    """Returns lists as tuples without repeats; names may also be joined with commas."""
    if name in ("problem", "tuners", "objective"):
        parts = value if isinstance(value, (list, tuple)) else [value]
        words = (word for part in parts for word in str(part).split(",") if word)
        return tuple(dict.fromkeys(words))
    if name in ("seeds", "epochs"):
        return tuple(dict.fromkeys(value if isinstance(value, (list, tuple)) else (value,)))
    return value


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _workers(text: str) -> int | str:
    """Reads a number of workers; other words are checked with the options."""
    return int(text) if text.lstrip("-").isdecimal() else text
