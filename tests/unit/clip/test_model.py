import pytest

pytest.importorskip("transformers")

import torch

from car.clip.captions import all_phrases
from car.clip.model import IMAGE, PATCH, new_model, new_tokeniser
from car.clip.sizes import SIZES, find_size
from car.errors import UnknownName


def test_the_tokeniser_is_always_the_same() -> None:
    first, second = new_tokeniser(), new_tokeniser()
    assert first.get_vocab() == second.get_vocab()
    assert [first(each)["input_ids"] for each in all_phrases()] == [second(each)["input_ids"] for each in all_phrases()]


def test_words_of_captions_are_few_tokens_and_other_words_are_spelled() -> None:
    tokeniser = new_tokeniser()
    assert len(tokeniser("the door is open")["input_ids"]) == 2 + 4
    unknown = tokeniser.unk_token_id
    spelled = tokeniser("Quixotic, 42!")["input_ids"][1:-1]
    assert unknown not in spelled
    assert tokeniser.decode(spelled).replace(" ", "") == "quixotic,42!"


def test_sizes_grow() -> None:
    tokeniser = new_tokeniser()
    counts = [sum(each.numel() for each in new_model(size, tokeniser).parameters()) for size in SIZES.values()]
    assert counts == sorted(counts)
    assert counts[-1] < 1_000_000


def test_a_plain_patch_is_nothing_to_a_new_model() -> None:
    torch.manual_seed(0)
    model = new_model(SIZES["xs"], new_tokeniser())
    plain = torch.ones(1, 3, IMAGE, IMAGE)
    patches = model.vision_model.embeddings.patch_embedding(plain)
    assert patches.shape[-1] == IMAGE // PATCH
    assert patches.abs().max() < 1e-5


def test_an_unknown_size_names_those_that_exist() -> None:
    with pytest.raises(UnknownName, match="xs, s, m, l"):
        find_size("xxl")
