"""A CLIP as a reward: its signals, what they pay, and how a bundle's programs go before it."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from car.errors import BadBundle, BadFrame, SandboxUnavailable, UnknownName, UserError
from car.frames import Frame
from car.milestones import Shaping
from car.rewards import EndsEpisodes, KnowsFrames, made_reward
from car.rewards.clip import ClipReward, ClipSettings, GatedReward, open_clip_reward, read_reference, with_prompts
from car.rewards.code import CodeReward, open_reward
from car.task import Task
from car.tasks import all_tasks, find_task
from car.tasks.sentences import SENTENCES
from tests.unit.rewards.clip.small_clip import FakeEncoder, HashingEncoder, coloured, unit

BUNDLE = Path(__file__).parents[4] / "generated_rewards" / "doorkey-6x6"
MEANINGS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "grey": (1, 1, 1)}
RED, GREEN, MIXED, GREY = coloured(9, 0, 0), coloured(0, 9, 0), coloured(9, 9, 0), coloured(9, 9, 9)
OTHER = Task(name="other", env_id="Other-v0")


def cosine(encoder: FakeEncoder | None = None, shaping: Shaping = Shaping(), **fields: Any) -> ClipReward:
    settings = ClipSettings("clip-cosine", goal=("red",), **fields)
    return ClipReward(settings, encoder or FakeEncoder(MEANINGS), shaping)


def softmax(encoder: FakeEncoder | None = None, shaping: Shaping = Shaping("bonus"), **fields: Any) -> ClipReward:
    settings = ClipSettings(
        "clip-softmax", **{"goal": ("red",), "negative": ("green", "blue"), "tau": 0.01, "beta": 0.5, **fields}
    )
    return ClipReward(settings, encoder or FakeEncoder(MEANINGS), shaping)


def ask(reward: ClipReward, *frames: Frame) -> list[float]:
    """Its signals of frames, all asked."""
    stacked = np.stack(frames)
    return reward.signals(stacked, stacked, np.ones((len(frames), 1), bool))[:, 0].tolist()


def test_it_is_a_reward_that_knows_frames() -> None:
    reward = cosine()
    assert isinstance(reward, KnowsFrames)
    assert isinstance(reward, EndsEpisodes)
    assert (reward.name, reward.names, reward.frame_shape) == ("clip-cosine", ("goal",), None)
    assert softmax().name == "clip-softmax"
    reward.close()
    assert ask(reward, RED) == [pytest.approx(1)]


def test_the_signal_of_the_cosine_is_r() -> None:
    assert ask(cosine(), RED, GREEN, MIXED) == pytest.approx([1, 0, np.sqrt(0.5)], abs=1e-6)
    regular = cosine(alpha=1.0, baseline=("green",))
    assert ask(regular, RED, GREEN, MIXED) == pytest.approx([1, 0, 0.75], abs=1e-6)


def test_the_signal_of_the_softmax_is_1_above_the_threshold_and_else_0() -> None:
    assert ask(softmax(), RED, GREEN, MIXED, GREY) == [1.0, 0.0, 0.0, 0.0]
    # Of two that are alike each has one half, which is not above it, but above less.
    assert ask(softmax(beta=0.49), RED, GREEN, MIXED, GREY) == [1.0, 0.0, 1.0, 0.0]
    assert ask(softmax(beta=1.0), RED) == [0.0]
    shares = softmax(tau=0.5).scores([RED, GREY])
    assert shares == pytest.approx([np.exp(2) / (np.exp(2) + 2), 1 / 3], abs=1e-6)


def test_several_prompts_and_templates_are_averaged() -> None:
    encoder = FakeEncoder({**MEANINGS, "Open red": (0, 0, 1), "Open green": (0, 1, 1), "Open blue": (1, 0, 1)})
    reward = softmax(encoder, template=("plain", "open"), tau=0.5)
    assert encoder.heard == ["green", "Open green", "blue", "Open blue", "red", "Open red"]
    frame, goal = unit(9, 0, 0), unit(1, 0, 1)
    others = [unit(*(unit(0, 1, 0) + unit(0, 1, 1))), unit(*(unit(0, 0, 1) + unit(1, 0, 1)))]
    weights = [np.exp(2 * frame @ each) for each in (goal, *others)]
    assert reward.scores([RED]) == pytest.approx([weights[0] / sum(weights)], abs=1e-6)
    several = ClipReward(ClipSettings("clip-cosine", goal=("red", "green")), FakeEncoder(MEANINGS))
    assert several.scores([MIXED, RED]) == pytest.approx([1, np.sqrt(0.5)], abs=1e-6)


def test_what_is_not_asked_is_nan_and_not_looked_at() -> None:
    encoder = FakeEncoder(MEANINGS)
    reward = cosine(encoder)
    frames = np.stack([RED, GREEN, MIXED])
    signals = reward.signals(frames, frames, np.array([[True], [False], [True]]))
    np.testing.assert_allclose(signals, [[1], [np.nan], [np.sqrt(0.5)]], atol=1e-6)
    assert encoder.batches == [2]
    assert np.isnan(reward.signals(frames, frames, np.zeros((3, 1), bool))).all()
    assert encoder.batches == [2]


def test_all_environments_are_one_batch_and_known_frames_are_not_looked_at_again() -> None:
    encoder = FakeEncoder(MEANINGS)
    reward = softmax(encoder)
    ask(reward, RED, GREEN, RED, MIXED)
    ask(reward, GREEN, GREY)
    assert encoder.batches == [3, 1]
    assert reward.frames_asked == 4
    reward.foresee([RED], [coloured(1, 2, 3)], np.array([[True]]))
    assert reward.frames_asked == 5
    ask(reward, coloured(1, 2, 3))
    assert encoder.batches == [3, 1, 1]


def test_frames_that_are_not_stacked_get_the_same() -> None:
    frames = [RED, GREEN, MIXED]
    everything = np.ones((3, 1), bool)
    stacked = cosine().signals(np.stack(frames), np.stack(frames), everything)
    np.testing.assert_array_equal(cosine().signals_of(frames, frames, everything), stacked)


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (RED.astype(np.float32), r"The frame has dtype float32; it must be uint8 \(0 to 255\)\."),
        (RED[:, :, :2], r"The frame has shape \(4, 4, 2\); it must be \(H, W, 3\), RGB\."),
        (RED[0], r"The frame has shape \(4, 3\); it must be \(H, W, 3\), RGB\."),
        (RED[:2], r"The frame has shape \(2, 4, 3\); sides must be 4 to 4096 pixels\."),
        (None, r"The frame is None .*; it must be a uint8 RGB array"),
    ],
)
def test_what_is_no_frame_is_refused(picture: Any, said: str) -> None:
    with pytest.raises(BadFrame, match=said):
        cosine().signals_of([RED], [picture], np.array([[True]]))
    with pytest.raises(BadFrame, match=said):
        softmax().scores([picture])


def test_settings_that_lack_something_are_refused() -> None:
    encoder = FakeEncoder(MEANINGS)
    with pytest.raises(UserError, match=r"There is no goal: say with --goal"):
        ClipReward(ClipSettings("clip-cosine"), encoder)
    with pytest.raises(UserError, match=r"There are no negatives"):
        ClipReward(ClipSettings("clip-softmax", goal=("red",)), encoder)
    with pytest.raises(UserError, match=r"alpha is 0\.5, which needs a baseline"):
        cosine(alpha=0.5)
    with pytest.raises(UserError, match=r"the goal and the baseline mean the same"):
        cosine(FakeEncoder({**MEANINGS, "crimson": (1, 0, 0)}), alpha=0.5, baseline=("crimson",))


def pay(reward: ClipReward, frames: Sequence[Frame], terminates: bool = False) -> list[float]:
    """What an episode over these frames pays."""
    episode, signals = reward.episode(), np.array(ask(reward, *frames))[:, None]
    episode.start(signals[0])
    last = len(signals) - 1
    return [episode.step(each, terminates and time == last, False) for time, each in enumerate(signals[1:], 1)]


def test_a_bonus_pays_the_score_at_each_step_again_and_again() -> None:
    reward = cosine(shaping=Shaping("bonus", scale=3.0))
    assert pay(reward, [GREEN, RED, RED, MIXED]) == pytest.approx([3, 3, 3 * np.sqrt(0.5)], abs=1e-6)
    assert pay(softmax(shaping=Shaping("bonus", scale=2.0)), [RED, GREEN, RED, RED]) == [0, 2, 2]


@pytest.mark.parametrize("terminates", [False, True])
def test_a_potential_telescopes_so_that_no_loop_pays(terminates: bool) -> None:
    gamma, scale = 0.9, 2.0
    reward = cosine(shaping=Shaping("potential", gamma, scale))
    frames = [MIXED, RED, GREEN, RED, MIXED]
    paid = pay(reward, frames, terminates)
    first, *_, last = ask(reward, *frames)
    kept = 0.0 if terminates else last
    total = sum(gamma**time * each for time, each in enumerate(paid))
    assert total == pytest.approx(scale * (gamma ** len(paid) * kept - first))
    assert paid[0] == pytest.approx(scale * (gamma * 1 - np.sqrt(0.5)), abs=1e-6)


def test_a_potential_over_steps_that_nobody_looked_at_pays_the_same_in_all() -> None:
    gamma = 0.9
    reward = cosine(shaping=Shaping("potential", gamma))
    episode = reward.episode()
    episode.start(np.array([0.5]))
    paid = [episode.step(np.array([0.25]), False, False, 3), episode.step(np.array([0.75]), False, False)]
    assert gamma**2 * paid[0] + gamma**3 * paid[1] == pytest.approx(gamma**4 * 0.75 - 0.5)


def test_nothing_is_credited_and_everything_is_always_wanted() -> None:
    episode = cosine().episode()
    episode.start(np.array([1.0]))
    episode.step(np.array([1.0]), False, False)
    assert episode.milestones.tolist() == [0]
    assert episode.milestones.dtype == np.float32
    assert episode.wanted.tolist() == episode.also_wanted(np.array([1.0])).tolist() == [True]
    assert not episode.over


def test_an_episode_ends_at_reward_1_only_where_that_is_asked_for() -> None:
    for end in (False, True):
        reward = softmax(end=end)
        assert reward.ends_episodes is end
        episode = reward.episode()
        episode.start(np.array([1.0]))
        assert not episode.over
        episode.step(np.array([0.0]), False, False)
        assert not episode.over
        episode.step(np.array([1.0]), False, False)
        assert episode.over is end


def test_where_it_ends_the_potential_is_0_as_at_any_terminal_state() -> None:
    episode = softmax(shaping=Shaping("potential", 0.9), end=True).episode()
    episode.start(np.array([0.0]))
    assert episode.step(np.array([1.0]), False, False) == 0.0
    without = softmax(shaping=Shaping("potential", 0.9)).episode()
    without.start(np.array([0.0]))
    assert without.step(np.array([1.0]), False, False) == 0.9


# The prompts of tasks.


def test_every_task_with_words_gets_them_and_others_say_so() -> None:
    settings = ClipSettings("clip-cosine", alpha=0.5)
    filled = with_prompts(settings, find_task("doorkey-5x5"))
    assert filled.goal == (SENTENCES["goal-reached"],)
    assert filled.baseline == ("a grid world seen from above",)
    assert with_prompts(ClipSettings("clip-cosine"), find_task("doorkey-5x5")).baseline == ()
    with pytest.raises(UnknownName, match=r"There is no goal in words for the task 'other'\. There are: "):
        with_prompts(settings, OTHER)
    with pytest.raises(UserError, match="There is no goal: say with --goal"):
        with_prompts(settings, None)


def test_what_is_said_goes_before_the_tasks_words() -> None:
    settings = ClipSettings("clip-cosine", goal=("a key",), baseline=("a room",), alpha=0.5)
    assert with_prompts(settings, find_task("doorkey-5x5")) == settings
    own = dataclasses.replace(OTHER, goal_prompt="a goal", baseline_prompt="a room")
    filled = with_prompts(ClipSettings("clip-cosine", alpha=0.5), own)
    assert (filled.goal, filled.baseline) == (("a goal",), ("a room",))
    nameless = with_prompts(ClipSettings("clip-cosine", goal=("x",), alpha=0.5), OTHER)
    assert nameless.baseline == ()
    with pytest.raises(UserError, match="'a grid world seen from above' is the goal and also its baseline"):
        with_prompts(
            ClipSettings("clip-cosine", goal=("a grid world seen from above",), alpha=0.5), find_task("doorkey-5x5")
        )


def test_negatives_are_drawn_from_the_goals_of_all_tasks_and_written_out() -> None:
    task = find_task("doorkey-5x5")
    filled = with_prompts(ClipSettings("clip-softmax", negatives=3, seed=4), task)
    assert len(set(filled.negative)) == 3
    assert set(filled.negative) <= set(SENTENCES.values()) - set(filled.goal)
    assert with_prompts(ClipSettings("clip-softmax", negatives=3, seed=4), task) == filled
    assert with_prompts(filled, task) == filled
    assert read_reference(filled.reference) == filled
    assert with_prompts(ClipSettings("clip-softmax", negatives=3, seed=5), task).negative != filled.negative
    said = ClipSettings("clip-softmax", negative=("green",))
    assert with_prompts(said, task).negative == ("green",)


def test_all_built_in_tasks_that_have_a_goal_in_words_can_be_asked_about() -> None:
    known = 0
    for task in all_tasks().values():
        try:
            filled = with_prompts(ClipSettings("clip-softmax"), task)
        except UnknownName:
            continue
        known += 1
        assert filled.goal[0] not in filled.negative
        assert len(filled.negative) == 8
    assert known >= 15


def test_a_line_is_opened_with_a_tasks_words() -> None:
    task = dataclasses.replace(OTHER, goal_prompt="red", baseline_prompt="green")
    reward = open_clip_reward("clip-cosine:fake?alpha=1", task, Shaping("bonus"), encoder=FakeEncoder(MEANINGS))
    assert isinstance(reward, ClipReward)
    assert ask(reward, RED, GREEN, MIXED) == pytest.approx([1, 0, 0.75], abs=1e-6)
    assert pay(reward, [GREEN, RED]) == pytest.approx([1], abs=1e-6)


def test_a_tiny_clip_scores_frames_by_its_line(tiny: Path) -> None:
    line = ClipSettings("clip-cosine", str(tiny), ("a door",), ("a room",), alpha=0.3).reference
    for reward in (open_clip_reward(line), made_reward(line, OTHER, Shaping())):
        assert isinstance(reward, ClipReward)
        scores = reward.scores([RED, GREEN, MIXED])
        assert scores.shape == (3,)
        assert len(set(scores.tolist())) == 3
        assert (np.abs(scores) <= 1).all()


# A bundle's programs before a CLIP.


@pytest.fixture
def programs() -> Iterator[CodeReward]:
    """The shipped bundle alone."""
    try:
        reward = open_reward(BUNDLE, Shaping("potential"))
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    yield reward
    reward.close()


def gated(line: str = "clip-cosine:hashing", shaping: Shaping = Shaping("potential"), **fields: Any) -> GatedReward:
    settings = dataclasses.replace(read_reference(line), gate=str(BUNDLE), **fields)
    try:
        reward = open_clip_reward(settings.reference, None, shaping, encoder=HashingEncoder())
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    assert isinstance(reward, GatedReward)
    return reward


def replayed(seed: int) -> list[Frame]:
    """The frames of an episode in which the expert of the bundle's task solves it, after it has walked about."""
    task = find_task("doorkey-6x6")
    env, camera = task.make_env(), task.make_camera()
    observation, _ = env.reset(seed=seed)
    frames = [camera(env, observation).copy()]
    for action in np.random.default_rng(seed).integers(0, 3, 10).tolist():
        observation, *_ = env.step(action)
        frames.append(camera(env, observation).copy())
    expert, ended = task.make_expert(env), False
    while not ended:
        observation, _, terminated, truncated, _ = env.step(expert(observation))
        frames.append(camera(env, observation).copy())
        ended = terminated or truncated
    env.close()
    return frames


