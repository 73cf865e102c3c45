"""Shapes of well-known CLIPs, and where their weights are published in the format of `transformers`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Architecture:
    """The shape of a CLIP with vision and text transformers.

    Args:
        patch: side of an image patch, in pixels.
        vision: width, layers, heads and width of the hidden layer in the vision transformer.
        text: the same of the text transformer.
        embedding: d, the width of both embeddings.
        size: side of the images, in pixels.
        activation: ``quick_gelu`` in OpenAI's weights, ``gelu`` in LAION's larger ones.
    """

    patch: int
    vision: tuple[int, int, int, int]
    text: tuple[int, int, int, int]
    embedding: int
    size: int = 224
    activation: str = "quick_gelu"

    def config(self) -> dict[str, Any]:
        """As arguments of `transformers.CLIPConfig`."""
        return {
            "vision_config": {
                **_transformer(self.vision),
                "image_size": self.size,
                "patch_size": self.patch,
                "projection_dim": self.embedding,
                "hidden_act": self.activation,
            },
            "text_config": {
                **_transformer(self.text),
                "projection_dim": self.embedding,
                "hidden_act": self.activation,
            },
            "projection_dim": self.embedding,
        }


def _transformer(shape: tuple[int, int, int, int]) -> dict[str, int]:
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    return dict(zip(names, shape, strict=True))


_BASE_TEXT = (512, 12, 8, 2048)

ARCHITECTURES: Mapping[str, Architecture] = {
    "ViT-B-32": Architecture(32, (768, 12, 12, 3072), _BASE_TEXT, 512),
    "ViT-B-16": Architecture(16, (768, 12, 12, 3072), _BASE_TEXT, 512),
    "ViT-L-14": Architecture(14, (1024, 24, 16, 4096), (768, 12, 12, 3072), 768),
    "ViT-L-14-336": Architecture(14, (1024, 24, 16, 4096), (768, 12, 12, 3072), 768, size=336),
    "ViT-H-14": Architecture(14, (1280, 32, 16, 5120), (1024, 24, 16, 4096), 1024, activation="gelu"),
    "ViT-g-14": Architecture(14, (1408, 40, 16, 6144), (1024, 24, 16, 4096), 1024, activation="gelu"),
    "ViT-bigG-14": Architecture(14, (1664, 48, 16, 8192), (1280, 32, 20, 5120), 1280, activation="gelu"),
}
"""By their names in open_clip."""

PUBLISHED: Mapping[str, str] = {
    "ViT-B-32/openai": "openai/clip-vit-base-patch32",
    "ViT-B-16/openai": "openai/clip-vit-base-patch16",
    "ViT-L-14/openai": "openai/clip-vit-large-patch14",
    "ViT-L-14-336/openai": "openai/clip-vit-large-patch14-336",
    "ViT-B-32/laion2b_s34b_b79k": "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    "ViT-B-16/laion2b_s34b_b88k": "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
    "ViT-L-14/laion2b_s32b_b82k": "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
    "ViT-H-14/laion2b_s32b_b79k": "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    "ViT-g-14/laion2b_s12b_b42k": "laion/CLIP-ViT-g-14-laion2B-s12B-b42K",
    "ViT-bigG-14/laion2b_s39b_b160k": "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k",
}
"""Where the weights that open_clip calls so are to be had for `transformers`."""
