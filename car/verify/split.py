"""Keeps the data that refinement sees apart from the data that gives the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

from car.errors import BadTrajectory
from car.trajectory import Trajectory

EVERY = 5
"""Every so-many-th seed goes to the refinement, the others to the verdict."""


@dataclass(frozen=True)
class Split:
    """Trajectories in two parts that share no seed.

    Args:
        refine: what refinement may see and learn from.
        verdict: what decides.
    """

    refine: tuple[Trajectory, ...]
    verdict: tuple[Trajectory, ...]


def check_set(trajectories: Sequence[Trajectory]) -> None:
    """Says what makes a set of trajectories useless for a verdict.

    Raises:
        BadTrajectory: an expert that fails, random policies that all succeed, or frames of different sizes.
    """
    failed = [each.name for each in trajectories if each.who == "expert" and each.success is False]
    if failed:
        raise BadTrajectory(
            f"{len(failed)} of the expert episodes do not succeed ({_some(failed)}); leave them out, or record them "
            "anew."
        )
    randoms = [each for each in trajectories if each.who == "random"]
    if randoms and all(each.success for each in randoms):
        raise BadTrajectory(
            f"All {len(randoms)} random episodes succeed: on them nothing can be told from knowing how. Record shorter "
            "ones with `car record --max-steps`, or take a harder task."
        )
    sizes = {each.pictures.shape[1:3] for each in trajectories}
    if len(sizes) > 1:
        raise BadTrajectory(f"The trajectories have frames of different sizes: {_listed(sizes)}. Record them anew.")


def _some(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def split(experts: Sequence[Trajectory], randoms: Sequence[Trajectory], every: int = EVERY) -> Split:
    """Splits by seed: of the sorted seeds of each kind, every fifth goes to the refinement.

    Raises:
        BadTrajectory: fewer than two experts or two random trajectories, one seed twice, or see `check_set`.
    """
    for trajectories, who in ((experts, "expert"), (randoms, "random")):
        if len(trajectories) < 2:
            raise BadTrajectory(
                f"There are {len(trajectories)} {who} trajectories; at least 2 are needed, 25 experts and 125 random "
                "ones "
                "are advised."
            )
        _check_distinct(trajectories, who)
    check_set([*experts, *randoms])
    refine: list[Trajectory] = []
    verdict: list[Trajectory] = []
    for trajectories in (experts, randoms):
        for index, each in enumerate(sorted(trajectories, key=_order)):
            (refine if index % every == 0 else verdict).append(each)
    return Split(tuple(refine), tuple(verdict))


def _order(trajectory: Trajectory) -> int:
    return -1 if trajectory.seed is None else trajectory.seed


def _check_distinct(trajectories: Sequence[Trajectory], who: str) -> None:
    seeds = [each.seed for each in trajectories if each.seed is not None]
    if len(set(seeds)) < len(seeds):
        raise BadTrajectory(f"Two {who} trajectories have the same seed; the same data may not be on both sides.")


def _listed(sizes: set[tuple[int, ...]]) -> str:
    return ", ".join(f"{width} x {height}" for height, width in sorted(sizes))
