"""The static screen: a lint for generated programs, with messages that help to write them right.

It is not the wall. Filters of this kind have been escaped again and again; a program that passes may still be hostile,
and runs in a sandbox. What the screen does is to say early, in words that a VLM can act on, what would fail or would
be against the contract: files, chance, the clock, state, names that the libraries do not have.

What may be used is on allow-lists (`offered`); everything else is refused.
"""

import ast

from car.screen.layout import FUNCTIONS, layout, without_main
from car.screen.libraries import imports_of, rebindings
from car.screen.names import names
from car.screen.offered import ALLOWED_MODULES, ALLOWED_SUBMODULES
from car.screen.problem import Problem
from car.screen.program import Nodes
from car.screen.values import Attributes

__all__ = ["ALLOWED_MODULES", "ALLOWED_SUBMODULES", "FUNCTIONS", "LONGEST", "Problem", "screen"]

LONGEST = 20_000
"""The largest program, in characters."""


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
    tree.body = without_main(tree.body)
    nodes = Nodes(tree)
    imports = imports_of(nodes)
    problems = [
        *layout(tree),
        *imports.problems,
        *names(tree, nodes),
        *rebindings(nodes, imports),
        *Attributes(nodes, imports).problems(),
    ]
    return tuple(dict.fromkeys(sorted(problems, key=lambda each: each.line or 0)))
