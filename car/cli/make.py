"""`car generate`."""

import sys
from contextlib import nullcontext, redirect_stdout
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
from car.errors import ProviderError, UserError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from car.cli.show import Narrator
    from car.refine import Draft

_MADE = "Recorded from a live session with `car generate --record`."


def generate(
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
    base_url: Annotated[str | None, typer.Option(help="The server, for compatible/MODEL: vLLM, Ollama, ...")] = None,
    attempts: Annotated[int, typer.Option(help="Programs asked for one sub-task at the most.", min=1)] = 5,
    samples: Annotated[int, typer.Option(help="Independent programs for each sub-task; the best goes on.", min=1)] = 1,
    rounds: Annotated[
        int, typer.Option(help="How often the VLM may name the sub-tasks, for what the chain does wrong.", min=1)
    ] = 2,
    max_calls: Annotated[int | None, typer.Option(help="Questions in all.", min=1)] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Tokens of all questions and answers.", min=1)] = None,
    max_cost: Annotated[float | None, typer.Option(help="What it may cost, in the currency of --price.")] = None,
    price: Annotated[
        str | None, typer.Option(help="For a million tokens in and out, e.g. 3/15; see your provider's list.")
    ] = None,
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

    Exit code 0: verified. 1: finished, but not verified.

    Examples:
    car generate doorkey-8x8 --vlm anthropic/MODEL
    car generate doorkey-8x8 --vlm replay/doorkey-8x8
    """
    from car.bundle import save_bundle
    from car.cli.show import Narrator
    from car.generation import provenance_of, put_aside, session_with
    from car.record import load_set
    from car.refine import Budget
    from car.refine import generate as generate_
    from car.sandbox.process import ProcessSandbox
    from car.tasks import find_task
    from car.verify import Bar, split
    from car.vlm.price import Price, price_of

    found = find_task(task)
    priced = price_of(vlm, base_url) if price is None else Price(*_prices(price))
    budget = Budget(
        attempts, samples=samples, rounds=rounds, calls=max_calls, tokens=max_tokens, cost=max_cost, price=priced
    )
    bar = Bar(expert, random, confidence, frame_us=limit)
    journal = rewards / ".journal" / found.name
    if fresh:
        put_aside(journal)
    asked = session_with(vlm, journal, base_url=base_url, record=record, made=made, strict=strict)
    experts, randoms = load_set(folder, found.name)
    note(f"{found.name} with {asked.name}, at most {attempts} programs a sub-task")
    narrator = Narrator(notes, programs)
    parts = split(experts, randoms)
    try:
        # Some environments print while they are made; standard output is for the result.
        with _shown(narrator, asked.name), redirect_stdout(sys.stderr):
            draft = generate_(parts, asked, ProcessSandbox(isolation), budget, bar, listen=narrator, task=found)
    except ProviderError as error:
        if not journal.exists():
            raise
        kept = "What was answered is kept: the same command goes on from there, and --fresh asks anew."
        raise ProviderError(f"{error} {kept}") from error
    path = save_bundle(rewards, found, draft, provenance_of(asked, draft))
    _tell(draft, path, rewards, as_json)
    raise typer.Exit(0 if draft.verdict.accepted else 1)


def _tell(draft: "Draft", path: Path, rewards: Path, as_json: bool) -> None:
    from car.cli.show import used
    from car.cli.verdict import verdict_table

    if draft.ended:
        note(f"The budget ended the search: {draft.ended}. With a larger one the same command goes on.", "yellow")
    document = {
        "bundle": str(path),
        "calls": len(draft.attempts),
        "tokens": [draft.usage.input_tokens, draft.usage.output_tokens],
        "ended": draft.ended,
        "verdict": draft.verdict.as_dict(),
    }
    table = verdict_table(draft.verdict, rehearsal=draft.rehearsal)
    told = f"{path}: {used(len(draft.attempts), draft.usage)}."
    result(as_json, document, table, told, next_step(f"car review {_named(path, rewards)} --open"))


def _prices(given: str) -> tuple[float, float]:
    """What a million tokens cost, in and out, from ``3/15``.

    Raises:
        UserError: it is not of that form.
    """
    parts = given.split("/")
    try:
        into, out = (float(each) for each in parts)
    except ValueError as error:
        raise UserError(f"--price {given}: give two numbers, for a million tokens in and out, e.g. 3/15.") from error
    return into, out


def _shown(narrator: "Narrator", vlm: str) -> "AbstractContextManager[Any]":
    """What is going on, live; not for `manual`, which prints where its question lies and waits for a person."""
    from rich.live import Live

    return nullcontext() if vlm == "manual" else Live(narrator, console=notes, transient=True, refresh_per_second=8)


def _named(bundle: Path, rewards: Path) -> str:
    """What a person types to name a bundle to the next command."""
    return bundle.name if rewards == REWARDS else str(bundle)
