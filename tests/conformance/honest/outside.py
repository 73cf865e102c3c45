"""Runs programs without any sandbox: in a plain interpreter, each in a fork of its own.

Usage: python -m tests.conformance.honest.outside ANSWERS, which writes a JSON object of name to texts there.
"""

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import cv2

from tests.conformance.honest import HONEST
from tests.conformance.honest.scenes import Pictures, scenes


def _answers(source: str, frames: Pictures) -> list[dict[str, Any]]:
    module = sys.modules["checker"] = types.ModuleType("checker")
    exec(compile(source, "<checker>", "exec", dont_inherit=True), module.__dict__)
    return [module.__dict__["explain"](frames[0].copy(), each.copy()) for each in frames]


def _in_a_fork(source: str, frames: Pictures) -> Any:
    reading, writing = os.pipe()
    if not os.fork():
        with os.fdopen(writing, "w") as answers:
            json.dump(_answers(source, frames), answers)
        # Nothing that the test runner or a library left for the end of the process may run twice.
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answers:
        text = answers.read()
    os.wait()
    return json.loads(text or "[]")


def main(file: Path) -> None:
    """Writes the answers of all honest programs; none for one that fails, whose traceback is on stderr."""
    cv2.setNumThreads(0)
    frames = scenes()
    file.write_text(json.dumps({name: _in_a_fork(source, frames) for name, source in HONEST.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
