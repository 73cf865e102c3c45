"""Goal-baseline regularised cosine, against other ways to write the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from car.errors import UserError
from car.rewards.clip.cosine import GoalBaseline, mean_direction
from tests.unit.rewards.clip.small_clip import units

ALPHAS = (0.01, 0.3, 0.5, 0.77, 1.0)
EXACT = 1e-12

seeds = st.integers(0, 2**32 - 1)
widths = st.integers(2, 300)


def drawn(seed: int, width: int, images: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A goal, a baseline and some images."""
    rng = np.random.default_rng(seed)
    return units(rng, width), units(rng, width), units(rng, images, width)


def by_least_squares(image: np.ndarray, goal: np.ndarray, baseline: np.ndarray, alpha: float) -> float:
    """The formula of the paper, the projection being the point of the line next to the image."""
    along = goal - baseline
    (reached,), *_ = np.linalg.lstsq(along[:, None], image - baseline, rcond=None)
    on_line = baseline + reached * along
    mixed = alpha * on_line + (1 - alpha) * image
    return 1 - 0.5 * float(np.linalg.norm(mixed - goal)) ** 2


def by_orthogonal_basis(image: np.ndarray, goal: np.ndarray, baseline: np.ndarray, alpha: float) -> float:
    """The same by Pythagoras: what lies off the line counts (1 - alpha) ** 2, what is missing along it counts whole."""
    basis, _ = np.linalg.qr((goal - baseline)[:, None])
    missing = image - goal
    along = float(basis[:, 0] @ missing)
    off = float(missing @ missing) - along**2
    return 1 - 0.5 * (along**2 + (1 - alpha) ** 2 * off)


def as_published(images: np.ndarray, goal: np.ndarray, baseline: np.ndarray, alpha: float) -> np.ndarray:
    """As the authors' own code has it: a matrix that is applied to the difference between image and goal."""
    direction = goal - baseline
    onto = np.outer(direction, direction) / np.linalg.norm(direction) ** 2
    projection = alpha * onto + (1 - alpha) * np.eye(len(direction))
    return 1 - np.linalg.norm((images - goal) @ projection, axis=-1) ** 2 / 2


@pytest.mark.parametrize("alpha", ALPHAS)
@settings(deadline=None)
@given(seeds, widths)
def test_it_is_the_papers_definition_by_two_other_derivations(alpha: float, seed: int, width: int) -> None:
    goal, baseline, images = drawn(seed, width)
    if np.linalg.norm(goal - baseline) < 1e-2:
        return
    found = GoalBaseline(goal[None], baseline[None], alpha)(images)
    for other in (by_least_squares, by_orthogonal_basis):
        expected = np.array([other(image, goal, baseline, alpha) for image in images])
        assert np.abs(found - expected).max() < EXACT


@pytest.mark.parametrize("alpha", [0.0, *ALPHAS])
@settings(deadline=None)
@given(seeds, widths)
def test_it_is_what_the_published_implementation_computes(alpha: float, seed: int, width: int) -> None:
    goal, baseline, images = drawn(seed, width)
    if np.linalg.norm(goal - baseline) < 1e-2:
        return
    found = GoalBaseline(goal[None], baseline[None], alpha)(images)
    assert np.abs(found - as_published(images, goal, baseline, alpha)).max() < EXACT


@settings(deadline=None)
@given(seeds, widths)
def test_alpha_0_is_the_cosine_and_needs_no_baseline(seed: int, width: int) -> None:
    goal, baseline, images = drawn(seed, width)
    alone = GoalBaseline(goal[None], np.zeros((0, 1)), 0.0)(images)
    np.testing.assert_array_equal(alone, images @ mean_direction(goal[None]))
    np.testing.assert_array_equal(alone, GoalBaseline(goal[None], baseline[None], 0.0)(images))
    cosines = [float(image @ goal) / np.linalg.norm(image) / np.linalg.norm(goal) for image in images]
    assert np.abs(alone - cosines).max() < EXACT


