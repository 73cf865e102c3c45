"""Errands side by side on this machine."""

from collections.abc import Mapping, Sequence
from queue import Queue
from typing import Any

from car.errands.errand import Errand
from car.errands.listening import Listener
from car.errands.process import Process


def run_here(errands: Sequence[Errand], at_once: int, listener: Listener, patience: float) -> None:
    """Carries out errands in processes of this machine; see `car.errands.run`."""
    waiting, said = list(enumerate(errands)), Queue[tuple[Process, Mapping[str, Any] | None]]()
    running: dict[Process, int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                index, errand = waiting.pop(0)
                running[Process(errand, said)] = index
            process, fields = said.get()
            if fields is None:
                listener.ended(running.pop(process), process.error())
            else:
                listener.said(running[process], fields)
    finally:
        _stop(list(running), listener, patience)


def _stop(running: Sequence[Process], listener: Listener, patience: float) -> None:
    """Interrupts the processes that still go on, and kills those that do not end within a while."""
    if not running:
        return
    try:
        listener.stopping()
        for process in running:
            process.interrupt()
        for process in running:
            process.end_within(patience)
    except BaseException:  # a second Ctrl-C: whoever sent it wants to leave
        for process in running:
            process.kill()
        raise
