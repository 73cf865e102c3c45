"""What a chain of checkers must reach, and when the data are too few to say."""

from dataclasses import dataclass

from car.errors import UserError
from car.verify.interval import INTERVAL, clopper_pearson, more_until

NEARLY_ALL = 0.90
"""No number of experts proves that all succeed; with a confidence, this share must be proved in its place."""


@dataclass(frozen=True)
class Bar:
    """What a chain of checkers must reach.

    Args:
        expert_share: at least this share of the experts completes the whole chain, in order.
        random_share: fewer than this share of the random trajectories does; one in which the environment itself reports
            success is not held against the checkers.
        confidence: None applies the rule of the paper to the shares that were counted, as long as there are `experts`
            and `randoms` of them; with a confidence, the whole Clopper-Pearson interval must be on the right side.
        experts: so many are needed where the counted share decides.
        randoms: so many are needed where the counted share decides, or fewer if the interval is clear already.
        early_share: at most this share of the random trajectories completes a sub-task that needs no other before it
            as soon as half of the experts have; more means that acting at random is as good as knowing how.
        soon_share: at most this share does so within five steps more.
        later_share: the same as `early_share` for one that needs others before it, counted from the moment at which it
            became possible. It forgives much more: a right sub-task may be a step or two away from the one before it,
            so that many random agents stumble into it.
        false_share: a goal without success is held against its program once it is sure (at the lower end of the
            interval) that more random episodes than this share have one. Some things cannot be told from frames: a box
            that an agent has opened is gone, like one that it has taken.
        frame_us: what a frame of up to 128 x 128 pixels may take, in microseconds; a program that takes longer is
            right all the same, and a faster one is asked for.

    Raises:
        UserError: a share, a confidence or a time out of its range.
    """

    expert_share: float = 1.0
    random_share: float = 0.10
    confidence: float | None = None
    experts: int = 10
    randoms: int = 100
    early_share: float = 0.25
    soon_share: float = 0.50
    later_share: float = 0.80
    false_share: float = 0.01
    frame_us: float = 500.0

    def __post_init__(self) -> None:
        for name in ("expert_share", "random_share", "early_share", "soon_share", "later_share", "false_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise UserError(f"{name} is {getattr(self, name)}; a share is a number from 0 to 1.")
        if self.random_share == 0.0:
            raise UserError("The share of random agents is 0; no count is below that. Take a small one, e.g. 0.01.")
        if self.confidence is not None and not 0.0 < self.confidence < 1.0:
            raise UserError(f"The confidence is {self.confidence}; it must be above 0 and below 1, e.g. 0.95.")

        if self.frame_us <= 0:
            raise UserError(f"The limit for a frame is {self.frame_us} microseconds; it must be positive.")

    @property
    def shown_confidence(self) -> float:
        """The confidence of the intervals that are shown."""
        return INTERVAL if self.confidence is None else self.confidence

    def interval(self, hits: int, total: int) -> tuple[float, float]:
        """The Clopper-Pearson interval for a share."""
        return clopper_pearson(hits, total, self.shown_confidence)

    def __str__(self) -> str:
        rule = (
            f"experts: the whole chain in at least {100 * self.expert_share:.4g}%; "
            f"random: the whole chain without success in fewer than {100 * self.random_share:.4g}%"
        )
        if self.confidence is not None:
            return f"{rule}; shown with {100 * self.confidence:.6g}% confidence"
        plain = (self.expert_share, self.random_share) == (Bar.expert_share, Bar.random_share)
        paper = " (the rule of the Code as Reward paper)" if plain else ""
        return f"{rule}, of {self.randoms}{paper}"


@dataclass(frozen=True)
class Need:
    """What is too little to decide on.

    Args:
        who: ``expert`` or ``random``.
        more: how many more trajectories would decide it if the share stays what it is; None where no number would.
        said: the same in a sentence.
    """

    who: str
    more: int | None
    said: str


def broken_by_experts(bar: Bar, done: int, total: int) -> bool:
    """Whether too few experts complete the chain, for certain."""
    if bar.confidence is None or bar.expert_share == 1.0:
        return done < total * bar.expert_share and done / total < bar.expert_share
    return bar.interval(done, total)[1] < bar.expert_share


def broken_by_randoms(bar: Bar, done: int, total: int) -> bool:
    """Whether too many random trajectories complete the chain, for certain."""
    clear = bar.interval(done, total)[0] >= bar.random_share
    # With fewer than the rule asks for: so many that no further one could put it right.
    return clear or (bar.confidence is None and done / max(total, bar.randoms) >= bar.random_share)


def needs(bar: Bar, experts: tuple[int, int], randoms: tuple[int, int]) -> tuple[Need, ...]:
    """What is missing for a decision on counts (done, total) that break no rule."""
    made = []
    if not _experts_settled(bar, *experts):
        made.append(_need("expert", experts, more_until(lambda done, n: _experts_settled(bar, done, n), *experts)))
    if not _randoms_settled(bar, *randoms):
        made.append(_need("random", randoms, more_until(lambda done, n: _randoms_settled(bar, done, n), *randoms)))
    return tuple(made)


def _experts_settled(bar: Bar, done: int, total: int) -> bool:
    if bar.confidence is None:
        return total >= bar.experts
    needed = NEARLY_ALL if bar.expert_share == 1.0 else bar.expert_share
    return bar.interval(done, total)[0] >= needed or broken_by_experts(bar, done, total)


def _randoms_settled(bar: Bar, done: int, total: int) -> bool:
    clear = bar.interval(done, total)[1] < bar.random_share or broken_by_randoms(bar, done, total)
    return clear or (bar.confidence is None and total >= bar.randoms)


def _need(who: str, counted: tuple[int, int], more: int | None) -> Need:
    done, total = counted
    without = " without success" if who == "random" else ""
    number = "no number of further ones" if more is None else f"{more} more"
    return Need(
        who,
        more,
        f"{done} of {total} {who} trajectories complete the whole chain{without}, which is too few trajectories to "
        f"decide on; {number} would decide it if the share stays the same.",
    )
