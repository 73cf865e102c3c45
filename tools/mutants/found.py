"""Whether two programs find the same in a first frame: then their equal `check` answers alike on every frame."""

import ast

from car.checker import Checker, SubTask
from tools.mutants.case import Case
from tools.mutants.reach import keys_read

_PROGRAM = """
import numpy as np

SOURCES = ({one!r}, {other!r})
READ = {read!r}


def loaded(source):
    names = {{}}
    exec(source, names)
    return names["identify"]


IDENTIFY = [loaded(source) for source in SOURCES]


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    if isinstance(a, dict):
        read = [key for key in a.keys() | b.keys() if READ is None or type(key) is not str or key in READ]
        return all(key in a and key in b and same(a[key], b[key]) for key in read)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def identify(initial):
    return same(*[each(initial) for each in IDENTIFY])


def check(found, current):
    return found
"""


def finds_the_same(case: Case, one: str, other: str) -> bool:
    """Whether the `identify` of two programs returns equal things, of equal types, on every first frame of a case.

    Both run in the sandbox, side by side in one program. Of dicts, only the entries count that the `check` of the
    first program may read. A failure of either counts as a difference.
    """
    read = keys_read(ast.parse(one))
    # A set's order would depend on hashes.
    program = _PROGRAM.format(one=one, other=other, read=None if read is None else sorted(read))
    comparing = Checker(SubTask("compare", ""), program)
    with case.sandbox.open([comparing]) as session:
        return all(int(session.run(each.frame(0), each.frames).done[0, 0]) == 1 for each in case.first_frames)
