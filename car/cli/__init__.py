"""The command line: parse, call one function, print."""

import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Runs the command line and exits with its code; 130 if it was interrupted, at whatever moment."""
    try:
        # Most of a start goes into imports, and an interrupt may come while they run.
        from car.cli.app import app

        app()
    except KeyboardInterrupt:
        # All is unwound; another Ctrl-C could only spoil the way out.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("Interrupted.", file=sys.stderr)
        sys.exit(INTERRUPTED)
