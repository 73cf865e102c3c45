"""`car film`, and the films that `car train` makes."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from car.cli.board import columns
from car.cli.output import Json, LowestLevel, note, notes, result
from car.errors import UnknownName, UserError

if TYPE_CHECKING:
    from rich.table import Table

    from car.film import Film
    from car.train import TrainResult

KINDS = ("gif", "mp4", "both")


def film(
    run: Annotated[Path, typer.Argument(help="The folder of a finished training run, e.g. RUNS/generated/seed-0.")],
    episodes: Annotated[int, typer.Option(help="How many episodes it shows.", min=1)] = 3,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the first one; default: 2000000000, beyond training's.", min=0)
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", help="gif or mp4; default: as --out ends, or gif.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file; default: film.gif or film.mp4 in RUN.")] = None,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Makes a film of a trained agent, with the sub-tasks beside it and when each is credited.

    The agent plays episodes that neither training nor evaluation has seen. The run's own reward says what is credited,
    its programs in the sandbox. `car train` makes such a film of the first seed with each reward; this makes one again,
    or of other episodes.

    Example: car film runs/doorkey-8x8/generated/seed-0 --episodes 2 --out agent.gif
    """
    from car.film import FILM_SEED, film_run

    path = _path(run, format_, out)
    check_run(run)
    with notes.status("filming ..."):
        made = film_run(run, [path], episodes, FILM_SEED if seed is None else seed, isolation)
    if made.lacking:
        note(f"It shows no milestones. {made.lacking}", "yellow")
    result(as_json, {"run": str(run), **made.as_dict()}, episodes_table(made), f"Film: {path}")


def film_runs(
    results: "Mapping[str, Sequence[TrainResult]]", kind: str, isolation: int | None = None
) -> dict[str, list[Path]]:
    """Makes the film of the first seed with each reward, where it is not there yet; what goes wrong is only said.

    Args:
        results: of finished runs, by what they are called.
        kind: ``gif``, ``mp4`` or ``both``.
        isolation: the lowest isolation level at which programs may run.

    Returns:
        For each label the files that there are now.
    """
    from car.film import default_path

    films: dict[str, list[Path]] = {}
    for label, (first, *_) in results.items():
        wanted = [default_path(first.folder, each) for each in formats_of(kind)]
        said, left = _filmed(label, first.folder, wanted, isolation)
        if said:
            note(said, "yellow")
        films[label] = [path for path in wanted if path.exists()]
        if left:
            break
    return films


def _filmed(label: str, run: Path, wanted: Sequence[Path], isolation: int | None) -> tuple[str | None, bool]:
    """What there is to say, and whether the person wants to leave."""
    from car.film import film_finished

    try:
        with notes.status(f"filming {label} ..."):
            return film_finished(run, wanted, isolation)[1], False
    except KeyboardInterrupt:
        return f"The film of {run} was left out; the runs are finished.", True


def formats_of(kind: str) -> Sequence[str]:
    """The formats that are asked for.

    Raises:
        UnknownName: there is no such kind.
    """
    if kind not in KINDS:
        raise UnknownName("film format", kind, list(KINDS))
    return KINDS[:2] if kind == "both" else (kind,)


def episodes_table(film: "Film") -> "Table":
    """What is to be seen in a film."""
    table = columns("seed", "steps", "success", "credited", "env reward")
    for each in film.episodes:
        success = {True: "yes", False: "no", None: ""}[each.last.success]
        done = sum(step is not None for step in each.last.credited)
        credited = f"{done} of {len(each.names)}" if each.names else ""
        table.add_row(str(each.seed), f"{each.last.step:,}", success, credited, f"{each.last.own:.2f}")
    return table


def _path(run: Path, format_: str | None, out: Path | None) -> Path:
    if format_ is not None and format_ not in KINDS[:2]:
        raise UnknownName("film format", format_, list(KINDS[:2]))
    if out is None:
        return run / f"film.{format_ or KINDS[0]}"
    if out.suffix[1:] not in KINDS[:2]:
        raise UserError(f"--out {out} must end in .gif or .mp4.")
    if format_ is not None and out.suffix != f".{format_}":
        raise UserError(f"--out {out} does not end in .{format_}; give one of --format and --out.")
    return out


def check_run(run: Path) -> None:
    """Tells whoever names the folder of several runs which they are.

    Raises:
        UserError: it holds runs and is none.
    """
    inside = _runs_in(run)
    if not (run / "settings.json").exists() and inside:
        listed = ", ".join(map(str, inside[:6]))
        raise UserError(f"{run} holds several runs; name one of them: {listed}{' ...' if len(inside) > 6 else ''}.")


def _runs_in(folder: Path) -> list[Path]:
    found: Iterable[Path] = folder.glob("*/seed-*/settings.json")
    return sorted(each.parent for each in found)
