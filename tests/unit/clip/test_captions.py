import numpy as np
import pytest

from car.clip.captions import Claim, all_phrases, caption_of, phrases
from car.clip.worlds import UNSEEN, WORLDS, claims_of, place_of
from car.tasks.sentences import SENTENCES
from car.truth import truth_for

_CLAIMS = [Claim("key-picked-up", True), Claim("door-open", False), Claim("place:grid", True)]


@pytest.mark.parametrize("task", WORLDS)
def test_every_world_can_be_spoken_of(task: str) -> None:
    names = [each.name for each in truth_for(task)]
    for holds in (True, False):
        claims = claims_of(task, names, np.full(len(names), holds))
        assert claims[-1] == Claim(f"place:{place_of(task)}", True)
        assert all(phrases(claim) for claim in claims)


@pytest.mark.parametrize("task", UNSEEN)
def test_what_is_asked_of_worlds_that_were_not_trained_on_has_a_sentence(task: str) -> None:
    assert all(each.name in SENTENCES for each in truth_for(task))


def test_the_sentence_that_is_asked_for_is_among_what_is_learnt() -> None:
    assert phrases(Claim("door-open", True))[0] == SENTENCES["door-open"] in all_phrases()


def test_no_two_claims_are_said_alike() -> None:
    assert len(set(all_phrases())) == len(all_phrases())


def test_a_caption_claims_only_what_holds_in_words_for_just_that() -> None:
    chance = np.random.default_rng(0)
    captions = [caption_of(_CLAIMS, chance) for _ in range(200)]
    assert {len(each.claims) for each in captions} == {1, 2}
    for caption in captions:
        said = caption.text.split(", ")
        assert set(caption.claims) <= set(_CLAIMS)
        assert all(part in phrases(claim) for part, claim in zip(said, caption.claims, strict=True))


def test_captions_are_seeded() -> None:
    first, second = ([caption_of(_CLAIMS, np.random.default_rng(seed)).text for _ in range(1)] for seed in (3, 3))
    assert first == second
