"""Errands: work in processes of their own, several at a time, on this machine or on those of a Ray cluster."""

from collections.abc import Callable, Sequence

from car.errands.errand import Errand
from car.errands.listening import Listener, OnEnd, OnSaid
from car.errors import UnknownName, UserError

__all__ = ["HERE", "PLACES", "RAY", "Errand", "OnEnd", "OnSaid", "check_place", "run"]

HERE, RAY = "here", "ray"
PLACES = (HERE, RAY, "ray:ADDRESS")
"""Where errands can be carried out."""

_PATIENCE_SECONDS = 20.0


def run(
    errands: Sequence[Errand],
    at_once: int,
    on_said: OnSaid,
    on_end: OnEnd,
    on: str = HERE,
    patience: float = _PATIENCE_SECONDS,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Carries out errands.

    Args:
        errands: in the order in which they begin.
        at_once: how many go on at a time.
        on_said: called, in this thread, with what their processes say.
        on_end: called, in this thread, when one has ended.
        on: ``here``; ``ray`` for the Ray cluster in ``RAY_ADDRESS``, or else one that is started on this machine; or
            ``ray:ADDRESS``. See docs/ray.md.
        patience: seconds that a process may take to save what it has, when all are stopped.
        on_stop: called when they are to be stopped, and before that is waited for.

    Raises:
        UnknownName: there is no such place.
        UserError: a folder cannot be written, or there is no such cluster.
        MissingExtra: Ray is not installed.
        KeyboardInterrupt: Ctrl-C, after every process saved what it had; after a second one, at once.
        Exception: what `on_said` or `on_end` raise, after the processes that still went on were stopped.
    """
    check_place(on)
    if at_once < 1:
        raise UserError(f"at_once = {at_once}; at least one run must go on at a time.")
    listener = Listener(on_said, on_end, on_stop)
    if on == HERE:
        from car.errands.here import run_here

        run_here(errands, at_once, listener, patience)
        return
    from car.errands.cluster import cluster

    with cluster(on.partition(":")[2], at_once):
        from car.errands.on_ray import run_on_ray

        run_on_ray(errands, at_once, listener, patience)


def check_place(on: str) -> None:
    """Finds what is wrong with the name of a place.

    Raises:
        UnknownName: there is no such place.
    """
    if on != HERE and on.partition(":")[0] != RAY:
        raise UnknownName("place to work", on, list(PLACES))
