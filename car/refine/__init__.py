"""Ask, screen, verify, feed back, within a Budget.

`generate` drives the whole; what happens on the way is told to a listener as events.
"""

from car.refine.decomposition import Decomposition, decomposition_in
from car.refine.events import Accepted, Asked, Event, GaveUp, Judged, Named, Rejected, Replied
from car.refine.generate import Attempt, Budget, Draft, generate

__all__ = [
    "Accepted",
    "Asked",
    "Attempt",
    "Budget",
    "Decomposition",
    "Draft",
    "Event",
    "GaveUp",
    "Judged",
    "Named",
    "Rejected",
    "Replied",
    "decomposition_in",
    "generate",
]
