"""What all tests share: no network beyond loopback, and trajectories recorded once."""

import socket
from pathlib import Path

import pytest

from car.record import load_set, record_to
from car.tasks import find_task
from car.verify import Split, split

_connect = socket.socket.connect


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> None:
    """Any socket beyond loopback fails the test."""

    def connect(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        _connect(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]


@pytest.fixture(scope="session")
def doorkey_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 15 expert and 60 random episodes of DoorKey-6x6."""
    folder = tmp_path_factory.mktemp("trajectories")
    record_to(folder, find_task("doorkey-6x6"), expert=15, random=60, seed=0, max_steps=150)
    return folder


@pytest.fixture(scope="session")
def doorkey(doorkey_folder: Path) -> Split:
    """The same, split."""
    return split(*load_set(doorkey_folder, "doorkey-6x6"))