@settings(deadline=None)
@given(seeds, widths)
def test_with_alpha_1_only_the_share_of_the_way_to_the_goal_counts(seed: int, width: int) -> None:
    goal, baseline, images = drawn(seed, width)
    along = goal - baseline
    if np.linalg.norm(along) < 1e-2:
        return
    score = GoalBaseline(goal[None], baseline[None], 1.0)
    share = (images - baseline) @ along / (along @ along)
    assert np.abs(score(images) - (1 - (1 - share) ** 2 / 2 * (along @ along))).max() < EXACT
    # Whatever is orthogonal to the line may be added.
    away = np.random.default_rng(seed).standard_normal(images.shape)
    away -= np.outer(away @ along, along) / (along @ along)
    assert np.abs(score(images + away) - score(images)).max() < 1e-9


@pytest.mark.parametrize("alpha", [0.0, *ALPHAS])
def test_the_goal_itself_gets_1_and_nothing_more(alpha: float) -> None:
    for seed in range(50):
        goal, baseline, images = drawn(seed, 64, images=20)
        score = GoalBaseline(goal[None], baseline[None], alpha)
        assert score(goal[None])[0] == pytest.approx(1, abs=EXACT)
        assert score(images).max() < 1


def test_a_right_angle_by_hand() -> None:
    goal, baseline, image = np.eye(3)
    # The image lies half way as far as the line goes, so the projection is (1/2, 1/2, 0).
    for alpha, expected in ((0.0, 0.0), (1.0, 0.75), (0.5, 1 - (0.75**2 + 0.25**2 + 0.5**2) / 2)):
        found = GoalBaseline(goal[None], baseline[None], alpha)(image[None])
        assert found.tolist() == [pytest.approx(expected, abs=EXACT)]


def test_several_prompts_stand_for_their_mean_made_a_unit_vector_again() -> None:
    rng = np.random.default_rng(7)
    goals, baselines, images = units(rng, 3, 32), units(rng, 4, 32), units(rng, 6, 32)
    mean, base = goals.sum(axis=0), baselines.sum(axis=0)
    mean, base = mean / np.sqrt((mean**2).sum()), base / np.sqrt((base**2).sum())
    found = GoalBaseline(goals, baselines, 0.4)(images)
    expected = [by_least_squares(image, mean, base, 0.4) for image in images]
    assert np.abs(found - expected).max() < EXACT
    assert np.linalg.norm(mean_direction(goals)) == pytest.approx(1, abs=EXACT)


def test_single_precision_in_gives_double_precision_out() -> None:
    goal, baseline, images = (each.astype(np.float32) for each in drawn(3, 512))
    found = GoalBaseline(goal[None], baseline[None], 0.3)(images)
    assert found.dtype == np.float64
    assert found.shape == (5,)
    expected = as_published(images.astype(np.float64), *(np.float64(each) for each in (goal, baseline)), 0.3)
    assert np.abs(found - expected).max() < 1e-6


@pytest.mark.parametrize("alpha", [-0.01, 1.01, float("nan"), float("inf")])
def test_an_alpha_out_of_range_is_refused(alpha: float) -> None:
    with pytest.raises(UserError, match=rf"alpha is {alpha}; it must be 0 to 1\."):
        GoalBaseline(np.eye(2)[:1], np.eye(2)[1:], alpha)


def test_regularisation_needs_a_baseline_that_means_something_else() -> None:
    goal = np.eye(3)[:1]
    with pytest.raises(UserError, match=r"alpha is 0\.5, which needs a baseline: .* --baseline"):
        GoalBaseline(goal, np.zeros((0, 1)), 0.5)
    with pytest.raises(UserError, match="the goal and the baseline mean the same"):
        GoalBaseline(goal, goal, 0.5)
    with pytest.raises(UserError, match="mean the same"):
        GoalBaseline(goal, np.array([[1.0, 1e-5, 0.0]]), 0.5)
    GoalBaseline(goal, goal, 0.0)
