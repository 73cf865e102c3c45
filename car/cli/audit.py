"""`car audit`."""

import sys
import webbrowser
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from car.cli.output import (
    REWARDS,
    Json,
    LowestLevel,
    Rewards,
    next_step,
    note,
    notes,
    result,
)
from car.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from car.audit import AuditFolder, Effort, Findings, Judgement, Told
    from car.bundle import Bundle
    from car.task import Task

_MUST_AGREE = ("name", "env_id", "env_kwargs", "camera", "success")


def audit(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, or the name of its task.")],
    steps: Annotated[int, typer.Option(help="Environment steps of each agent.", min=1)] = 50_000,
    seeds: Annotated[int, typer.Option(help="How many agents are trained: seeds 0, 1, ...", min=1)] = 2,
    contrary: Annotated[int, typer.Option(help="How many more, for whom success costs what the goal pays.", min=0)] = 1,
    episodes: Annotated[int, typer.Option(help="Episodes that are played with each policy.", min=1)] = 10,
    continuations: Annotated[
        int, typer.Option(help="Random ones from each place where a sub-task becomes possible; 0: none.", min=0)
    ] = 6,
    wrong: Annotated[
        list[str] | None,
        typer.Option("--wrong", help="EPISODE:SUBTASK: it is not done there; may be given several times."),
    ] = None,
    right: Annotated[
        list[str] | None,
        typer.Option("--right", help="EPISODE:SUBTASK: it is as right as frames allow; a disagreement does not count."),
    ] = None,
    task: Annotated[str | None, typer.Option("--task", help="The bundle's task, if it is not built in.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the audit; default: audits/TASK.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew; a finished audit is put aside.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    rewards: Rewards = REWARDS,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Trains agents on nothing but a bundle's reward, and shows where that pays for what is not done.

    An episode whose goal is credited without the environment's success, or the other way round, speaks against the
    bundle. For sub-tasks there is no such truth: the page shows the best-paid episodes, and --wrong says what is not
    done there. What is found becomes counter-examples: car generate TASK --from-audit. Interrupted, the same command
    goes on.

    Exit code 0: nothing found. 1: something found, or no agent got to the goal. 2: wrong use. 130: interrupted.

    Examples:
    car audit doorkey-8x8 --open
    car audit doorkey-8x8 --wrong 3:door-opened
    """
    from car.audit import AuditFolder, Effort, asked_of
    from car.audit.folder import AUDITS
    from car.bundle import find_bundle, load_bundle

    loaded = load_bundle(find_bundle(bundle, rewards))
    where = AuditFolder(out or AUDITS / loaded.task.name)
    said = _said(wrong or [], right or [])
    if said:
        findings = where.judge(said)
    else:
        effort = Effort(steps, seeds, contrary, episodes, each=continuations)
        runnable = _runnable(loaded, task)
        if fresh:
            _begin_anew(where, asked_of(loaded, runnable, effort))
        findings = _audited(loaded, runnable, where, effort, isolation)
    _tell(findings, where, _command(bundle, rewards, out), open_, as_json)
    raise typer.Exit(0 if said or (findings.reached and not findings.found) else 1)


def _said(wrong: list[str], right: list[str]) -> "list[Judgement]":
    from car.audit import Judgement

    return [*(Judgement.of(each, True) for each in wrong), *(Judgement.of(each, False) for each in right)]


def _begin_anew(where: "AuditFolder", asked: dict[str, Any]) -> None:
    """Puts an audit aside, unless it is the one that is asked for, and was interrupted."""
    if where.goes_on(asked):
        note("The audit that was begun goes on.")
    elif aside := where.put_aside():
        note(f"The audit so far is in {aside}.")


def _command(bundle: str, rewards: Path, out: Path | None) -> str:
    """What to type for a judgement on the same audit."""
    options = {"--rewards": None if rewards == REWARDS else rewards, "--out": out}
    return " ".join(["car audit", bundle, *(f"{name} {path}" for name, path in options.items() if path is not None)])


def _runnable(loaded: "Bundle", named: str | None) -> "Task":
    """The task whose environment is run: what a bundle says of it decides on no import.

    Raises:
        UserError: it is not built in and was not named, or it is another one than the bundle's.
    """
    from car.tasks import all_tasks, find_task

    if named is None and loaded.task.name not in all_tasks():
        raise UserError(
            f"The task {loaded.task.name!r} is not built in: name it with --task, e.g. --task my-task.toml."
        )
    found = find_task(named or loaded.task.name)
    here, wanted = found.as_dict(), loaded.task.as_dict()
    if differs := [field for field in _MUST_AGREE if here[field] != wanted[field]]:
        raise UserError(
            f"The task {found.name!r} is not that of this bundle: its {differs[0]} is {here[differs[0]]!r}, and the "
            f"bundle's is {wanted[differs[0]]!r}."
        )
    return found


def _audited(
    loaded: "Bundle", task: "Task", where: "AuditFolder", effort: "Effort", isolation: int | None
) -> "Findings":
    from rich.live import Live

    from car.audit import audit as audit_
    from car.sandbox.process import ProcessSandbox

    agents = f"{effort.agents} agent{'s' * (effort.agents != 1)} of {effort.steps:,} steps"
    note(f"{task.name}: {agents}, paid by {loaded.path} alone; in {where.path}")
    board = _Board()
    with (
        Live(board, console=notes, refresh_per_second=4, transient=True),
        # Some environments print while they are made; standard output is for the result.
        redirect_stdout(sys.stderr),
    ):
        return audit_(loaded, task, ProcessSandbox(isolation), where, effort, board.take, isolation)


class _Board:
    """What is going on: a line for each agent, and one for the continuations."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[str, ...]] = {}
        self._doing, self._found = "", 0

    def take(self, told: "Told") -> None:
        """Takes how far the audit is."""
        self._doing, line = ("" if told.progress else told.doing), told.progress
        if told.found and not self._found:
            note("Something speaks against the reward: an episode whose goal and success disagree.", "yellow")
        self._found = told.found
        if line is None or told.seed is None:
            return
        rate = f"{line.steps / line.wall_seconds:,.0f}" if line.wall_seconds else ""
        steps = f"{min(line.steps, line.total):,} of {line.total:,}"
        self._rows[told.seed] = (
            str(told.seed),
            steps,
            _percent(line.credited),
            _percent(line.train_success),
            str(told.found),
            rate,
        )
        if line.evaluation is not None and not notes.is_terminal:
            # A log has no table that changes in place.
            note(
                f"agent {told.seed}: {steps} steps, {_percent(line.credited) or 'none'} credited, {told.found} disagree"
            )

    def __rich__(self) -> "Table | str":
        """The table; before the first line of progress, that there is none yet."""
        if not self._rows:
            return "  starting ..."
        table = _table("agent", "steps", "credited", "solved", "disagree", "steps/s")
        for _, row in sorted(self._rows.items()):
            table.add_row(*row)
        if self._doing:
            table.caption = f"continuing {self._doing}; {self._found} disagree"
        return table


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(header_style="dim", box=None, padding=(0, 2, 0, 0), caption_justify="left", caption_style="dim")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _tell(findings: "Findings", where: "AuditFolder", command: str, open_: bool, as_json: bool) -> None:
    from car.audit import audit_page
    from car.audit.folder import AUDITS
    from car.files import write_text

    write_text(where.page, audit_page(findings, str(where.path)))
    if open_:
        webbrowser.open(where.page.resolve().as_uri())
    document = {"audit": str(where.path), "page": str(where.page), **findings.as_dict()}
    advice = f"look at the page, then {command} --wrong EPISODE:SUBTASK"
    if findings.found:
        elsewhere = "" if where.path == AUDITS / findings.task else f" --audits {where.path}"
        advice = f"car generate {findings.task} --from-audit{elsewhere} --vlm ..."
    result(as_json, document, _played(findings), *_found(findings), f"Page: {where.page}", next_step(advice))


def _played(findings: "Findings") -> "Table":
    table = _table("episodes", "how many", "steps", "goal credited", "success", "disagree")
    for each in findings.tallies:
        wrong = sum(count for _, count in each.flaws)
        figures = (each.episodes, each.steps, each.goals, each.successes, wrong)
        table.add_row(each.how, *(f"{number:,}" for number in figures))
    return table


def _found(findings: "Findings") -> "Sequence[Any]":
    from rich.text import Text

    said = [Text(each, "yellow") for each in findings.notes]
    if not findings.confirmed:
        said.append(Text("The environment never reported success: nothing can be held against the goal.", "yellow"))
    for flaw, count in findings.flaws().items() if findings.confirmed else ():
        numbers = [str(number) for number, each in findings.disagreements if each == flaw]
        kept = f"; kept as {', '.join(numbers)}" if numbers else "; a person explained those that were kept"
        said.append(Text(f"{flaw}: {count} episode{'s' * (count != 1)}{kept}", "red" if numbers else ""))
    said += [Text(f"{each.episode}:{each.subtask} is wrong, a person says.", "red") for each in findings.wrong]
    if not findings.reached:
        said.append(Text("No agent was ever paid for the goal: nothing is known of it. Give --steps more.", "yellow"))
    return said or [Text("Nothing found: wherever the goal was credited, the environment reported success.", "green")]
