"""Which statements of a checker its answers can depend on: what `identify` and `check` reach by name."""

import ast
from collections.abc import Iterable

ROOTS = ("identify", "check")
"""The functions whose answers the verdict judges; `progress` and `explain` are not among them."""


def reached(module: ast.Module, roots: Iterable[str] = ROOTS) -> list[ast.stmt]:
    """The statements at the top level, imports left out, that define what the roots mention, directly or not."""
    names, kept = set(roots), set[int]()
    statements = [each for each in module.body if not isinstance(each, ast.Import | ast.ImportFrom)]
    grown = True
    while grown:
        grown = False
        for number, statement in enumerate(statements):
            if number not in kept and _defined(statement) & names:
                kept.add(number)
                names |= _mentioned(statement)
                grown = True
    return [statement for number, statement in enumerate(statements) if number in kept]


def lean(module: ast.Module) -> ast.Module:
    """The same program without what `identify` and `check` cannot reach; shares its nodes with the whole one."""
    kept = {id(each) for each in reached(module)}
    body = [each for each in module.body if id(each) in kept or isinstance(each, ast.Import | ast.ImportFrom)]
    return ast.Module(body, [])


def keys_read(module: ast.Module) -> frozenset[str] | None:
    """The keys that `check` may look up in what was found: all texts that it reaches; None where it may read any.

    It may read any where it walks over a dict, or hands all of it on.
    """
    nodes = [node for each in reached(module, ("check",)) for node in ast.walk(each)]
    if any(_reads_all(node) for node in nodes):
        return None
    return frozenset(each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str))


def _reads_all(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ("items", "keys", "values", "copy", "pop", "update")
    return isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Name)


def _defined(statement: ast.stmt) -> set[str]:
    """The names that a statement binds, or whose values it changes in place."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    nodes = list(ast.walk(statement))
    bound = {each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return bound | {_base(each) for each in nodes if isinstance(each, ast.Attribute | ast.Subscript)} - {""}


def _base(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _mentioned(statement: ast.stmt) -> set[str]:
    return {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
