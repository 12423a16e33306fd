"""Measures how the package is built: names, sizes, import cycles, depth.

    python -m experiments.structure [FOLDER]

FOLDER is a checkout, this one by default, so that an earlier commit can be measured as well:
``git worktree add ../before COMMIT``. Only the source is read; nothing of it is imported.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PACKAGE = "kerashpo"
Names = dict[str, list[str]]
Imports = dict[str, set[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef

SAME = {
    "stems": {
        "one concept at two levels": "anytime asha bayesian errors final_round full_training grid "
        "hyperband lineage nsga2 open pareto pbt random surrogate",
        "the base class of its package": "base",
        "the registry of its package": "registry",
        "one backend each": "engine graphs lifting",
        "one transport each": "factory protocol transport worker",
        "a package and its main class, or its conformance suite": "algorithms executors schedulers "
        "space study",
        "the library Optuna; tuners": "optuna tuners",
        "the command of a package": "__main__",
    },
    "classes": {
        "a tuner and what it is made of": "ASHA BayesianOptimization GridSearch Hyperband "
        "NSGA2 PBT RandomSearch"
    },
}
"""Names that stand more than once for one thing, and why; any other is two things' name."""


def module_of(path: Path, root: Path) -> str:
    """Returns the dotted name of a file below `root`."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions_of(tree: ast.Module) -> Iterator[Function]:
    """Yields every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def is_type_checking(node: ast.stmt) -> bool:
    """Returns whether a statement is ``if TYPE_CHECKING:``, which is never run."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_of(tree: ast.Module, modules: set[str], lazy: bool, types: bool = False) -> set[str]:
    """Returns the modules of the package that a file imports.

    Args:
        tree: the file.
        modules: all modules of the package.
        lazy: also what is imported within functions.
        types: also what is imported for type checkers alone.
    """
    found: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if not types and isinstance(node, ast.stmt) and is_type_checking(node):
            continue
        if isinstance(node, Function) and not lazy:
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name for name in whole if name in modules}
            if not whole <= modules:
                found.add(node.module)
        waiting.extend(ast.iter_child_nodes(node))
    return found & modules


def components(imports: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Returns the strongly connected components, each after those that it imports (Tarjan)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(one: str) -> None:
        number[one] = low[one] = len(number)
        stack.append(one)
        for other in sorted(imports.get(one, ())):
            if other not in number:
                visit(other)
                low[one] = min(low[one], low[other])
            elif other in stack:
                low[one] = min(low[one], number[other])
        if low[one] == number[one]:
            place = stack.index(one)
            found.append(sorted(stack[place:]))
            del stack[place:]

    for one in sorted(imports):
        if one not in number:
            visit(one)
    return found


def cycles(imports: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Returns the groups of modules that import each other."""
    return [group for group in components(imports) if len(group) > 1]


def depth(imports: Mapping[str, Iterable[str]], package: str) -> int:
    """Returns the longest chain of imports among the modules of a package, in modules."""
    levels: dict[str, int] = {}
    for group in components(imports):
        below = [
            levels[other]
            for one in group
            for other in imports.get(one, ())
            if other in levels and other not in group and other.startswith(f"{package}.")
        ]
        for one in group:
            levels[one] = 1 + max(below, default=0)
    return max((n for name, n in levels.items() if name.startswith(f"{package}.")), default=0)


def levels(imports: Mapping[str, Iterable[str]]) -> int:
    """Returns the longest chain of imports between packages, cycles counted as one level."""
    between: Imports = defaultdict(set)
    for one, others in imports.items():
        here = ".".join(one.split(".")[:2])
        between[here] |= {".".join(o.split(".")[:2]) for o in others} - {here, PACKAGE}
    height: dict[str, int] = {}
    for group in components(between):
        below = [height[o] for one in group for o in between[one] if o not in group]
        for one in group:
            height[one] = 1 + max(below, default=0)
    return max(height.values())


