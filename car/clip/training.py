"""Trains a CLIP of our own on frames and captions."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from car.clip.captions import Caption, Claim, caption_of, phrases
from car.clip.model import IMAGE, PROCESSOR, new_model, new_tokeniser
from car.clip.sizes import Size
from car.clip.worlds import Seen
from car.rewards.clip.preprocessing import Preprocessing


@dataclass(frozen=True)
class Course:
    """How a CLIP is trained.

    Args:
        steps: gradient steps.
        batch: frames in each.
        captions: sentences of one or two claims in each, besides one for each claim that can be made.
        tasks: of how many tasks the frames of a step are: few, because telling the states of one world apart is what is
            hard.
        learning_rate: the highest one; it rises over the first tenth and falls to nothing (Smith and Topin, 2019).
        elsewhere: weight of the pairs of a frame and what can be said of other worlds only.
        seed: of the weights and the batches.
        threads: PyTorch threads.
    """

    steps: int = 2500
    batch: int = 96
    captions: int = 32
    tasks: int = 5
    learning_rate: float = 2e-3
    elsewhere: float = 0.3
    seed: int = 0
    threads: int = 1


OnStep = Callable[[int, float], None]
"""Told after each step its number, from 1, and its loss."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained CLIP.

    Args:
        model: a `transformers.CLIPModel`.
        tokeniser: of it.
        parameters: how many weights it has.
        cpu_seconds: processor time of the training.
    """

    model: Any
    tokeniser: Any
    parameters: int
    cpu_seconds: float


def train_clip(seen: Sequence[Seen], size: Size, course: Course = Course(), on_step: OnStep | None = None) -> Trained:
    """Trains a CLIP: for every pair of a frame and a sentence, whether it is true of it (Zhai et al., 2023).

    Unlike captions on the web, ours are known to hold or not on every frame of a batch, so each pair is a sample. The
    losses of true pairs, of false ones within a world, and of sentences about another world are averaged apart, because
    there are few of the first and many of the last.

    Args:
        seen: frames and what holds on them.
        size: of the model.
        course: how to train.
        on_step: told of progress.
    """
    torch.set_num_threads(course.threads)
    torch.manual_seed(course.seed)
    deck = _Deck(seen, course)
    tokeniser = new_tokeniser()
    model = new_model(size, tokeniser)
    bias = nn.Parameter(torch.zeros(()))
    optimiser = torch.optim.AdamW([*model.parameters(), bias], lr=course.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, course.learning_rate, total_steps=course.steps, pct_start=0.1
    )
    began = time.process_time()
    model.train()
    for step in range(1, course.steps + 1):
        loss = _loss(model, tokeniser, bias, deck.deal(), course.elsewhere)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if on_step is not None:
            on_step(step, loss.item())
    return Trained(
        model=model.eval(),
        tokeniser=tokeniser,
        parameters=sum(each.numel() for each in model.parameters()),
        cpu_seconds=time.process_time() - began,
    )


@dataclass(frozen=True, eq=False)
class _Hand:
    """One batch: n frames, m sentences, and whether each is true of, and whether it can be said of, each frame."""

    pixels: torch.Tensor
    sentences: list[str]
    true: NDArray[np.bool_]
    sayable: NDArray[np.bool_]


class _Deck:
    """Deals batches in which the states of a world come about equally often."""

    def __init__(self, seen: Sequence[Seen], course: Course) -> None:
        self._seen, self._course = seen, course
        self._chance = np.random.default_rng(course.seed)
        self._columns: dict[Claim, int] = {}
        for each in seen:
            for claim in each.claims:
                for one in (claim, Claim(claim.about, not claim.holds)):
                    self._columns.setdefault(one, len(self._columns))
        self._true = np.zeros((len(seen), len(self._columns)), np.bool_)
        self._sayable = self._true.copy()
        groups: dict[tuple[str, tuple[Claim, ...]], list[int]] = {}
        for row, each in enumerate(seen):
            self._true[row, [self._columns[claim] for claim in each.claims]] = True
            both = [Claim(claim.about, holds) for claim in each.claims for holds in (True, False)]
            self._sayable[row, [self._columns[claim] for claim in both]] = True
            groups.setdefault((each.task, each.claims), []).append(row)
        self._groups: dict[str, list[list[int]]] = {}
        for (task, _), rows in groups.items():
            self._groups.setdefault(task, []).append(rows)
        preprocessing = Preprocessing.of(PROCESSOR, IMAGE)
        # As whole numbers, since a set of floats would need gigabytes.
        self._pixels = [preprocessing.resized(each.frame) for each in seen]
        self._preprocessing = preprocessing

    def deal(self) -> _Hand:
        rows = self._rows()
        captions = self._captions(rows)
        asked = np.zeros((len(captions), len(self._columns)), np.bool_)
        for number, caption in enumerate(captions):
            asked[number, [self._columns[claim] for claim in caption.claims]] = True
        pixels = torch.cat([self._preprocessing(self._pixels[row][None]) for row in rows])
        true, sayable = (np.all(held[rows][:, None, :] | ~asked[None], axis=2) for held in (self._true, self._sayable))
        return _Hand(pixels, [each.text for each in captions], true, sayable)

    def _rows(self) -> list[int]:
        names = list(self._groups)
        tasks = [names[int(index)] for index in self._chance.permutation(len(names))[: self._course.tasks]]
        rows = []
        for _ in range(self._course.batch):
            groups = self._groups[tasks[self._chance.integers(len(tasks))]]
            weights = np.sqrt([len(group) for group in groups])
            group = groups[self._chance.choice(len(groups), p=weights / weights.sum())]
            rows.append(group[self._chance.integers(len(group))])
        return rows

    def _captions(self, rows: Sequence[int]) -> list[Caption]:
        some = self._chance.permutation(len(rows))[: self._course.captions]
        captions = [caption_of(self._seen[rows[int(index)]].claims, self._chance) for index in some]
        for claim in dict.fromkeys(claim for row in rows for claim in self._seen[row].claims):
            ways = phrases(claim)
            # The sentence itself is what will be asked for.
            way = 0 if self._chance.random() < 0.4 else int(self._chance.integers(len(ways)))
            captions.append(Caption(ways[way], (claim,)))
        return list({caption.text: caption for caption in captions}.values())


def _loss(model: Any, tokeniser: Any, bias: torch.Tensor, hand: _Hand, elsewhere: float) -> torch.Tensor:
    images = normalize(model.visual_projection(model.vision_model(pixel_values=hand.pixels).pooler_output), dim=-1)
    words = tokeniser(hand.sentences, padding=True, return_tensors="pt")
    texts = normalize(model.text_projection(model.text_model(**words).pooler_output), dim=-1)
    logits = model.logit_scale.exp().clamp(max=100) * images @ texts.T + bias
    true, sayable = (torch.from_numpy(each).float() for each in (hand.true, hand.sayable))
    losses = binary_cross_entropy_with_logits(logits, true, reduction="none")
    false = (1 - true) * sayable
    return _mean(losses, true) + _mean(losses, false) + elsewhere * _mean(losses, 1 - sayable)


def _mean(losses: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (losses * weights).sum() / weights.sum().clamp(min=1)
