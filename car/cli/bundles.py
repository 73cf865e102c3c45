"""`car bundles` and `car review`."""

import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from car.cli.output import REWARDS, TRAJECTORIES, Json, Rewards, Trajectories, notes, result
from car.errors import BadBundle, BadTrajectory, UserError


def bundles(rewards: Rewards = REWARDS, as_json: Json = False) -> None:
    """Lists the reward bundles and what is known of them.

    Example: car bundles
    """
    from car.bundle import list_bundles, load_bundle

    table = Table(
        "bundle", "verdict", "review", "sub-tasks", "written by", header_style="dim", box=None, padding=(0, 2)
    )
    documents: list[dict[str, Any]] = []
    for path in list_bundles(rewards):
        try:
            loaded = load_bundle(path)
        except BadBundle as error:
            table.add_row(str(path), "[red]damaged[/]", "", "", "")
            documents.append({"bundle": str(path), "error": str(error)})
            continue
        verdict = "[green]accepted[/]" if loaded.verdict.accepted else "[red]rejected[/]"
        review = loaded.approval.decision if loaded.approval else "none"
        names = ", ".join(each.subtask.name for each in loaded.checkers)
        table.add_row(str(path), verdict, review, names, ", ".join(loaded.provenance.models))
        documents.append(
            {"bundle": str(path), "accepted": loaded.verdict.accepted, "review": review, "task": loaded.task.name}
        )
    result(as_json, {"bundles": documents}, table)


def review(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, or the name of its task.")],
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Record that you approve just these files.")] = False,
    reject: Annotated[str | None, typer.Option("--reject", help="Record that you reject them, and why.")] = None,
    folder: Trajectories = TRAJECTORIES,
    rewards: Rewards = REWARDS,
    as_json: Json = False,
) -> None:
    """Writes the page on which a person judges a bundle, or records the decision.

    The page shows both frames, every program, the evidence, and where each checker fires. A decision binds to the
    sha256 of the files: it is void as soon as one of them changes.

    Examples: car review doorkey-8x8 --open
    car review doorkey-8x8 --approve
    """
    from car.bundle import decide, find_bundle, load_bundle

    loaded = load_bundle(find_bundle(bundle, rewards))
    if approve and reject is not None:
        raise UserError("Either --approve or --reject, not both.")
    if approve or reject is not None:
        decision = decide(loaded, "approved" if approve else "rejected", reject or "")
        said = f"{loaded.path}: {decision.decision}, bound to {decision.manifest_sha256[:16]}."
        result(as_json, {"bundle": str(loaded.path), "decision": decision.decision, "why": decision.why}, said)
        return
    page = _write_page(loaded, folder)
    if open_:
        webbrowser.open(page.resolve().as_uri())
    result(as_json, {"bundle": str(loaded.path), "page": str(page)}, f"Review page: {page}")


def _write_page(loaded: Any, folder: Path) -> Path:
    from car.files import write_text
    from car.record import load_set
    from car.review import review_page
    from car.sandbox.process import ProcessSandbox

    try:
        experts, randoms = load_set(folder, loaded.task.name)
    except BadTrajectory as error:
        notes.print(f"[yellow]{error}[/] The page shows no strips of frames.")
        experts, randoms = [], []
    page: Path = loaded.path / "review.html"
    write_text(page, review_page(loaded, [*experts, *randoms], ProcessSandbox()))
    return page
