"""Ask, screen, verify, feed back, within a Budget.

`generate` drives the whole; what happens on the way is told to a listener as events.
"""

from car.refine.answer import misformed
from car.refine.budget import Budget
from car.refine.continuing import shortcuts
from car.refine.counterexample import CounterExample, CounterExamples, Flaw
from car.refine.decomposition import Decomposition, decomposition_in
from car.refine.draft import Attempt, Draft
from car.refine.events import (
    Accepted,
    Asked,
    Event,
    Faster,
    GaveUp,
    Judged,
    Leaving,
    Named,
    Rejected,
    Replied,
    Unanswered,
    Waiting,
    Weak,
)
from car.refine.forecast import Course, Forecast, forecast
from car.refine.generate import generate, scene_of
from car.refine.repeating import one_action

__all__ = [
    "Accepted",
    "Asked",
    "Attempt",
    "Budget",
    "CounterExample",
    "CounterExamples",
    "Course",
    "Decomposition",
    "Draft",
    "Event",
    "Faster",
    "Flaw",
    "Forecast",
    "GaveUp",
    "Judged",
    "Leaving",
    "Named",
    "Rejected",
    "Replied",
    "Unanswered",
    "Waiting",
    "Weak",
    "decomposition_in",
    "forecast",
    "generate",
    "misformed",
    "one_action",
    "scene_of",
    "shortcuts",
]