def credited(reward: CodeReward | GatedReward, frames: Sequence[Frame]) -> tuple[list[list[float]], list[float]]:
    """The milestones after each frame, and what each step pays."""
    episode, paid, milestones = reward.episode(), [], []
    for time, frame in enumerate(frames):
        ask = episode.wanted[None]
        signals = reward.signals(frames[0][None], frame[None], ask)
        while (more := episode.also_wanted(signals[0])[None] & ~ask).any():
            signals = np.where(more, reward.signals(frames[0][None], frame[None], more), signals)
            ask |= more
        if time:
            paid.append(episode.step(signals[0], time == len(frames) - 1, False))
        else:
            episode.start(signals[0])
        milestones.append(episode.milestones.tolist())
    return milestones, paid


@pytest.mark.parametrize("line", ["clip-cosine:hashing", "clip-cosine:h?alpha=0.5", "clip-softmax:h?tau=0.3"])
def test_the_milestones_are_those_of_the_programs_and_clip_only_shapes(programs: CodeReward, line: str) -> None:
    reward = gated(line)
    assert (reward.names, reward.frame_shape, reward.task) == (programs.names, programs.frame_shape, programs.task)
    assert isinstance(reward, KnowsFrames)
    assert not isinstance(reward, EndsEpisodes)
    for seed in range(2):
        frames = replayed(seed)
        alone, paid_alone = credited(programs, frames)
        both, paid = credited(reward, frames)
        assert both == alone
        assert both[-1] == [1.0] * len(programs.names)
        assert paid != paid_alone
        # Both are potentials which are 0 at the end.
        for each, first in ((paid, _potential(reward, frames[0])), (paid_alone, _potential(programs, frames[0]))):
            assert sum(0.99**time * pay for time, pay in enumerate(each)) == pytest.approx(-first, abs=1e-9)
    assert not reward.failures
    reward.close()


