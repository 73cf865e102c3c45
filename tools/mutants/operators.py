"""How a checker is changed: each operator looks at one node of the syntax tree and offers changes there."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

CHANNELS = (0, 1, 2)
FULL = 255


@dataclass(frozen=True)
class Change:
    """One change of a syntax tree.

    Args:
        owner: the node that is changed.
        field: which of its fields.
        index: which element of that field; None if it is no list.
        new: what comes there; None removes the element.
    """

    owner: ast.AST
    field: str
    index: int | None
    new: ast.AST | None

    def swap(self) -> "Change":
        """Makes the change, and returns the change that takes it back."""
        if self.index is None:
            old = getattr(self.owner, self.field)
            setattr(self.owner, self.field, self.new)
            return Change(self.owner, self.field, None, old)
        elements = getattr(self.owner, self.field)
        old = elements[self.index]
        # A body may not be empty, and the other elements keep their places.
        elements[self.index] = ast.Pass() if self.new is None else self.new
        return Change(self.owner, self.field, self.index, old)


Operator = Callable[[ast.AST], Iterator[Change]]


def _slots(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield field, None, value
        elif isinstance(value, list):
            for index, each in enumerate(value):
                if isinstance(each, ast.AST):
                    yield field, index, each


def _number(node: ast.AST, kinds: tuple[type, ...] = (int, float)) -> Any:
    """The number that a node is, or None; True and False are no numbers."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if type(value) in kinds else None


