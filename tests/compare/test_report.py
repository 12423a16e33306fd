"""What a comparison's report claims, from results made up by hand; nothing is trained."""

from __future__ import annotations

import csv
import math
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from kerashpo.analysis.anytime import Step
from kerashpo.analysis.ranking import rank_methods
from kerashpo.analysis.saturation import saturation_of
from kerashpo.compare import command
from kerashpo.compare.__main__ import main
from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.formatting import loss_interval, metric_name
from kerashpo.compare.provenance import Provenance, Session
from kerashpo.compare.report import ties_text, verdict
from kerashpo.compare.runs import Result, Run, plan_runs
from kerashpo.compare.statistics import find, rank_all
from kerashpo.core.errors import MissingExtra
from kerashpo.i18n.texts import LANGUAGES, Texts
from kerashpo.problems.registry import make_task, task_names
from kerashpo.reporting.blocks import Code, Heading, Items, Paragraph, Picture, Table
from kerashpo.reporting.html import to_html
from kerashpo.reporting.markdown import to_markdown

EN = Texts("en")
SEEDS = 8


def made(problem, tuner, seed, score, steps=()):
    """A result whose test score is given."""
    classes = len(make_task(problem).classes)
    table = [[1 if i == j else 0 for j in range(classes)] for i in range(classes)]
    accuracy = score if classes else float("nan")
    return Result(
        problem, tuner, seed, 8, 48, accuracy, 0.1, accuracy, 0.2, 12.0, {"units": 32},
        score, score, table, steps or (Step(2, 1, 1.0, score - 0.1), Step(20, 5, 6.0, score)),
    )  # fmt: skip


def results(problem="wine", **levels):
    """Results of tuners (and baselines) whose test score is a level plus the seed's own."""
    return [
        made(problem, tuner.replace("__", "."), seed, level + 0.01 * seed)
        for seed in range(SEEDS)
        for tuner, level in levels.items()
    ]


BASE = {"default": 0.6, "majority": 0.4}


TUNERS = ("random", "bayesian", "keras_tuner.bayesian")


