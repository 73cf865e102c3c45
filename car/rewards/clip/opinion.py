"""What a CLIP thinks of the frames on which a checker says done: a second opinion, which decides nothing."""

from collections.abc import Sequence

import numpy as np

from car.checker import Checker
from car.errors import UserError
from car.frames import Frame
from car.rewards.clip.agreement import roc_auc
from car.rewards.clip.encoder import Encoder, RememberingEncoder
from car.verify import Observation, Probe

NAME = "second opinion"

_MOST_OF_EACH = 300
_SEED = 0


def second_opinions(encoder: Encoder, observations: Sequence[Observation], checkers: Sequence[Checker]) -> list[Probe]:
    """For each sub-task, how well a CLIP's cosine with its sentence agrees with what its checker says.

    Up to 300 frames on which the checker says done and as many on which it does not are looked at, drawn evenly from
    all trajectories. The figure is the ROC-AUC: the chance that CLIP scores one of the first higher than one of the
    others. It is evidence for a reader: a CLIP may well be wrong, so the probe neither passes nor fails.

    Args:
        encoder: the CLIP.
        observations: what the checkers said.
        checkers: in the order of the observations' columns.
    """
    remembering = RememberingEncoder(encoder)
    return [_opinion(remembering, observations, column, each) for column, each in enumerate(checkers)]


def _opinion(encoder: RememberingEncoder, observations: Sequence[Observation], column: int, checker: Checker) -> Probe:
    sentence, name = checker.subtask.description, checker.subtask.name
    done, others = (_drawn(observations, column, said) for said in (True, False))
    values: dict[str, object] = {"clip": encoder.name, "sentence": sentence, "done": len(done), "not_done": len(others)}
    if not (done and others):
        which = "not done" if done else "done"
        return Probe(NAME, name, False, None, f"The checker says {which} of no frame that was looked at.", values)
    try:
        text = encoder.texts([sentence])[0]
    except UserError as error:
        return Probe(NAME, name, False, None, f"CLIP could not be asked: {error}", values)
    scores = np.concatenate([encoder.images(done) @ text, encoder.images(others) @ text])
    auc = roc_auc(scores, np.arange(len(scores)) < len(done))
    said = (
        f"CLIP ({encoder.name}) scores {len(done)} frames on which it is done higher for {sentence!r} than "
        f"{len(others)} on which it is not with a chance of {auc:.2f}; 0.5 is no agreement, 1 is all."
    )
    return Probe(NAME, name, False, None, said, {**values, "auc": round(auc, 4)})


def _drawn(observations: Sequence[Observation], column: int, said: bool) -> list[Frame]:
    places = [
        (number, int(time))
        for number, each in enumerate(observations)
        for time in np.flatnonzero(each.asked[:, column] & (each.done[:, column] == said))
    ]
    order = np.random.default_rng(_SEED).permutation(len(places))[:_MOST_OF_EACH]
    chosen = (places[int(index)] for index in order)
    return [observations[number].trajectory.frame(time) for number, time in chosen]
