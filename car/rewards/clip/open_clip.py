"""CLIPs of `open_clip`, where it imports; the only file that knows that package."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from car.errors import MissingExtra, UserError
from car.frames import Frame
from car.rewards.clip.preprocessing import Preprocessing
from car.rewards.clip.transformer import MOST_AT_ONCE


class OpenClip:
    """A CLIP of `open_clip` as an `Encoder`.

    Args:
        model: what `open_clip.create_model` makes.
        tokeniser: of the same model.
        preprocessing: of its images.
        name: what to call it.
        sha256: of its weights.
        device: where it works; by default a GPU if there is one.
    """

    def __init__(
        self,
        model: Any,
        tokeniser: Any,
        preprocessing: Preprocessing,
        name: str,
        sha256: str,
        device: str | None = None,
    ) -> None:
        self.name, self.sha256, self.preprocessing = name, sha256, preprocessing
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._model, self._tokeniser = model.eval().to(self.device), tokeniser

    @torch.inference_mode()
    def images(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Unit embeddings of frames of one size, n of (H, W, 3), as (n, d)."""
        parts = []
        for start in range(0, len(frames), MOST_AT_ONCE):
            pixels = self.preprocessing(np.stack(frames[start : start + MOST_AT_ONCE]), self.device)
            with torch.autocast(self.device, enabled=self.device.startswith("cuda")):
                parts.append(self._model.encode_image(pixels))
        found: NDArray[np.float32] = normalize(torch.cat(parts).float(), dim=-1).cpu().numpy()
        return found

    @torch.inference_mode()
    def texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Unit embeddings of sentences, as (m, d)."""
        encoded = self._model.encode_text(self._tokeniser(list(sentences)).to(self.device))
        found: NDArray[np.float32] = normalize(encoded.float(), dim=-1).cpu().numpy()
        return found


def from_open_clip(model: str, weights: str, name: str, stretch: bool = False, device: str | None = None) -> OpenClip:
    """A CLIP by open_clip's names of model and weights; ``random`` weights are made, others downloaded or a file.

    Raises:
        MissingExtra: open_clip is not installed, or cannot be imported.
        UserError: it knows no such model or weights, or cannot get them.
    """
    try:
        import open_clip
    except (ImportError, RuntimeError) as error:
        raise MissingExtra(
            f"The CLIP {name!r} is one of open_clip, which cannot be imported here ({error}); install open_clip_torch "
            "with a torchvision that matches torch, or choose weights that transformers can load."
        ) from error
    try:
        made = open_clip.create_model(model, pretrained=None if weights == "random" else weights)
        tokeniser = open_clip.get_tokenizer(model)
        size = made.visual.image_size
    except Exception as error:  # open_clip raises RuntimeError, and whatever the network and the disk raise
        raise UserError(f"open_clip cannot make {name!r}: {' '.join(str(error).split())[:200]}.") from error
    about = open_clip.get_model_preprocess_cfg(made)
    side = size[0] if isinstance(size, tuple | list) else size
    processor = {"image_mean": about["mean"], "image_std": about["std"]}
    preprocessing = Preprocessing.of(processor, side)
    preprocessing = preprocessing.to_square() if stretch else preprocessing
    return OpenClip(made, tokeniser, preprocessing, name, f"open_clip {name}", device)
