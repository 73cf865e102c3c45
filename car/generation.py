"""A VLM session as the command line and the demo run it: journalled, perhaps recorded, with its provenance."""

import sys
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from car.bundle import Provenance, save_bundle
from car.errors import NothingUsable, ProviderError
from car.refine import Budget, CounterExamples, Draft, Event, generate, misformed
from car.sandbox.process import ProcessSandbox
from car.task import Task
from car.verify import Bar, Split
from car.vlm import VLM
from car.vlm.choose import vlm_from
from car.vlm.journal import Journal, alone
from car.vlm.recording import Recorder
from car.vlm.replay import ReplayVLM


@dataclass(frozen=True)
class Generation:
    """A generation of reward code in a session that `session_with` gave.

    Args:
        task: what it is for.
        parts: its trajectories.
        vlm: the session.
        budget: how often it may be asked.
        bar: what a verdict asks for.
        isolation: the lowest isolation level at which programs may run; by default 2.
        examples: what audits found.
    """

    task: Task
    parts: Split
    vlm: VLM
    budget: Budget
    bar: Bar
    isolation: int | None = None
    examples: CounterExamples = field(default_factory=CounterExamples)

    def draft(self, journal: Path, listen: Callable[[Event], None], parallel: int = 0) -> Draft:
        """The draft, made while no other process asks the same.

        Args:
            journal: the folder of the replies.
            listen: is told what happens.
            parallel: questions that are on their way at once.

        Raises:
            UserError: another process is at work with the journal.
            ProviderError, BudgetSpent, SandboxUnavailable: as `car.refine.generate`, with what can be done about it.
        """
        kept = journal_of(self.vlm)
        # A recorded session costs nothing, however often it is replayed.
        undisturbed = nullcontext() if self.vlm.name.startswith("replay/") else alone(journal)
        try:
            # Some environments print while they are made; standard output is for the result.
            with undisturbed, redirect_stdout(sys.stderr):
                return generate(
                    self.parts,
                    self.vlm,
                    ProcessSandbox(self.isolation),
                    self.budget,
                    self.bar,
                    listen=listen,
                    task=self.task,
                    parallel=parallel,
                    kept=kept.kept if kept else lambda request: None,
                    examples=self.examples,
                )
        except NothingUsable as error:
            if not kept:
                raise
            again = "The same command would read these answers again: --fresh asks anew; or try another model."
            raise NothingUsable(f"{error} {again}") from error
        except ProviderError as error:
            if not (kept and kept.asked + kept.reused):
                raise
            goes_on = "What was answered is kept: the same command goes on from there, and --fresh asks anew."
            raise ProviderError(f"{error} {goes_on}") from error

    def saved(self, draft: Draft, folder: Path) -> Path:
        """Writes the bundle, and gives where it is; the recording, if there is one, is put in order."""
        if isinstance(self.vlm, Recorder):
            self.vlm.arrange([each.request for each in draft.attempts])
        return save_bundle(folder, self.task, draft, provenance_of(self.vlm, draft))


def session_with(
    spec: str,
    journal: Path,
    *,
    base_url: str | None = None,
    record: Path | None = None,
    made: str = "",
    strict: bool = False,
    max_output: int = 8000,
    timeout: float = 600.0,
) -> VLM:
    """The VLM that a spec names, with every reply on disk before it is read.

    Args:
        spec: as on the command line, see `car.vlm.choose`.
        journal: the folder of the replies, named after the task; the questions of the `manual` way go to a folder of
            that name in ``manual``, where a person finds them.
        base_url: of a compatible server.
        record: a recording to write besides.
        made: how the recorded session is made.
        strict: a replay refuses a prompt that was not recorded.
        max_output: the most tokens that an answer may have.
        timeout: seconds for a whole answer of a provider.

    Raises:
        UserError: a spec, key or recording that cannot be used.
    """
    folder = Path("manual") / journal.name
    vlm = vlm_from(
        spec, base_url=base_url, folder=folder, strict=strict, max_output=max_output, timeout=timeout, problem=misformed
    )
    if not isinstance(vlm, ReplayVLM):
        vlm = Journal(vlm, journal, max_output)
    return vlm if record is None else Recorder(vlm, record, made)


def journal_of(vlm: VLM) -> Journal | None:
    """The journal of a session that `session_with` gave; None for a recorded one."""
    inner = vlm.vlm if isinstance(vlm, Recorder) else vlm
    return inner if isinstance(inner, Journal) else None


def put_aside(journal: Path) -> Path:
    """Renames the folder of the replies: all is asked anew, and nothing that was paid for is lost.

    Returns:
        where the replies are now.
    """
    suffixes = [each.name.removeprefix(f"{journal.name}.") for each in journal.parent.glob(f"{journal.name}.*")]
    last = max((int(each) for each in suffixes if each.isdecimal()), default=0)
    return journal.rename(journal.with_name(f"{journal.name}.{last + 1}"))


def provenance_of(vlm: VLM, draft: Draft) -> Provenance:
    """Where the programs of a draft came from."""
    models = tuple(sorted({each.reply.model for each in draft.attempts if each.reply.model}))
    return Provenance(vlm.name, models, vlm.recording.made if isinstance(vlm, ReplayVLM) else "")
