"""A verdict that tests put into bundles of their own."""

from car.verify import ChainEvidence, Decision, Verdict

ACCEPTED = Verdict(
    Decision.ACCEPTED, "none", 0.95, (), ChainEvidence(1, 1, 0, 1, 0, (0.0, 1.0), (0.0, 1.0)), (), (), (), 2, 2
)
