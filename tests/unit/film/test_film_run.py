import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from car.errors import UnknownName, UserError
from car.film import FILM_SEED, default_path, film_finished, film_run
from car.film.pictures import Pictures
from car.film.playing import play
from car.tasks import find_task
from car.train import TrainSettings, train
from car.train.folder import RunFolder
from tests.unit.train.empty_room import EMPTY_ROOM, QUICK, HalfWay, Loafer, Solver

MAKER = "tests.unit.train.empty_room:half_way"
BUNDLE = Path(__file__).parents[3] / "generated_rewards" / "doorkey-6x6"


def rewritten(run: Path, **changes: Any) -> None:
    """Changes what settings.json says of the reward."""
    about = json.loads((run / "settings.json").read_text())
    about["reward"] |= changes
    (run / "settings.json").write_text(json.dumps(about))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in the empty room whose policy observes the milestones of a reward that is made."""
    folder = tmp_path_factory.mktemp("made")
    train(EMPTY_ROOM, MAKER, dataclasses.replace(QUICK, steps=64, observe_milestones=True), folder)
    return folder


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with programs."""
    folder = tmp_path_factory.mktemp("generated")
    settings = TrainSettings(steps=64, envs=2, n_steps=32, batch=32, epochs=1, eval_every=0, eval_episodes=1)
    task = dataclasses.replace(find_task("doorkey-6x6"), env_kwargs={"max_steps": 20})
    train(task, BUNDLE, settings, folder)
    return folder


def test_the_film_of_a_run_is_the_same_each_time(made: Path, tmp_path: Path) -> None:
    film = film_run(made, [tmp_path / "one.gif", tmp_path / "one.mp4"], episodes=2)
    assert film.lacking is None
    assert [each.seed for each in film.episodes] == [FILM_SEED, FILM_SEED + 1]
    assert all(each.names == ("moved", "moved-down") for each in film.episodes)
    told = film.as_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["episodes"][0].keys() == {"seed", "steps", "success", "credited", "reward", "shaped"}
    with Image.open(tmp_path / "one.gif") as shown:
        assert shown.n_frames == sum(len(each.moments) for each in film.episodes)
    film_run(made, [tmp_path / "two.gif"], episodes=2)
    assert (tmp_path / "two.gif").read_bytes() == (tmp_path / "one.gif").read_bytes()
    assert (tmp_path / "one.mp4").stat().st_size > 1000


def test_programs_credit_the_milestones_of_a_generated_reward_from_the_copy_that_the_run_keeps(
    generated: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(generated, run)
    rewritten(run, path="a/bundle/that/has/gone")
    film = film_run(run, episodes=1)
    assert film.paths == (run / "film.gif",) == (default_path(run),)
    assert film.lacking is None
    assert film.episodes[0].names == ("key-picked-up", "door-open", "agent-on-goal")


def test_a_bundle_that_has_gone_or_was_changed_costs_the_milestones_and_not_the_film(
    generated: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(generated, run)
    rewritten(run, path=str(tmp_path / "gone"))
    (run / "reward" / "manifest.json").write_text("{}")
    film = film_run(run, episodes=1)
    assert film.lacking == f"The bundle of this run cannot be used: {run / 'reward'} was changed since."
    assert (run / "film.gif").exists()
    assert film.episodes[0].names == ()
    shutil.rmtree(run / "reward")
    assert film_finished(run, [run / "again.gif"]) == (
        True,
        f"The film of {run} shows no milestones. The bundle of this run cannot be used: neither {run / 'reward'} nor "
        f"{tmp_path / 'gone'} is there any more.",
    )


def test_a_policy_that_needs_milestones_cannot_do_without(made: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(made, run)
    rewritten(run, kind="live", name="half-way")
    with pytest.raises(UserError, match=r"acts by its milestones, and nobody can tell them\. The reward 'half-way'"):
        film_run(run)
    there, said = film_finished(run, [run / "film.gif"])
    assert not there
    assert said is not None
    assert said.startswith(f"There is no film of {run}. The policy of this run acts by its milestones")


def test_a_film_that_is_there_is_not_made_again(made: Path, tmp_path: Path) -> None:
    (tmp_path / "film.gif").write_bytes(b"a film")
    assert film_finished(made, [tmp_path / "film.gif"]) == (True, None)
    assert (tmp_path / "film.gif").read_bytes() == b"a film"


def test_foreign_code_that_fails_costs_the_film_and_not_the_run(made: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(made, run)
    about = json.loads((run / "settings.json").read_text())
    about["task"]["camera"] = "tests.unit.film.test_film_run:BrokenCamera"
    (run / "settings.json").write_text(json.dumps(about))
    assert film_finished(run, [run / "film.gif"]) == (
        False,
        f"There is no film of {run}. ZeroDivisionError: the lens is broken",
    )


class BrokenCamera:
    def __call__(self, env: Any, observation: Any) -> Any:
        raise ZeroDivisionError("the lens is broken")


def test_what_cannot_be_filmed_is_said(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no training run in"):
        film_run(tmp_path)
    with pytest.raises(UnknownName, match=r"There is no film format 'avi'\. There are: gif, mp4"):
        film_run(made, [tmp_path / "film.avi"])
    with pytest.raises(UserError, match="A film has at least 1 episode"):
        film_run(made, episodes=0)
    (tmp_path / "policy.zip").touch()
    (tmp_path / "settings.json").write_text(json.dumps({"format": "car-run/1", "task": {"colour": "red"}}))
    with pytest.raises(UserError, match="does not describe a run as this version knows it"):
        film_run(tmp_path)
    RunFolder(made).read_settings()


def test_pictures_are_drawn_when_they_are_asked_for() -> None:
    episodes = [play(policy, EMPTY_ROOM, HalfWay(), QUICK, 7) for policy in (Solver(), Loafer())]
    pictures = Pictures("empty-room", "reward of its own", episodes)
    assert len(pictures) == 6 + 21
    assert pictures.lasts == {5, 26}
    assert pictures[0].shape == pictures[-1].shape
    assert np.array_equal(pictures[5:7][1], pictures[6])
    assert not np.array_equal(pictures[5], pictures[6])


def test_a_policy_for_each_sub_task_is_filmed(tmp_path: Path) -> None:
    train(EMPTY_ROOM, MAKER, dataclasses.replace(QUICK, steps=64, hierarchical=True, eval_every=0), tmp_path)
    (episode,) = film_run(tmp_path, episodes=1).episodes
    assert episode.names == ("moved", "moved-down")
    # Each policy is paid for its own sub-task, not what the reward says of all.
    assert episode.last.shaped is None