def _potential(reward: CodeReward | GatedReward, frame: Frame) -> float:
    """What is taken back, undiscounted, where an episode terminates at once and nothing is credited."""
    episode = reward.episode()
    signals = reward.signals(frame[None], frame[None], episode.wanted[None])[0]
    assert (np.nan_to_num(signals) < 1).all()
    return float(np.nansum(signals)) / len(reward.names)


def test_a_score_of_any_height_credits_nothing_and_none_is_below_0(programs: CodeReward) -> None:
    frames = replayed(0)

    class Sure(HashingEncoder):
        def images(self, frames):
            return np.tile(unit(1, *[0] * 7), (len(frames), 1))

        def texts(self, sentences):
            # The key is praised on every frame, and the door is condemned.
            return np.stack([unit(-1 if "door" in each.lower() else 1, *[0] * 7) for each in sentences])

    goals = ("a key", "a door", "the end")[: len(programs.names)]
    settings = ClipSettings("clip-cosine", "sure", goals, gate=str(BUNDLE))
    reward = open_clip_reward(settings.reference, None, Shaping("potential"), encoder=Sure())
    stacked = np.stack(frames)
    first = np.broadcast_to(frames[0], stacked.shape)
    every = np.ones((len(frames), len(reward.names)), bool)
    signals, own = (each.signals(first, stacked, every) for each in (reward, programs))
    np.testing.assert_array_equal(signals == 1, own == 1)
    for column, low in enumerate((False, True, False)):
        others = signals[:, column][own[:, column] < 1]
        assert (others == 0).all() if low else (others == np.nextafter(1, 0)).all()
    unstacked = reward.signals_of([frames[0]] * len(frames), frames, every)
    np.testing.assert_array_equal(unstacked, signals)
    assert credited(reward, frames)[0] == credited(programs, frames)[0]
    nobody = reward.signals(first, stacked, np.zeros_like(every))
    assert np.isnan(nobody).all()
    reward.close()


