"""The command ``kerashpo``: lists, shows, resumes and repairs studies without importing Keras.

kerashpo run FILE          the search that a TOML or JSON file describes
kerashpo list [FOLDER]     the studies below a folder
kerashpo status [PATH]     what a study holds and where it stands
kerashpo watch PATH        the display of a search that another process carries out
kerashpo dashboard PATH    optuna-dashboard on a study or a folder of studies, as they run
kerashpo best PATH         the best values, as JSON
kerashpo trials PATH       every trial as CSV
kerashpo report PATH       the report as one HTML file
kerashpo export PATH       exports the study to another library: --to optuna
kerashpo resume PATH       runs the script of the search again, after showing it
kerashpo doctor [PATH]     versions; with PATH, whether a study is intact, and --repair;
                           with --cluster the versions on all nodes of a Ray cluster
kerashpo worker ADDRESS    trains for a search that waits for workers: --key-file
kerashpo compare ...       the same as python -m kerashpo.compare
kerashpo new-problem NAME  writes a problem for the comparison, and its test
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerashpo import __version__
from kerashpo.command_parser import CommandParser, pipe_may_close, print_error
from kerashpo.core.errors import InvalidInput, KerashpoError, StudyBusy
from kerashpo.core.requirements import BACKENDS, REQUIRED, chosen_backend, packages_required
from kerashpo.quiet_import import only_errors

if TYPE_CHECKING:
    from kerashpo.i18n.texts import Texts

_FOLDER = "the study's folder: directory/project_name"
_FOLDERS = "a study's folder, or one that holds studies (the current one)"
_LANGUAGE = {"metavar": "en|es|auto", "help": "its language (KERASHPO_LANG, else en)"}
_PACKAGES = ("kerashpo", *REQUIRED.values())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    only_errors()
    try:
        if words[:1] == ["compare"]:
            from kerashpo.compare.__main__ import main as compare

            return compare(words[1:])
        parser = _parser(words)
        given = parser.parse_args(words)
        if given.command is None:
            parser.print_help()
            return 0
        with packages_required(), pipe_may_close():
            return int(given.run(given))
    except KerashpoError as error:
        print_error(error, words)
        return 2


def _parser(words: Sequence[str] = ()) -> CommandParser:
    parser = CommandParser(words, prog="kerashpo", description="Looks at hyperparameter searches.")
    parser.add_argument("--version", action="version", version=f"kerashpo {__version__}")
    commands = parser.commands(dest="command", metavar="COMMAND")

    def add(name: str, run: Any, help: str, path: str = _FOLDER, default: str = "") -> Any:
        command = commands.add_parser(name, help=help, description=help)
        command.set_defaults(run=run)
        if path:
            optional: dict[str, Any] = {"nargs": "?", "default": default} if default else {}
            command.add_argument("path", help=path, **optional)
        return command

    _add_views(add)
    _add_files(add)
    _add_searches(add)
    return parser


def _add_views(add: Callable[..., Any]) -> None:
    """Adds the commands that show studies and the installation."""
    below = "the folder (the current one)"
    listing = add("list", _list, "the studies below a folder", below, ".")
    own = f"{_FOLDER} (the current one)"
    state = add("status", _status, "what a study holds and where it stands", own, ".")
    live = add("watch", _watch, "the display of a search that another process carries out")
    for command in (listing, state, live):
        command.add_argument("--lang", **_LANGUAGE)
    web = add("dashboard", _dashboard, "optuna-dashboard on studies, as they run", _FOLDERS, ".")
    web.add_argument("--host", metavar="NAME", default="localhost", help="where to listen")
    web.add_argument("--port", metavar="N", type=int, default=8080, help="(8080); 0: a free one")
    doctor = add("doctor", _doctor, "versions; with a folder, whether it is whole", path="")
    doctor.add_argument("path", nargs="?", help=_FOLDER)
    doctor.add_argument(
        "--cluster",
        nargs="?",
        const="auto",
        metavar="ADDRESS",
        help="the versions of all nodes of a Ray cluster (the running one)",
    )
    doctor.add_argument("--repair", action="store_true", help="save what is whole of a damaged log")
    doctor.add_argument("--lang", **_LANGUAGE)


def _add_files(add: Callable[..., Any]) -> None:
    """Adds the commands that write what a study holds to a file."""
    best = add("best", _best, "the best values, as JSON; or the best model, as a file")
    best.add_argument("--save", metavar="FILE.keras", help="write the best model there")
    best.add_argument(
        "--ensemble",
        metavar="K",
        type=int,
        help="with --save: average the K best trials' models instead",
    )
    add("trials", _trials, "every trial as CSV")
    report = add("report", _report, "the report as one HTML file")
    report.add_argument(
        "--out", metavar="FILE", help="where to write it (PATH/report.html); .md is Markdown"
    )
    report.add_argument("--lang", **_LANGUAGE)
    export = add("export", _export, "the study as another library's")
    export.add_argument("--to", required=True, metavar="optuna", help="which library's")
    export.add_argument("--out", metavar="FILE", help="where to write it (PATH/optuna.sqlite3)")


def _add_searches(add: Callable[..., Any]) -> None:
    """Adds the commands that search, or prepare a search."""
    run = add("run", _run, "the search that a TOML or JSON file describes", path="")
    run.add_argument("path", nargs="?", metavar="FILE", help="the file; see docs/spaces.md")
    run.add_argument("--schema", action="store_true", help="print where its JSON Schema lies")
    again = add("resume", _resume, "run the script that searched it again")
    again.add_argument("--yes", action="store_true", help="do not ask before running it")
    again.add_argument("--lang", **_LANGUAGE)
    worker = add("worker", _worker, "train for a search that waits for workers", path="")
    worker.add_argument("address", metavar="HOST:PORT", help="where the search listens")
    worker.add_argument("--key-file", metavar="FILE", required=True, help="the shared key")
    worker.add_argument(
        "--wait", metavar="SECONDS", type=float, default=60.0, help="until it listens (60)"
    )
    add("compare", None, "compare tuners on the same data (see its --help)", path="")
    new = add(
        "new-problem", _new_problem, "write a problem for the comparison, and its test", path=""
    )
    new.add_argument(
        "name", metavar="NAME", help="the name of the problem, its file and its function"
    )
    new.add_argument(
        "--out", metavar="DIR", default=".", help="the folder to write it to (the current one)"
    )


def _run(given: Any) -> int:
    from kerashpo.tuners.study_file import SCHEMA, run_file

    if given.schema:
        print(SCHEMA)
        return 0
    if given.path is None:
        raise InvalidInput("Which file? kerashpo run study.toml")
    results = run_file(given.path)
    return 0 if results.stopped != "interrupted" else 130


def _list(given: Any) -> int:
    from kerashpo.core.errors import StudyNotFound
    from kerashpo.store.open import folder_of
    from kerashpo.study.study import studies_below

    if not folder_of(given.path).exists():
        raise StudyNotFound(f"There is no folder {given.path!r} in {str(Path.cwd())!r}.")
    found = studies_below(given.path)
    if not found:
        raise StudyNotFound(f"There is no study in or below {given.path!r}.")
    return _print_studies(found, given.lang)


def _print_studies(folders: Iterable[Path], lang: str | None) -> int:
    from kerashpo.study.listing import studies_table

    print(*studies_table(folders, lang), sep="\n")
    return 0


def _status(given: Any) -> int:
    from kerashpo.display.progress import folder_bytes
    from kerashpo.i18n.numbers import file_size
    from kerashpo.store.open import folder_of, has_log
    from kerashpo.study.listing import is_running, state_of
    from kerashpo.study.study import open_study, studies_below

    path = given.path
    if not has_log(folder_of(path)) and (below := studies_below(path)):
        return _print_studies(below, given.lang)
    results = open_study(path, given.lang).results
    history, texts = results.history, results.texts
    print(f"{path}: {results!r}")
    line = texts(
        "summary.status",
        objective=f"{history.objective.name} ({history.objective.direction})",
        seed=history.seed,
        seconds=f"{results.seconds:.1f}".replace(".", texts("number.mark")),
        state=state_of(results),
        size=file_size(folder_bytes(path) or 0, texts),
    )
    print(line)
    if history.plan is not None and history.plan.trials is not None and not history.finished:
        print(texts.plural("summary.planned", history.plan.trials))
    if is_running(results):
        print(texts("summary.watch", path=path))
    elif not history.finished:
        print(texts("summary.resume", path=path))
    return 0


def _watch(given: Any) -> int:
    from kerashpo.i18n.texts import Texts
    from kerashpo.study.watch import watch

    try:
        ended = watch(given.path, given.lang)
    except KeyboardInterrupt:
        return 130  # of watching alone: the search goes on
    if ended is None:
        print(Texts.of(given.lang)("summary.resume", path=given.path))
    return 0


def _dashboard(given: Any) -> int:
    from functools import partial

    from kerashpo.export.dashboard import serve

    try:
        serve(given.path, given.host, given.port, partial(print, flush=True))
    except KeyboardInterrupt:
        print()
    return 0


def _best(given: Any) -> int:
    from kerashpo.space.choice_labels import plain_value
    from kerashpo.study.study import open_study

    study = open_study(given.path)
    if given.save is not None or given.ensemble is not None:
        return _save_best(study, given.save, given.ensemble)
    best = study.results.best
    values = {"trial": best.trial, "score": best.score, "epoch": best.epoch, "config": best.config}
    print(json.dumps(values, indent=2, default=plain_value))
    return 0


def _save_best(study: Any, path: str | None, ensemble: int | None) -> int:
    from kerashpo.core.errors import InvalidInput, require_integer
    from kerashpo.store.open import open_blobs

    if path is None:
        raise InvalidInput("--ensemble goes with --save FILE.keras: where should the model go?")
    if not path.endswith(".keras"):
        raise InvalidInput(f"--save expects a file that ends in .keras. Received: {path!r}.")
    if ensemble is not None:
        require_integer("--ensemble", ensemble, 1)
    best = study.results.best.trial
    members = [(best, study.history.trials[best].best_run)]
    if ensemble is not None:
        members = study.results.members(ensemble)
    from kerashpo.quiet_import import without_notices

    with without_notices():
        from kerashpo.training.stored_models import load_members

    load_members(open_blobs(study.folder), members).save(path)
    print(path)
    return 0


def _trials(given: Any) -> int:
    from kerashpo.study.study import open_study

    print(open_study(given.path).results.trials().to_csv(index=False), end="")
    return 0


def _report(given: Any) -> int:
    from kerashpo.study.study import open_study

    print(open_study(given.path).report(given.out, given.lang))
    return 0


def _export(given: Any) -> int:
    from kerashpo.export.optuna import export_study

    print(export_study(given.to, given.path, None if given.out is None else Path(given.out)))
    return 0


def _resume(given: Any) -> int:
    from kerashpo.i18n.texts import Texts
    from kerashpo.study.listing import is_running
    from kerashpo.study.rerun import resume_study
    from kerashpo.study.study import open_study

    texts = Texts.of(given.lang)

    def agreed(question: str) -> bool:
        if given.yes:
            return True
        if not sys.stdin.isatty():
            raise InvalidInput("There is nobody to ask: pass --yes to run it.")
        yes = texts("summary.yes")
        answer = input(f"{question} [{yes[0]}/N] ").strip().lower()
        return answer in (yes, yes[0])

    study = open_study(given.path)
    if is_running(study.results):
        raise StudyBusy(
            f"The search in {given.path!r} is running: watch it with "
            f"kerashpo watch {given.path}. It can be resumed when its process has ended."
        )
    return resume_study(study.folder, study.history, agreed, print, texts)


def _worker(given: Any) -> int:
    from kerashpo.executors.dial.keys import read_key
    from kerashpo.executors.dial.worker import read_address, run_worker

    host, port = read_address(given.address)
    return run_worker(host, port, read_key(given.key_file), given.wait)


def _doctor(given: Any) -> int:
    from kerashpo.i18n.texts import Texts

    texts = Texts.of(given.lang)
    if given.cluster is not None:
        return _examine_cluster(given.cluster, texts)
    return _versions(texts) if given.path is None else _examine(given.path, given.repair, texts)


def _examine_cluster(address: str, texts: Texts) -> int:
    from kerashpo.executors.ray.factory import require_ray

    require_ray()
    from kerashpo.executors.ray.check import examine_cluster

    nodes = examine_cluster(address)
    print(*(node.line(texts) for node in nodes), sep="\n")
    return 0 if all(node.well for node in nodes) else 1


def _examine(path: str, repair: bool, texts: Texts) -> int:
    from kerashpo.store.open import folder_of
    from kerashpo.study.doctor import examine, repair_study

    folder = folder_of(path)
    health = examine(folder)
    if repair and health.log:
        done = repair_study(folder)
        print(texts("doctor.repaired", count=done.events, file=done.original))
        health = examine(folder)
    print(*health.lines(texts), sep="\n")
    return 0 if health.well else 1


def _versions(texts: Texts) -> int:
    """Prints versions without importing the packages, one of which may be missing."""
    missing, backend = [], chosen_backend()
    for name in (*_PACKAGES, *({backend} & {*BACKENDS})):
        try:
            print(f"{name:14} {version(name)}")
        except PackageNotFoundError:
            print(f"{name:14} {texts('doctor.absent')}")
            missing.append(name)
    if backend in missing:
        print(texts("doctor.backend", name=backend, command=BACKENDS[backend]))
    if ours := [name for name in missing if name not in BACKENDS]:
        print(texts("doctor.missing", names=", ".join(ours)))
    return 1 if missing else 0


def _new_problem(given: Any) -> int:
    from kerashpo.problems.template import write_problem

    name = given.name
    from kerashpo.i18n.texts import Texts

    paths = write_problem(name, Path(given.out))
    print(Texts.of(None)("summary.written", files=", ".join(map(str, paths))))
    print(f"  python -m kerashpo.compare --problem {paths[0]}:{name} --max-epochs 10")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
