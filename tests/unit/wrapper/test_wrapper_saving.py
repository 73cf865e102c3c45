"""What is saved (painting, hashing, asking) changes no number, and it is saved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rooms import right_reward, small
from stable_baselines3.common.vec_env import DummyVecEnv

from car.checker import SubTask
from car.milestones import Milestones, Shaping
from car.rewards import names
from car.rewards.code import CodeReward
from car.rewards.sharing import lease_of
from car.rewards.watch import Watch
from car.sandbox import Crashed, Ran
from car.tasks.grid_camera import GridCamera
from car.wrapper import DenseVecReward, FrameTap
from car.wrapper.scoring import Scorer
from tests.planted.right import right_chain
from tests.unit.rewards.fake_session import FakeSession, brightness

AFTER = [[], [0], [0, 1]]


class Plainly:
    """One environment's reward without anything saved: MiniGrid's own render, and each program asked at each step."""

    def __init__(self, name: str, shaping: Shaping) -> None:
        self.programs = [_loaded(each.source) for each in right_chain(name)]
        self.after = [list(range(index))[-1:] for index in range(len(self.programs))]
        self.shaping = shaping

    def begin(self, frame: np.ndarray) -> None:
        self.found = [each["identify"](frame) for each in self.programs]
        self.episode = Milestones(self.after, self.shaping)
        self.episode.start(self.signals(frame))

    def step(self, frame: np.ndarray, terminated: bool, truncated: bool) -> tuple[float, list[float]]:
        return self.episode.step(self.signals(frame), terminated, truncated), self.episode.milestones.tolist()

    def signals(self, frame: np.ndarray) -> np.ndarray:
        asked = zip(self.programs, self.found, strict=True)
        return np.array([float(each["check"](found, frame)) for each, found in asked])


def _loaded(source: str) -> dict:
    names: dict = {}
    exec(source, names)
    return names


class Filmed(FrameTap):
    """Also leaves the picture that MiniGrid itself draws."""

    def reset(self, **kwargs):
        observation, info = super().reset(**kwargs)
        return observation, {**info, "drawn": self._drawn()}

    def step(self, action):
        *rest, info = super().step(action)
        return (*rest, {**info, "drawn": self._drawn()})

    def _drawn(self):
        return self.unwrapped.get_frame(highlight=False, tile_size=8)


@pytest.mark.parametrize("name", ["doorkey-5x5", "unlock", "redbluedoors-6x6", "keycorridor-s3r1"])
def test_all_that_is_saved_together_pays_what_the_plain_way_pays(name) -> None:
    task, shaping, count = small(name, 60), Shaping("bonus"), 4
    reward = right_reward(name, shaping)
    makers = [lambda: task.viewed(Filmed(task.make_env(), task.make_camera()))] * count
    venv = DenseVecReward(DummyVecEnv(makers), reward)
    plain = [Plainly(name, shaping) for _ in range(count)]
    venv.seed(1)
    venv.reset()
    for index, each in enumerate(plain):
        each.begin(venv.reset_infos[index]["drawn"])
    rng, ends, credited = np.random.default_rng(1), 0, 0
    for _ in range(250):
        _, _, dones, infos = venv.step(rng.choice(6, count, p=[0.2, 0.2, 0.3, 0.1, 0.05, 0.15]))
        for index, (each, info) in enumerate(zip(plain, infos, strict=True)):
            cut = bool(info["TimeLimit.truncated"])
            paid = each.step(info["drawn"], bool(dones[index]) and not cut, cut)
            assert (info["car/shaped"], list(info["car/milestones"].values())) == paid
            credited += paid[0] > 0
            if dones[index]:
                each.begin(venv.reset_infos[index]["drawn"])
                ends += 1
    reward.close()
    assert ends >= 4 * count
    assert credited > 0


def still(level: int) -> np.ndarray:
    frame = np.full((4, 4, 3), level, np.uint8)
    frame.setflags(write=False)
    return frame


def fake_reward(session: FakeSession, shaping: Shaping) -> CodeReward:
    names = ["a", "b", "c"]
    subtasks = [
        SubTask(name, ".", tuple(names[before] for before in after)) for name, after in zip(names, AFTER, strict=True)
    ]
    # Known frames that are slipped in would be counted too.
    return CodeReward(lease_of(session, Watch(every=0)), subtasks, "fake", shaping)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([Shaping("bonus"), Shaping("potential", gamma=0.9)]))
def test_a_frame_that_stays_the_same_object_is_judged_as_if_it_were_another(seed, shaping) -> None:
    # Frames of brightness 13 make every program fail, and are to be asked about again each time.
    sessions = [FakeSession([brightness(2), brightness(4), brightness(5)]) for _ in range(2)]
    saving, plain = (fake_reward(session, shaping) for session in sessions)
    frames = {level: still(level) for level in range(8, 17)}
    rng = np.random.default_rng(seed)
    first = [int(level) for level in rng.integers(8, 11, 3)]
    here, there = Scorer(saving, 3), Scorer(_stacked(plain), 3)
    here.start([frames[level] for level in first])
    there.start([frames[level].copy() for level in first])
    levels = list(first)
    for _ in range(30):
        for index in range(3):
            if rng.random() < 0.5:
                levels[index] = int(np.clip(levels[index] + rng.integers(-2, 3), 8, 16))
        ends = [(bool(rng.random() < 0.05), bool(rng.random() < 0.05)) for _ in range(3)]
        fresh = {index: int(rng.integers(8, 11)) for index, end in enumerate(ends) if any(end)}
        one = here.step([frames[each] for each in levels], ends, {at: frames[each] for at, each in fresh.items()})
        other = there.step(
            [frames[each].copy() for each in levels], ends, {at: frames[each].copy() for at, each in fresh.items()}
        )
        for ours, plainly in zip(one, other, strict=True):
            assert ours.shaped == plainly.shaped
            assert ours.milestones.tolist() == plainly.milestones.tolist()
        for index, level in fresh.items():
            levels[index] = level
    assert saving.failures == plain.failures
    assert sessions[0].asked == sessions[1].asked


def _stacked(reward: CodeReward):
    class Stacked:
        name, names, frame_shape = reward.name, reward.names, reward.frame_shape
        signals, episode = staticmethod(reward.signals), staticmethod(reward.episode)

    return Stacked()


class CountingSession(FakeSession):
    """A session that counts its calls and the pairs that it was asked about."""

    def __init__(self) -> None:
        super().__init__([self._judge(index) for index in range(3)])
        self.pairs: list[tuple[bytes, bytes, int]] = []

    def _judge(self, index: int):
        def judge(initial: np.ndarray, current: np.ndarray) -> Ran | Crashed:
            self.pairs.append((initial.tobytes(), current.tobytes(), index))
            return Ran(False)

        return judge


class CountingCamera(GridCamera):
    """Keeps all the arrays that it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[np.ndarray] = []

    def __call__(self, env, observation):
        self.given.append(super().__call__(env, observation))
        return self.given[-1]


