"""What the host and the zygote say to each other; imports nothing of ours."""

import struct

REQUEST = struct.Struct("<IIQ")
"""What to do; the number of the worker to end; memory in bytes for the worker to fork."""
FORK, FORK_UNFILTERED, END = range(3)

REPLY = struct.Struct("<Ii")
"""The number of the worker, or 0 if none could be forked; how it ended, as `os.waitpid` has it, or the error's number.

With a worker just forked comes its pidfd, where the system has such.
"""

FILES = 4
"""Descriptors with a FORK: where requests are read, where replies are written, the frames, the mailbox."""

HELLO_BYTES = 4096
"""The first thing that the zygote says: JSON with the layers in force or with an error, filled up with spaces."""

NOT_CAGED = 97
"""The exit code of a worker that could not put on a layer that is in force in the others."""
