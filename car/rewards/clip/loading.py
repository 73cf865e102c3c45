"""Finds the CLIP that is meant by a name."""

from pathlib import Path

from car.errors import UnknownName, UserError
from car.rewards.clip.architectures import ARCHITECTURES, PUBLISHED
from car.rewards.clip.encoder import Encoder
from car.rewards.clip.reference import DEFAULT_MODEL

SHIPPED = Path(__file__).parent / "models"
"""The folder of the CLIPs that come with the package."""

RANDOM = "random"
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
    if Path(model).is_dir():
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
