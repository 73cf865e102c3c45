"""A CLIP as a `Reward`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from car.errors import UnknownName, UserError
from car.frames import Frame, Frames, as_frame
from car.milestones import Milestones, Shaping
from car.rewards.clip.encoder import Encoder, RememberingEncoder
from car.rewards.clip.episode import ClipEpisode
from car.rewards.clip.reference import ClipSettings, read_reference
from car.rewards.clip.scores import Score, score_of
from car.rewards.clip.softmax import sampled_negatives
from car.rewards.clip_kinds import KINDS
from car.rewards.code import CodeReward, open_reward
from car.rewards.watch import WatchedSession
from car.sandbox.isolation import Isolation
from car.task import Task
from car.tasks.sentences import SENTENCES, prompts_of

_BELOW_DONE = float(np.nextafter(1.0, 0.0))


class ClipReward:
    """The score of a CLIP at every frame; all environments' frames of a step are one batch.

    Its one signal is R for ``clip-cosine``; for ``clip-softmax`` it is 1 where p is above beta, and else 0.

    Args:
        settings: with at least a goal.
        encoder: the CLIP.
        shaping: how scores pay, see `ClipEpisode`.

    Attributes:
        frames_asked: how many frames the CLIP has looked at; equal ones count once while they are remembered.

    Raises:
        UserError: no goal, no negative, or a baseline is missing or means the same as the goal.
    """

    frame_shape: tuple[int, ...] | None = None
    names = ("goal",)

    def __init__(self, settings: ClipSettings, encoder: Encoder, shaping: Shaping = Shaping()) -> None:
        self.name = settings.kind
        self.settings = settings
        self.ends_episodes = settings.end
        self._encoder = RememberingEncoder(encoder)
        self._score = score_of(settings, encoder)
        self._shaping = shaping

    @property
    def frames_asked(self) -> int:
        """How many different frames the CLIP has looked at."""
        return self._encoder.asked

    def scores(self, frames: Sequence[Frame] | Frames) -> NDArray[np.float64]:
        """R or p of frames of one size, n of (H, W, 3), as (n,).

        Raises:
            BadFrame: one is not uint8 RGB of shape (H, W, 3).
        """
        return self._score(self._encoder.images([as_frame(frame) for frame in frames]))

    def signals(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The signal of each frame, (n, 1), NaN where not asked.

        Args:
            initial: first frame of each row's episode, (n, H, W, 3), at which CLIP does not look.
            frames: the frames to score, (n, H, W, 3).
            ask: which rows are asked, (n, 1).

        Raises:
            BadFrame: one is not uint8 RGB of shape (H, W, 3).
        """
        return self.signals_of(list(initial), list(frames), ask)

    def signals_of(
        self, initial: Sequence[Frame], frames: Sequence[Frame], ask: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """`signals`, for frames that are not stacked."""
        found = np.full(ask.shape, np.nan)
        rows = np.flatnonzero(ask[:, 0]).tolist()
        if rows:
            scores = self.scores([frames[row] for row in rows])
            found[rows, 0] = scores if self.settings.kind == KINDS[0] else scores > self.settings.beta
        return found

    def foresee(self, initial: Sequence[Frame], frames: Sequence[Frame], ask: NDArray[np.bool_]) -> None:
        """Has the CLIP look at frames ahead, so that it is remembered."""
        self.signals_of(initial, frames, ask)

    def episode(self) -> ClipEpisode:
        """The state of a new episode."""
        return ClipEpisode(self._shaping, self.settings.end)

    def close(self) -> None:
        """Nothing runs behind it."""


class GatedReward:
    """A bundle's programs say what is done; where a sub-task is not, a CLIP says how near its frame comes.

    The milestones are those of the programs: CLIP can credit nothing. Its score of the sub-task's sentence is the
    sub-task's progress, 0 where it is negative, so it pays through a potential alone.

    Args:
        code: the programs; closed with this one.
        scores: for each sub-task, what the CLIP says of it.
        encoder: the CLIP.
    """

    def __init__(self, code: CodeReward, scores: Sequence[Score], encoder: Encoder, name: str) -> None:
        self.name, self.names, self.frame_shape, self.task = name, code.names, code.frame_shape, code.task
        self._code, self._scores = code, scores
        self._encoder = RememberingEncoder(encoder)

    @property
    def failures(self) -> Counter[tuple[str, str]]:
        """How often a program failed, by (sub-task, cause)."""
        return self._code.failures

    @property
    def watched(self) -> WatchedSession:
        """The programs' session."""
        return self._code.watched

    @property
    def isolation(self) -> Isolation:
        """How well the programs are isolated, as measured."""
        return self._code.isolation

    def signals(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """1 where the sub-task's program says done, else the CLIP's score below 1; NaN where not asked.

        Args:
            initial: first frame of each row's episode, (n, H, W, 3).
            frames: the frames to score, (n, H, W, 3).
            ask: which sub-tasks are asked about which row, (n, k).

        Raises:
            RewardChanged: a program said something else of a known frame than before.
        """
        return self._shaped(self._code.signals(initial, frames, ask), list(frames))

    def signals_of(
        self, initial: Sequence[Frame], frames: Sequence[Frame], ask: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """`signals`, for frames that are not stacked; NaN where a program failed."""
        return self._shaped(self._code.signals_of(initial, frames, ask), frames)

    def foresee(self, initial: Sequence[Frame], frames: Sequence[Frame], ask: NDArray[np.bool_]) -> None:
        """Asks both in advance, so that the answers are remembered."""
        self._code.foresee(initial, frames, ask)
        self._encoder.images(frames)

    def _shaped(self, signals: NDArray[np.float64], frames: Sequence[Frame]) -> NDArray[np.float64]:
        rows, columns = np.nonzero(signals < 1.0)
        if len(rows):
            wanted = np.unique(rows)
            near = self._encoder.images([frames[row] for row in wanted])
            for column in np.unique(columns).tolist():
                some = rows[columns == column]
                scores = self._scores[column](near[np.searchsorted(wanted, some)])
                signals[some, column] = np.clip(scores, 0.0, _BELOW_DONE)
        return signals

    def episode(self) -> Milestones:
        """The milestones of a new episode, those of the programs."""
        return self._code.episode()

    def close(self) -> None:
        """Gives the programs' workers back."""
        self._code.close()


def with_prompts(settings: ClipSettings, task: Task | None) -> ClipSettings:
    """The settings with a task's prompts where they have none, and the goals of all built-in tasks as negatives.

    Raises:
        UnknownName: there is no goal, and the task has none.
    """
    if settings.gate:
        return settings
    if not settings.goal:
        if task is None:
            raise UserError("There is no goal: say with --goal what a frame of the goal shows.")
        prompts = prompts_of(task)
        settings = replace(settings, goal=(prompts.goal,))
    if settings.kind == KINDS[0] and settings.alpha > 0 and not settings.baseline and task is not None:
        settings = replace(settings, baseline=_baseline_of(task))
    if settings.kind == KINDS[1] and not settings.negative:
        drawn = sampled_negatives(settings.goal, list(SENTENCES.values()), settings.negatives, settings.seed)
        settings = replace(settings, negative=drawn)
    return settings


def _baseline_of(task: Task) -> tuple[str, ...]:
    try:
        baseline = prompts_of(task).baseline
    except UnknownName:
        baseline = task.baseline_prompt
    return (baseline,) if baseline else ()


def _scores_for(settings: ClipSettings, code: CodeReward, encoder: Encoder) -> list[Score]:
    """What the CLIP says of each sub-task: of the prompts that are given in their order, or of their descriptions."""
    sentences = settings.goal or tuple(each.description for each in code.subtasks)
    if len(sentences) != len(code.names):
        raise UserError(f"{code.name} has {len(code.names)} sub-tasks, so it takes as many goals, in their order.")
    if settings.kind == KINDS[0] and settings.alpha > 0 and not settings.baseline and code.task is not None:
        settings = replace(settings, baseline=_baseline_of(code.task))
    scores = []
    for index, sentence in enumerate(sentences):
        others = settings.negative or tuple(each for each in sentences if each != sentence)
        negative = others if settings.kind == KINDS[1] else ()
        try:
            scores.append(score_of(replace(settings, goal=(sentence,), negative=negative), encoder))
        except UserError as error:
            raise UserError(f"{code.names[index]}: {error}") from error
    return scores


def open_clip_reward(
    reference: str,
    task: Task | None = None,
    shaping: Shaping = Shaping(),
    allow_unreviewed: bool = False,
    isolation: int | None = None,
    encoder: Encoder | None = None,
) -> ClipReward | GatedReward:
    """The CLIP reward that a line names.

    Args:
        reference: see `car.rewards.clip.reference`.
        task: whose prompts are taken where the line has none.
        shaping: how scores, or with a gate the milestones, pay.
        allow_unreviewed: with a gate, also run a bundle that no person has approved.
        isolation: with a gate, the lowest isolation level at which programs may run; by default 2.
        encoder: the CLIP; by default the one that the line names.

    Raises:
        UnknownName: no such CLIP or parameter, or a task without a goal in words.
        UserError: settings that cannot be; see `ClipSettings` and `load_encoder`.
        BadBundle: the gate cannot be used.
    """
    from car.rewards.clip.loading import load_encoder

    settings = with_prompts(read_reference(reference), task)
    encoder = encoder or load_encoder(settings.model, settings.stretch)
    if not settings.gate:
        return ClipReward(settings, encoder, shaping)
    if shaping.kind != "potential":
        raise UserError(
            "A gated CLIP shapes through progress, which 'bonus' does not pay; use the shaping 'potential'."
        )
    code = open_reward(settings.gate, shaping, allow_unreviewed, isolation=isolation)
    try:
        scores = _scores_for(settings, code, encoder)
    except BaseException:
        code.close()
        raise
    return GatedReward(code, scores, encoder, f"{settings.kind} behind {code.name}")
