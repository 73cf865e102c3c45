"""What stands at the top level of a program, and the functions of the contract."""

import ast
from collections.abc import Iterator

from car.screen.problem import Problem

FUNCTIONS = {"check": 2, "identify": 1, "progress": 2, "explain": 2}
"""The functions of a checker and how many arguments each takes; only `check` is required."""

_TOP_LEVEL = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Assert,
    ast.Delete,
    ast.For,
    ast.If,
    ast.Pass,
    ast.Try,
    ast.With,
)


def without_main(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements but for the block for a program that is run by itself, which no checker is."""
    return [node for node in body if not _is_main(node)]


def _is_main(node: ast.stmt) -> bool:
    if not isinstance(node, ast.If) or node.orelse:
        return False
    match node.test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]):
            return True
    return False


def layout(tree: ast.Module) -> Iterator[Problem]:
    """What is wrong at the top level."""
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, _TOP_LEVEL) and not is_docstring:
            yield Problem(
                node.lineno,
                "At the top level only imports, constants, functions, classes, `for`, `if` and `try` are allowed.",
            )
    defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if "check" not in defined:
        yield Problem(None, "The program must define `def check(found, current)` at the top level.")
    for name, count in FUNCTIONS.items():
        if name in defined and not _takes(defined[name].args, count):
            wanted = {1: "initial", 2: "found, current"}[count]
            yield Problem(defined[name].lineno, f"`{name}` must take exactly ({wanted}), without defaults.")


def _takes(spec: ast.arguments, count: int) -> bool:
    plain = len(spec.posonlyargs) + len(spec.args) == count and not spec.defaults
    return plain and not (spec.vararg or spec.kwarg or spec.kwonlyargs)
