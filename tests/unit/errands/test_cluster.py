import socket

import pytest

from car.errands.cluster import cluster
from car.errors import UserError


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ray://127.0.0.1:10001", "run the command on a machine of the cluster"),
        ("head-node", "give HOST:PORT, as `ray start` says it, or auto"),
        ("127.0.0.1:port", "No Ray cluster answers at 127.0.0.1:port"),
    ],
)
def test_an_address_that_cannot_be_used(address: str, said: str) -> None:
    with pytest.raises(UserError, match=said), cluster(address, 1):
        pass


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    with pytest.raises(UserError, match=f"No Ray cluster answers at 127.0.0.1:{port}"), cluster("", 1):
        pass
