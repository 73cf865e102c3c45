from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from car.clip.calibration import HOW, calibrate
from car.clip.evaluation import ALPHAS, evaluate_clip
from car.clip.labelled import LabelSet, check_both, label_episodes
from car.clip.plots import plots
from car.errors import UserError
from car.frames import Frame, read_picture
from car.rewards.clip.reference import ClipSettings
from car.task import Task
from car.tasks import find_task

_GOAL, _BASELINE = "the agent stands on the green square", "a grid world seen from above"
_ASKED = ClipSettings("clip-softmax", goal=(_GOAL,), baseline=(_BASELINE,), negative=("the door is open",))


class GreenEncoder:
    """Sees how much of a frame is green: an empty goal square has more of it than one with the agent on it.

    Args:
        noise: how far each embedding is off; what a worse model has more of.
        parameters: how large it says that it is.
    """

    sha256 = "0" * 64

    def __init__(self, noise: float = 0.0, parameters: int | None = 1000) -> None:
        self.name, self.parameters, self._noise = f"green {noise:g}", parameters, noise
        self._chance = np.random.default_rng(0)

    def images(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        covered = np.array([(frame == (0, 255, 0)).all(axis=2).sum() < 64 for frame in frames])
        vectors = np.stack([covered, ~covered, np.full(len(frames), 0.5)], axis=1).astype(np.float64)
        vectors += self._noise * self._chance.normal(size=vectors.shape)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        means = {_GOAL: (1, 0, 0), _BASELINE: (0, 0, 1)}
        rows = [next((vector for words, vector in means.items() if words in each), (0, 1, 0)) for each in sentences]
        return np.array(rows, np.float32)


@pytest.fixture(scope="module")
def labels() -> LabelSet:
    return label_episodes(find_task("doorkey-5x5"), 18)


def test_labels_are_the_truth_of_every_step(labels: LabelSet) -> None:
    assert labels.names == ("key-picked-up", "door-open", "goal-reached")
    assert labels.truth.shape == (len(labels.order), 3)
    assert labels.own_labels
    assert not labels.truth[0].any()
    assert set(labels.episodes.tolist()) == set(range(18))
    # The first episode is an expert's, which ends on the goal.
    assert labels.truth[labels.episodes == 0][-1].tolist()[1:] == [True, True]


def test_equal_frames_are_kept_once(labels: LabelSet) -> None:
    assert len({picture.tobytes() for picture in labels.pictures}) == len(labels.pictures) < len(labels.order)
    assert labels.order.max() == len(labels.pictures) - 1


def test_a_part_has_the_episodes_that_are_wanted(labels: LabelSet) -> None:
    part = labels.part(labels.episodes == 3)
    assert set(part.episodes.tolist()) == {3}
    assert len(part.order) == (labels.episodes == 3).sum()


def test_without_ground_truth_the_last_frame_of_a_success_is_the_goal() -> None:
    known = find_task("doorkey-5x5")
    other = Task(**{**known.as_dict(), "name": "somebody-elses"})
    labels = label_episodes(other, 6)
    assert not labels.own_labels
    assert labels.names == ("goal",)
    last = [labels.truth[labels.episodes == number, 0] for number in range(6)]
    assert last[0].sum() == 1
    assert all(each[:-1].sum() == 0 for each in last)


def test_a_model_that_sees_the_goal_is_perfect_in_every_figure(labels: LabelSet) -> None:
    figures = evaluate_clip(labels, [GreenEncoder()], _ASKED, ("plain", "screenshot"))
    assert [each.template for each in figures.curves] == ["plain", "screenshot"]
    assert all(each.auc == 1.0 and each.curve.average_precision == 1.0 for each in figures.curves)
    assert [each.alpha for each in figures.distances] == list(ALPHAS)
    assert figures.distances[0].epic < 1e-6
    assert figures.goals == labels.goal.sum()
    goal = next(each for each in figures.subtasks if each.name == "goal-reached")
    assert goal.auc == 1.0


def test_larger_models_that_are_better_are_found_to_be(labels: LabelSet) -> None:
    models = [GreenEncoder(noise, size) for noise, size in ((2.0, 10), (1.0, 100), (0.5, 1000), (0.2, 10_000))]
    precision, epic = evaluate_clip(labels, models, _ASKED).tendencies
    assert (precision.models, precision.correlation) == (4, pytest.approx(1.0))
    assert epic.correlation == pytest.approx(-1.0)


def test_there_is_no_tendency_of_few_models_or_of_unknown_size(labels: LabelSet) -> None:
    assert evaluate_clip(labels, [GreenEncoder(), GreenEncoder(1.0)], _ASKED).tendencies == ()
    assert evaluate_clip(labels, [GreenEncoder(parameters=None)] * 4, _ASKED).tendencies == ()


def test_alpha_needs_a_baseline(labels: LabelSet) -> None:
    asked = ClipSettings("clip-softmax", goal=(_GOAL,), negative=("the door is open",))
    assert len(evaluate_clip(labels, [GreenEncoder()], asked, alphas=(0.0,)).distances) == 1
    with pytest.raises(UserError, match="needs a baseline"):
        evaluate_clip(labels, [GreenEncoder()], asked)


def test_a_goal_that_is_never_reached_cannot_be_measured(labels: LabelSet) -> None:
    start = labels.order[:1]
    never = LabelSet(
        labels.task, labels.names, labels.pictures, start, labels.truth[:1], labels.episodes[:1], own_labels=True
    )
    with pytest.raises(UserError, match="The goal holds on no frame"):
        evaluate_clip(never, [GreenEncoder()], _ASKED)
    with pytest.raises(UserError, match="on every frame"):
        check_both(np.ones(3, np.bool_), "It")


def test_figures_are_json_and_drawn(labels: LabelSet, tmp_path: pytest.TempPathFactory) -> None:
    import json

    figures = evaluate_clip(labels, [GreenEncoder(), GreenEncoder(1.0)], _ASKED)
    document = json.loads(json.dumps(figures.as_dict()))
    assert document["curves"][0]["average_precision"] == 1.0
    drawn = plots(figures, tmp_path)  # type: ignore[arg-type]
    assert [read_picture(each).shape for each in drawn] == [(750, 1400, 3)] * 2


def test_a_calibration_separates_what_can_be_separated_and_says_how(labels: LabelSet) -> None:
    chosen = calibrate(labels, GreenEncoder(0.05), _ASKED)
    assert chosen.precision == 1.0
    assert chosen.recall == 1.0
    assert chosen.settings.beta == chosen.beta
    assert chosen.settings.baseline == ()
    assert "F0.5" in chosen.as_dict()["how"] == HOW
    assert chosen.as_dict()["reward"].startswith("clip-softmax:worlds?beta=")


def test_a_calibration_is_judged_on_episodes_that_it_did_not_see(labels: LabelSet) -> None:
    """What it reports does not change when the labels of the half that it chose on are other ones."""
    chosen_on = labels.episodes // 3 % 2 == 0
    assert calibrate(labels, GreenEncoder(1.0), _ASKED).chosen_on == chosen_on.sum()
    noisy = calibrate(labels, GreenEncoder(1.0), _ASKED)
    said = noisy.precision, noisy.recall
    assert said != (noisy.chosen_score, noisy.chosen_score)
    assert noisy.chosen_score < 1.0
