"""The adversary: agents that are trained on nothing but a bundle's reward, and the episodes that speak against it.

`audit` does it all. What it found is in its folder, and becomes `counter_examples` for refinement.
"""

from car.audit.examples import counter_examples
from car.audit.findings import Findings, Judgement
from car.audit.folder import AuditFolder
from car.audit.page import audit_page
from car.audit.played import Played, Tally
from car.audit.run import Told, asked_of, audit
from car.audit.settings import Effort

__all__ = [
    "AuditFolder",
    "Effort",
    "Findings",
    "Judgement",
    "Played",
    "Tally",
    "Told",
    "asked_of",
    "audit",
    "audit_page",
    "counter_examples",
]
