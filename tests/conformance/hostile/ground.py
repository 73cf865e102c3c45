"""A sandbox with everything around it that hostile programs may be after."""

from pathlib import Path
from types import TracebackType
from typing import Self

from car.sandbox import Sandbox
from tests.conformance.hostile import Hostile
from tests.conformance.hostile.attempt import Attempt, Output, attempt
from tests.conformance.hostile.bystander import Bystander
from tests.conformance.hostile.world import World


class Ground:
    """Where hostile programs are tried one after the other; a context manager.

    Args:
        sandbox: what holds them.
        world: what they are after.
        folder: for the output that they may reach.
    """

    def __init__(self, sandbox: Sandbox, world: World, folder: Path) -> None:
        self._sandbox, self._world = sandbox, world
        self._output = Output(folder / "output")
        with self._output.inherited():
            self._bystander = Bystander(sandbox, world.secret)

    def attempt(self, program: Hostile) -> Attempt:
        """Lets the program do what it can."""
        if not self._bystander.fine():
            self._bystander.close()
            self._bystander = Bystander(self._sandbox, self._world.secret)
        self._world.bystander = self._bystander.pid
        return attempt(self._sandbox, program, self._world, self._output)

    def bystander_is_fine(self) -> bool:
        """Whether a session that was open all the time has the same worker as before, and right answers."""
        return self._bystander.fine()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bystander.close()
