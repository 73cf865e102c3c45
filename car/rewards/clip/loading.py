"""Finds the CLIP that is meant by a name."""

import hashlib
from pathlib import Path

from car.errors import UnknownName, UserError
from car.rewards.clip.architectures import ARCHITECTURES, PUBLISHED
from car.rewards.clip.encoder import Encoder
from car.rewards.clip.reference import DEFAULT_MODEL

SHIPPED = Path(__file__).parent / "models"
"""The folder of the CLIPs that come with the package."""

RANDOM = "random"
_WEIGHTS = "model.safetensors"
_OPEN_CLIP_ONLY = ("RN", "convnext", "coca", "EVA", "SigLIP", "nllb", "roberta", "xlm")


def load_encoder(model: str = DEFAULT_MODEL, stretch: bool = False, device: str | None = None) -> Encoder:
    """The CLIP with a name.

    Args:
        model: that of a shipped one; the path of a folder; ``ARCHITECTURE/WEIGHTS`` by open_clip's names, where
            WEIGHTS may also be the path of a ``.safetensors`` file, or ``random``; or ``ORGANISATION/NAME`` on the
            Hugging Face hub.
        stretch: whether frames are stretched to the model's square, in place of its own preprocessing.
        device: where it works; by default a GPU if there is one.

    Raises:
        UnknownName: none of these.
        MissingExtra: the package that can load it is not installed.
        UserError: the model is damaged, incomplete, cannot be downloaded, or the weights are of another model.
    """
    from car.rewards.clip import transformer

    if model in shipped():
        return transformer.from_folder(SHIPPED / model, model, stretch, device)
    if _is_folder(model):
        return transformer.from_folder(Path(model), "/".join(Path(model).resolve().parts[-2:]), stretch, device)
    shape, slash, weights = model.partition("/")
    if model.startswith((".", "/", "~")) or not (slash and weights):
        raise UnknownName(
            "CLIP", model, [*shipped(), "the path of a folder", "ARCHITECTURE/WEIGHTS", "ORGANISATION/NAME"]
        )
    if shape in ARCHITECTURES:
        return _of_shape(shape, weights, stretch, device)
    if shape.startswith(_OPEN_CLIP_ONLY):
        from car.rewards.clip.open_clip import from_open_clip

        return from_open_clip(shape, weights, model, stretch, device)
    return transformer.from_hub(model, model, stretch, device)


def _is_folder(model: str) -> bool:
    try:
        return Path(model).is_dir()
    except OSError:  # a name that is too long for one
        return False


def weights_sha256(model: str) -> str | None:
    """The sha256 of the weights that a name means, without loading them; None if they are not in a file here."""
    shape, _, weights = model.partition("/")
    places = [SHIPPED / model / _WEIGHTS, Path(model) / _WEIGHTS, *([Path(weights)] if shape in ARCHITECTURES else [])]
    for path in places:
        try:
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            continue
    return None


def _of_shape(shape: str, weights: str, stretch: bool, device: str | None) -> Encoder:
    from car.rewards.clip import transformer

    name = f"{shape}/{weights}"
    if weights == RANDOM:
        return transformer.from_chance(ARCHITECTURES[shape], SHIPPED / DEFAULT_MODEL, name, stretch, device)
    if Path(weights).is_file():
        return transformer.from_file(ARCHITECTURES[shape], Path(weights), name, stretch, device)
    if "/" in weights or weights.endswith(".safetensors"):
        raise UserError(f"There is no file of weights {weights!r}.")
    if name in PUBLISHED:
        return transformer.from_hub(PUBLISHED[name], name, stretch, device)
    from car.rewards.clip.open_clip import from_open_clip

    return from_open_clip(shape, weights, name, stretch, device)


def shipped() -> list[str]:
    """The names of the CLIPs that come with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/config.json"))
