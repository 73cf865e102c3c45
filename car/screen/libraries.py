"""What a program imports, and what it may use of it."""

import ast
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

from car.screen.offered import ALLOWED_MODULES, ALLOWED_SUBMODULES, OFFERED
from car.screen.problem import Problem
from car.screen.program import Nodes, bindings
from car.screen.reasons import did_you_mean, instead_of_import, renamed, why_module_refused, why_refused

_USUAL = {"np": "import numpy as np", **{module: f"import {module}" for module in ALLOWED_MODULES}}
"""How the modules are usually imported, for a program that forgot it."""


@dataclass
class Imports:
    """What the names stand for that a program imports.

    Args:
        modules: the module behind each name, e.g. ``np`` -> ``numpy``.
        members: what is behind a name that was taken out of a module, e.g. ``zeros`` -> ``numpy.zeros``.
        refused: the names of what may not be imported; about their attributes nothing more is said.
        problems: what may not be imported, and names that stand for two things.
    """

    modules: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    @property
    def all(self) -> set[str]:
        """Every name that an import binds."""
        return {*self.modules, *self.members, *self.refused}

    def bind(self, name: str, module: str, line: int) -> None:
        """Let `name` stand for `module`."""
        if self.modules.setdefault(name, module) != module:
            self.problems.append(Problem(line, f"`{name}` stands for two modules; give each a name of its own."))


def imports_of(nodes: Nodes) -> Imports:
    """What a program imports, with the problems."""
    found = Imports()
    for node in nodes.of(ast.Import):
        for alias in node.names:
            _import(found, node.lineno, alias)
    for source in nodes.of(ast.ImportFrom):
        if source.level or source.module != "__future__":
            for alias in source.names:
                _import_from(found, source, alias)
    return found


def _import(found: Imports, line: int, alias: ast.alias) -> None:
    root = alias.name.partition(".")[0]
    if _may_import(alias.name):
        found.bind(alias.asname or root, alias.name if alias.asname else root, line)
    else:
        found.refused.add(alias.asname or root)
        found.problems.append(_import_problem(line, alias.name))


def _import_from(found: Imports, node: ast.ImportFrom, alias: ast.alias) -> None:
    module, name = node.module or ".", alias.asname or alias.name
    whole = f"{module}.{alias.name}"
    if node.level or not (_may_import(module) or whole in ALLOWED_SUBMODULES):
        problem: Problem | None = _import_problem(node.lineno, module)
    elif alias.name == "*":
        problem = Problem(node.lineno, f"`from {module} import *` may not be used; name what you need.")
    else:
        on_the_way = f"The module `{whole}` may not be used." if whole == "numpy.lib" else None
        complaint = on_the_way or _complaint_of_name(module, alias.name)
        problem = Problem(node.lineno, complaint) if complaint else None
    if problem:
        found.refused.add(name)
        found.problems.append(problem)
    elif whole in OFFERED:
        found.bind(name, whole, node.lineno)
    else:
        found.members[name] = whole


def _may_import(module: str) -> bool:
    return module in ALLOWED_MODULES or module in ALLOWED_SUBMODULES


def _import_problem(line: int, module: str) -> Problem:
    tip = instead_of_import(module)
    sentence = f" {tip[0].upper()}{tip[1:]}" if tip else ""
    return Problem(line, f"`{module}` may not be imported. Allowed are: {', '.join(ALLOWED_MODULES)}.{sentence}")


def rebindings(nodes: Nodes, imports: Imports) -> Iterator[Problem]:
    """Where a module's name is given to something else; `np = None`, for a module that is missing, is let through."""
    free = {
        id(target)
        for node in nodes.of(ast.Assign)
        if isinstance(node.value, ast.Constant) and node.value.value is None
        for target in node.targets
    }
    for name, node in bindings(nodes):
        if name in imports.modules and id(node) not in free:
            module, line = imports.modules[name], getattr(node, "lineno", None)
            yield Problem(line, f"`{name}` is the module `{module}` here; give this another name.")


def complaint_of_path(module: str, path: Sequence[str]) -> tuple[str | None, int]:
    """Why ``module.a.b`` is refused, or None; and how many of the names lead to something that is no module.

    What comes after these is an attribute of a value.
    """
    where = module
    for count, name in enumerate(path, 1):
        if complaint := _complaint_of_name(where, name):
            return complaint, count
        where = f"{where}.{name}"
        if where not in OFFERED:
            return None, count
    return complaint_of_module(where), len(path)


def complaint_of_module(module: str) -> str:
    """What to do instead of handing a module around as a value."""
    examples = {"numpy": "numpy.sum(a)", "numpy.linalg": "numpy.linalg.norm(a)", "cv2": "cv2.inRange(...)"}
    example = f", as in `{examples[module]}`" if module in examples else ""
    return f"The module `{module}` may not be used as a value; write it in full where you need it{example}."


def complaint_of_missing_import(name: str) -> str | None:
    """What to import for a name that nothing in the program binds; None if it is no module's usual name."""
    return f"`{name}` is not imported; add `{_USUAL[name]}`." if name in _USUAL else None


def _complaint_of_name(where: str, name: str) -> str | None:
    """Why ``where.name`` is refused; None if it is not."""
    whole = f"{where}.{name}"
    if name.startswith("_"):
        return f"`{whole}` may not be used: names with a leading underscore are out."
    if reason := why_refused(where, name):
        return f"`{whole}` may not be used: {reason}"
    if name not in _installed(where):
        return _complaint_of_missing(where, name)
    if whole in OFFERED or name in OFFERED[where] or _is_constant(where, name):
        return None
    if _is_module(where, name):
        tip = why_module_refused(whole)
        return f"The module `{whole}` may not be used{': ' + tip if tip else '.'}"
    return f"`{whole}` may not be used: it is not among what a checker needs.{_nearest(where, name)}"


def _complaint_of_missing(where: str, name: str) -> str:
    now = renamed(where, name)
    return f"`{where}` has no attribute `{name}`" + (f"; use `{now}`." if now else f".{_nearest(where, name)}")


def _nearest(where: str, name: str) -> str:
    """The names on offer that look most like it, as a sentence with a space before it, or ""."""
    offered = OFFERED[where] & _installed(where)
    if where == "cv2" and "_" in name:
        offered = frozenset(each for each in _installed("cv2") if _is_constant("cv2", each)) or offered
    return did_you_mean(name, offered, f"{where}.")


def _is_constant(where: str, name: str) -> bool:
    """Whether it is one of the numbers of cv2, such as ``COLOR_RGB2HSV``; there are too many for a list."""
    return where.startswith("cv2") and isinstance(getattr(_module(where), name, None), int)


def _is_module(where: str, name: str) -> bool:
    # Looked up without getattr, because numpy loads some of its modules when they are asked for.
    return (where == "numpy" and name in _LAZY) or isinstance(vars(_module(where)).get(name), ModuleType)


_LAZY = frozenset("char core ctypeslib dtypes f2py ma matlib polynomial random rec strings testing".split())


@cache
def _installed(where: str) -> frozenset[str]:
    return frozenset(dir(_module(where)))


@cache
def _module(where: str) -> Any:
    root, *below = where.split(".")
    thing: Any = importlib.import_module(root)
    for name in below:
        thing = getattr(thing, name)
    return thing
