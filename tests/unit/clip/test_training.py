"""A CLIP that is trained for seconds: enough to see that it learns, and that seeds decide."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("transformers")

import torch

from car.clip.captions import Claim
from car.clip.making import Made, make_clips
from car.clip.sizes import SIZES
from car.clip.training import Course, train_clip
from car.clip.worlds import Seen
from car.errors import UserError
from car.rewards.clip.loading import load_encoder


def _doors(count: int, seed: int) -> list[Seen]:
    """Rooms full of green squares, or of red ones: "the door is open", or closed; what can be seen in every patch."""
    chance = np.random.default_rng(seed)
    seen = []
    for number in range(count):
        frame = np.zeros((96, 96, 3), np.uint8)
        is_open = number % 2 == 0
        for row, column in 8 * chance.integers(12, size=(100, 2)):
            frame[row + 1 : row + 7, column + 1 : column + 7] = (0, 220, 0) if is_open else (220, 0, 0)
        seen.append(Seen(frame, "unlock", (Claim("door-open", is_open), Claim("place:grid", True))))
    return seen


_COURSE = Course(steps=150, batch=32, captions=8, tasks=1)


def test_it_learns_what_captions_say() -> None:
    losses: list[float] = []
    train_clip(_doors(200, 0), SIZES["s"], _COURSE, lambda step, loss: losses.append(loss))
    assert len(losses) == _COURSE.steps
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:20])


def test_the_seed_decides_and_nothing_else() -> None:
    def weights(seed: int) -> torch.Tensor:
        course = Course(steps=3, batch=8, captions=4, tasks=1, seed=seed)
        return train_clip(_doors(20, 0), SIZES["xs"], course).model.visual_projection.weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Made]]:
    out = tmp_path_factory.mktemp("clips")
    with pytest.MonkeyPatch.context() as patch:
        # The whole set takes minutes.
        patch.setattr("car.clip.making.WORLDS", {"doorkey-5x5": "grid"})
        patch.setattr("car.clip.making.UNSEEN", ("pickup-ball",))
        patch.setattr("car.clip.making.collect", _few)
        return out, make_clips(["xs"], [0], 40, 2, 1, out, lambda *_, **__: None)


def _few(seed: int, frames: int, on_task: object, tasks: tuple[str, ...] = ("doorkey-5x5",)) -> list[Seen]:
    from car.clip.worlds import collect

    return collect(seed, min(frames, 80), on_task, tasks)  # type: ignore[arg-type]


def test_what_is_made_says_what_it_is_and_can_be_loaded(made: tuple[Path, list[Made]]) -> None:
    out, (clip,) = made
    assert Path(clip.folder) == out / "xs" / "seed-0"
    assert "not zero-shot" in (Path(clip.folder) / "README.md").read_text("utf-8")
    encoder = load_encoder(clip.folder)
    assert encoder.texts(["the door is open"]).shape == (1, 64)
    assert clip.parameters == encoder.parameters  # type: ignore[attr-defined]
    assert {name.split("/")[0] for name in clip.by_subtask} <= {"doorkey-5x5", "pickup-ball"}


def test_what_is_made_is_not_made_again(made: tuple[Path, list[Made]]) -> None:
    out, first = made
    again = make_clips(["xs"], [0], 40, 2, 1, out, lambda *_, **__: None)
    assert again == first


def test_a_clip_of_other_steps_is_in_the_way(made: tuple[Path, list[Made]]) -> None:
    with pytest.raises(UserError, match="a CLIP of 2 steps, not 3"):
        make_clips(["xs"], [0], 40, 3, 1, made[0], lambda *_, **__: None)


def test_something_else_is_in_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "xs" / "seed-0"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        make_clips(["xs"], [0], 40, 2, 1, tmp_path, lambda *_, **__: None)
    (folder / "made.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        make_clips(["xs"], [0], 40, 2, 1, tmp_path, lambda *_, **__: None)
