"""A study's report: complete, harmless, small, in both languages."""

from __future__ import annotations

import ast
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.style
import pytest

import kerashpo.plots
from kerashpo import cli
from kerashpo.analysis.intervals import score_interval, trials_within, wilson
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import (
    Ended,
    FleetChanged,
    JobStarted,
    Noted,
    Reported,
    SessionEnded,
    SessionStarted,
    StudyCreated,
)
from kerashpo.core.history import History
from kerashpo.core.records import Failure, Objective, Report, Resume, Start, Status
from kerashpo.core.rng import stream
from kerashpo.i18n.texts import LANGUAGES, Texts
from kerashpo.reporting.svg import INK, svg_of
from kerashpo.space import Space, choice, loguniform, uniform, when
from kerashpo.store.journal import JournalStore
from kerashpo.store.open import LOG_NAME
from kerashpo.study.results import Results
from kerashpo.tuners.optimize import optimize

EVIL = '<script>alert("x")</script>'
SPACE = Space(
    {"rate": loguniform(1e-4, 1e-1), EVIL: choice([EVIL, "b"])},
    when(EVIL, "b", {"momentum": choice([0.5, 0.9])}),
)


def events(
    trials,
    failed=(),
    runs=1,
    epochs=3,
    metric="val_accuracy",
    samples=None,
    ended=True,
    score=None,
):
    environment = {"python": "3.11"}
    if samples:
        environment["validation_samples"] = samples
    settings = {"tuner": "Hyperband", "runs": runs}
    yield StudyCreated(SPACE.to_json(), ((metric, "max"),), 7, settings, environment)
    command = {"kind": "script", "target": f"{EVIL}.py", "arguments": ["--fast"], "folder": ""}
    yield SessionStarted(1_760_000_000.0, command)
    for number in range(trials):
        config = SPACE.sample(stream(0, "report", number))
        yield JobStarted(Start(number, config, 1), at=float(number))
        yield JobStarted(Resume(number, epochs if number % 2 else 1), at=float(number))
        for run in range(runs):
            for epoch in range(1, (epochs if number % 2 else 1) + 1):
                usual = 0.8 + 0.1 * math.tanh(epoch) - 0.02 * (number % 5) + 0.01 * run
                value = usual if score is None else score
                report = Report(number, run, epoch, {metric: value}, float(epoch))
                yield Reported(report, at=number + epoch / 10)
        broken = Failure("fit", f"{EVIL} broke", f"Traceback: {EVIL}", f"last words {EVIL}")
        status = Status.FAILED if number in failed else Status.COMPLETED
        yield Ended(number, status, "", broken if number in failed else None, at=number + 1.0)
    if ended:
        yield SessionEnded("finished", True, at=float(trials))


def on_a_cluster():
    """A study in which a node was lost with two trials on it."""
    for event in events(4):
        yield event
        if isinstance(event, SessionStarted):
            yield FleetChanged(2, 3, lost=1)
        if isinstance(event, JobStarted) and event.trial < 2:
            yield Noted(event.trial, {"worker_lost": "the node 10.0.0.2 was lost"})


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("2 nodes", "1 node lost", "2 trials lost a worker", "10.0.0.2")),
        ("es", ("2 nodos", "1 nodo perdido", "2 ensayos perdieron", "10.0.0.2")),
    ],
)
def test_the_machines_of_a_cluster_and_what_was_lost_are_named(tmp_path, lang, words):
    found = Results(History(on_a_cluster())).report(tmp_path / "report.md", lang)
    text = found.read_text("utf-8")
    assert all(word in text for word in words)


def results(*args, **settings):
    return Results(History(events(*args, **settings)))


