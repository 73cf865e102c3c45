"""Errands on the machines of a Ray cluster, to which this process is connected.

Each errand is a Ray task with one processor that yields what comes. Ray does not retry it: what is repeated must go on
from the files that came back, and these are here.
"""

import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import ray
from ray.exceptions import RayError, RayTaskError

from car.errands.errand import Errand
from car.errands.listening import Listener
from car.errands.message import error_in, error_line
from car.errands.parcel import Parcel, Sender, packed
from car.errands.worker import Begun, Ended, Item, carry_out, version
from car.errors import CarError, UserError

_LOG = logging.getLogger(__name__)
_NAMESPACE = "car"
_TRIES = 3
_GRACE_SECONDS = 10.0


def run_on_ray(errands: Sequence[Errand], at_once: int, listener: Listener, patience: float) -> None:
    """Carries out errands on a Ray cluster; see `car.errands.run`.

    An errand whose machine, or whose process there, is lost goes on elsewhere from the files that came back last, until
    it was lost three times without getting any further.

    Args:
        errands: in the order in which they begin.
        at_once: how many go on at a time.
        listener: who is told.
        patience: seconds that a process may take to save what it has, when all are stopped.
    """
    _Fleet(errands, at_once, listener, patience).run()


class _Fleet:
    """All errands of one call."""

    def __init__(self, errands: Sequence[Errand], at_once: int, listener: Listener, patience: float) -> None:
        self._bell, reads = _Bell(), _Library()
        self._waiting = [_Trip(index, each, reads, self._bell.name, patience) for index, each in enumerate(errands)]
        self._away: list[_Trip] = []
        self._at_once, self._listener = at_once, listener
        self._patience = patience + _GRACE_SECONDS

    def run(self) -> None:
        try:
            while self._waiting or self._away:
                while self._waiting and len(self._away) < self._at_once:
                    self._away.append(self._waiting.pop(0).begin())
                self._hear(_first(self._away, None))
        finally:
            self._stop()

    def _hear(self, trip: "_Trip | None") -> None:
        item = trip.item() if trip else None
        if trip is None or item is None:
            return
        if isinstance(item, Ended):
            self._away.remove(trip)
            self._listener.ended(trip.index, None if item.error is None else error_in(item.error))
        else:
            self._listener.said(trip.index, item)

    def _stop(self) -> None:
        """Has the errands that still go on save what they have and end, and takes their files."""
        try:
            begun = [trip for trip in self._away if trip.begun]
            if begun:
                self._listener.stopping()
                self._bell.ring()
            while begun:
                trip = _first(begun, self._patience)
                if trip is None:
                    break
                if isinstance(trip.item(repeat=False), Ended):
                    begun.remove(trip)
                    self._away.remove(trip)
        finally:
            for trip in self._away:
                trip.cancel()


class _Trip:
    """One errand's way through the cluster, on as many machines as it takes."""

    def __init__(self, index: int, errand: Errand, reads: "_Library", bell: str, patience: float) -> None:
        self.index, self.begun = index, False
        self._errand = errand.placed(
            errand.folder.resolve(), {name: path.resolve() for name, path in errand.reads.items()}
        )
        self._reads, self._bell, self._patience = reads, bell, patience
        self._lost = 0
        self.stream: Any = None

    def begin(self) -> Self:
        """Hands it over, with the files that it has here."""
        self.begun = False
        files = Sender(self._errand.folder, self._errand.parts).changes()
        reads = {name: self._reads.put(path) for name, path in self._errand.reads.items()}
        task = ray.remote(num_cpus=1, max_retries=0, num_returns="streaming")(_on_machine)
        self.stream = task.remote(self._errand, files, reads, self._bell, self._patience)
        return self

    def item(self, repeat: bool = True) -> Mapping[str, Any] | Ended | None:
        """What comes next; files are put where they belong.

        Args:
            repeat: whether it goes on elsewhere if it was lost.
        """
        try:
            item: Item = ray.get(next(self.stream))
        except RayTaskError as error:
            return Ended(error_line(_not_run(error)))
        except (RayError, StopIteration) as error:
            return self._after_loss(str(error), repeat)
        if isinstance(item, Parcel):
            item.unpack(self._errand.folder)
            if item.files:
                self._lost = 0
            return None
        return self._checked(item) if isinstance(item, Begun) else item

    def cancel(self) -> None:
        """Ends it wherever it is."""
        with suppress(RayError):
            ray.cancel(self.stream, force=True)

    def _checked(self, begun: Begun) -> Ended | None:
        self.begun = True
        if begun.version == version():
            return None
        self.cancel()
        return Ended(
            error_line(
                UserError(
                    f"The machine {begun.host} has version {begun.version} of code-as-reward, and this one "
                    f"{version()}; install the same on all."
                )
            )
        )

    def _after_loss(self, why: str, repeat: bool) -> Ended | None:
        self._lost += 1
        said = f"Ray says: {next(iter(why.strip().splitlines()), 'nothing')}"
        if not repeat or self._lost >= _TRIES:
            told = f"{self._errand.title} was lost {self._lost} times without getting further. {said}"
            return Ended(error_line(CarError(told)))
        _LOG.warning("%s was lost, and goes on elsewhere from the files that came back. %s", self._errand.title, said)
        self._errand = self._errand.once_more()
        self.begin()
        return None


class _Library:
    """Files that errands read, each put into the cluster once."""

    def __init__(self) -> None:
        self._known: dict[Path, Any] = {}

    def put(self, path: Path) -> Any:
        """The reference to the files of a path."""
        if path not in self._known:
            self._known[path] = ray.put(packed(path))
        return self._known[path]


class _Bell:
    """What all errands look for: once it is there, they save what they have and end."""

    def __init__(self) -> None:
        self.name = f"stop-{uuid.uuid4().hex}"
        self._rung: Any = None

    def ring(self) -> None:
        self._rung = ray.remote(num_cpus=0)(_Rung).options(name=self.name, namespace=_NAMESPACE).remote()


class _Rung:
    """An actor that does nothing: its name says it all."""


def _on_machine(errand: Errand, files: Parcel, reads: Mapping[str, Any], bell: str, patience: float) -> Iterator[Item]:
    """What runs on the machine of the cluster."""

    def stopping() -> bool:
        try:
            ray.get_actor(bell, namespace=_NAMESPACE)
        except ValueError:
            return False
        return True

    yield from carry_out(errand, files, {name: ray.get(each) for name, each in reads.items()}, stopping, patience)


def _first(trips: Sequence[_Trip], seconds: float | None) -> _Trip | None:
    """The first of which something comes; None if nothing does for so long."""
    ready, _ = ray.wait([trip.stream for trip in trips], num_returns=1, timeout=seconds)
    return next((trip for trip in trips if trip.stream in ready), None)


def _not_run(error: RayTaskError) -> CarError:
    last = str(error).strip().splitlines()[-1]
    return CarError(
        f"A machine of the Ray cluster could not do the work: {last} The same Python and the same version of "
        "code-as-reward must be installed on every machine."
    )
