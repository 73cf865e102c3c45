"""An errand that counts in a file; the processes of these tests run it."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from car.errands.child import Mouth, carry_out
from car.errors import BadBundle, UnknownName
from car.files import write_text


def count(fields: Mapping[str, Any], mouth: Mouth) -> None:
    """Counts on from what is in the file, and says who has started it."""
    file = Path(fields["folder"]) / "own" / "count.txt"
    if fields.get("deaf"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    step = int(Path(fields["step"]).read_text()) if "step" in fields else 1
    before = int(file.read_text()) if fields.get("resume") and file.exists() else 0
    try:
        for number in range(before + step, fields["to"] + 1, step):
            write_text(file, str(number))
            mouth.tell(count=number, starter=os.getppid(), kept=True)
            time.sleep(fields.get("pause", 0.0))
    except KeyboardInterrupt:
        write_text(file.with_name("interrupted.txt"), "saved")
        raise
    print("said aside")
    sys.stderr.write(f"the variable is {os.environ.get('CAR_TEST_VARIABLE')}\n")
    _end(fields)


def _end(fields: Mapping[str, Any]) -> None:
    how = fields.get("end", "")
    if how == "bad":
        raise BadBundle(f"The bundle in {fields['folder']} is bad, and so is {fields.get('step')}.")
    if how == "unknown":
        raise UnknownName("colour", "blu", ["blue"])
    if how == "crash":
        raise RuntimeError("it broke")


if __name__ == "__main__":
    sys.exit(carry_out(count))
