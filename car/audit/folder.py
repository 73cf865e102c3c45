"""The folder of one audit: what was asked, what was found so far, and what a person says of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from car.audit.findings import Findings, Judgement
from car.audit.played import Played, Tally
from car.audit.settings import Effort
from car.checker import SubTask
from car.errors import UserError
from car.files import write_text
from car.refine import Flaw
from car.trajectory import load_trajectories, save_trajectories

FORMAT = "car-audit/1"
AUDITS = Path("audits")
"""Where audits are kept, each in a folder named after its task."""

_WRONG = (KeyError, TypeError, ValueError, AttributeError)


@dataclass
class State:
    """What an audit knows so far.

    Args:
        done: the parts that are finished.
        tallies: how the episodes went.
        episodes: those that were kept.
        notes: what could not be done.
        confirmed: whether the environment's success can be relied on; None before the end.
    """

    done: set[str] = field(default_factory=set)
    tallies: Sequence[Tally] = ()
    episodes: Sequence[Played] = ()
    notes: list[str] = field(default_factory=list)
    confirmed: bool | None = None


class AuditFolder:
    """Where one audit is kept.

    Args:
        path: the folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.about = path / "audit.json"
        self.episodes = path / "episodes.npz"
        self.judged = path / "judged.json"
        self.page = path / "audit.html"

    def run(self, seed: int) -> Path:
        """The folder of the training run of one agent."""
        return self.path / "runs" / f"seed-{seed}"

    @property
    def finished(self) -> bool:
        """Whether it holds an audit that came to its end."""
        return self.about.exists() and self._read().get("confirmed") is not None

    def goes_on(self, asked: Mapping[str, Any]) -> bool:
        """Whether it holds the audit that is asked for, see `begin`, undamaged and not finished yet."""
        try:
            return self.state().confirmed is None and not _differs(self._read()["asked"], asked)
        except UserError:
            return False

    def put_aside(self) -> Path | None:
        """Renames the folder, with a number; what was found there stays a counter-example. None if there is none.

        Raises:
            UserError: it holds something else than an audit.
        """
        path = self.path.resolve()
        if not path.exists():
            return None
        if not self.about.exists() and {each.name for each in path.iterdir()} - {"runs"}:
            raise UserError(f"{self.path} holds no audit that could be put aside; name another folder with --out.")
        suffixes = [each.name.removeprefix(f"{path.name}.") for each in aside(path)]
        last = max((int(each) for each in suffixes), default=0)
        return path.rename(path.with_name(f"{path.name}.{last + 1}"))

    def begin(self, asked: Mapping[str, Any]) -> State:
        """What is known of the audit that is asked for: nothing, or what it has found so far.

        Args:
            asked: what an audit is about and how hard it tries, JSON-serialisable: ``task``, ``bundle`` (its folder),
                ``manifest_sha256``, ``subtasks`` and ``effort``.

        Raises:
            UserError: the folder holds another audit, or is damaged.
        """
        if not self.about.exists():
            return State()
        before = self._read()["asked"]
        if differs := _differs(before, asked):
            raise UserError(
                f"The audit in {self.path} was made with {differs}. Begin anew with --fresh, which puts it aside, or "
                "name another folder with --out."
            )
        return self.state()

    def state(self) -> State:
        """What the audit has found so far.

        Raises:
            UserError: there is no audit, or it is damaged.
        """
        about = self._read()
        try:
            known = {each["sha256"]: each for each in about["episodes"]}
            # A crash between two writes leaves a file with other episodes than are described: both must know them.
            pictured = load_trajectories(self.episodes, about["asked"]["task"]["name"]) if known else []
            named = {each.sha256(): each for each in pictured}
            return State(
                done=set(about["done"]),
                tallies=tuple(Tally.of(each) for each in about["tallies"]),
                episodes=tuple(_played(each, named[sha]) for sha, each in known.items() if sha in named),
                notes=list(about["notes"]),
                confirmed=about["confirmed"],
            )
        except _WRONG as error:
            raise self._damaged(error) from error

    def save(self, asked: Mapping[str, Any], state: State) -> None:
        """Writes what is known so far; each of the files is whole or as it was before."""
        trajectories = [each.trajectory for each in state.episodes]
        save_trajectories(self.episodes, trajectories, asked["task"]["name"])
        about = {
            "format": FORMAT,
            "asked": asked,
            "done": sorted(state.done),
            "confirmed": state.confirmed,
            "tallies": [each.as_dict() for each in state.tallies],
            "notes": state.notes,
            "episodes": [_described(each) for each in state.episodes],
        }
        write_text(self.about, json.dumps(about, indent=1) + "\n")

    def findings(self) -> Findings:
        """What the finished audit found, and what persons say of it.

        Raises:
            UserError: there is no finished audit, or it is damaged.
        """
        state = self.state()
        if state.confirmed is None:
            raise UserError(f"The audit in {self.path} is not finished; start it again, and it goes on.")
        asked = self._read()["asked"]
        try:
            return Findings(
                task=asked["task"]["name"],
                bundle=asked["bundle"],
                manifest_sha256=asked["manifest_sha256"],
                subtasks=tuple(SubTask(**{**each, "after": tuple(each["after"])}) for each in asked["subtasks"]),
                effort=Effort(**asked["effort"]),
                episodes=tuple(state.episodes),
                tallies=tuple(state.tallies),
                confirmed=state.confirmed,
                notes=tuple(state.notes),
                judgements=self._judgements(),
            )
        except _WRONG as error:
            raise self._damaged(error) from error

    def judge(self, judgements: Iterable[Judgement]) -> Findings:
        """Keeps what a person says, and gives the findings with it; the last word on the same counts.

        Raises:
            UserError: there is no finished audit, or not what is judged.
        """
        findings = self.findings()
        said = {(each.episode, each.subtask): each for each in findings.judgements}
        for each in judgements:
            findings.check(each)
            said[each.episode, each.subtask] = each
        write_text(self.judged, json.dumps([asdict(each) for each in said.values()], indent=1) + "\n")
        return self.findings()

    def _judgements(self) -> tuple[Judgement, ...]:
        if not self.judged.exists():
            return ()
        return tuple(Judgement(**each) for each in json.loads(self.judged.read_text(encoding="utf-8")))

    def _read(self) -> dict[str, Any]:
        try:
            about: dict[str, Any] = json.loads(self.about.read_text(encoding="utf-8"))
            if about["format"] != FORMAT:
                raise UserError(f"{self.about} has the format {about['format']!r}; this version reads {FORMAT!r}.")
        except OSError as error:
            raise UserError(f"There is no audit in {self.path}; make one with `car audit BUNDLE`.") from error
        except _WRONG as error:
            raise self._damaged(error) from error
        return about

    def _damaged(self, error: Exception) -> UserError:
        return UserError(f"The audit in {self.path} is damaged ({error}); make it anew with --fresh.")


