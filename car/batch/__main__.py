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
from car.refine import Event, Replied
from car.task import Task
from car.verify import split


def _generate(fields: Mapping[str, Any], mouth: Mouth) -> None:
    task, rewards = Task(**fields["task"]), Path(fields["folder"])
    order = with_recording(Order(**fields["order"]), fields)
    parts = split(*load_set(Path(fields["trajectories"]).parent, task.name))
    journal, budget, standing = journal_of(rewards, task.name), order.budget, Standing()

    def listen(event: Event) -> None:
        nonlocal standing
        standing = standing.after(event, budget.price)
        paid = isinstance(event, Replied) and not event.kept
        mouth.say({"standing": dataclasses.asdict(standing), "kept": paid})

    session = order.session(task.name, journal)
    generation = Generation(task, parts, session, budget, order.bar, order.isolation)
    draft = generation.draft(journal, listen, order.parallel if order.paid else 0)
    generation.saved(draft, made_in(rewards, task.name))
    mouth.say({"outcome": Outcome.of(task.name, draft).as_dict()})


if __name__ == "__main__":
    sys.exit(carry_out(_generate))
