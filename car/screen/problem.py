"""What the screen answers with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that the screen refuses.

    Args:
        line: the line of the source, from 1; None if it is about the whole.
        message: what is wrong and what to do instead.
    """

    line: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"