class Page(HTMLParser):
    """What a browser would make of a page, as far as it is needed here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.addresses, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        names = ("href", "src", "xlink:href", "action", "data", "srcset")
        self.addresses += [value for name, value in attrs if name in names]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    found = results(24, failed=(3, 4), samples=100).report(path, name=EVIL)
    return found.read_text("utf-8")


def test_nothing_a_user_wrote_becomes_a_tag(page):
    parsed = Page(page)
    assert "script" not in parsed.tags
    assert EVIL in parsed.text
    assert page.count(EVIL) == 0


def test_nothing_is_loaded_and_no_link_leaves(page):
    parsed = Page(page)
    inside = [a for a in parsed.addresses if not a.startswith(("#", "data:image/png;base64,"))]
    assert inside == []
    assert "://" not in page and "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []
    assert "default-src 'none'" in page


def test_links_within_the_page_lead_somewhere(page):
    names = set(re.findall(r' id="([^"]+)"', page))
    inner = [a[1:] for a in Page(page).addresses if a.startswith("#")]
    assert inner and set(inner) <= names
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= names


def test_ids_are_unique(page):
    names = re.findall(r' id="([^"]+)"', page)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_is_there(language, tmp_path):
    texts = Texts(language)
    path = results(24, failed=(3,)).report(tmp_path / "r.html", language)
    text = Page(path.read_text("utf-8")).text
    for name in ("best", "anytime", "importance", "curves", "timeline", "trials", "failures",
                 "provenance", "glossary"):  # fmt: skip
        assert texts(f"study.{name}") in text
    assert texts.say("seconds of search") in text and texts.say("expected") in text
    assert "Traceback" in text and "last words" in text and "fit" in text


def test_the_provenance_names_command_seed_and_sessions(page):
    text = Page(page).text
    assert f"python '{EVIL}.py' --fast" in text
    assert "2025-10-09 08:53 UTC" in text


def test_the_verdict_is_the_best_trial(page):
    best = results(24, failed=(3, 4)).best
    verdict = re.search(r'<p class="verdict">(.*?)</p>', page)[1]
    assert f"{best.score:.4g}" in verdict and f"trial {best.trial} at epoch {best.epoch}" in verdict


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "24 of 24 trials tie at the best val_accuracy, 1.0000: with 100 validation rows"),
        ("es", "24 de 24 ensayos empatan en el mejor val_accuracy, 1,0000: con 100 filas"),
    ],
)
def test_saturation_is_said_aloud(language, sentence, tmp_path):
    history = History(events(24, samples=100, score=1.0))
    page = Results(history).report(tmp_path / "r.html", language).read_text("utf-8")
    assert sentence in Page(page).text
    unknown = History(events(24, score=1.0))
    assert (
        sentence[:10]
        not in Page(Results(unknown).report(tmp_path / "r.html", language).read_text("utf-8")).text
    )


def test_the_provenance_speaks_spanish(tmp_path):
    page = results(3, samples=100).report(tmp_path / "r.html", "es").read_text("utf-8")
    text = Page(page).text
    assert "muestras de validación" in text and "sintonizador" in text
    assert "validation_samples" not in text


def test_spanish_numbers_have_commas(tmp_path):
    text = results(5).report(tmp_path / "r.html", "es").read_text("utf-8")
    assert re.search(r'class="verdict">[^<]*es 0,\d+: el ensayo', text)


def test_it_is_small(page):
    assert len(page) < 250_000


@pytest.mark.parametrize("trials", [0, 1, 2])
def test_small_studies(trials, tmp_path):
    text = results(trials, ended=False).report(tmp_path / "r.html").read_text("utf-8")
    assert "The search has not ended" in text
    assert ("nothing to recommend" in text) == (trials == 0)


def test_a_study_in_which_all_failed(tmp_path):
    text = results(3, failed=(0, 1, 2)).report(tmp_path / "r.html").read_text("utf-8")
    assert "nothing to recommend" in text and "3 of 3 trials failed" in text


@pytest.mark.slow
def test_five_thousand_trials_stay_legible(tmp_path):
    path = results(5000, epochs=2).report(tmp_path / "r.html")
    assert path.stat().st_size < 1_500_000
    assert "The best 150 trials (4850 more" in path.read_text("utf-8")


def test_markdown_has_the_same_sentences(tmp_path):
    text = results(24, failed=(3,)).report(tmp_path / "r.md", name=EVIL).read_text("utf-8")
    assert (
        "# Search &lt;script&gt;" in text
        and "## Failures" in text
        and "<script" not in re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    )


def test_a_wrong_ending_or_place(tmp_path):
    with pytest.raises(InvalidInput, match=r"ends in .html, .htm, .md. Received: 'r.pdf'"):
        results(1).report("r.pdf")
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="cannot be written to"):
        results(1).report(tmp_path / "file" / "r.html")
    with pytest.raises(InvalidInput, match="Unknown language 'fr'"):
        results(1).report(tmp_path / "r.html", "fr")


def test_a_searched_function_has_no_model_to_load(tmp_path):
    space = {"x": uniform(0.0, 1.0)}
    found = optimize(lambda c: c["x"], space, max_trials=3, seed=0, directory=tmp_path / "s")
    text = Page(found.report(tmp_path / "r.html").read_text("utf-8")).text
    assert "kt.open_study(" in text and "best_model" not in text and "tuner again" not in text


def test_the_command_line_writes_it(tmp_path, capsys):
    folder = tmp_path / "search"
    folder.mkdir()
    store = JournalStore(folder / LOG_NAME)
    for event in events(3):
        store.append(event)
    store.close()
    assert cli.main(["report", str(folder), "--lang", "es"]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "report.html")
    text = (folder / "report.html").read_text("utf-8")
    assert "Búsqueda search" in text and "kt.open_study" in text
    assert cli.main(["report", str(folder), "--out", str(tmp_path / "other.html")]) == 0
    assert (tmp_path / "other.html").exists()
    assert cli.main(["report", str(folder), "--lang", "fr"]) == 2
    assert "Unknown language" in capsys.readouterr().err


def test_every_label_of_a_figure_has_its_words():
    known = Texts("es").sentences["figures"]
    folder = Path(kerashpo.plots.__file__).parent
    messages = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                messages |= {a.value for a in ast.walk(node) if isinstance(a, ast.Constant)}
    assert len(messages) > 20
    assert messages <= set(known), messages - set(known)
    # Labels that are put together elsewhere: amounts of `anytime`, statuses of `rungs`.
    assert {"epochs trained", "trials started", "completed", "stopped", "failed"} <= set(known)
    english = Texts("en").sentences["figures"]
    assert all(text == key for key, text in english.items())


def test_figures_take_the_pages_colour_and_are_the_same_each_time():
    drawn = [svg_of("a", (3, 2), lambda f: f.subplots().plot([1, 2], [3, 4])) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert "currentColor" in drawn[0] and INK not in drawn[0]
    assert "#ffffff" not in drawn[0]


def test_figures_do_not_depend_on_the_writers_style():
    def draw(figure):
        figure.subplots().plot([1, 2], [3, 4])

    plain = svg_of("a", (3, 2), draw)
    with matplotlib.style.context("ggplot"):  # white ticks on grey, among others
        assert svg_of("a", (3, 2), draw) == plain


def test_wilsons_interval():
    # E. B. Wilson's interval of 81 in 263, as R's prop.test without correction gives it.
    low, high = wilson(81 / 263, 263)
    assert (low, high) == (pytest.approx(0.2553, abs=5e-4), pytest.approx(0.3662, abs=5e-4))
    assert wilson(1.0, 10)[1] == 1.0 and 0.6 < wilson(1.0, 10)[0] < 0.75


def test_several_runs_give_students_interval():
    history = results(2, runs=3).history
    found = score_interval(history, history.best)
    assert found.source == "runs" and found.n == 3
    half = 4.302653 * 0.01 / math.sqrt(3)
    assert found.high - found.low == pytest.approx(2 * half)


@pytest.mark.parametrize(
    ("metric", "samples", "known"),
    [("val_accuracy", 50, True), ("val_accuracy", None, False), ("val_auc", 50, False),
     ("accuracy", 50, False)],
)  # fmt: skip
def test_one_run_gives_an_interval_where_the_score_is_a_share(metric, samples, known):
    history = results(6, metric=metric, samples=samples).history
    found = score_interval(history, history.best)
    assert (found is not None) == known
    if found:
        assert (found.source, found.n) == ("samples", 50)
        assert trials_within(history, found, history.best) == 5


def test_each_of_several_objectives_has_its_importances_under_its_name(monkeypatch, tmp_path):
    from kerashpo.plots.accessor import Plots

    drawn, stock = [], Plots.importances

    def note(plots, ax=None, objective=None):
        axes = stock(plots, ax, objective)
        drawn.append((axes, objective))
        return axes

    monkeypatch.setattr(Plots, "importances", note)
    found = optimize(
        lambda config: {
            "far": config["a"] ** 2 + 0.1 * config["b"],
            "near": (config["a"] - 1) ** 2,
        },
        Space({"a": uniform(0, 1), "b": uniform(0, 1)}),
        objective=[Objective("far", "min"), Objective("near", "min")],
        max_trials=12,
        seed=0,
        verbose=0,
    )
    found.report(tmp_path / "report.html")
    assert [objective.name for _, objective in drawn] == ["far", "near"]
    assert [ax.get_title(loc="left") for ax, _ in drawn] == ["far", "near"]


def test_the_trials_have_a_column_for_each_of_several_objectives(tmp_path):
    objective = [Objective("far", "min"), Objective("near", "min")]
    found = optimize(
        lambda config: {"far": config["a"], "near": 2.0 - config["a"]},
        Space({"a": uniform(0, 1)}),
        objective=objective,
        max_trials=3,
        algorithm="random",
        seed=0,
        verbose=0,
    )
    text = found.report(tmp_path / "report.md").read_text("utf-8")
    head = next(line for line in text.splitlines() if line.startswith("| trial |"))
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        "trial", "status", "far", "near", "best epoch", "epochs", "seconds", "a",
    ]  # fmt: skip
    row = text.split(head)[1].splitlines()[2]
    _, _, far, near, *_, a = (cell.strip() for cell in row.strip("|").split("|"))
    assert far == a and float(near) == pytest.approx(2 - float(a), abs=1e-3)
