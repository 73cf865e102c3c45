"""Plays a recorded episode again up to some time, and goes on from there in another way."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self

import gymnasium as gym
import numpy as np

from car.errors import BadFrame, BadTask, BadTrajectory
from car.frames import Frames
from car.record.rollout import random_policy
from car.record.stage import Acted, Stage, stacked
from car.task import Env, Policy, Task
from car.trajectory import Album, Trajectory

_UNFIT = (BadTask, BadFrame, BadTrajectory)


@dataclass(frozen=True)
class Continuation:
    """An episode that begins as a recorded one and goes on at random.

    Args:
        trajectory: the whole episode, ``random``, with the seed of the recorded one.
        start: the time, 0 to T, at which the random part begins; up to it the frames are the recorded ones.
    """

    trajectory: Trajectory
    start: int


@dataclass(frozen=True)
class Unplayable:
    """A recorded episode that cannot be played again here.

    Args:
        reason: why, in one sentence.
    """

    reason: str


@dataclass(frozen=True)
class Onward:
    """How an expert fared that took over in the middle of an episode.

    Args:
        reached: whether it came to the environment's success; None where that is not known: it could not plan from
            there, or the episode was cut off before.
        steps: how many steps it took; None where it did not come there.
    """

    reached: bool | None
    steps: int | None = None


@dataclass
class _Standing:
    """An episode that is being played: where it stands, and what it gave so far."""

    observation: Any
    rewards: list[float] = field(default_factory=list)
    terminated: bool = False
    ended: bool = False
    success: bool = False

    def note(self, acted: Acted) -> None:
        self.observation, self.terminated, self.ended = acted.observation, acted.terminated, acted.ended
        self.rewards.append(acted.reward)
        self.success = self.success or acted.success


def _always(action: int) -> Policy:
    return lambda observation: action


class Continuations(AbstractContextManager["Continuations"]):
    """Continues recorded episodes of one task, in one environment that is made once and closed at the end.

    Args:
        task: what the episodes were recorded in.
    """

    def __init__(self, task: Task) -> None:
        self._task, self._stage = task, Stage(task)

    def at_random(
        self, recorded: Trajectory, time: int, count: int, steps: int, seed: int = 0
    ) -> tuple[Continuation, ...] | Unplayable:
        """Several continuations of one episode with uniformly random actions, filmed; they share their pictures.

        The frames up to `time` must be the recorded ones, pixel by pixel, each time. Equal arguments give equal
        continuations, and the first ones do not depend on `count`.

        Args:
            recorded: the episode, with seed and actions; else it is unplayable.
            time: when the random part begins, 0 to T.
            count: how many continuations.
            steps: how long each random part lasts at the most; the environment may end it sooner.
            seed: of the random actions.
        """

        def chance(number: int) -> Policy:
            own = np.random.SeedSequence([seed, recorded.seed or 0, time, number]).generate_state(1)[0]
            return random_policy(self._stage.env.action_space, int(own))

        return self._several(recorded, time, [partial(chance, number) for number in range(count)], steps)

    def with_one_action(
        self, recorded: Trajectory, time: int, steps: int, most: int = 20
    ) -> tuple[Continuation, ...] | Unplayable:
        """Continuations that do one and the same action again and again, one for each action of a discrete space.

        Args:
            recorded: the episode, with seed and actions; else it is unplayable.
            time: when the repetition begins, 0 to T.
            steps: how long it lasts at the most.
            most: a space with more actions than this is not tried; nor is one that is not discrete.
        """
        try:
            space = self._stage.env.action_space
        except _UNFIT as error:
            return Unplayable(str(error))
        if not isinstance(space, gym.spaces.Discrete) or space.n > most:
            return Unplayable(f"The actions are not a few that could be repeated one by one: {space}.")
        actions = range(int(space.start), int(space.start + space.n))
        return self._several(recorded, time, [partial(_always, action) for action in actions], steps)

    def _several(
        self, recorded: Trajectory, time: int, makers: Sequence[Callable[[], Policy]], steps: int
    ) -> tuple[Continuation, ...] | Unplayable:
        album = Album()
        before = [album.add(recorded.frame(each)) for each in range(time + 1)]
        made = []
        try:
            for make in makers:
                standing = self._again(recorded, time)
                made.append((standing, *self._filmed(standing, make(), steps, album)))
        except _UNFIT as error:
            return Unplayable(str(error))
        except Exception as error:  # an environment is foreign code: it may raise anything where it never was
            return Unplayable(f"The environment failed: {type(error).__name__}: {error}")
        pictures = album.pictures()
        return tuple(
            Continuation(self._episode(recorded, time, standing, pictures, before + after, actions), time)
            for standing, after, actions in made
        )

    def by_expert(self, played: Trajectory, time: int, most: int = 1000) -> Onward | Unplayable:
        """Lets the task's expert take over at some time; what it does is not filmed.

        The frames up to `time` must be those of the episode, as for `at_random`. The expert is made when the episode
        stands there; one that raises then or later cannot plan from the middle.

        Args:
            played: the episode, with seed and actions; else it is unplayable.
            time: when the expert takes over, 0 to T.
            most: after how many steps it is not waited for any longer; with 0 no expert is made, and the answer is
                whether the episode itself has come to success by then.
        """
        try:
            standing = self._again(played, time)
        except _UNFIT as error:
            return Unplayable(str(error))
        except Exception as error:  # as in _several
            return Unplayable(f"The environment failed: {type(error).__name__}: {error}")
        steps = 0
        if most > 0 and not (standing.success or standing.ended):
            try:
                steps = self._played_on(standing, self._task.make_expert, most)
            except Exception:  # an expert is foreign code: taken to where it never was, it may raise anything
                return Onward(None)
        if standing.success:
            return Onward(True, steps)
        return Onward(False if standing.terminated else None)

    def _played_on(self, standing: _Standing, make: Callable[[Env], Policy], most: int) -> int:
        """Plays until success, the end, or for `most` steps; how many it took."""
        policy, steps = make(self._stage.env), 0
        while not (standing.success or standing.ended) and steps < most:
            standing.note(self._stage.act(policy(standing.observation)))
            steps += 1
        return steps

    def _filmed(self, standing: _Standing, policy: Policy, steps: int, album: Album) -> tuple[list[int], list[Any]]:
        """Plays on and films: which pictures, and which actions."""
        order: list[int] = []
        actions: list[Any] = []
        while not standing.ended and len(actions) < steps:
            action = policy(standing.observation)
            standing.note(self._stage.act(action))
            order.append(album.add(self._stage.film(standing.observation)))
            actions.append(action)
        return order, actions

    def _again(self, recorded: Trajectory, time: int) -> _Standing:
        """Plays the recorded actions up to `time`.

        Raises:
            BadTrajectory: it has no seed or actions, or the episode is another one now.
            BadTask, BadFrame: the environment cannot be made or cannot give frames.
        """
        if recorded.seed is None or recorded.actions is None:
            lacks = "seed" if recorded.seed is None else "actions"
            raise BadTrajectory(f"The episode was recorded without its {lacks}, so it cannot be played again.")
        standing = _Standing(self._stage.begin(recorded.seed))
        for each in range(time + 1):
            if each:
                standing.note(self._stage.act(recorded.actions[each - 1]))
            # Every frame is filmed, for a picture may depend on those that were drawn before it, as in Taxi.
            same = np.array_equal(self._stage.film(standing.observation), recorded.frame(each))
            if not same or (standing.ended and each < time):
                raise BadTrajectory(
                    f"Played again from seed {recorded.seed}, the episode is another one from frame {each} on: the "
                    "environment acts by chance, or is not the one of the recording."
                )
        return standing

    def _episode(
        self,
        recorded: Trajectory,
        time: int,
        standing: _Standing,
        pictures: Frames,
        order: list[int],
        actions: list[Any],
    ) -> Trajectory:
        known = [] if recorded.actions is None else list(recorded.actions[:time])
        return Trajectory(
            pictures=pictures,
            order=np.array(order, np.int64),
            actions=stacked([*known, *actions], self._stage.env.action_space),
            rewards=np.array(standing.rewards, np.float64),
            seed=recorded.seed,
            who="random",
            success=standing.success,
            terminated=standing.terminated,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the environment, if one was made."""
        self._stage.__exit__(kind, error, trace)
