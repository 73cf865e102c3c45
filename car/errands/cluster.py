"""The Ray cluster: one that is there, or one that is started on this machine and ended afterwards."""

import os
import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO, cast

from car.errors import MissingExtra, UserError

_LOCAL = ("", "local")
_STORE_BYTES = 256 << 20
_ANSWER_SECONDS = 5.0


@contextmanager
def cluster(address: str, processors: int) -> Iterator[None]:
    """Connects this process to a cluster as long as the block lasts.

    One to which it is connected already is used and left as it is.

    Args:
        address: ``HOST:PORT`` as ``ray start`` says it; ``auto`` for one that runs on this machine; "" for that in
            ``RAY_ADDRESS``, or else, as ``local`` does, for one that is started on this machine, which nobody outside
            can reach.
        processors: of a cluster that is started; as many errands go on at a time.

    Raises:
        MissingExtra: Ray is not installed.
        UserError: there is no such cluster.
    """
    address = address or os.environ.get("RAY_ADDRESS", "")
    _check(address)
    settings = _local_settings() if address in _LOCAL else {}
    os.environ.update(settings)
    try:
        # Only now: it reads some of its settings when it is imported.
        ray = _ray()
        if ray.is_initialized():
            yield
            return
        try:
            _connect(ray, address, processors)
            with redirect_stdout(cast(TextIO, _WithoutRay(sys.stdout))):
                yield
        finally:
            ray.shutdown()
    finally:
        for name in settings:
            os.environ.pop(name, None)


def _connect(ray: Any, address: str, processors: int) -> None:
    settings = {"log_to_driver": False, "logging_level": "ERROR"}
    if address in _LOCAL:
        settings |= {"num_cpus": processors, "include_dashboard": False, "object_store_memory": _STORE_BYTES}
    try:
        ray.init("local" if address in _LOCAL else address, **settings)
    except (ConnectionError, RuntimeError) as error:
        where = "on this machine" if address in _LOCAL else f"at {address}"
        raise UserError(f"The Ray cluster {where} cannot be used: {str(error).splitlines()[0]}") from error


class _WithoutRay:
    """Standard output without what a thread of Ray prints there when a worker dies: it can be pages.

    That a worker died is said by `car.errands.on_ray`, and standard output is for results.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes, unless it is Ray."""
        return len(text) if threading.current_thread().name.startswith("ray_") else self._stream.write(text)


def _local_settings() -> dict[str, str]:
    """What a cluster of one's own needs in the environment, unless the user has set it."""
    wanted = {
        # In spite of its name: without it, Ray listens on all addresses of the machine and not on 127.0.0.1 alone.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Ray would else keep a token of its own in the home folder, for other users of this machine to be kept out.
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    return {name: value for name, value in wanted.items() if name not in os.environ}


def _check(address: str) -> None:
    """Finds out what can be found out at once; Ray would try for minutes.

    Raises:
        UserError: nobody answers there.
    """
    if address.startswith("ray://"):
        raise UserError(
            f"{address} is an address for the Ray client, which cannot be used here: run the command on a machine of "
            "the cluster, with --on ray:auto."
        )
    host, colon, port = address.rpartition(":")
    if not colon:
        if address in (*_LOCAL, "auto"):
            return
        raise UserError(f"{address!r} is no address of a Ray cluster; give HOST:PORT, as `ray start` says it, or auto.")
    try:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise UserError(f"No Ray cluster answers at {address} ({error}); `ray status` there says how it is.") from error


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingExtra('Work on a cluster needs the package ray: pip install "code-as-reward[ray]".') from error
    return ray