def test_a_gate_pays_through_a_potential_alone() -> None:
    with pytest.raises(UserError, match=r"A gated CLIP shapes through progress, which 'bonus' does not pay; use the"):
        gated(shaping=Shaping("bonus"))


def test_a_gate_takes_one_goal_for_each_sub_task() -> None:
    with pytest.raises(UserError, match=r"doorkey-6x6 has 3 sub-tasks, so it takes as many goals, in their order\."):
        gated(goal=("a key", "a door"))
    with pytest.raises(UserError, match=r"^key-picked-up: For this CLIP the goal and the baseline mean the same"):
        open_clip_reward(
            ClipSettings(
                "clip-cosine", goal=("red", "green", "blue"), baseline=("r",), alpha=0.5, gate=str(BUNDLE)
            ).reference,
            None,
            Shaping("potential"),
            encoder=FakeEncoder({**MEANINGS, "r": (1, 0, 0)}),
        )


def test_a_gate_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    line = ClipSettings("clip-cosine", gate=str(tmp_path)).reference
    with pytest.raises(BadBundle):
        open_clip_reward(line, None, Shaping("potential"), encoder=HashingEncoder())


def test_closing_a_gate_gives_the_workers_back() -> None:
    reward = gated()
    frames = np.stack(replayed(1)[:1])
    every = np.ones((1, len(reward.names)), bool)
    reward.signals(frames, frames, every)
    reward.close()
    with pytest.raises(UserError, match="is closed"):
        reward.signals(frames, frames, every)


def test_what_a_gate_was_asked_ahead_changes_no_answer() -> None:
    frames = replayed(3)
    one, other = gated(), gated()
    every = np.ones((len(frames), len(one.names)), bool)
    firsts = [frames[0]] * len(frames)
    one.foresee(firsts, frames, every)
    np.testing.assert_array_equal(one.signals_of(firsts, frames, every), other.signals_of(firsts, frames, every))
    assert one.watched is not None
    assert one.isolation.level == other.isolation.level
    one.close()
    other.close()
