"""What came out of each mutant, one line of JSON each."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import car.verify
from car.checker import Checker
from tools.mutants.mutate import Mutant


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True)
class Differs:
    """On how much of a set of trajectories a mutant differs from the original.

    Args:
        frames: different frames of an episode on which `check` answers otherwise.
        experts: experts' episodes in which the chain is credited at other times.
        randoms: random episodes in which it is.
        earlier: sub-tasks, over all episodes, that are credited earlier than by the original, or at all.
        later: those that are credited later, or not at all.
    """

    frames: int = 0
    experts: int = 0
    randoms: int = 0
    earlier: int = 0
    later: int = 0

    @property
    def episodes(self) -> int:
        """Episodes in which the chain is credited at other times."""
        return self.experts + self.randoms


@dataclass(frozen=True)
class Result:
    """One mutant, judged.

    Args:
        key: what it is known by; another program, chain or set of trajectories gives another.
        verifier: the hash of the verifier that judged it.
        bundle: the bundle's name.
        subtask: the sub-task whose program was changed.
        operator: how.
        line: where, in the original's source.
        before: the changed lines as they were.
        after: the same lines as they were judged.
        outcome: what became of it.
        rules: the rules that it broke.
        held_out: where it differs on what the verdict is given on; for survivors.
        fresh: where it differs on the independent set; for survivors.
        seconds: how long it took.
    """

    key: str
    verifier: str
    bundle: str
    subtask: str
    operator: str
    line: int
    before: str
    after: str
    outcome: Outcome
    rules: tuple[str, ...] = ()
    held_out: Differs = Differs()
    fresh: Differs = Differs()
    seconds: float = 0.0


def verifier_sha256() -> str:
    """The hash of the verifier's source."""
    folder = Path(car.verify.__file__).parent
    parts = [each.read_bytes() for each in sorted(folder.rglob("*.py"))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def key_of(chain: Sequence[Checker], place: int, mutant: Mutant, trajectories: str) -> str:
    """What a mutant is known by.

    Args:
        chain: the original programs.
        place: of the one that is changed.
        mutant: what takes its place.
        trajectories: the hash of what it is judged on.
    """
    parts = [trajectories, *(each.sha256 for each in chain), str(place), mutant.lean]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def append(path: Path, result: Result) -> None:
    """Adds a line for one result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(result), sort_keys=True) + "\n")


def load(path: Path, verifier: str) -> dict[str, Result]:
    """The results so far that still hold, by key.

    What cannot be told from the original cannot be told by another verifier either; what another verifier said of the
    others does not count. A last line that was cut off when the run was killed is taken out of the file.
    """
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    results = [_result(json.loads(line)) for line in whole.splitlines()]
    return {each.key: each for each in results if each.outcome is Outcome.EQUIVALENT or each.verifier == verifier}


def _result(fields: dict[str, Any]) -> Result:
    held_out, fresh = (Differs(**fields.pop(name)) for name in ("held_out", "fresh"))
    outcome, rules = Outcome(fields.pop("outcome")), tuple(fields.pop("rules"))
    return Result(**fields, outcome=outcome, rules=rules, held_out=held_out, fresh=fresh)
