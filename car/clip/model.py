"""A new CLIP of ours: a small `transformers.CLIPModel`, its tokeniser and its preprocessing."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from car.clip.captions import all_phrases
from car.clip.sizes import Size

IMAGE = 96
PATCH = 8
_CONTEXT = 48
_EMBEDDING = 64
_MERGES = 600
_END = "</w>"
# With the usual initial weights, small models that are shown few samples stay for long where they began.
_VISION_FACTOR, _TEXT_FACTOR = 3.0, 4.0

PROCESSOR: dict[str, Any] = {
    "image_processor_type": "CLIPImageProcessor",
    "do_resize": False,
    "do_center_crop": False,
    "do_pad": True,
    "pad_size": {"height": IMAGE, "width": IMAGE},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.25, 0.25, 0.25],
    "do_convert_rgb": True,
}
"""A MiniGrid cell has 8 x 8 pixels, which is one patch: frames are padded, so that no cell lies across two."""


def new_tokeniser() -> Any:
    """A byte-pair tokeniser in CLIP's own form, made from what our captions can say; always the same one."""
    from transformers import CLIPTokenizer

    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    merges = _learnt_merges(" ".join(all_phrases()).lower().replace(",", " , ").split())
    tokens = [*letters, *(f"{letter}{_END}" for letter in letters), *map("".join, merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    # Its annotation says `str`, where pairs are what the tokenizers package takes.
    return CLIPTokenizer(vocab={token: number for number, token in enumerate(dict.fromkeys(tokens))}, merges=merges)  # type: ignore[arg-type]


def _learnt_merges(words: Sequence[str]) -> list[tuple[str, str]]:
    """Merges of neighbouring parts, the most frequent first (Sennrich et al., 2016); of equal ones, the first by name.

    The trainer of `tokenizers` takes any one of equals, so that each run would have a tokeniser of its own.
    """
    counted = Counter(words)
    parts = {word: [*word[:-1], word[-1] + _END] for word in counted}
    merges: list[tuple[str, str]] = []
    while len(merges) < _MERGES:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, pieces in parts.items():
            for pair in pairwise(pieces):
                pairs[pair] += counted[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        parts = {word: _merged(pieces, best) for word, pieces in parts.items()}
    return merges


def _merged(pieces: Sequence[str], pair: tuple[str, str]) -> list[str]:
    merged: list[str] = []
    for piece in pieces:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged


def new_model(size: Size, tokeniser: Any) -> Any:
    """A `transformers.CLIPModel` of a size, with weights drawn from torch's generator."""
    from transformers import CLIPConfig, CLIPModel

    both = {
        "hidden_size": size.width,
        "intermediate_size": 2 * size.width,
        "num_attention_heads": size.heads,
        "projection_dim": _EMBEDDING,
    }
    text = {
        "vocab_size": len(tokeniser),
        "num_hidden_layers": 1,
        "max_position_embeddings": _CONTEXT,
        "initializer_factor": _TEXT_FACTOR,
        **{f"{which}_token_id": getattr(tokeniser, f"{which}_token_id") for which in ("bos", "eos", "pad")},
    }
    vision = {
        "num_hidden_layers": size.layers,
        "image_size": IMAGE,
        "patch_size": PATCH,
        "initializer_factor": _VISION_FACTOR,
    }
    model = CLIPModel(CLIPConfig(text_config=both | text, vision_config=both | vision, projection_dim=_EMBEDDING))
    # Else a plain background, be it black or white, says more than what stands on it.
    patches = model.vision_model.embeddings.patch_embedding.weight.data
    patches -= patches.mean(dim=(2, 3), keepdim=True)
    return model