def arguments(out):
    """The command line of the comparison that the fixtures hold."""
    seeds = [str(seed) for seed in range(SEEDS)]
    given = ["--problem", "wine", "--tuners", *TUNERS, "--seeds", *seeds]
    return [*given, "--out", str(out), "--quiet"]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A comparison as if it had run: random is best, keras_tuner.bayesian worst."""
    out = tmp_path_factory.mktemp("published") / "out"
    seeds = tuple(range(SEEDS))
    options = ComparisonOptions(problem=("wine",), tuners=TUNERS, seeds=seeds, out=str(out))
    levels = {"random": 0.9, "bayesian": 0.8, "keras_tuner__bayesian": 0.7, **BASE}
    known = {(r.problem, r.tuner, r.seed): r for r in results(**levels)}
    for run in plan_runs(options, {"wine": make_task("wine")}):
        run.keep(known[run.key])
    assert main(arguments(out)) == 0
    return out


@pytest.fixture
def folder(published, tmp_path):
    """A copy of it, and its command line."""
    shutil.copytree(published, tmp_path / "out")
    return tmp_path / "out", arguments(tmp_path / "out")


def test_findings_by_hand():
    task = make_task("wine")
    found = find(results(random=0.9, asha=0.8, **BASE), task, target=0.93)
    assert found.ranking.names == ("random", "asha")
    assert found.ranking.ranks == (1.0, 2.0)
    assert found.test["random"].mean == pytest.approx(0.9 + 0.035)
    assert found.gain.mean == pytest.approx(0.3) and found.gain.bounds.low == pytest.approx(0.3)
    # Five of eight seeds come to 0.93 (at 20 epochs), none of the other tuner's.
    assert (found.reached["random"].seeds, found.reached["random"].epochs) == (5, 20.0)
    assert (found.reached["asha"].seeds, found.reached["asha"].epochs) == (0, float("inf"))
    assert found.budget == 48
    assert found.anytime["random"] == pytest.approx([0.835, 0.935, 0.935])


def test_ranks_over_problems_turn_every_objective_the_right_way():
    rows = results(random=0.9, asha=0.8, **BASE)
    rows += results("diabetes", random=0.5, asha=0.3, default=0.1, mean=0.0)
    tasks = {name: make_task(name) for name in ("wine", "diabetes")}
    found = rank_all(rows, tasks)
    assert found.names == ("random", "asha") and found.blocks == 2 * SEEDS
    assert found.winner == "random"
    assert rank_all(rows, {"wine": tasks["wine"]}) is None


def ranked(**scores):
    return rank_methods(scores, "max")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_verdict_never_names_a_winner_that_the_test_does_not_support(language):
    texts = Texts(language)
    wins = {"en": "is the winner", "es": "gana a"}[language]
    none = {"en": "no winner may be claimed", "es": "no se puede afirmar un ganador"}[language]
    clear = ranked(a=[3.0 + i for i in range(9)], b=[2.0 + i for i in range(9)])
    text = verdict(clear, "wine", texts)
    assert none not in text and ({"en": wins, "es": "gana a"}[language] in text)
    alike = ranked(a=[1.0, 2.0] * 5, b=[2.0, 1.0] * 5, c=[1.5, 1.5] * 5)
    assert none in verdict(alike, "wine", texts)
    assert wins not in verdict(alike, "wine", texts)


def test_half_a_claim():
    best = [3.0 + i for i in range(10)]
    close = [v + (0.1 if i % 2 else -0.1) for i, v in enumerate(best)]
    text = verdict(ranked(a=best, b=close, c=[v - 9 for v in best]), "wine", EN)
    assert "no single winner may be claimed" in text
    assert "better than c beyond chance, but not than b" in text


def test_equal_tuners_share_the_best_rank():
    same = [1.0, 2.0] * 5
    text = verdict(ranked(a=same, b=same), "wine", EN)
    assert "a and b share the best average rank" in text
    text = verdict(ranked(a=same, b=same, c=[0.5, 2.5] * 4 + [0.5] * 2), "wine", Texts("es"))
    assert "a y b" in text and "comparten el mejor rango medio" in text
    text = verdict(ranked(a=[1.0, 2.0] * 5, b=[2.0, 1.0, 0.0] * 3 + [0.0]), "wine", EN)
    assert "merely has the best average rank" in text


def test_too_few_seeds_are_called_so():
    text = verdict(ranked(a=[1.0, 2.0, 3.0], b=[0.0, 1.0, 2.0]), "wine", EN)
    assert "With 3 comparisons no pair could have been told apart" in text
    assert "= 0.250" in text
    assert "With" not in verdict(ranked(a=[1.0, 2.0] * 5, b=[2.0, 1.0] * 5), "wine", EN)


def test_one_seed_is_no_comparison():
    task = make_task("wine")
    rows = [row for row in results(random=0.9, asha=0.8, **BASE) if row.seed == 0]
    found = find(rows, task, None)
    assert found.ranking is None
    assert "cannot tell tuners apart" in verdict(found.ranking, "wine", EN)


def test_the_report_is_written_in_both_languages_without_training(folder, tmp_path):
    out, argv = folder
    assert main([*argv, "--report", str(tmp_path / "informe"), "--lang", "es"]) == 0
    text = (out / "report.md").read_text("utf-8")
    spanish = (tmp_path / "informe.md").read_text("utf-8")
    # random is best on all eight seeds, but three pairs and two-sided tests are strict.
    assert "random is the winner" in text.replace("\\", "")
    assert "| random | 93.5 %" in text and "| random | 93,5 %" in spanish
    assert "| test loss |" in text and "| 0.200 \\[0.200; 0.200\\] |" in text
    assert "| 0,200 \\[0,200; 0,200\\] |" in spanish
    assert "<out/informe_anytime_wine.png>" in spanish and "<anytime_wine.png>" in text
    assert (out / "ranks_wine.png").exists() and (out / "informe_ranks_wine.png").exists()
    page = (out / "report.html").read_text("utf-8")
    assert "random is the winner" in page and page.count("<svg") == 4
    # Cells break before their interval alone, so that a table fits a page of 1000 pixels.
    assert re.search(r"<td><span>93\.5 %</span> <span>\[[\d.]+; [\d.]+\]</span> </td>", page)


class Outline(HTMLParser):
    """What a page refers to, and whether its tags are closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.ids = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "xlink:href", "action", "data"):
                self.links.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in ("meta", "br"):
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_loads_nothing_and_links_nowhere(folder):
    out, _ = folder
    page = (out / "report.html").read_text("utf-8")
    outline = Outline(page)
    assert not outline.open
    assert all(link.startswith("#") for link in outline.links)
    assert len(outline.ids) == len(set(outline.ids))
    assert {link[1:] for link in outline.links} <= set(outline.ids)
    assert "<script" not in page and "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_results_are_enough(folder):
    """Without studies and CSV files the same files come out, and nothing is trained."""
    out, argv = folder
    names = ("results.csv", "summary.csv", "scores.csv", "anytime.csv", "confusion.csv")
    before = {name: (out / name).read_text() for name in names}
    pages = {name: (out / name).read_text() for name in ("report.md", "report.html")}
    for name in (*names, *pages):
        (out / name).unlink()
    assert main(argv) == 0
    assert {name: (out / name).read_text() for name in names} == before
    assert {name: (out / name).read_text() for name in pages} == pages