def _constant(value: Any) -> ast.expr:
    """As the parser would make it: a negative number is the minus of a positive one."""
    if not isinstance(value, bool) and isinstance(value, int | float) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def channel(node: ast.AST) -> Iterator[Change]:
    """Another colour channel: the last of several indices behind ``...`` or ``:``."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
        return
    *before, last = node.slice.elts
    value = _number(last, (int,))
    wide = before and all(isinstance(each, ast.Slice) or _is_ellipsis(each) for each in before)
    if wide and value in CHANNELS:
        for other in CHANNELS:
            if other != value:
                yield Change(node.slice, "elts", len(before), ast.Constant(other))


def _is_ellipsis(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def axis(node: ast.AST) -> Iterator[Change]:
    """Another axis, or one axis fewer."""
    if not isinstance(node, ast.keyword) or node.arg != "axis":
        return
    given = ast.literal_eval(node.value) if _is_literal(node.value) else None
    if isinstance(given, tuple):
        places = range(len(given))
        others: list[Any] = [given[:at] + given[at + 1 :] for at in places]
        others += [(*given[:at], other, *given[at + 1 :]) for at in places for other in range(4) if other not in given]
    else:
        others = [each for each in (0, 1, 2, -1) if each != given] if isinstance(given, int) else []
    for other in others:
        yield Change(node, "value", None, ast.parse(repr(other), mode="eval").body)


def _is_literal(node: ast.AST) -> bool:
    plain = ast.Constant | ast.Tuple | ast.UnaryOp | ast.USub | ast.Load
    return all(isinstance(each, plain) for each in ast.walk(node))


def colour_bound(node: ast.AST) -> Iterator[Change]:
    """A bound or a colour that is 16 or 64 off, within 0 to 255."""
    for owner, field, index, value in _colours(node):
        for step in (16, -16, 64, -64):
            if 0 <= value + step <= FULL:
                yield Change(owner, field, index, ast.Constant(value + step))


def _colours(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, int]]:
    """Numbers from 0 to 255 that are compared with, and those in lists of three."""
    if isinstance(node, ast.Compare):
        sums = [each for each in (node.left, *node.comparators) if isinstance(each, ast.BinOp)]
        owners: list[ast.AST] = [node, *sums]
    elif isinstance(node, ast.List | ast.Tuple) and len(node.elts) == 3 and isinstance(node.ctx, ast.Load):
        owners = [node] if all(_number(each) is not None for each in node.elts) else []
    else:
        owners = []
    for owner in owners:
        for field, index, each in _slots(owner):
            value = _number(each, (int,))
            if value is not None and value <= FULL:
                yield owner, field, index, value


def number(node: ast.AST) -> Iterator[Change]:
    """One more, one less, twice, half, nothing, negative."""
    for field, index, each in _slots(node):
        value = _number(each)
        if value is None or (isinstance(node, ast.keyword) and node.arg == "axis"):
            continue
        half = value // 2 if isinstance(value, int) else value / 2
        steps = [value + 1, value - 1] if isinstance(value, int) or abs(value) >= 2 else []
        for other in dict.fromkeys([*steps, 2 * value, half, type(value)(0), -value]):
            if other != value:
                yield Change(node, field, index, _constant(other))


def flag(node: ast.AST) -> Iterator[Change]:
    """True for False, and the other way round; what is returned is left to another operator."""
    for field, index, each in _slots(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, bool) and not isinstance(node, ast.Return):
            yield Change(node, field, index, ast.Constant(not each.value))


_ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_OPPOSITE = {ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}


def comparison(node: ast.AST) -> Iterator[Change]:
    """Every other comparison."""
    if not isinstance(node, ast.Compare):
        return
    for index, given in enumerate(node.ops):
        opposite = _OPPOSITE.get(type(given))
        others = (opposite,) if opposite else [each for each in _ORDERED if each is not type(given)]
        for other in others:
            yield Change(node, "ops", index, other())


_OTHER_SUMS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.FloorDiv, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult, ast.Mod),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
}


def arithmetic(node: ast.AST) -> Iterator[Change]:
    """Plus for minus, times for divided, and so on; and a minus sign that is left out."""
    if isinstance(node, ast.BinOp | ast.AugAssign):
        for other in _OTHER_SUMS.get(type(node.op), ()):
            yield Change(node, "op", None, other())
    for field, index, each in _slots(node):
        if isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.USub) and not isinstance(node, ast.keyword):
            yield Change(node, field, index, each.operand)


_OTHER_LOGIC: dict[type, type] = {ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}


def and_or(node: ast.AST) -> Iterator[Change]:
    """And for or, ``&`` for ``|``, and the other way round."""
    if isinstance(node, ast.BoolOp | ast.BinOp | ast.AugAssign) and type(node.op) in _OTHER_LOGIC:
        yield Change(node, "op", None, _OTHER_LOGIC[type(node.op)]())


def dropped_operand(node: ast.AST) -> Iterator[Change]:
    """One of several conditions is left out."""
    for field, index, each in _slots(node):
        if isinstance(each, ast.BoolOp):
            for cut in range(len(each.values)):
                kept = each.values[:cut] + each.values[cut + 1 :]
                yield Change(node, field, index, kept[0] if len(kept) == 1 else ast.BoolOp(each.op, kept))
        elif isinstance(each, ast.BinOp) and type(each.op) in _OTHER_LOGIC:
            yield Change(node, field, index, each.left)
            yield Change(node, field, index, each.right)


def negation(node: ast.AST) -> Iterator[Change]:
    """``not`` and ``~`` left out; conditions, and conditions that are returned, the other way round."""
    for field, index, each in _slots(node):
        if isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.Not | ast.Invert):
            yield Change(node, field, index, each.operand)
        elif _is_condition(node, field) or (isinstance(node, ast.Return) and _is_truth(each)):
            yield Change(node, field, index, ast.UnaryOp(ast.Not(), each))  # type: ignore[arg-type]


def _is_condition(node: ast.AST, field: str) -> bool:
    return (isinstance(node, ast.If | ast.IfExp | ast.While) and field == "test") or (
        isinstance(node, ast.comprehension) and field == "ifs"
    )


def _is_truth(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("bool", "any", "all")
    return isinstance(node, ast.Compare | ast.BoolOp)


def returned_constant(node: ast.AST) -> Iterator[Change]:
    """`check`, or what answers yes or no, always says one thing; `identify` returns what it got, or nothing."""
    if not isinstance(node, ast.FunctionDef):
        return
    for each in ast.walk(node):
        if not isinstance(each, ast.Return) or each.value is None:
            continue
        if node.name == "identify":
            yield Change(each, "value", None, ast.Name(node.args.args[0].arg, ast.Load()))
            yield Change(each, "value", None, ast.Constant(None))
        elif node.name == "check" or _is_truth(each.value) or _is_flag(each.value):
            yield Change(each, "value", None, ast.Constant(True))
            yield Change(each, "value", None, ast.Constant(False))


def _is_flag(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


_DROPPED = (ast.If, ast.For, ast.While, ast.Continue, ast.Break, ast.AugAssign, ast.Delete)


def dropped_statement(node: ast.AST) -> Iterator[Change]:
    """A statement is left out; not the only assignment to a name, which would crash and be found at once."""
    if not isinstance(node, ast.FunctionDef):
        return
    bound = [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    for owner in ast.walk(node):
        for field, index, each in _slots(owner):
            if index is not None and isinstance(each, ast.stmt) and _can_go(each, bound):
                yield Change(owner, field, index, None)


def _can_go(statement: ast.stmt, bound: list[str]) -> bool:
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = [each for each in ast.walk(statement) if isinstance(each, ast.Name)]
        stored = [each.id for each in targets if isinstance(each.ctx, ast.Store)]
        return all(bound.count(name) > stored.count(name) for name in stored)
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    return isinstance(statement, _DROPPED)


OPERATORS: dict[str, Operator] = {
    "channel": channel,
    "axis": axis,
    "colour bound": colour_bound,
    "number": number,
    "flag": flag,
    "comparison": comparison,
    "arithmetic": arithmetic,
    "and/or": and_or,
    "dropped operand": dropped_operand,
    "negation": negation,
    "returned constant": returned_constant,
    "dropped statement": dropped_statement,
}
"""In this order: of two that make the same program, the first gets it."""
