"""What is asked of every task of a batch."""

from dataclasses import dataclass
from pathlib import Path

from car.generation import session_with
from car.refine import Budget
from car.verify import Bar
from car.vlm import VLM
from car.vlm.choose import check, is_paid, pricing_of

TASK = "{task}"
"""What stands for the name of the task in a spec."""


@dataclass(frozen=True)
class Order:
    """How reward code is to be generated, the same for every task.

    Args:
        vlm: a spec as on the command line, see `car.vlm.choose`; ``{task}`` in it stands for the name of the task.
        base_url: the address of the server.
        attempts: programs for one sub-task.
        samples: independent programs for each sub-task.
        rounds: how often the task is divided into sub-tasks.
        calls: questions for one task; None for no limit.
        tokens: tokens for one task; None for no limit.
        cost: what one task may cost; None for no limit.
        price: for a million tokens in and out; None for the price list.
        max_output: the most tokens that an answer may have.
        timeout: seconds for a whole answer of a provider.
        parallel: questions about one task that are on their way at once.
        strict: a replay refuses a prompt that was not recorded.
        expert, random, confidence, frame_us: of the `Bar`.
        isolation: the lowest isolation level at which programs may run; by default 2.
    """

    vlm: str
    base_url: str | None = None
    attempts: int = 5
    samples: int = 1
    rounds: int = 2
    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None
    price: tuple[float, float] | None = None
    max_output: int = 8000
    timeout: float = 600.0
    parallel: int = 4
    strict: bool = False
    expert: float = 1.0
    random: float = 0.1
    confidence: float | None = None
    frame_us: float = 500.0
    isolation: int | None = None

    @property
    def paid(self) -> bool:
        """Whether a provider or a server is asked."""
        return is_paid(self.vlm)

    @property
    def bar(self) -> Bar:
        """What a verdict asks for."""
        return Bar(self.expert, self.random, self.confidence, frame_us=self.frame_us)

    @property
    def budget(self) -> Budget:
        """How often the VLM may be asked about one task.

        Raises:
            UserError: a limit that is not positive, or one of cost where the price is not known.
        """
        return Budget(
            self.attempts,
            samples=self.samples,
            rounds=self.rounds,
            calls=self.calls,
            tokens=self.tokens,
            cost=self.cost,
            price=pricing_of(self.vlm, self.base_url, self.price),
            max_output=self.max_output if self.paid else None,
        )

    def spec(self, task: str) -> str:
        """The VLM for a task."""
        return self.vlm.replace(TASK, task)

    def check(self) -> None:
        """Finds what is wrong with the words alone.

        Raises:
            UserError: as `car.vlm.choose.check`.
        """
        check(self.vlm, self.base_url)

    def session(self, task: str, journal: Path, record: Path | None = None, made: str = "") -> VLM:
        """The session about a task; `car.generation.session_with` says what it raises.

        Args:
            task: its name.
            journal: the folder of the replies.
            record: a recording to write besides.
            made: how that is made.
        """
        return session_with(
            self.spec(task),
            journal,
            base_url=self.base_url,
            record=record,
            made=made,
            strict=self.strict,
            max_output=self.max_output,
            timeout=self.timeout,
        )
