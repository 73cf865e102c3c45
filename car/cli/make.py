"""`car generate`."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
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
from car.cli.provider import address, prices
from car.errors import UserError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from car.cli.show import Narrator
    from car.generation import Generation
    from car.refine import Budget, CounterExamples, Draft, Forecast
    from car.verify import Split

MAX_OUTPUT = 8000
_MADE = "Recorded from a live session with `car generate --record`."


def generate(
    ctx: typer.Context,
    vlm: Annotated[
        str,
        typer.Option(
            "--vlm",
            envvar="CAR_VLM",
            help="openai/MODEL, anthropic/MODEL, compatible/MODEL (with --base-url), manual, manual/FOLDER, "
            "replay/FILE. {task} in it stands for the name of the task.",
        ),
    ],
    tasks: Annotated[
        list[str] | None, typer.Argument(help="Built-in tasks, TOML files, or module:attribute.", metavar="TASK")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every built-in task that is recorded.")] = False,
    jobs: Annotated[int, typer.Option(help="Tasks that go on side by side.", min=1)] = 1,
    on: Annotated[str, typer.Option(help="Where: here, ray, or ray:ADDRESS of a cluster.")] = "here",
    base_url: Annotated[
        str | None, typer.Option(envvar="CAR_BASE_URL", help="The server, for compatible/MODEL: vLLM, Ollama, ...")
    ] = None,
    attempts: Annotated[int, typer.Option(help="Programs asked for one sub-task at the most.", min=1)] = 5,
    samples: Annotated[int, typer.Option(help="Independent programs for each sub-task; the best goes on.", min=1)] = 1,
    rounds: Annotated[
        int, typer.Option(help="How often the VLM may name the sub-tasks, for what the chain does wrong.", min=1)
    ] = 2,
    max_calls: Annotated[int | None, typer.Option(help="Questions in all, for each task.", min=1)] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="Tokens of all questions and answers, for each task.", min=1)
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(envvar="CAR_MAX_COST", help="What a task may cost: US dollars, or the currency of --price."),
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
    from_audit: Annotated[
        bool, typer.Option("--from-audit", help="Also hold programs against what audits of the task found.")
    ] = False,
    audits: Annotated[Path, typer.Option("--audits", help="Folder of audits, or of one.")] = Path("audits"),
    programs: Annotated[bool, typer.Option("--programs", help="Print the accepted programs.")] = False,
    folder: Trajectories = TRAJECTORIES,
    rewards: Rewards = REWARDS,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Has a VLM write reward code for a task, or for several, verifies it, and writes a bundle for each.

    Each reply is on disk before it is read: interrupted and started again, it goes on and asks nothing twice. A limit
    of calls, tokens or cost stops before the call that would go over it; the best that was found is kept.

    With several tasks, each limit holds for each of them, and one that fails does not stop the others.

    Exit code 0: verified, every task. 1: finished, but not verified. 2: wrong use. 3: the VLM failed. 130: interrupted.

    Examples:
    car generate doorkey-8x8 --vlm anthropic/MODEL
    car generate doorkey-8x8 --vlm replay/doorkey-8x8
    car generate doorkey-8x8 --vlm openai/MODEL --dry-run
    car generate --all --vlm anthropic/MODEL --max-cost 2 --jobs 2
    car generate doorkey-8x8 unlock --vlm replay/{task} --on ray --jobs 2
    """
    from car.batch import Order, journal_of
    from car.generation import Generation, put_aside
    from car.record import load_set
    from car.refine import CounterExamples, forecast, scene_of
    from car.tasks import find_task
    from car.verify import split
    from car.vlm.journal import alone

    typed = None if price is None else prices(price)
    order = Order(
        vlm, address(ctx, vlm, base_url), attempts, samples, rounds, max_calls, max_tokens, max_cost, typed, max_output,
        timeout, parallel, strict, expert, random, confidence, limit, isolation,
    )  # fmt: skip
    names = _names(tasks, all_)
    if len(names) != 1 or on != "here":
        from car.cli.batch import Many, generate_many

        _refuse({"record": record, "from-audit": from_audit, "programs": programs})
        raise typer.Exit(generate_many(Many(names, folder, rewards, fresh, jobs, on, dry_run, as_json), order))
    found = find_task(names[0])
    order.check()
    budget, journal = order.budget, journal_of(rewards, found.name)
    if dry_run:
        _foretell(forecast(scene_of(split(*load_set(folder, found.name))), budget), budget, as_json)
        return
    session = order.session(found.name, journal, record, made)
    parts = split(*load_set(folder, found.name))
    if fresh:
        with alone(journal):
            aside = put_aside(journal)
        note(f"The replies so far are in {aside}; put back under the old name, they are used again.")
    examples = _examples(audits, found.name, parts) if from_audit else CounterExamples()
    note(f"{found.name} with {session.name}, at most {attempts} programs a sub-task")
    if order.paid:
        _warn(order.spec(found.name), order.base_url, parts, budget)
    generation = Generation(found, parts, session, budget, order.bar, isolation, examples)
    draft = _drafted(generation, journal, order.parallel if order.paid else 0, programs)
    path = generation.saved(draft, rewards)
    _tell(draft, budget, path, rewards, as_json)
    raise typer.Exit(0 if draft.verdict.accepted else 1)


def _names(tasks: list[str] | None, all_: bool) -> Sequence[str]:
    """The tasks as typed; none for all that are recorded."""
    if all_ and tasks:
        raise UserError("Name tasks, or give --all; not both.")
    if not (all_ or tasks):
        raise UserError("Name a task, or several, or give --all for every built-in task that is recorded.")
    return tasks or ()


def _refuse(given: Mapping[str, object]) -> None:
    """Refuses options that are about one task."""
    for name, value in given.items():
        if value:
            raise UserError(f"--{name} goes with one task, without --all and --on; leave it out.")


def _drafted(generation: "Generation", journal: Path, parallel: int, programs: bool) -> "Draft":
    from car.cli.show import Narrator

    narrator = Narrator(notes, programs, generation.budget.price)
    with _shown(narrator, generation.vlm.name):
        return generation.draft(journal, narrator, parallel)


def _examples(audits: Path, task: str, parts: "Split") -> "CounterExamples":
    """What audits of the task found, for programs to be held against."""
    from car.audit import counter_examples

    found = counter_examples(audits, task, parts.refine[0].size)
    shown, all_ = len(found.refine), len(found.every)
    note(f"Audits found {all_} counter-examples, of which refinement sees {shown}." if all_ else "No audit found any.")
    return found


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
