"""Which attributes a program may use: those of the libraries, of values, and those that it defines itself."""

import ast
from collections import Counter
from collections.abc import Iterator

from car.screen.formats import complaint_of_format
from car.screen.libraries import Imports, complaint_of_missing_import, complaint_of_module, complaint_of_path
from car.screen.offered import ATTRIBUTES, ONLY_NAMED, UNDERSCORED
from car.screen.problem import Problem
from car.screen.program import Nodes, bindings, chain_of, defined_attributes
from car.screen.reasons import did_you_mean, instead_of_attribute

_NEVER = frozenset(
    "ag_await ag_code ag_frame cr_await cr_code cr_frame cr_origin ctypes dump dumps f_back f_builtins f_code "
    "f_globals f_lasti f_locals f_trace format_map gi_code gi_frame gi_yieldfrom mro setflags tb_frame tb_next tofile "
    "with_traceback".split()
)
"""Attributes that a program does not get by defining one of the same name."""


class Attributes:
    """Judges the attributes of one program.

    Args:
        nodes: the nodes of its syntax tree.
        imports: what it imports.
    """

    def __init__(self, nodes: Nodes, imports: Imports) -> None:
        self._nodes = nodes
        self._imports = imports
        self._own = defined_attributes(nodes)
        times = Counter(name for name, _ in bindings(nodes))
        self._bound = times.keys() | imports.all
        self._texts = {name: text for name, text in _texts(nodes) if times[name] == 1}
        stored = {node.id for node in nodes.of(ast.Name) if isinstance(node.ctx, ast.Store)}
        self._functions = {node.name for node in nodes.of(ast.FunctionDef)} - stored
        self._done: set[int] = set()

    def problems(self) -> Iterator[Problem]:
        """Every attribute, and every module used as a value, that is refused."""
        for comparison in self._nodes.of(ast.Compare):
            if isinstance(comparison.ops[0], ast.Is | ast.IsNot):
                self._let_ask(comparison.left)
        for call in self._nodes.of(ast.Call):
            yield from self._call(call)
        for pattern in self._nodes.of(ast.MatchClass):
            yield from self._pattern(pattern)
        for attribute in self._nodes.of(ast.Attribute):
            if id(attribute) not in self._done:
                yield from self._chain(attribute)
        for name in self._nodes.of(ast.Name):
            module = self._imports.modules.get(name.id)
            if module and isinstance(name.ctx, ast.Load) and id(name) not in self._done:
                yield Problem(name.lineno, complaint_of_module(module))

    def _chain(self, node: ast.Attribute) -> Iterator[Problem]:
        root, attributes = chain_of(node)
        self._done.update(map(id, attributes))
        of_library = 0
        if isinstance(root, ast.Name):
            if root.id in self._imports.refused:
                return
            complaint, of_library = self._judge_root(root, attributes)
            if complaint is None and of_library and not isinstance(node.ctx, ast.Load):
                complaint = "The libraries may not be changed."
            if complaint:
                yield Problem(node.lineno, complaint)
                return
        for each in attributes[of_library:]:
            yield from self._of_value(each)

    def _judge_root(self, root: ast.Name, attributes: list[ast.Attribute]) -> tuple[str | None, int]:
        """What is wrong with the part of a chain that belongs to a library, and how long that part is."""
        if root.id in self._imports.modules:
            self._done.add(id(root))
            return complaint_of_path(self._imports.modules[root.id], [each.attr for each in attributes])
        return (None if root.id in self._bound else complaint_of_missing_import(root.id)), 0

    def _of_value(self, node: ast.Attribute) -> Iterator[Problem]:
        if node.attr.startswith("_"):
            complaint = None if self._may_be_private(node) else self._complaint(node.attr)
        elif node.attr == "format" and (text := self._text(node.value)) is not None:
            complaint = complaint_of_format(text)
        else:
            complaint = self._complaint_of_store(node) or self._complaint(node.attr)
        if complaint:
            yield Problem(node.lineno, complaint)

    def _complaint_of_store(self, node: ast.Attribute) -> str | None:
        """Why nothing may be stored under an attribute, even if that may be read; None if it may."""
        if not isinstance(node.ctx, ast.Store):
            return None
        if node.attr == "writeable":
            return "A frame may not be made writeable; copy the array and work on the copy."
        if isinstance(node.value, ast.Name) and node.value.id in self._functions:
            return f"`{node.value.id}.{node.attr}` keeps state; a checker must keep nothing between calls."
        return None

    def _text(self, node: ast.expr) -> str | None:
        """The text that an expression is written out as, or that its name stands for everywhere."""
        if isinstance(node, ast.Name):
            return self._texts.get(node.id)
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    def _complaint(self, name: str) -> str | None:
        """Why the attribute of a value is refused; None if it is not."""
        start = f"The attribute `{name}` may not be used"
        if name.startswith("_"):
            more = "; use `isinstance`" if name == "__class__" else ""
            return f"{start}: names with a leading underscore are out{more}."
        if name in self._own - _NEVER:
            return None
        if reason := instead_of_attribute(name):
            return f"{start}; {reason}."
        if name in ATTRIBUTES:
            return None
        return f"{start}: it is not among what a checker needs.{did_you_mean(name, ATTRIBUTES | self._own)}"

    def _may_be_private(self, node: ast.Attribute) -> bool:
        name, value = node.attr, node.value
        if name.startswith("__") and name.endswith("__"):
            after_super = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "super"
            loaded = isinstance(node.ctx, ast.Load)
            return loaded and (name == "__name__" or (after_super and name in ("__init__", "__post_init__")))
        if name in UNDERSCORED or name in self._own:
            return True
        return isinstance(value, ast.Name) and value.id == "self" and not name.startswith("__")

    def _call(self, node: ast.Call) -> Iterator[Problem]:
        whole = self._whole(node.func)
        if whole in ONLY_NAMED:
            yield Problem(
                node.lineno,
                f"`{whole}` may be named, as in annotations, but not called: its values are not set; "
                "use `numpy.zeros` or `numpy.array`.",
            )
        elif isinstance(node.func, ast.Attribute) and whole == "numpy.empty" and node.args and _is_zero(node.args[0]):
            self._done.update((id(node.func), id(node.func.value)))
        elif isinstance(node.func, ast.Name) and node.func.id == "hasattr" and node.args:
            self._let_ask(node.args[0])

    def _whole(self, func: ast.expr) -> str | None:
        """The full name of what is called, as in ``numpy.zeros``; None if it is not of a library."""
        if isinstance(func, ast.Name):
            return self._imports.members.get(func.id)
        if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name):
            return None
        module = self._imports.modules.get(func.value.id)
        return f"{module}.{func.attr}" if module else None

    def _let_ask(self, module: ast.expr) -> None:
        """Let a program ask what is there, as in ``cv2 is None`` and ``hasattr(cv2, "ximgproc")``."""
        if isinstance(module, ast.Name):
            self._done.add(id(module))

    def _pattern(self, node: ast.MatchClass) -> Iterator[Problem]:
        for name in node.kwd_attrs:
            if complaint := self._complaint(name):
                yield Problem(node.lineno, complaint)


def _is_zero(shape: ast.expr) -> bool:
    """Whether an array of this shape has no values, as in ``(0, 2)``."""
    sides = shape.elts if isinstance(shape, ast.Tuple | ast.List) else [shape]
    return any(isinstance(side, ast.Constant) and side.value == 0 for side in sides)


def _texts(nodes: Nodes) -> Iterator[tuple[str, str]]:
    """The names that are given to texts that are written out."""
    for node in nodes.of(ast.Assign):
        text = node.value.value if isinstance(node.value, ast.Constant) else None
        if isinstance(text, str):
            yield from ((target.id, text) for target in node.targets if isinstance(target, ast.Name))