def test_nothing_is_painted_hashed_or_asked_twice_in_training(monkeypatch) -> None:
    task, count, steps = small("doorkey-8x8", 640), 4, 250
    cameras: list[CountingCamera] = []
    hashed: list[bytes] = []

    def digest(frame: np.ndarray) -> bytes:
        hashed.append(frame.tobytes())
        return hashed[-1]

    monkeypatch.setattr(names, "_digest", digest)

    def make():
        cameras.append(CountingCamera())
        return task.viewed(FrameTap(task.make_env(), cameras[-1]))

    session = CountingSession()
    venv = DenseVecReward(DummyVecEnv([make] * count), fake_reward(session, Shaping("bonus")))
    venv.seed(0)
    venv.reset()
    rng = np.random.default_rng(0)
    for _ in range(steps):
        venv.step(rng.choice(7, count))
    taken = [frame for camera in cameras for frame in camera.given]
    pictures = {(number, frame.tobytes()) for number, camera in enumerate(cameras) for frame in camera.given}
    assert len(taken) == count * (steps + 1)
    assert len({id(frame) for frame in taken}) == len(pictures) < 0.35 * len(taken)
    assert len(hashed) == len(pictures)
    assert len(session.pairs) == len(set(session.pairs)) == len(pictures)
    # In most steps, no environment shows anything new.
    assert session.calls < 0.7 * steps