def repeated(names: Names, same: Mapping[str, str]) -> tuple[Names, Names]:
    """Returns the names that stand more than once: all, and those that are not one thing."""
    known = {name for group in same.values() for name in group.split()}
    twice = {name: places for name, places in sorted(names.items()) if len(places) > 1}
    return twice, {name: places for name, places in twice.items() if name not in known}


def unlisted(trees: Mapping[Path, ast.Module]) -> Names:
    """Returns the modules that the docstring of their package does not name, by package.

    Files that each define the public class named after them (a tuner) need no line of their own.
    """
    found: Names = {}
    for path, tree in sorted(trees.items()):
        if path.name != "__init__.py":
            continue
        text = (ast.get_docstring(tree) or "").lower().replace("_", "")
        for other in sorted(path.parent.glob("*.py")):
            if other.stem.replace("_", "") not in text and other.stem not in _UNLISTED:
                found.setdefault(f"{path.parent.name}.{other.stem}", []).append(str(other))
    return found


_UNLISTED = ("__init__", "__main__", "base", "registry")


def main() -> None:
    """Prints a Markdown table."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    trees = {path: ast.parse(path.read_text("utf-8")) for path in (root / PACKAGE).rglob("*.py")}
    modules = {module_of(path, root): path for path in trees}
    lines = {path: path.read_text("utf-8").count("\n") for path in trees}
    plain = [path for path in trees if path.name != "__init__.py"]
    bodies = [
        function.end_lineno - function.lineno + 1
        for tree in trees.values()
        for function in functions_of(tree)
        if function.end_lineno
    ]
    stems, classes = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for name, path in sorted(modules.items()):
        if name != PACKAGE:
            stems[name.rpartition(".")[2]].append(name)
        for node in ast.walk(trees[path]):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(name)
    known = set(modules)
    top = {name: imports_of(trees[path], known, False) - {name} for name, path in modules.items()}
    everything = {
        name: imports_of(trees[path], known, True) - {name} for name, path in modules.items()
    }
    whole = {
        name: imports_of(trees[path], known, True, True) - {name} for name, path in modules.items()
    }
    long = sorted(f"{module_of(p, root)} {n}" for p, n in lines.items() if n > 400)
    twice, two_things = repeated(stems, SAME["stems"])
    class_twice, class_two = repeated(classes, SAME["classes"])
    rows: list[tuple[str, object]] = [
        ("modules (without `__init__`)", f"{len(plain)} ({len(trees) - len(plain)} packages)"),
        ("lines", sum(lines.values())),
        ("lines of a file: median / longest", _spread([lines[p] for p in plain])),
        ("lines of a function: median / longest", _spread(bodies)),
        ("functions", len(bodies)),
        ("files over 400 lines", ", ".join(long) or "none"),
        ("module stems that stand more than once", len(twice)),
        ("... for two things", _listed(two_things)),
        ("class names that stand more than once", len(class_twice)),
        ("... for two things", _listed(class_two)),
        ("import cycles, top level", _groups(cycles(top))),
        ("import cycles, with lazy imports", _groups(cycles(everything))),
        ("levels of packages", levels(top)),
        ("modules that their package's docstring leaves out", _listed(unlisted(trees))),
        ("depth of tuners, all imports", depth(whole, f"{PACKAGE}.tuners")),
        ("depth of compare, all imports", depth(whole, f"{PACKAGE}.compare")),
    ]
    print("| | |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


def _spread(sizes: list[int]) -> str:
    return f"{statistics.median(sizes):.0f} / {max(sizes)}"


def _listed(names: Names) -> str:
    return f"{len(names)}: {', '.join(names)}" if names else "none"


def _groups(groups: list[list[str]]) -> str:
    return f"{len(groups)}: {'; '.join(' <-> '.join(g) for g in groups)}" if groups else "none"


if __name__ == "__main__":
    main()
