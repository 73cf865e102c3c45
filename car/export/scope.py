"""A program's source as the body of a function, so that several programs can define the same names in one file.

At the top level of a module and in a function nearly all means the same. Where it does not, see `function_of`.
"""

import ast
import builtins
import io
import symtable
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from car.checker import Checker
from car.errors import BadBundle
from car.export.header import comment

_INDENT = " " * 4
_PARTS = ("check", "identify", "progress")


@dataclass(frozen=True)
class Function:
    """A function that defines a program and returns it.

    Args:
        name: what it is called.
        text: its source.
        future: what must be imported from `__future__` at the top of the file.
    """

    name: str
    text: str
    future: tuple[str, ...]


def function_of(number: int, checker: Checker) -> Function:
    """The program as a function.

    Its lines are those of the source, indented, but for lines within a text of several lines, which indenting would
    change. Differences between a module and a function are evened out: a built-in name that the program gives to
    something of its own can be read before that; ``__name__`` is not that of the file; an import from `__future__`
    moves to the top of the file, and a comment stays.

    Args:
        number: which program it is, from 1.
        checker: the program and its sub-task.

    Raises:
        BadBundle: the program would mean something else in a function.
    """
    subtask, source = checker.subtask, checker.source
    tree = ast.parse(source)
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    name = f"program_{number}_{subtask.name.replace('-', '_')}"
    before = list(_before(source))
    body = _indented(source, {line for node in future for line in range(node.lineno, _end(node) + 1)})
    defined = _defined(source, tree, subtask.name)
    parts = ", ".join(f"{part}={part}" for part in _PARTS if part in defined)
    lines = [
        comment(f"{subtask.name}: {subtask.description}"),
        f"def {name}():",
        *(_INDENT + line for line in before),
        body.rstrip("\n"),
        "",
        f"{_INDENT}return Program({subtask.name!r}, {subtask.after!r}, {parts})",
    ]
    text = "\n".join(lines)
    _check_same(text, tree, len(before), subtask.name)
    _check_classes(source, subtask.name)
    return Function(name, text, tuple(alias.name for node in future for alias in node.names))


def _defined(source: str, tree: ast.Module, name: str) -> set[str]:
    """The names of a program's parts that it defines, each by one `def` at its top level.

    Raises:
        BadBundle: one comes about in another way, so that whether it is there is known only when the program runs.
    """
    bound = {each.get_name() for each in symtable.symtable(source, "checker", "exec").get_symbols() if each.is_local()}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    others = [node for node in tree.body if node not in functions]
    elsewhere = {each for node in others for each in _bound_in(node)}
    for part in sorted(bound & set(_PARTS)):
        if part in elsewhere or sum(node.name == part for node in functions) != 1:
            raise BadBundle(f"The program of {name!r} cannot be exported: {part!r} must come from one `def` alone.")
    return bound & set(_PARTS)


def _bound_in(node: ast.stmt) -> set[str]:
    """The names that a statement at the top level binds or deletes there."""
    top = symtable.symtable(ast.unparse(node), "checker", "exec")
    return {each.get_name() for each in top.get_symbols() if each.is_local()}


def _before(source: str) -> Iterator[str]:
    """What must stand before the source for it to mean what it means in a module."""
    top = symtable.symtable(source, "checker", "exec")
    own = {each.get_name() for each in top.get_symbols() if each.is_local()}
    if "__name__" in {each.get_name() for each in top.get_symbols()}:
        yield '__name__ = "checker"'
    if shadowed := sorted(own & set(dir(builtins)) - {"__name__"}):
        yield f"from builtins import {', '.join(shadowed)}"


def _indented(source: str, commented: set[int]) -> str:
    kept = set(_within_texts(source))
    lines = []
    for number, line in enumerate(source.split("\n"), 1):
        if number in commented:
            lines.append(f"{_INDENT}# {line}  (at the top of this file)")
        else:
            lines.append(line if number in kept or not line.strip() else _INDENT + line)
    return "\n".join(lines)


def _within_texts(source: str) -> Iterator[int]:
    """The numbers of the lines that begin inside a string."""
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "STRING":
            yield from range(token.start[0] + 1, token.end[0] + 1)
        elif kind == "FSTRING_START":
            opened.append(token.start[0])
        elif kind == "FSTRING_END":
            yield from range(opened.pop() + 1, token.end[0] + 1)


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _check_same(text: str, tree: ast.Module, before: int, name: str) -> None:
    """Refuses a program that does not have the same statements in the function."""
    wanted = [each for each in tree.body if not (isinstance(each, ast.ImportFrom) and each.module == "__future__")]
    try:
        statements = ast.parse(text).body
    except SyntaxError as error:
        raise BadBundle(f"The program of {name!r} cannot stand in a function: {error.msg}.") from error
    got = [ast.dump(each) for function in statements for each in getattr(function, "body", [])[before:-1]]
    if len(statements) != 1 or got != [ast.dump(each) for each in wanted]:
        raise BadBundle(f"The program of {name!r} cannot be indented without changing it; write its imports apart.")


def _check_classes(source: str, name: str) -> None:
    """Refuses a class that sets and reads a name that the top level has too.

    In a module such a class reads the module's; in a function it does not find the function's.
    """
    top = symtable.symtable(source, "checker", "exec")
    own = {each.get_name() for each in top.get_symbols() if each.is_local()}
    for table in _tables(top):
        for each in table.get_symbols() if table.get_type() == "class" else ():
            if each.get_name() in own and each.is_local() and each.is_referenced():
                raise BadBundle(
                    f"The program of {name!r} cannot be exported: its class {table.get_name()!r} has a "
                    f"{each.get_name()!r} of its own and reads the one outside, which a class in a function cannot."
                )


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for each in table.get_children():
        yield each
        yield from _tables(each)
