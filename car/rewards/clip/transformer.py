"""CLIPs of `transformers`; the only file that knows that package."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from car.errors import MissingExtra, UserError
from car.frames import Frame
from car.rewards.clip.architectures import Architecture
from car.rewards.clip.preprocessing import Preprocessing

MOST_AT_ONCE = 256
"""Frames in one pass of the image encoder."""

_TOKENISER = "tokenizer.json"
_PROCESSOR = "preprocessor_config.json"


class TransformerClip:
    """A CLIP of `transformers` as an `Encoder`.

    Args:
        model: a `transformers.CLIPModel`.
        tokeniser: of the same model.
        preprocessing: of its images.
        name: what to call it.
        sha256: of its weights.
        device: where it works, e.g. ``cuda``; by default a GPU if there is one. On a GPU the image encoder works in
            half precision where that is safe (autocast).

    Attributes:
        parameters: how many weights it has.
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
        self.name, self.sha256 = name, sha256
        self.preprocessing = preprocessing
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.eval().to(self.device)
        self._tokeniser = tokeniser
        self.parameters = sum(each.numel() for each in model.parameters())

    @torch.inference_mode()
    def images(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Unit embeddings of frames of one size, n of (H, W, 3), as (n, d)."""
        parts = [
            self._image_part(np.stack(frames[start : start + MOST_AT_ONCE]))
            for start in range(0, len(frames), MOST_AT_ONCE)
        ]
        return np.concatenate(parts)

    def _image_part(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = self.preprocessing(frames, self.device)
        with torch.autocast(self.device, enabled=self.device.startswith("cuda")):
            pooled = self._model.vision_model(pixel_values=pixels).pooler_output
            projected = self._model.visual_projection(pooled)
        found: NDArray[np.float32] = normalize(projected.float(), dim=-1).cpu().numpy()
        return found

    @torch.inference_mode()
    def texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Unit embeddings of sentences, as (m, d).

        Raises:
            UserError: one is longer than the model can read, or has characters that it does not know.
        """
        longest = self._model.config.text_config.max_position_embeddings
        words = self._tokeniser(list(sentences), padding=True, return_tensors="pt").to(self.device)
        if words["input_ids"].shape[1] > longest:
            lengths = words["attention_mask"].sum(dim=1)
            raise UserError(
                f"{sentences[int(lengths.argmax())]!r} is longer than the {longest} tokens that {self.name} reads."
            )
        ends = (words["input_ids"] == self._tokeniser.eos_token_id) & (words["attention_mask"] == 1)
        if (unread := ends.sum(dim=1) > 1).any():
            # Where the end stands for what is unknown, a text encoder reads no further.
            raise UserError(f"{sentences[int(unread.int().argmax())]!r} has characters that {self.name} cannot read.")
        pooled = self._model.text_model(**words).pooler_output
        found: NDArray[np.float32] = normalize(self._model.text_projection(pooled).float(), dim=-1).cpu().numpy()
        return found


def from_folder(folder: Path, name: str, stretch: bool = False, device: str | None = None) -> TransformerClip:
    """The CLIP in a folder: ``config.json``, ``model.safetensors``, a tokeniser, and its preprocessing.

    Raises:
        MissingExtra: `transformers` is not installed, or cannot be imported.
        UserError: something is missing, damaged or of another model.
    """
    config = folder / "config.json"
    if not config.is_file():
        raise UserError(f"There is no config.json in {folder}; a CLIP's folder has it beside model.safetensors.")
    about = _json(config)
    if about.get("model_type") != "clip":
        raise UserError(
            f"The model in {folder} is a {about.get('model_type', 'model of no known type')!r}, not a 'clip'."
        )
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise UserError(
            f"There is no model.safetensors in {folder}; other formats hold pickles, which may run programs when read. "
            "Where you trust them, transformers' CLIPModel.from_pretrained(...).save_pretrained(FOLDER) writes it."
        )
    made = _transformers()
    try:
        model = made.CLIPModel(made.CLIPConfig.from_dict(about))
    except Exception as error:  # numbers that cannot be are found by huggingface_hub, transformers or torch
        raise UserError(f"The config.json in {folder} describes no CLIP: {_short(error)}.") from error
    _fill(model, weights, str(folder))
    processor = _json(folder / _PROCESSOR) if (folder / _PROCESSOR).is_file() else {}
    return _encoder(model, _tokeniser_in(folder), processor, name, _sha256_of(weights), stretch, device)


def from_file(
    architecture: Architecture, weights: Path, name: str, stretch: bool = False, device: str | None = None
) -> TransformerClip:
    """A CLIP of known shape with the weights of a local ``.safetensors`` file, and the tokeniser that lies beside it.

    Raises:
        MissingExtra: `transformers` is not installed, or cannot be imported.
        UserError: the file is damaged, of another model, or without a tokeniser beside it.
    """
    if weights.suffix != ".safetensors":
        raise UserError(f"The weights {weights} are no .safetensors file; other formats may run programs when read.")
    model = _of_shape(architecture)
    _fill(model, weights, str(weights))
    return _encoder(model, _tokeniser_in(weights.parent), {}, name, _sha256_of(weights), stretch, device)


def from_chance(
    architecture: Architecture, tokens: Path, name: str, stretch: bool, device: str | None = None
) -> TransformerClip:
    """A CLIP of known shape with random weights, always the same: it rewards nothing, and takes as long as a real one.

    Args:
        architecture: its shape.
        tokens: the folder of any CLIP, whose tokeniser it borrows.
        name: what to call it.
        stretch: whether frames are stretched to the square.
        device: where it works.

    Raises:
        MissingExtra: `transformers` is not installed, or cannot be imported.
    """
    tokeniser = _tokeniser_in(tokens)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = _of_shape(architecture)
    # Where a sentence ends, there its embedding is taken.
    model.text_model.eos_token_id = model.config.text_config.eos_token_id = tokeniser.eos_token_id
    return _encoder(model, tokeniser, {}, name, f"random weights of {name}", stretch, device)


def from_hub(model_id: str, name: str, stretch: bool = False, device: str | None = None) -> TransformerClip:
    """A published CLIP, downloaded once or from the cache of `huggingface_hub`.

    Raises:
        MissingExtra: `transformers` is not installed, or cannot be imported.
        UserError: there is no such model, or it cannot be reached.
    """
    _transformers()
    from huggingface_hub import snapshot_download

    wanted = [
        "config.json",
        "model.safetensors",
        _PROCESSOR,
        _TOKENISER,
        "vocab.json",
        "merges.txt",
        "tokenizer_config.json",
    ]
    try:
        folder = Path(snapshot_download(model_id, allow_patterns=wanted))
    except Exception as error:  # the hub's own errors, the network's, and the disk's: many kinds, all with a message
        raise UserError(
            f"The CLIP {model_id!r} can neither be found here nor downloaded ({_short(error)}); give the path of a "
            "folder that holds its config.json, model.safetensors and tokenizer.json."
        ) from error
    return from_folder(folder, name, stretch, device)


def save(model: Any, tokeniser: Any, processor: dict[str, Any], folder: Path) -> None:
    """Writes a CLIP into a folder, as `from_folder` and `transformers` read it."""
    model.save_pretrained(folder)
    tokeniser.save_pretrained(folder)
    (folder / _PROCESSOR).write_text(json.dumps(processor, indent=2) + "\n", encoding="utf-8")


def _transformers() -> Any:
    try:
        import transformers
        from transformers import CLIPConfig, CLIPModel, CLIPTokenizer  # noqa: F401
    except (ImportError, RuntimeError) as error:
        if getattr(error, "name", None) == "transformers":
            said = "A CLIP reward needs the package transformers: pip install 'code-as-reward[clip]'."
        else:
            said = (
                f"The package transformers cannot load its CLIP: {_short(error)}. The usual cause is a torchvision "
                "that does not match torch; nothing here needs torchvision."
            )
        raise MissingExtra(said) from error
    return transformers


def _of_shape(architecture: Architecture) -> Any:
    made = _transformers()
    return made.CLIPModel(made.CLIPConfig(**architecture.config()))


def _fill(model: Any, weights: Path, where: str) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(weights)
    except (OSError, SafetensorError) as error:
        raise UserError(f"The weights {weights} cannot be read: {_short(error)}.") from error
    wanted = model.state_dict()
    # Older files also hold the numbers of the positions, which are no weights.
    tensors = {key: value for key, value in tensors.items() if not key.endswith("position_ids")}
    missing, unknown = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    missing = [key for key in missing if not key.endswith("position_ids")]
    if missing or unknown:
        example = f"it lacks {missing[0]!r}" if missing else f"it has {unknown[0]!r}"
        raise UserError(f"The weights in {where} are of another model than its configuration: {example}.")
    for key, tensor in tensors.items():
        if tensor.shape != wanted[key].shape:
            raise UserError(
                f"The weights in {where} are of another model than its configuration: {key!r} is "
                f"{tuple(tensor.shape)}, where {tuple(wanted[key].shape)} is needed."
            )
    model.load_state_dict(tensors, strict=False)


def _tokeniser_in(folder: Path) -> Any:
    made = _transformers()
    if not ((folder / _TOKENISER).is_file() or (folder / "vocab.json").is_file()):
        raise UserError(f"There is no tokenizer.json in {folder}; a CLIP cannot read sentences without its tokeniser.")
    try:
        return made.CLIPTokenizer.from_pretrained(str(folder))
    except Exception as error:  # the tokenizers package raises plain Exception for a damaged file
        raise UserError(f"The tokeniser in {folder} is damaged: {_short(error)}.") from error


def _encoder(
    model: Any, tokeniser: Any, processor: dict[str, Any], name: str, sha256: str, stretch: bool, device: str | None
) -> TransformerClip:
    words = model.config.text_config
    # OpenAI's files say 2 and mean the token with the highest number.
    if len(tokeniser) > words.vocab_size or words.eos_token_id not in (2, tokeniser.eos_token_id):
        raise UserError(f"The tokeniser of {name} is of another model: it has other tokens than the text encoder.")
    preprocessing = Preprocessing.of(processor, model.config.vision_config.image_size)
    preprocessing = preprocessing.to_square() if stretch else preprocessing
    return TransformerClip(model, tokeniser, preprocessing, name, sha256, device)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"The file {path} cannot be read: {_short(error)}.") from error
    if not isinstance(found, dict):
        raise UserError(f"The file {path} is no configuration.")
    return found


def _sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
