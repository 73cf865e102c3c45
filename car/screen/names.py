"""Which built-in functions and other plain names a program may use."""

import ast
from collections.abc import Iterator

from car.screen.problem import Problem
from car.screen.program import SCOPES, Nodes, bound

_BUILTINS = frozenset(
    "breakpoint compile copyright credits delattr dir eval exec exit getattr globals help input license locals "
    "memoryview open quit setattr vars".split()
)
_FREE_NAMES = frozenset("copyright credits dir exit help input license open quit vars".split())
"""Built-in functions whose names a program may give to something of its own."""

_DUNDER_STORES = frozenset("__all__ __author__ __hash__ __match_args__ __slots__ __version__".split())
_DUNDER_METHODS = frozenset(
    f"__{each}__"
    for each in "abs add and bool call contains delitem enter eq exit float floordiv format ge getitem gt hash iadd "
    "iand imul index init int invert ior isub iter le len lt matmul missing mod mul ne neg next or post_init pow radd "
    "repr reversed rmul round rsub rtruediv setitem str sub truediv xor".split()
)
_ASYNC = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
_BINDING = (
    ast.FunctionDef,
    ast.ClassDef,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchMapping,
    ast.MatchStar,
    ast.alias,
    ast.arg,
    ast.keyword,
)


def names(tree: ast.Module, nodes: Nodes) -> Iterator[Problem]:
    """The refused names and kinds of statement."""
    for statement in nodes.of(ast.Global):
        yield Problem(statement.lineno, "`global` keeps state; a checker must keep nothing between calls.")
    for node in nodes.of(*_ASYNC):
        yield Problem(getattr(node, "lineno", None), "`async` code may not be used.")
    for node in nodes.of(*_BINDING):
        if name := _strange_name(node):
            yield Problem(getattr(node, "lineno", None), f"`{name}` may not be used.")
    for used in _refused(tree, nodes.of(ast.Name)):
        yield Problem(used.lineno, _sentence(used.id))


def _sentence(name: str) -> str:
    if name in ("getattr", "setattr", "delattr"):
        return f"`{name}` may not be used; write the attribute out, as in `found.box`, or keep values in a dict."
    return f"`{name}` may not be used; work on the arrays with numpy and cv2 only."


def _strange_name(node: ast.AST) -> str | None:
    """A name with two underscores that the node binds and that means something to Python."""
    if isinstance(node, ast.FunctionDef) and node.name in _DUNDER_METHODS:
        return None
    bound_names = (getattr(node, each, None) for each in ("name", "asname", "arg", "rest"))
    return next((name for name in bound_names if isinstance(name, str) and _is_dunder(name)), None)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _refused(tree: ast.Module, used: list[ast.Name]) -> Iterator[ast.Name]:
    if any(node.id in _FREE_NAMES for node in used):
        yield from (node for node, own in _in_scope(tree) if isinstance(node, ast.Name) and _is_refused(node, own))
    else:
        yield from (node for node in used if _is_refused(node, frozenset()))


def _is_refused(name: ast.Name, own: frozenset[str]) -> bool:
    if name.id in _FREE_NAMES:
        return isinstance(name.ctx, ast.Del) or (isinstance(name.ctx, ast.Load) and name.id not in own)
    if name.id in _DUNDER_STORES:
        return not isinstance(name.ctx, ast.Store)
    return name.id in _BUILTINS or name.id.startswith("__")


def _in_scope(tree: ast.Module) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """Every node, with the names that the program binds where it stands."""
    # What stands under a condition at the top level may never be bound, and the built-in function is meant.
    sure = [node for node in tree.body if not isinstance(node, ast.If | ast.Try)]
    waiting: list[tuple[ast.AST, frozenset[str]]] = [(tree, bound(sure))]
    while waiting:
        node, own = waiting.pop()
        yield node, own
        if isinstance(node, SCOPES) and not isinstance(node, ast.ClassDef):
            own |= bound(ast.iter_child_nodes(node))
        waiting += [(child, own) for child in ast.iter_child_nodes(node)]
