"""`car bundles` and `car review`."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from car.cli.output import REWARDS, TRAJECTORIES, Json, LowestLevel, Rewards, Trajectories, next_step, note, result
from car.errors import BadBundle, BadTrajectory, UserError

if TYPE_CHECKING:
    from rich.text import Text

    from car.bundle import Bundle


def bundles(rewards: Rewards = REWARDS, as_json: Json = False) -> None:
    """Lists the reward bundles and what is known of them.

    Example: car bundles
    """
    from rich.table import Table
    from rich.text import Text

    from car.bundle import list_bundles, load_bundle

    table = Table(header_style="dim", box=None, padding=(0, 2, 0, 0))
    for column in ("bundle", "verdict", "review", "sub-tasks", "written by"):
        table.add_column(column, no_wrap=column in ("verdict", "review"), overflow="fold")
    documents: list[dict[str, Any]] = []
    damaged: list[Text] = []
    for path in list_bundles(rewards):
        try:
            loaded = load_bundle(path)
        except BadBundle as error:
            table.add_row(Text(path.name), Text("damaged", "red"))
            damaged.append(Text(str(error), "red"))
            documents.append({"bundle": str(path), "error": str(error)})
            continue
        table.add_row(*_row(loaded))
        documents.append(_document(loaded))
    if not documents:
        result(as_json, {"bundles": []}, f"There are no reward bundles in {rewards}; make one with `car generate`.")
        return
    result(as_json, {"bundles": documents}, table, *damaged, "", next_step("car review BUNDLE --open"))


def _row(loaded: "Bundle") -> list["Text"]:
    from rich.text import Text

    decision = loaded.verdict.decision
    verdict = Text(decision, {"accepted": "green", "undecided": "yellow"}.get(decision, "red"))
    review = Text(loaded.approval.decision) if loaded.approval else Text("none", "dim")
    names = Text("\n".join(each.subtask.name for each in loaded.checkers))
    return [Text(loaded.path.name), verdict, review, names, Text("\n".join(loaded.provenance.models))]


def _document(loaded: "Bundle") -> dict[str, Any]:
    return {
        "bundle": str(loaded.path),
        "task": loaded.task.name,
        "accepted": loaded.verdict.accepted,
        "decision": loaded.verdict.decision,
        "review": loaded.approval.decision if loaded.approval else "none",
        "subtasks": [each.subtask.name for each in loaded.checkers],
        "models": list(loaded.provenance.models),
    }


def review(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, or the name of its task.")],
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Record that you approve just these files.")] = False,
    reject: Annotated[str | None, typer.Option("--reject", help="Record that you reject them, and why.")] = None,
    folder: Trajectories = TRAJECTORIES,
    rewards: Rewards = REWARDS,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Writes the page on which a person judges a bundle, or records the decision.

    The page shows both frames, every program, the evidence, and where each checker fires. A decision binds to the
    sha256 of the files: it is void as soon as one of them changes.

    Examples:
    car review doorkey-8x8 --open
    car review doorkey-8x8 --approve
    """
    from car.bundle import find_bundle, load_bundle

    loaded = load_bundle(find_bundle(bundle, rewards))
    if approve and reject is not None:
        raise UserError("Either --approve or --reject, not both.")
    if approve or reject is not None:
        _decide(loaded, bundle, reject, folder, isolation, as_json)
        return
    page = _write_page(loaded, folder, isolation)
    if open_:
        webbrowser.open(page.resolve().as_uri())
    advice = next_step(f"read it, then car review {bundle} --approve, or --reject WHY")
    result(as_json, {"bundle": str(loaded.path), "page": str(page)}, f"Review page: {page}", advice)


def _decide(
    loaded: "Bundle", name: str, reject: str | None, folder: Path, isolation: int | None, as_json: bool
) -> None:
    from car.bundle import decide, load_bundle

    if reject is None and not loaded.verdict.accepted:
        note(
            f"You approve a bundle that is not verified: the verdict on {loaded.path} is {loaded.verdict.decision}.",
            "yellow",
        )
    decision = decide(loaded, "approved" if reject is None else "rejected", reject or "")
    said = f"{loaded.path}: {decision.decision}, bound to {decision.manifest_sha256[:16]}."
    if (loaded.path / "review.html").exists():
        _write_page(load_bundle(loaded.path), folder, isolation)
    document = {"bundle": str(loaded.path), "decision": decision.decision, "why": decision.why}
    result(as_json, document, said, next_step(_after(loaded, name, reject)))


def _after(loaded: "Bundle", name: str, reject: str | None) -> str:
    """The command that follows a decision."""
    from car.tasks import all_tasks

    # A task of one's own is found by its file, which the bundle does not know.
    task = loaded.task.name if loaded.task.name in all_tasks() else f"{loaded.task.name}.toml"
    return f"car train {task} --reward {name}" if reject is None else f"car generate {task} --fresh --vlm ..."


def _write_page(loaded: "Bundle", folder: Path, isolation: int | None) -> Path:
    from car.files import write_text
    from car.record import load_set
    from car.review import review_page
    from car.sandbox.process import ProcessSandbox

    try:
        experts, randoms = load_set(folder, loaded.task.name)
    except BadTrajectory as error:
        note(f"{error} The page shows no strips of frames.", "yellow")
        experts, randoms = [], []
    page = loaded.path / "review.html"
    write_text(page, review_page(loaded, [*experts, *randoms], ProcessSandbox(isolation)))
    return page
