"""The generation for one task in a process of its own; see `car.errands.child` for how it is told what to do."""

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from car.batch.order import Order
from car.batch.outcome import Outcome, Standing
from car.batch.places import journal_of, made_in, with_recording
from car.errands.child import Mouth, carry_out
from car.generation import Generation
from car.record import load_set
from car.refine import Event
from car.task import Task
from car.verify import split


def _generate(fields: Mapping[str, Any], mouth: Mouth) -> None:
    task, rewards = Task(**fields["task"]), Path(fields["folder"])
    order = with_recording(Order(**fields["order"]), fields)
    parts = split(*load_set(Path(fields["trajectories"]).parent, task.name))
    journal, budget, standing = journal_of(rewards, task.name), order.budget, Standing()
    kept = _replies(journal)

    def listen(event: Event) -> None:
        nonlocal standing, kept
        standing = standing.after(event, budget.price)
        # A reply can lie here for long before it is told of: those to earlier questions come first.
        before, kept = kept, _replies(journal)
        mouth.say({"standing": dataclasses.asdict(standing), "kept": kept != before})

    session = order.session(task.name, journal)
    generation = Generation(task, parts, session, budget, order.bar, order.isolation)
    draft = generation.draft(journal, listen, order.parallel if order.paid else 0)
    generation.saved(draft, made_in(rewards, task.name))
    mouth.say({"outcome": Outcome.of(task.name, draft).as_dict()})


def _replies(journal: Path) -> set[str]:
    return {each.name for each in journal.glob("*.json")}


if __name__ == "__main__":
    sys.exit(carry_out(_generate))