def aside(path: Path) -> list[Path]:
    """The audits of the same task that were put aside, the oldest first."""
    beside = [each for each in path.parent.glob(f"{path.name}.*") if each.suffix[1:].isdecimal()]
    return sorted(beside, key=lambda each: int(each.suffix[1:]))


def _described(played: Played) -> dict[str, Any]:
    return {
        "sha256": played.trajectory.sha256(),
        "how": played.how,
        "times": list(played.times),
        "flaw": played.flaw,
        "paid": played.paid,
    }


def _played(described: Mapping[str, Any], trajectory: Any) -> Played:
    flaw = described["flaw"]
    times = tuple(described["times"])
    return Played(trajectory, described["how"], times, None if flaw is None else Flaw(flaw), described["paid"])


def _differs(before: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """With what another audit was made, in words; "" if it is the same one. Where the bundle lies does not matter."""
    if before["task"] != json.loads(json.dumps(asked["task"])):
        return f"another task, {before['task'].get('name')}"
    if before["manifest_sha256"] != asked["manifest_sha256"]:
        return f"another content of the bundle, {before['manifest_sha256'][:16]}"
    effort: Mapping[str, Any] = asked["effort"]
    differs = [f"{name} {before['effort'].get(name)}" for name in effort if before["effort"].get(name) != effort[name]]
    return ", ".join(differs)
