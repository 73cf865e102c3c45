"""What the fields of a format may reach: ``'{0.x}'.format(a)`` reads an attribute that no node of the tree names."""

import string
from collections.abc import Iterator


def complaint_of_format(text: str) -> str | None:
    """Why a text may not fill in values with `format`; None if it may."""
    if any("." in name or "[" in name for name in _fields(text)):
        return "A field of `format` may not look into its value; use an f-string, as in `f'{box.x}'`."
    return None


def _fields(text: str) -> Iterator[str]:
    """The names of the fields, also of those within their specifications."""
    waiting = [text]
    while waiting:
        try:
            parts = list(string.Formatter().parse(waiting.pop()))
        except ValueError:
            continue
        for _, name, spec, _ in parts:
            if name is not None:
                yield name
                waiting.append(spec or "")
