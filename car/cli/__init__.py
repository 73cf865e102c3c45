"""The command line: parse, call one function, print."""

import os
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Runs the command line and ends the process with its code; 130 if it was interrupted, at whatever moment."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        # Some environments draw through SDL, which complains of a screen that is not there.
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    try:
        # Most of a start goes into imports, and an interrupt may come while they run.
        from car.cli.app import app

        app()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    finally:
        # All is done or unwound; a Ctrl-C could only spoil the way out.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
