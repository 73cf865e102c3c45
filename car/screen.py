"""The static screen: a lint for generated programs, with messages that help to write them right.

It is not the wall. Programs that pass may still be hostile; they run in a sandbox.
"""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

ALLOWED_MODULES = (
    "bisect",
    "collections",
    "cv2",
    "dataclasses",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "math",
    "numpy",
    "operator",
    "re",
    "statistics",
    "typing",
)
"""What a checker may import; the prompts show this list, and the sandbox's workers load it."""

ALLOWED_SUBMODULES = ("collections.abc", "numpy.fft", "numpy.lib.stride_tricks", "numpy.linalg", "numpy.typing")

_ON_THE_WAY = "numpy.lib"
"""A module that only leads to one that is allowed."""

FUNCTIONS = {"check": 2, "identify": 1, "progress": 2, "explain": 2}
"""The functions of a checker and how many arguments each takes; only `check` is required."""

LONGEST = 20_000
"""The largest program, in characters."""

_BUILTINS = frozenset(
    "breakpoint compile delattr dir eval exec exit getattr globals help input locals memoryview open quit setattr "
    "vars".split()
)
_FREE_NAMES = frozenset("dir exit help input open quit vars".split())
"""Built-in functions whose names a program may give to something of its own."""

_FREE_ATTRIBUTES = frozenset({"_asdict", "_replace"})
_METHODS = frozenset(
    "tofile dump dumps setflags base ctypes gi_frame gi_code cr_frame ag_frame f_back f_globals f_locals f_builtins "
    "tb_frame tb_next mro".split()
)
_NUMPY_IO = frozenset(
    "DataSource fromfile genfromtxt load loadtxt memmap save savetxt savez savez_compressed seterr seterrcall "
    "set_printoptions show_config show_runtime info".split()
)
_CV2_IO = frozenset(
    "FileStorage FileNode VideoCapture VideoWriter imread imreadmulti imwrite imwritemulti imshow namedWindow waitKey "
    "destroyAllWindows destroyWindow selectROI selectROIs setNumThreads setUseOptimized setLogLevel "
    "haveImageReader haveImageWriter imcount imreadanimation imwriteanimation redirectError CascadeClassifier".split()
)
# These reach attributes by a name in a text, or evaluate the text of an annotation.
_BY_NAME = {
    "functools": frozenset({"singledispatch", "singledispatchmethod", "update_wrapper", "wraps"}),
    "operator": frozenset({"attrgetter", "methodcaller"}),
    "typing": frozenset({"ForwardRef", "evaluate_forward_ref", "get_type_hints"}),
}
_OUT_OF_REACH = {
    "numpy": _NUMPY_IO,
    "cv2": _CV2_IO,
    "numpy.lib.stride_tricks": frozenset({"as_strided"}),
    **_BY_NAME,
}
_SCOPES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ClassDef,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
_TOP_LEVEL = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.For,
    ast.If,
    ast.Try,
)


@dataclass(frozen=True)
class Problem:
    """One thing that the screen refuses.

    Args:
        line: the line of the source, from 1; None if it is about the whole.
        message: what is wrong and what to do instead.
    """

    line: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"


def screen(source: str) -> tuple[Problem, ...]:
    """Everything that the screen refuses in a program; empty if it may run (in a sandbox)."""
    if len(source) > LONGEST:
        return (Problem(None, f"The program has {len(source)} characters; at most {LONGEST} are allowed."),)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        detail = error.msg if isinstance(error, SyntaxError) else str(error)
        return (Problem(line, f"This is not valid Python: {detail}."),)
    tree.body = [node for node in tree.body if not _is_main(node)]
    names: dict[str, str] = {}
    problems = [*_top_level(tree), *_functions(tree), *_imports(tree, names), *_names(tree), *_attributes(tree, names)]
    return tuple(dict.fromkeys(sorted(problems, key=lambda each: each.line or 0)))


def _is_main(node: ast.stmt) -> bool:
    """Whether it is a block for a program that is run by itself, which no checker is."""
    return isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) == "__name__ == '__main__'"


def _top_level(tree: ast.Module) -> Iterator[Problem]:
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, _TOP_LEVEL) and not is_docstring:
            yield Problem(
                node.lineno,
                "At the top level only imports, constants, functions, classes, `for`, `if` and `try` are allowed.",
            )


def _functions(tree: ast.Module) -> Iterator[Problem]:
    defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if "check" not in defined:
        yield Problem(None, "The program must define `def check(found, current)` at the top level.")
    for name, count in FUNCTIONS.items():
        if name not in defined:
            continue
        spec = defined[name].args
        plain = len(spec.posonlyargs) + len(spec.args) == count and not spec.defaults
        if not plain or spec.vararg or spec.kwarg or spec.kwonlyargs:
            wanted = {1: "initial", 2: "found, current"}[count]
            yield Problem(defined[name].lineno, f"`{name}` must take exactly ({wanted}), without defaults.")


