"""Counts the calls and tokens of the recorded sessions that come with the package, and writes docs/calls.md.

Usage: python -m tools.calls [--write-docs]

The sessions were held by hand, and nobody counted tokens then: they are estimated from what was asked and answered, as
`car generate` estimates them before a run.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from car.bundle import Bundle, list_bundles, load_bundle
from car.frames import enlarged, from_picture
from car.vlm.recording import load_recording
from car.vlm.tokens import Range, tokens_of_picture, tokens_of_text

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "calls.md"
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+\.png)\)")
_HEAD = """# How few calls

A generation asks for the goal, for the sub-tasks, and for a program for each sub-task; a program that is wrong goes
back with measured facts. For n sub-tasks, no more than 2 n + 2 calls should be needed. `python -m tools.calls
--write-docs` writes this page from the sessions that come with the package, all of which are verified.

| session | sub-tasks | calls | at most | wrong programs | tokens in | tokens out |
| --- | --- | --- | --- | --- | --- | --- |
"""
_TAIL = """
In the session of blockedunlockpickup `key-put-down` is weak, so the model was asked for better sub-tasks, and
took seven more calls without reaching a verified chain. The bundle that ships is from the first seven (`--rounds 1`).

The sessions were held by hand through `--vlm manual`, where nobody counts tokens. They are estimated from the text and
the pictures, as `car generate` does before a run ([how](design/providers.md)); with a provider, the manifest of the
bundle holds what it counted.

For comparison, as published: Eureka uses 12,600 tokens for each iteration of 16 samples, and RL-VLM-F asks its model up
to 20,000 times while an agent trains. Here the model is not asked while an agent trains.
"""


@dataclass(frozen=True)
class Session:
    """What one recorded session took; `unused` calls came after those that the bundle was made from."""

    name: str
    subtasks: int
    calls: int
    wrong: int
    asked: Range
    answered: Range
    unused: int = 0

    @property
    def allowed(self) -> int:
        """The most calls that it should take."""
        return 2 * self.subtasks + 2

    def row(self) -> str:
        """Its line in the table."""
        cells = self.name, self.subtasks, self.calls, self.allowed, self.wrong, _span(self.asked), _span(self.answered)
        return f"| {' | '.join(map(str, cells))} |\n"


def sessions() -> Iterator[Session]:
    """The sessions that come with the package, with the bundles that they gave."""
    for bundle in map(load_bundle, list_bundles(TOP / "generated_rewards")):
        recording = load_recording(TOP / "car" / "recordings" / f"{bundle.task.name}.json")
        used = [folder.name for folder in (bundle.path / "attempts").iterdir()]
        wrong = sum("-refine-" in each for each in used)
        replies = sum(len((bundle.path / "attempts" / each / "reply.md").read_text("utf-8")) for each in used)
        answered, unused = tokens_of_text(replies), len(recording.exchanges) - len(used)
        yield Session(bundle.task.name, len(bundle.subtasks), len(used), wrong, _asked(bundle), answered, unused)


def _asked(bundle: Bundle) -> Range:
    total = Range(0, 0)
    for page in sorted((bundle.path / "attempts").glob("*/prompt.md")):
        text = page.read_text("utf-8")
        total += tokens_of_text(len(_PICTURE.sub("", text)))
        for name in _PICTURE.findall(text):
            frame = from_picture((page.parent / name).read_bytes())
            total += tokens_of_picture(*enlarged(frame).shape[:2])
    return total


def page() -> str:
    """The text of docs/calls.md."""
    return _HEAD + "".join(each.row() for each in sessions()) + _TAIL


def _span(tokens: Range) -> str:
    return f"{round(tokens.low, -2):,} to {round(tokens.high, -2):,}"


def main() -> None:
    """Prints the page, or writes it."""
    parser = argparse.ArgumentParser(description="Count calls and tokens of the recorded sessions.")
    parser.add_argument("--write-docs", action="store_true", help=f"write {PAGE.relative_to(TOP)}")
    if parser.parse_args().write_docs:
        PAGE.write_text(page(), "utf-8")
    else:
        print(page())


if __name__ == "__main__":
    main()
