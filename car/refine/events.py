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
class Waiting:
    """Answers are on their way.

    Args:
        number: how many.
    """

    number: int


@dataclass(frozen=True)
class Leaving:
    """The work was interrupted, and waits for the answers that are on their way, so that none is paid for nothing.

    Args:
        number: how many.
    """

    number: int


@dataclass(frozen=True)
class Replied:
    """A reply has come, and is on disk.

    Args:
        request: the question.
        reply: the answer.
        kept: whether it was on disk before, and nothing was paid for it now.
    """

    request: Request
    reply: Reply
    kept: bool = False


@dataclass(frozen=True)
class Unanswered:
    """A recording holds no answer to a question that the work can go on without."""

    request: Request


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
    """No program passed within the budget.

    Args:
        subtask: which one.
        attempts: how many programs may be asked for.
        ended: which other limit of the budget ended it, in words; "" if it was the attempts.
        kept: whether there is a program all the same, the best one.
    """

    subtask: SubTask
    attempts: int
    ended: str = ""
    kept: bool = True


@dataclass(frozen=True)
class Faster:
    """A right program that was too slow has been replaced by a faster one.

    Args:
        checker: the faster one.
        before_us: microseconds a frame before.
        now_us: and now.
    """

    checker: Checker
    before_us: float
    now_us: float


@dataclass(frozen=True)
class Weak:
    """The programs pass, but the chain as a whole does not do; the sub-tasks are to be named anew.

    Args:
        facts: what was measured.
        again: whether the VLM may be asked once more.
    """

    facts: tuple[str, ...]
    again: bool = True


@dataclass(frozen=True)
class Judged:
    """The whole chain was judged on the held-out trajectories."""

    verdict: Verdict


Event = Asked | Waiting | Leaving | Replied | Unanswered | Named | Rejected | Accepted | GaveUp | Faster | Weak | Judged
