"""What happens while reward code is generated, for whoever wants to show it."""

from dataclasses import dataclass

from car.checker import Checker, SubTask
from car.refine.decomposition import Decomposition
from car.verify import Verdict
from car.vlm import Reply, Request


@dataclass(frozen=True)
class Asked:
    """A request is about to be sent."""

    request: Request


@dataclass(frozen=True)
class Replied:
    """A reply has come, and is on disk."""

    request: Request
    reply: Reply


@dataclass(frozen=True)
class Named:
    """The VLM has named the goal and the sub-tasks."""

    decomposition: Decomposition


@dataclass(frozen=True)
class Rejected:
    """A program was refused by the screen or by verification; the complaints go back."""

    subtask: SubTask
    attempt: int
    complaints: tuple[str, ...]


@dataclass(frozen=True)
class Accepted:
    """A program passes on the trajectories that refinement may see."""

    checker: Checker
    attempt: int


@dataclass(frozen=True)
class GaveUp:
    """No program passed within the budget."""

    subtask: SubTask
    attempts: int


@dataclass(frozen=True)
class Judged:
    """The whole chain was judged on the held-out trajectories."""

    verdict: Verdict


Event = Asked | Replied | Named | Rejected | Accepted | GaveUp | Judged