def _imports(tree: ast.Module, names: dict[str, str]) -> Iterator[Problem]:
    """Refused imports; fills `names` with what each imported module is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if not _may_import(alias.name):
                    yield _import_problem(node.lineno, alias.name)
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            yield from _from_imports(node, names)


def _from_imports(node: ast.ImportFrom, names: dict[str, str]) -> Iterator[Problem]:
    module = node.module or "."
    if not node.level and module == "__future__":
        return
    for alias in node.names:
        whole = f"{module}.{alias.name}"
        if not node.level and whole in ALLOWED_SUBMODULES:
            names[alias.asname or alias.name] = whole
        elif node.level or not _may_import(module):
            yield _import_problem(node.lineno, module)
        elif whole == _ON_THE_WAY:
            yield Problem(node.lineno, f"The module `{whole}` may not be used.")
        elif complaint := _complaint(module, alias.name):
            yield Problem(node.lineno, complaint)


def _may_import(module: str) -> bool:
    return module in ALLOWED_MODULES or module in ALLOWED_SUBMODULES


def _import_problem(line: int, module: str) -> Problem:
    return Problem(line, f"`{module}` may not be imported. Allowed are: {', '.join(ALLOWED_MODULES)}.")


def _names(tree: ast.Module) -> Iterator[Problem]:
    for node, own in _in_scope(tree):
        if isinstance(node, ast.Name) and _is_refused(node, own):
            yield Problem(node.lineno, f"`{node.id}` may not be used; work on the arrays with numpy and cv2 only.")
        elif "__name__" in (getattr(node, "name", None), getattr(node, "asname", None)):
            # What is under `if __name__ == "__main__"` is not looked at, so the name must stay what it is.
            yield Problem(getattr(node, "lineno", None), "`__name__` may not be used.")
        elif isinstance(node, ast.Global):
            yield Problem(node.lineno, "`global` keeps state; a checker must keep nothing between calls.")
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield Problem(node.lineno, "`async` code may not be used.")
        elif isinstance(node, ast.MatchClass):
            yield Problem(node.lineno, "Class patterns in `match` may not be used.")


def _is_refused(name: ast.Name, own: frozenset[str]) -> bool:
    if name.id in _FREE_NAMES:
        return isinstance(name.ctx, ast.Del) or (isinstance(name.ctx, ast.Load) and name.id not in own)
    return name.id in _BUILTINS or name.id.startswith("__")


def _in_scope(tree: ast.Module) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """Every node, with the names that the program binds where it stands; without recursion, for deep programs."""
    # What stands under a condition at the top level may never be bound, and the built-in function is meant.
    sure = [node for node in tree.body if not isinstance(node, ast.If | ast.Try)]
    waiting: list[tuple[ast.AST, frozenset[str]]] = [(tree, _bound(sure))]
    while waiting:
        node, own = waiting.pop()
        yield node, own
        if isinstance(node, _SCOPES) and not isinstance(node, ast.ClassDef):
            own |= _bound(list(ast.iter_child_nodes(node)))
        waiting += [(child, own) for child in ast.iter_child_nodes(node)]


def _bound(nodes: list[ast.AST] | list[ast.stmt]) -> frozenset[str]:
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
        if not isinstance(node, _SCOPES):
            waiting += ast.iter_child_nodes(node)
    return frozenset(found)


def _is_private(node: ast.Attribute, names: dict[str, str]) -> bool:
    if not node.attr.startswith("_") or node.attr in _FREE_ATTRIBUTES:
        return False
    of_self = isinstance(node.value, ast.Name) and node.value.id == "self" and "self" not in names
    return not of_self or node.attr.startswith("__")


def _attributes(tree: ast.Module, names: dict[str, str]) -> Iterator[Problem]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        if _is_private(node, names):
            yield Problem(
                node.lineno, f"The attribute `{node.attr}` may not be used: names with a leading underscore are out."
            )
        elif node.attr in _METHODS:
            yield Problem(
                node.lineno, f"The attribute `{node.attr}` may not be used; copy the array and work on the copy."
            )
        elif not isinstance(node.ctx, ast.Load) and _chain(node, names):
            yield Problem(node.lineno, "The libraries may not be changed.")
        elif (chain := _chain(node, names)) and (complaint := _complaint(*chain)):
            yield Problem(node.lineno, complaint)


def _chain(node: ast.Attribute, names: dict[str, str]) -> tuple[str, str] | None:
    """The imported module and the dotted path of ``module.a.b``; None if it does not start at a module."""
    parts = [node.attr]
    value: ast.expr = node.value
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    if not isinstance(value, ast.Name) or value.id not in names or not _may_import(names[value.id]):
        return None
    return names[value.id], ".".join(reversed(parts))


def _complaint(module: str, path: str) -> str | None:
    """Why ``module.path`` is refused; None if it is not."""
    thing: Any = importlib.import_module(module)
    where = module
    for part in path.split("."):
        if part == "*":
            return f"`from {module} import *` may not be used; name what you need."
        if part.startswith("_") or part in _OUT_OF_REACH.get(where, ()):
            return f"`{where}.{part}` may not be used: a checker reads its two arguments and nothing else."
        if not hasattr(thing, part):
            return f"`{where}` has no attribute `{part}`."
        thing, where = getattr(thing, part), f"{where}.{part}"
        if isinstance(thing, ModuleType) and not _is_offered(where, thing):
            return f"The module `{where}` may not be used."
    return None


def _is_offered(where: str, thing: ModuleType) -> bool:
    inside_cv2 = where.startswith("cv2.") and where.removeprefix("cv2.") in ("ximgproc", "fisheye", "segmentation")
    return where in ALLOWED_SUBMODULES or where == _ON_THE_WAY or inside_cv2
