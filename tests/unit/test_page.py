"""Pages that are one file, whatever text and pictures go in."""

import base64
from pathlib import Path

import jinja2
import numpy as np
import pytest

from car.bundle import Bundle, Provenance, load_bundle, save_bundle
from car.frames import from_picture
from car.page import attempt_sections, authors, highlighted, render, strip, uri
from car.refine import Budget
from car.tasks import find_task
from car.trajectory import Trajectory
from car.verify import Split
from tests.planted import doorkey as planted
from tests.unit.refine.scripted import DOOR, GOAL, KEY, RIGHT, Script, program, told


def _frame(uri: str):
    return from_picture(base64.b64decode(uri.removeprefix("data:image/png;base64,")))


@pytest.fixture
def episode() -> Trajectory:
    return Trajectory.of([np.full((8, 16, 3), 9 * level, np.uint8) for level in range(12)], "expert", seed=1)


def test_a_strip_shows_the_start_and_the_frames_around_the_moment(episode: Trajectory) -> None:
    done = [time in (2, 6, 7) for time in range(12)]
    made = strip(episode, done, 6, "what happens")
    assert [each.time for each in made.cells] == [0, 3, 4, 5, 6, 7, 8]
    assert [each.time for each in made.cells if each.fired] == [6, 7]
    assert [each.time for each in made.cells if each.credited] == [6]
    assert [each.width for each in made.cells] == [128] * 7
    for each in made.cells:
        assert (_frame(each.picture) == episode.frame(each.time)).all()


@pytest.mark.parametrize(("moment", "times"), [(0, [0, 1, 2]), (11, [0, 8, 9, 10, 11])])
def test_a_strip_ends_where_the_episode_does(moment: int, times: list[int], episode: Trajectory) -> None:
    assert [each.time for each in strip(episode, [True] * 12, moment, "").cells] == times


def test_a_picture_is_enlarged_without_smoothing(episode: Trajectory) -> None:
    assert _frame(uri(episode.frame(3), 64)).shape == (32, 64, 3)
    assert np.unique(_frame(uri(episode.frame(3), 64))).tolist() == [27]


def test_source_is_highlighted_and_escaped() -> None:
    shown = highlighted('def check(found, current):\n    return "<script>alert(1)</script>"\n')
    assert '<span class="k">def</span>' in shown
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_a_page_without_one_of_its_values_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(jinja2.UndefinedError):
        render("review")


def _bundle(folder: Path, doorkey: Split, script: Script) -> Bundle:
    made = Provenance("scripted/planted", ("planted-1",))
    return load_bundle(save_bundle(folder, find_task("doorkey-6x6"), told(doorkey, script).draft, made))


HOSTILE = '![no](../../frames/zzz.png)\n![x](../../frames/{}.png)\n![\n"""<script>"""\n'.format("0" * 64)


def test_attempts_come_with_complaints_and_the_pictures_that_went_back(doorkey: Split, tmp_path: Path) -> None:
    script = {
        ("checker", DOOR, 1): program(planted.ALWAYS_FALSE),
        ("refine", DOOR, 2): program(HOSTILE + "def check(found, current):\n    return True\n"),
        ("refine", DOOR, 3): RIGHT["checker", DOOR, 1],
    }
    sections = attempt_sections(_bundle(tmp_path, doorkey, script))
    assert [each.title for each in sections] == [
        "goal, attempt 1",
        "subtasks, attempt 1",
        f"checker-{KEY}, attempt 1",
        f"checker-{DOOR}, attempt 1",
        "checker-reach-the-goal, attempt 1",
        f"refine-{DOOR}, attempt 2",
        f"refine-{DOOR}, attempt 3",
    ]
    assert [each.number for each in sections if not each.used] == [4, 6]
    never = sections[3]
    assert "Required: True on some frame" in never.complaints[0]
    last = len(doorkey.refine[0]) - 1
    shown = [0, last // 3, 2 * last // 3, last]
    assert [caption for caption, _ in never.pictures][-1] == f"expert episode 1, frame {last}"
    assert len(never.pictures) == len(shown)
    assert sections[5].pictures == []
    assert sections[5].reply == script["refine", DOOR, 2]


def test_more_than_nine_attempts_stay_in_order(doorkey: Split, tmp_path: Path) -> None:
    wrong = {("refine" if n > 1 else "checker", KEY, n): "no program" for n in range(1, 6)}
    wrong |= {("refine" if n > 1 else "checker", DOOR, n): "no program" for n in range(1, 6)}
    sections = attempt_sections(_bundle(tmp_path, doorkey, wrong))
    assert [each.number for each in sections] == list(range(1, 14))
    assert sections[-1].title == f"refine-{DOOR}, attempt 5"


def test_of_several_programs_that_were_asked_for_only_the_best_has_pictures_that_went_back(
    doorkey: Split, tmp_path: Path
) -> None:
    script: Script = {
        ("checker", DOOR, 1): "no program",
        ("checker", DOOR, 1, 2): program(planted.ALWAYS_FALSE),
        ("refine", DOOR, 2): RIGHT["checker", DOOR, 1],
        **{("checker", name, 1, 2): RIGHT["checker", name, 1] for name in (KEY, GOAL)},
    }
    draft = told(doorkey, script, budget=Budget(samples=2)).draft
    made = save_bundle(tmp_path, find_task("doorkey-6x6"), draft, Provenance("scripted/planted", ("planted-1",)))
    sections = [each for each in attempt_sections(load_bundle(made)) if each.complaints]
    assert [bool(each.pictures) for each in sections] == [False, True]


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (("one", "two"), "one, two"),
        ((), "a model that was asked by hand"),
        (("manual",), "a model that was asked by hand"),
    ],
)
def test_says_who_wrote_the_programs(models: tuple[str, ...], said: str, doorkey: Split, tmp_path: Path) -> None:
    draft = told(doorkey).draft
    task = find_task("doorkey-6x6")
    made = load_bundle(save_bundle(tmp_path, task, draft, Provenance("manual", models)))
    assert authors(made) == said
