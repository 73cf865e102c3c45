"""Gathers definitions of this package into one text: those asked for, and all that they use."""

import ast
import inspect
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from typing import NamedTuple

_OURS = "car"


@dataclass(frozen=True)
class Gathered:
    """What was gathered.

    Args:
        imports: the lines that import what is not ours; an empty one before what is not of the standard library.
        definitions: the sources, each after all that it uses while it is defined.
    """

    imports: list[str]
    definitions: list[str]


def gathered(references: Sequence[str], without: Collection[str] = ()) -> Gathered:
    """The sources of these definitions and of all of ours that they use.

    Args:
        references: ``module:name`` each.
        without: names that the reader of the text defines.

    Raises:
        ValueError: two things of the same name are needed, which cannot stand in one file.
    """
    basket = _Basket(frozenset(without))
    for reference in references:
        module, _, name = reference.partition(":")
        basket.take(module, name)
    return Gathered(_lines(basket.imports), basket.definitions)


def _lines(imports: Collection["_Import"]) -> list[str]:
    """The import statements, one for each module; an empty line parts the standard library from the rest."""
    names: dict[str, list[str]] = {}
    for each in sorted(imports):
        names.setdefault(each.module, []).extend([each.name] if each.name else [])
    found: dict[bool, list[str]] = {True: [], False: []}
    for module, parts in sorted(names.items(), key=lambda each: (bool(each[1]), each[0])):
        line = f"from {module} import {', '.join(parts)}" if parts else f"import {module}"
        found[_root(module) in sys.stdlib_module_names].append(line)
    return [*found[True], "", *found[False]]


def _root(module: str) -> str:
    return module.split(maxsplit=1)[0].partition(".")[0]


class _Import(NamedTuple):
    """What brings one name in: ``from module import name``, or ``import module``, which may be ``numpy as np``."""

    module: str
    name: str


@dataclass
class _Basket:
    without: frozenset[str]
    imports: set[_Import] = field(default_factory=set)
    definitions: list[str] = field(default_factory=list)
    origin: dict[str, str] = field(default_factory=dict)

    def take(self, module_name: str, name: str) -> None:
        """Puts one top-level name of one of our modules in, unless it is in already."""
        module = _module(module_name)
        definition = module.definitions[name]
        if self._is_in(definition.names, module_name):
            return
        self.origin |= dict.fromkeys(definition.names, module_name)
        for used in definition.uses:
            self._follow(module, used)
        self.definitions.append(definition.source)

    def _is_in(self, names: Collection[str], module_name: str) -> bool:
        origins = {self.origin[name] for name in names if name in self.origin}
        if origins - {module_name}:
            raise ValueError(f"Both {origins.pop()} and {module_name} define {', '.join(names)}.")
        return bool(origins)

    def _follow(self, module: "_Module", used: str) -> None:
        if used in self.without:
            return
        if used in module.definitions:
            self.take(module.name, used)
        elif used in module.imported:
            needed = module.imported[used]
            if _root(needed.module) == _OURS:
                self.take(needed.module, needed.name)
            else:
                self.imports.add(needed)


@dataclass(frozen=True)
class _Definition:
    names: tuple[str, ...]
    uses: tuple[str, ...]
    source: str


class _Module:
    """The top level of one of our modules."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._source = inspect.getsource(import_module(name))
        self._body = ast.parse(self._source).body

    @cached_property
    def definitions(self) -> dict[str, _Definition]:
        found: dict[str, _Definition] = {}
        for position, node in enumerate(self._body):
            names = tuple(_defined(node))
            if names:
                following = self._body[position + 1] if position + 1 < len(self._body) else None
                made = _Definition(names, tuple(_used(node)), self._text(node, following))
                found |= dict.fromkeys(names, made)
        return found

    @cached_property
    def imported(self) -> dict[str, _Import]:
        """What brings in each name that is not defined here."""
        found: dict[str, _Import] = {}
        for node in self._body:
            if isinstance(node, ast.Import):
                found |= {each.asname or each.name: _Import(_spelt(each), "") for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {each.asname or each.name: _Import(node.module, _spelt(each)) for each in node.names}
        return found

    def _text(self, node: ast.stmt, following: ast.stmt | None) -> str:
        """The source with its decorators, comments right before it, and the docstring of a constant."""
        lines = self._source.splitlines()
        decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
        first = min([node.lineno, *(each.lineno for each in decorators)]) - 1
        while first and lines[first - 1].startswith("#"):
            first -= 1
        described = isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(following, ast.Expr)
        last = following.end_lineno if described and following is not None else node.end_lineno
        return "\n".join(lines[first:last])


@cache
def _module(name: str) -> _Module:
    return _Module(name)


def _spelt(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))


def _used(node: ast.AST) -> Iterator[str]:
    """The plain names that are read."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            yield each.id
