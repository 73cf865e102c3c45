"""Honest programs as data: what a checker may want of numpy, cv2, the standard library and the language.

Each snippet is the inside of a function `answer(found, current)`, or a whole text that defines that function. A small
`canon` in the program makes of its answer a text that another value does not have, and `explain` gives it out.
"""

import textwrap

from tests.conformance.honest import (
    algebra,
    arrays,
    features,
    language,
    library,
    motion,
    objects,
    pictures,
    texts,
    values,
)

_CANON = """

import cv2
import numpy as np


def digest(data):
    return f"{len(data)} bytes {int.from_bytes(data, 'little') % (2**127 - 1):032x}"


def shortened(text, most):
    return text if len(text) <= most else f"{text[: most // 2]}... {digest(text.encode())}"


def canon(value):
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return f"objects {value.shape} {canon(value.tolist())}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {value.ravel()[:3].tolist()}... {digest(value.tobytes())}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{canon(key)}: {canon(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (set, frozenset)):
        return "set(" + ", ".join(sorted(canon(each) for each in value)) + ")"
    if isinstance(value, list):
        return shortened("[" + ", ".join(canon(each) for each in value) + "]", 400)
    if isinstance(value, tuple):
        return "(" + ", ".join(canon(each) for each in value) + ")"
    return shortened(ascii(value), 200)
"""

_FUNCTIONS = """

def check(found, current):
    return True


def explain(found, current):
    return {"answer": shortened(canon(answer(found, current)), 1500)}
"""

THEMES = (algebra, arrays, values, pictures, features, motion, library, texts, objects, language)


def program(snippet: str) -> str:
    """The source of a checker whose `explain` tells the answer of the snippet as a text."""
    text = textwrap.dedent(snippet).strip() + "\n"
    if "def answer(found, current):" not in text:
        text = "def answer(found, current):\n" + textwrap.indent(text, "    ")
    # A line about the encoding and `from __future__` must come first.
    return f"{text}{_CANON}{_FUNCTIONS}"


HONEST: dict[str, str] = {name: program(text) for theme in THEMES for name, text in theme.SNIPPETS.items()}
"""Name to the source of a whole checker."""