@pytest.fixture
def ran(monkeypatch):
    """The tuners of the cells that run, each of which is interrupted at once."""
    tuners = []
    monkeypatch.setattr(
        "kerashpo.compare.run_cells.run_one", lambda run, options: tuners.append(run.tuner)
    )
    monkeypatch.setattr("kerashpo.compare.run_cells.load_keras", lambda: None)
    return tuners


def test_a_damaged_or_missing_result_is_measured_again(folder, ran):
    out, argv = folder
    path = next(out.rglob("random_tuning.result.json"))
    whole = path.read_text()
    for text in (None, "", whole[: len(whole) // 2], '{"problem": 1}'):
        path.unlink() if text is None else path.write_text(text)
        ran.clear()
        assert main(argv) == command.INTERRUPTED
        assert ran == ["random"]


def test_csv_files_are_output_alone(folder, ran):
    out, argv = folder
    shutil.rmtree(out / "runs")
    assert main(argv) == command.INTERRUPTED
    assert ran == ["random"]


def test_another_budget_is_another_result(folder, ran):
    _, argv = folder
    assert main([*argv, "--max-trials", "9"]) == command.INTERRUPTED
    assert ran == ["random"]


def test_curves_stay_where_epochs_were_deleted(folder):
    """Studies may be deleted to save space; what was written of their epochs is not lost."""
    out, argv = folder
    (out / "curves.csv").write_text("problem,tuner\nwine,random\n")
    assert main(argv) == 0
    assert (out / "curves.csv").read_text() == "problem,tuner\nwine,random\n"


def test_what_was_simulated_stands_beside_what_was_measured(folder, tmp_path):
    out, argv = folder
    plan = tmp_path / "plan.toml"
    plan.write_text("[simulated.bayesian]\naccuracy = 0.97\nminutes = 20\n")
    assert main([*argv, "--plan", str(plan)]) == 0
    text = (out / "report.md").read_text("utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith("| bayesian | 97 %"))
    assert "83.5 %" in row and "20.0 min" in row and "12.0 s" in row and "100×" in row


def test_scores_of_a_regression_are_in_a_file_of_their_own(tmp_path):
    options = ComparisonOptions(problem=("diabetes",), tuners=("random",), out=str(tmp_path))
    rows = results("diabetes", random=0.5, default=0.1, mean=0.0)
    known = {(r.tuner, r.seed): r for r in rows}
    for run in plan_runs(options, {"diabetes": make_task("diabetes")}):
        run.keep(known[run.tuner, run.seed])
    argv = ["--problem", "diabetes", "--tuners", "random", "--out", str(tmp_path), "--quiet"]
    assert main(argv) == 0
    with open(tmp_path / "scores.csv", newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["tuner"], first["metric"], first["test_score"]) == ("random", "r2_score", "0.5")
    assert "| random | 0.500" in (tmp_path / "report.md").read_text("utf-8")


def test_sessions_are_kept_in_time():
    one = Session("now", "python", 3, 1, 2, (0.1, 0.2), "machine", {"keras": "3"})
    two = replace(one, date="later")
    assert Provenance().with_session(one).with_session(two).sessions == (one, two)


def test_provenance_survives_the_disk_and_damage(tmp_path):
    one = Session("now", "python", 3, 1, 2, (0.1, 0.2), "machine", {"keras": "3"})
    written = Provenance((one,))
    written.write(tmp_path)
    assert Provenance.read(tmp_path) == written
    (tmp_path / "provenance.json").write_text('{"sessions": 1}')
    assert Provenance.read(tmp_path) == Provenance()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", task_names())
def test_every_problem_and_metric_has_its_words(name, language):
    try:
        task = make_task(name)
    except MissingExtra as error:
        pytest.skip(str(error))
    assert len(task.described(language)) > 40 and task.titled(language) != name
    assert task.described(language) != task.described("en") or language == "en"
    assert metric_name(Texts(language), task)


EVIL = "<script>alert('x')</script> | *_`"


def test_texts_are_harmless_in_markdown_and_html():
    blocks = [
        Heading(EVIL, 1), Paragraph(EVIL), Paragraph(EVIL, strong=True), Items((EVIL,)),
        Code("a < b"), Table((EVIL, "b"), ((EVIL, "1"),)),
        Picture('<svg id="a"></svg>', "a b.png", EVIL),
    ]  # fmt: skip
    page = to_html(blocks, "en")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert not Outline(page).open
    text = to_markdown(blocks)
    assert "<script" not in text
    assert r"| &lt;script&gt;alert('x')&lt;/script&gt; \| \*\_\` | 1 |" in text
    assert "](<a b.png>)" in text


@pytest.mark.parametrize(
    ("losses", "text"),
    [([0.1, 0.2], "0.150"), ([3000.0, 3000.0], "3000 [3000; 3000]"), ([0.1, math.inf], "-")],
)
def test_a_loss_of_any_size(losses, text):
    group = [replace(made("wine", "random", s, 0.9), test_loss=v) for s, v in enumerate(losses)]
    rest = [made("wine", "default", seed, 0.5) for seed in range(2)]
    found = find([*group, *rest], make_task("wine"), None)
    assert loss_interval(found.loss["random"], EN).startswith(text)


def test_texts_stand_left_and_numbers_right_whatever_their_length():
    rows = (
        ("random", "average of 5 seeds", "96.5 % [94.1; 98]", "< .001", "8"),
        ("bayesian", "winner", "-", "", "10"),
    )
    table = Table(("tuner", "model", "test", "p", "layers"), rows)
    assert table.textual == (True, True, False, False, False)
    assert "| --- | --- | ---: | ---: | ---: |" in to_markdown([table])
    page = to_html([table], "en")
    assert '<th class="text">model</th><th>test</th>' in page
    assert '<td class="text">winner</td><td>-</td>' in page
    long = "final round: average of all finalists"
    assert f'<td class="text long">{long}</td>' in to_html([Table(("a",), ((long,),))], "en")
    assert Table(("a", "b"), ()).textual == (True, True)


def test_code_cannot_close_its_fence():
    text = to_markdown([Code("a ```` b\n```\n<script>")])
    assert text == "`````\na ```` b\n```\n<script>\n`````\n"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "In the median search 6 of 9 trials tie at the best validation score"),
        ("es", "En la búsqueda mediana 6 de 9 ensayos empatan en la mejor puntuación"),
    ],
)
def test_ties_on_the_validation_rows_are_said_aloud(language, sentence):
    ties = saturation_of([1.0] * 6 + [0.5] * 3, rows=91)
    mine = [replace(one, saturation=ties) for one in results(random=0.9, bayesian=0.8)]
    text = ties_text(mine, Texts(language))
    assert text.startswith(sentence) and "91" in text and "680" in text
    assert ties_text(results(random=0.9), Texts(language)) == "", "nothing is known"
    apart = saturation_of([0.95, 0.5, 0.4], rows=5000)
    assert ties_text([replace(one, saturation=apart) for one in mine], Texts(language)) == ""


def test_ties_are_kept_with_the_result(tmp_path):
    (one, *_) = results(random=0.9)
    ties = saturation_of([1.0, 1.0, 0.5], rows=36)
    run = Run("wine", "random", 0, tmp_path, "epochs-9")
    run.keep(replace(one, saturation=ties))
    assert run.result.saturation == ties
    run.keep(one)
    assert run.result.saturation is None
