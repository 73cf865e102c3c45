"""`car generate`."""

import sys
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from car.cli.output import (
    REWARDS,
    TRAJECTORIES,
    Confidence,
    ExpertShare,
    FrameLimit,
    Json,
    LowestLevel,
    RandomShare,
    Rewards,
    Trajectories,
    next_step,
    note,
    notes,
    result,
)
from car.cli.provider import address, is_paid, pricing
from car.errors import NothingUsable, ProviderError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from car.cli.show import Narrator
    from car.refine import Budget, Draft, Forecast
    from car.task import Task
    from car.verify import Bar, Split
    from car.vlm import VLM

MAX_OUTPUT = 8000
_MADE = "Recorded from a live session with `car generate --record`."


def generate(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="A built-in task, a TOML file, or module:attribute.")],
    vlm: Annotated[
        str,
        typer.Option(
            "--vlm",
            envvar="CAR_VLM",
            help="openai/MODEL, anthropic/MODEL, compatible/MODEL (with --base-url), manual, manual/FOLDER, "
            "replay/FILE.",
        ),
    ],
    base_url: Annotated[
        str | None, typer.Option(envvar="CAR_BASE_URL", help="The server, for compatible/MODEL: vLLM, Ollama, ...")
    ] = None,
    attempts: Annotated[int, typer.Option(help="Programs asked for one sub-task at the most.", min=1)] = 5,
    samples: Annotated[int, typer.Option(help="Independent programs for each sub-task; the best goes on.", min=1)] = 1,
    rounds: Annotated[
        int, typer.Option(help="How often the VLM may name the sub-tasks, for what the chain does wrong.", min=1)
    ] = 2,
    max_calls: Annotated[int | None, typer.Option(help="Questions in all.", min=1)] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Tokens of all questions and answers.", min=1)] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(envvar="CAR_MAX_COST", help="What it may cost: US dollars, or the currency of --price."),
    ] = None,
    price: Annotated[
        str | None, typer.Option(help="For a million tokens in and out, e.g. 3/15; by default from a price list.")
    ] = None,
    max_output: Annotated[
        int, typer.Option(help="Tokens that an answer may have, with what the model thinks before it.", min=1)
    ] = MAX_OUTPUT,
    timeout: Annotated[float, typer.Option(help="Seconds for a whole answer; then it is asked again.", min=1)] = 600.0,
    parallel: Annotated[int, typer.Option(help="Questions that are on their way at once.", min=1)] = 4,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would use; ask nothing.")] = False,
    expert: ExpertShare = 1.0,
    random: RandomShare = 0.1,
    confidence: Confidence = None,
    limit: FrameLimit = 500.0,
    record: Annotated[Path | None, typer.Option("--record", help="Also write the session to this recording.")] = None,
    made: Annotated[str, typer.Option(help="How the recorded session is made, in a sentence that is true.")] = _MADE,
    strict: Annotated[bool, typer.Option("--strict", help="Replay: refuse a prompt that was not recorded.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask anew; the replies so far are put aside.")] = False,
    programs: Annotated[bool, typer.Option("--programs", help="Print the accepted programs.")] = False,
    folder: Trajectories = TRAJECTORIES,
    rewards: Rewards = REWARDS,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Has a VLM write reward code for a task, verifies it, and writes a bundle.

    Each reply is on disk before it is read: interrupted and started again, it goes on and asks nothing twice. A limit
    of calls, tokens or cost stops before the call that would go over it; the best that was found is kept.

    Exit code 0: verified. 1: finished, but not verified. 2: wrong use. 3: the VLM failed. 130: interrupted.

    Examples:
    car generate doorkey-8x8 --vlm anthropic/MODEL
    car generate doorkey-8x8 --vlm replay/doorkey-8x8
    car generate doorkey-8x8 --vlm openai/MODEL --dry-run
    """
    from car.generation import put_aside, session_with
    from car.record import load_set
    from car.refine import Budget, forecast, scene_of
    from car.tasks import find_task
    from car.verify import Bar, split
    from car.vlm.choose import check
    from car.vlm.journal import alone

    found = find_task(task)
    base_url, paid = address(ctx, vlm, base_url), is_paid(vlm)
    check(vlm, base_url)
    budget = Budget(
        attempts,
        samples=samples,
        rounds=rounds,
        calls=max_calls,
        tokens=max_tokens,
        cost=max_cost,
        price=pricing(vlm, base_url, price),
        max_output=max_output if paid else None,
    )
    if dry_run:
        _foretell(forecast(scene_of(split(*load_set(folder, found.name))), budget), budget, as_json)
        return
    journal = rewards / ".journal" / found.name
    asked = session_with(
        vlm, journal, base_url=base_url, record=record, made=made, strict=strict, max_output=max_output, timeout=timeout
    )
    parts = split(*load_set(folder, found.name))
    if fresh:
        with alone(journal):
            aside = put_aside(journal)
        note(f"The replies so far are in {aside}; put back under the old name, they are used again.")
    note(f"{found.name} with {asked.name}, at most {attempts} programs a sub-task")
    if paid:
        _warn(vlm, base_url, parts, budget)
    work = _Work(found, parts, asked, budget, Bar(expert, random, confidence, frame_us=limit), isolation)
    draft = work.done(journal, parallel if paid else 0, programs)
    path = work.saved(draft, rewards)
    _tell(draft, budget, path, rewards, as_json)
    raise typer.Exit(0 if draft.verdict.accepted else 1)


@dataclass(frozen=True)
class _Work:
    task: "Task"
    parts: "Split"
    vlm: "VLM"
    budget: "Budget"
    bar: "Bar"
    isolation: int | None

    def done(self, journal: Path, parallel: int, programs: bool) -> "Draft":
        """The draft, made while no other process asks the same."""
        from car.cli.show import Narrator
        from car.generation import journal_of
        from car.refine import generate as generate_
        from car.sandbox.process import ProcessSandbox
        from car.vlm.journal import alone

        narrator = Narrator(notes, programs, self.budget.price)
        kept = journal_of(self.vlm)
        # A recorded session costs nothing, however often it is replayed.
        undisturbed = nullcontext() if self.vlm.name.startswith("replay/") else alone(journal)
        try:
            # Some environments print while they are made; standard output is for the result.
            with undisturbed, _shown(narrator, self.vlm.name), redirect_stdout(sys.stderr):
                return generate_(
                    self.parts,
                    self.vlm,
                    ProcessSandbox(self.isolation),
                    self.budget,
                    self.bar,
                    listen=narrator,
                    task=self.task,
                    parallel=parallel,
                    kept=kept.kept if kept else lambda request: None,
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

    def saved(self, draft: "Draft", rewards: Path) -> Path:
        """Where the bundle is; the recording, if there is one, is in order."""
        from car.bundle import save_bundle
        from car.generation import provenance_of
        from car.vlm.recording import Recorder

        if isinstance(self.vlm, Recorder):
            self.vlm.arrange([each.request for each in draft.attempts])
        return save_bundle(rewards, self.task, draft, provenance_of(self.vlm, draft))


def _warn(vlm: str, base_url: str | None, parts: "Split", budget: "Budget") -> None:
    """Says what the run will use, before it begins."""
    from car.refine import forecast, scene_of
    from car.refine.forecast import in_words
    from car.vlm.choose import tokens_by_provider, warning_about

    if warning := warning_about(vlm):
        note(warning, "yellow")
    expected = forecast(scene_of(parts), budget, lambda request: tokens_by_provider(vlm, request, base_url))
    if expected.refused:
        note(f"The limit is too small for the first question: {expected.refused}.", "yellow")
    note(f"Expected: {in_words(expected.likely, budget.price)}; with bad luck {in_words(expected.most, budget.price)}.")


def _foretell(expected: "Forecast", budget: "Budget", as_json: bool) -> None:
    from rich.table import Table

    from car.refine.forecast import in_words

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("if", "it will use"):
        table.add_column(title, overflow="fold")
    table.add_row("two sub-tasks, all right at once", in_words(expected.least, budget.price))
    table.add_row("three sub-tasks, each mended once", in_words(expected.likely, budget.price))
    table.add_row("every limit is used up", in_words(expected.most, budget.price))
    document = {"forecast": expected.as_dict(), "prices": budget.price.source}
    told = [f"Estimated from the prompts; prices: {budget.price.source}. Nothing was asked."]
    if expected.refused:
        told.append(f"The limit is too small for the first question: {expected.refused}.")
    result(as_json, document, table, *told)


def _tell(draft: "Draft", budget: "Budget", path: Path, rewards: Path, as_json: bool) -> None:
    from car.cli.show import used
    from car.cli.verdict import verdict_table

    if draft.ended:
        note(f"The budget ended the search: {draft.ended}. With a larger one the same command goes on.", "yellow")
    document = {
        "bundle": str(path),
        "calls": len(draft.attempts),
        "tokens": [draft.usage.input_tokens, draft.usage.output_tokens],
        "cost": draft.cost,
        "prices": draft.prices,
        "ended": draft.ended,
        "verdict": draft.verdict.as_dict(),
    }
    table = verdict_table(draft.verdict, rehearsal=draft.rehearsal)
    told = f"{path}: {used(len(draft.attempts), draft.usage, draft.cost, budget.price)}."
    result(as_json, document, table, told, next_step(f"car review {_named(path, rewards)} --open"))


def _shown(narrator: "Narrator", vlm: str) -> "AbstractContextManager[Any]":
    """What is going on, live; not for `manual`, which prints where its question lies and waits for a person."""
    from rich.live import Live

    return nullcontext() if vlm == "manual" else Live(narrator, console=notes, transient=True, refresh_per_second=8)


def _named(bundle: Path, rewards: Path) -> str:
    """What a person types to name a bundle to the next command."""
    return bundle.name if rewards == REWARDS else str(bundle)
