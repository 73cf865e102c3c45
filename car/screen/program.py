"""What the parts of the screen ask of a program's syntax tree; without recursion, for deep programs."""

import ast
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

_Kind = TypeVar("_Kind", bound=ast.AST)

SCOPES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ClassDef,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
_CREATORS = frozenset("Enum Flag IntEnum IntFlag NamedTuple StrEnum namedtuple type".split())
"""What makes a class from texts."""


class Nodes:
    """The nodes of a syntax tree by their kind, each kind with parents before their children."""

    def __init__(self, tree: ast.AST) -> None:
        self._by_kind: dict[type[ast.AST], list[Any]] = {}
        waiting = [tree]
        for node in waiting:
            self._by_kind.setdefault(type(node), []).append(node)
            for field in node._fields:
                value = getattr(node, field, None)
                if isinstance(value, list):
                    waiting += [each for each in value if isinstance(each, ast.AST)]
                elif isinstance(value, ast.AST) and field != "ctx":
                    waiting.append(value)

    def of(self, *kinds: type[_Kind]) -> list[_Kind]:
        """All nodes of some kinds, kind by kind."""
        return [node for kind in kinds for node in self._by_kind.get(kind, ())]


def bound(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that these nodes bind in their own scope, not in one that begins among them."""
    found, waiting = set[str](), list[ast.AST](nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if not isinstance(node, SCOPES):
            waiting += ast.iter_child_nodes(node)
    return frozenset(found)


def bindings(nodes: Nodes) -> Iterator[tuple[str, ast.AST]]:
    """Every name that is given a value or loses it, and where; imports apart."""
    for name in nodes.of(ast.Name):
        if not isinstance(name.ctx, ast.Load):
            yield name.id, name
    for argument in nodes.of(ast.arg):
        yield argument.arg, argument
    for node in nodes.of(ast.FunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar):
        yield getattr(node, "name", None) or "", node
    for mapping in nodes.of(ast.MatchMapping):
        yield mapping.rest or "", mapping


def defined_attributes(nodes: Nodes) -> frozenset[str]:
    """The attributes that the program gives to objects of its own.

    What stands in the bodies of its classes, what it stores as ``x.name``, and the fields of named tuples and
    enumerations that are made from texts.
    """
    found = {node.attr for node in nodes.of(ast.Attribute) if isinstance(node.ctx, ast.Store)}
    for node in nodes.of(ast.ClassDef):
        found |= bound(node.body)
    for call in nodes.of(ast.Call):
        if _called(call) in _CREATORS:
            found.update(_words(call))
    return frozenset(found)


def _called(node: ast.Call) -> str:
    """The last name of what is called; "" if it has none."""
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def _words(call: ast.Call) -> Iterator[str]:
    nodes = Nodes(call)
    for text in nodes.of(ast.Constant):
        if isinstance(text.value, str):
            yield from text.value.replace(",", " ").split()
    yield from (each.arg for each in nodes.of(ast.keyword) if each.arg)


def chain_of(node: ast.Attribute) -> tuple[ast.expr, list[ast.Attribute]]:
    """What ``a.b.c`` begins with, and its attributes from the left."""
    attributes = [node]
    value = node.value
    while isinstance(value, ast.Attribute):
        attributes.append(value)
        value = value.value
    return value, attributes[::-1]
