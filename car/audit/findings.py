"""What an audit found, and what a person says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from car.audit.played import EXPERT, Played, Tally
from car.audit.settings import Effort
from car.checker import SubTask
from car.errors import UserError
from car.refine import Flaw


@dataclass(frozen=True)
class Judgement:
    """What a person says of a sub-task in an episode.

    Args:
        episode: its number in the audit, from 1.
        subtask: the sub-task's name.
        wrong: whether it is not done on the frame on which it was credited. False says that the reward is right there,
            or as right as one can be who sees frames: a disagreement with the environment then does not count.
    """

    episode: int
    subtask: str
    wrong: bool

    @classmethod
    def of(cls, text: str, wrong: bool) -> "Judgement":
        """The judgement about ``EPISODE:SUBTASK``.

        Raises:
            UserError: the text is not of that form.
        """
        number, colon, subtask = text.partition(":")
        if not colon or not subtask or not number.isdecimal():
            raise UserError(f"{text!r} must be EPISODE:SUBTASK, e.g. 3:open-the-door; the page has both.")
        return cls(int(number), subtask, wrong)


@dataclass(frozen=True)
class Findings:
    """What a finished audit found.

    Args:
        task: the task's name.
        bundle: the bundle's folder, as it was named.
        manifest_sha256: names the content of the bundle.
        subtasks: of the bundle, the goal last.
        effort: how hard it tried.
        episodes: that were kept; the number of an episode is its place, from 1.
        tallies: how all episodes went, by how they came about.
        confirmed: whether the environment's success can be relied on: it was seen at least once, or nothing speaks
            against it.
        notes: what could not be done, in sentences.
        judgements: what persons say, the last word on each sub-task in each episode.
    """

    task: str
    bundle: str
    manifest_sha256: str
    subtasks: tuple[SubTask, ...]
    effort: Effort
    episodes: tuple[Played, ...]
    tallies: tuple[Tally, ...]
    confirmed: bool
    notes: tuple[str, ...] = ()
    judgements: tuple[Judgement, ...] = ()

    @property
    def goal(self) -> int:
        """The index of the goal."""
        return next(index for index, each in enumerate(self.subtasks) if each.goal)

    @property
    def disagreements(self) -> list[tuple[int, Flaw]]:
        """The number of each episode about whose goal environment and reward disagree, unless a person explained it."""
        if not self.confirmed:
            return []
        goal = self.subtasks[self.goal].name
        explained = {each.episode for each in self.judgements if each.subtask == goal and not each.wrong}
        found = [(number, each.flaw) for number, each in enumerate(self.episodes, 1) if each.flaw is not None]
        return [each for each in found if each[0] not in explained]

    @property
    def wrong(self) -> list[Judgement]:
        """What a person says is not done."""
        return [each for each in self.judgements if each.wrong]

    @property
    def found(self) -> bool:
        """Whether anything speaks against the bundle."""
        return bool(self.disagreements or self.wrong)

    @property
    def reached(self) -> bool:
        """Whether the goal was credited in any episode but those of experts; if not, nothing is known of it."""
        return any(tally.goals for tally in self.tallies if tally.how != EXPERT)

    def flaws(self) -> dict[str, int]:
        """How many episodes disagreed, of all that were played, by the kind of disagreement."""
        counted: dict[str, int] = {}
        for tally in self.tallies:
            for name, count in tally.flaws:
                counted[name] = counted.get(name, 0) + count
        return counted

    def check(self, judgement: Judgement) -> None:
        """Checks that there is what a person judges.

        Raises:
            UserError: no such episode or sub-task, or one that was not credited there.
        """
        names = [each.name for each in self.subtasks]
        if not 1 <= judgement.episode <= len(self.episodes):
            raise UserError(f"There is no episode {judgement.episode}: the audit kept 1 to {len(self.episodes)}.")
        if judgement.subtask not in names:
            raise UserError(f"There is no sub-task {judgement.subtask!r}. There are: {', '.join(names)}.")
        played = self.episodes[judgement.episode - 1]
        credited = played.times[names.index(judgement.subtask)] is not None
        if not credited and (judgement.wrong or played.flaw is None):
            raise UserError(f"In episode {judgement.episode} {judgement.subtask!r} was not credited.")

    def as_dict(self) -> dict[str, Any]:
        """What was found, as JSON-serialisable fields; without the frames."""
        names = [each.name for each in self.subtasks]
        disagree = {number for number, _ in self.disagreements}
        return {
            "task": self.task,
            "bundle": self.bundle,
            "found": self.found,
            "confirmed": self.confirmed,
            "disagreements": self.flaws() if self.confirmed else {},
            "judged_wrong": [f"{each.episode}:{each.subtask}" for each in self.wrong],
            "played": [each.as_dict() for each in self.tallies],
            "episodes": [
                _episode(number, each, names, number in disagree) for number, each in enumerate(self.episodes, 1)
            ],
            "notes": list(self.notes),
        }


def _episode(number: int, played: Played, names: Sequence[str], disagrees: bool) -> dict[str, Any]:
    return {
        "number": number,
        "how": played.how,
        "seed": played.trajectory.seed,
        "steps": len(played.trajectory) - 1,
        "success": played.trajectory.success,
        "flaw": str(played.flaw) if disagrees else "",
        "credited": dict(zip(names, played.times, strict=True)),
        "paid": played.paid,
    }
