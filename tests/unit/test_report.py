"""The page that tells the whole story of a task."""

from pathlib import Path

import numpy as np
import pytest

from car.bundle import Bundle, Provenance, load_bundle, save_bundle
from car.checker import SubTask
from car.frames import to_png
from car.report import RunRow, report_page
from car.sandbox.process import ProcessSandbox
from car.tasks import find_task
from car.verify import Split
from tests.planted import doorkey as planted
from tests.unit.refine.pages import Page
from tests.unit.refine.scripted import DOOR, KEY, RIGHT, InThisProcess, Script, naming, program, told

RUNS = [
    RunRow("generated", 0, 120_000, 53_248, 1.0, 20, 31.2, 60.4),
    RunRow("sparse", 0, 120_000, None, 0.02, 20, 30.0, 58.0),
    RunRow("unfinished", 1, 2_048, None, None, 0, 1.0, 1.0),
]
MENDED = {("checker", DOOR, 1): program(planted.ALWAYS_FALSE), ("refine", DOOR, 2): RIGHT["checker", DOOR, 1]}


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("curve") / "curve.png"
    path.write_bytes(to_png(np.zeros((20, 30, 3), np.uint8)))
    return path


def _bundle(folder: Path, doorkey: Split, script: Script, attempts: int = 5) -> Bundle:
    made = Provenance("scripted/planted", ("planted-1",), "Planted by hand.")
    draft = told(doorkey, script, attempts).draft
    return load_bundle(save_bundle(folder, find_task("doorkey-6x6"), draft, made))


@pytest.fixture(scope="module")
def page(doorkey: Split, curve: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    bundle = _bundle(tmp_path_factory.mktemp("mended"), doorkey, MENDED)
    commands = ["car generate doorkey-6x6 --vlm replay/doorkey-6x6"]
    film = curve.with_name("film.gif")
    film.write_bytes(b"GIF89a, or so")
    return Page(report_page(bundle, RUNS, curve, doorkey.refine[0], ProcessSandbox(), commands, film))


def test_is_one_file(page: Page) -> None:
    page.check_alone()


@pytest.mark.parametrize(
    "said",
    [
        "named 3 sub-tasks.",
        "wrote their programs in 6 answers; 1 of them went back with measured facts.",
        "On held-out trajectories the whole chain is done by 12 of 12 experts and by ",
        " of 48 random agents: accepted.",
        "With the generated reward (seed 0), PPO reaches 90% success after 53,248 steps; at the end it succeeds in 100",
        "With the sparse reward (seed 0), PPO does not reach 90% success in 120,000 steps; at the end it succeeds in 2",
        "With the unfinished reward (seed 1), PPO does not reach 90% success in 2,048 steps.",
        "Programs by planted-1 through scripted/planted. Planted by hand.",
        "car generate doorkey-6x6 --vlm replay/doorkey-6x6",
    ],
)
def test_tells_the_story(said: str, page: Page) -> None:
    assert said in page.text


def test_shows_where_each_program_fires(page: Page) -> None:
    assert page.with_class("credited") == 3
    assert page.text.count("done on frame") == 3


def test_shows_what_went_back_with_its_pictures(page: Page) -> None:
    assert f"checker-{DOOR}, attempt 1" in page.text
    assert "Required: True on some frame" in page.text
    assert page.text.count("expert episode 1, frame ") == 4


def test_shows_the_curve(page: Page) -> None:
    assert page.with_class("plot") == 1


def test_shows_the_film_if_there_is_one(page: Page) -> None:
    assert page.with_class("film") == 1
    assert "The trained agent" in page.text


def test_none_had_to_go_back(doorkey: Split, curve: Path, tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, doorkey, {})
    page = Page(report_page(bundle, [], curve, doorkey.refine[0], InThisProcess(), []))
    assert "in 5 answers; none had to go back." in page.text
    assert "What went back" not in page.text
    assert "The trained agent" not in page.text


def test_a_bundle_that_lacks_a_program_has_a_report_too(doorkey: Split, curve: Path, tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, doorkey, {("checker", KEY, 1): "no"}, attempts=1)
    page = Page(report_page(bundle, RUNS, curve, doorkey.refine[0], InThisProcess(), []))
    assert "not verified" in page.text
    assert "No reply held a program that may run." in page.text
    assert page.with_class("credited") == 2


def test_hostile_text_is_only_text(doorkey: Split, curve: Path, tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    named = naming(SubTask(KEY, bad), planted.DOOR, planted.GOAL, goal=bad)
    bundle = _bundle(
        tmp_path,
        doorkey,
        {
            ("subtasks", "", 1): named,
            ("checker", KEY, 1): program(bad + "\n"),
            ("refine", KEY, 2): RIGHT["checker", KEY, 1],
        },
    )
    page = Page(
        report_page(bundle, [RunRow(bad, 0, 1, None, None, 0, 1, 1)], curve, doorkey.refine[0], InThisProcess(), [bad])
    )
    page.check_alone()
    assert page.text.count(bad) >= 5
