"""Whether a text has the form of an answer to a question."""

from car.checker import program_in
from car.refine.decomposition import decomposition_in
from car.vlm import Request

_PROGRAMS = {"checker", "refine", "faster"}


def misformed(request: Request, text: str) -> str:
    """What is wrong with the form of a text as the answer to a request, in a sentence; "" if nothing is.

    Only the form: whether a program can be used is for the screen and the verifier to say, and goes back to the VLM.
    """
    if not text.strip():
        return "It is empty."
    if request.stage in _PROGRAMS and program_in(text) is None:
        return "It holds no ```python block; copy the whole answer, its ``` lines included."
    found = decomposition_in(text) if request.stage == "subtasks" else ""
    return found if isinstance(found, str) else ""
