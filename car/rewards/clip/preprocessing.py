"""What a CLIP's image encoder is given: whole batches of frames, prepared as its configuration says."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch.nn import functional

from car.errors import UserError
from car.frames import Frame, Frames

_OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
_OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
_MODES = {0: "nearest", 2: "bilinear", 3: "bicubic"}


@dataclass(frozen=True)
class Preprocessing:
    """From frames to the tensor that an image encoder takes.

    It does what `transformers`' processor of a CLIP does, for a batch at once, with antialiasing as Pillow has it; and
    where a frame must be padded but is too large for that, it is first made smaller, with its aspect ratio.

    Args:
        size: the side of the square that comes out, in pixels.
        shortest: the length to which the shorter side is resized; None leaves the frame as it is.
        stretched: resize to the square at once, as Rocamonde et al. do, whatever the aspect ratio.
        padded: pad on the right and below, in place of a crop from the centre.
        mode: of interpolation.
        mean: subtracted from each channel, which is 0 to 1.
        std: what each channel is divided by.
    """

    size: int = 224
    shortest: int | None = 224
    stretched: bool = False
    padded: bool = False
    mode: str = "bicubic"
    mean: tuple[float, ...] = _OPENAI_MEAN
    std: tuple[float, ...] = _OPENAI_STD

    @classmethod
    def of(cls, config: Mapping[str, Any], size: int) -> Self:
        """What the ``preprocessor_config.json`` of a CLIP asks for.

        Args:
            config: the file's content; what is missing is as in OpenAI's CLIP.
            size: of the model's images.

        Raises:
            UserError: it asks for something that this cannot do.
        """
        asked = _sizes(config.get("size", size)) if config.get("do_resize", True) else {}
        square = {"height", "width"} <= asked.keys()
        if square and set(asked.values()) != {size}:
            raise UserError(f"This CLIP's preprocessing resizes to {asked}, but the model takes {size}.")
        cropped = config.get("crop_size", size)
        cropped = set(cropped.values()) if isinstance(cropped, Mapping) else {cropped}
        if config.get("do_center_crop", True) and cropped != {size}:
            raise UserError(f"This CLIP's preprocessing crops to {sorted(cropped)} pixels, but the model takes {size}.")
        if not config.get("do_rescale", True) or not math.isclose(config.get("rescale_factor", 1 / 255), 1 / 255):
            raise UserError("This CLIP's preprocessing does not take pictures as 0 to 1, which is not provided for.")
        if config.get("resample", 3) not in _MODES:
            raise UserError(f"This CLIP's preprocessing resizes by {config['resample']!r}, which is not provided for.")
        normal = config.get("do_normalize", True)
        return cls(
            size=size,
            shortest=asked.get("shortest_edge"),
            stretched=square,
            padded=bool(config.get("do_pad")),
            mode=_MODES[config.get("resample", 3)],
            mean=_three(config, "image_mean", _OPENAI_MEAN) if normal else (0.0, 0.0, 0.0),
            std=_three(config, "image_std", _OPENAI_STD) if normal else (1.0, 1.0, 1.0),
        )

    def to_square(self) -> Self:
        """The same, but that every frame is stretched to the square."""
        return replace(self, stretched=True)

    def resized(self, frame: Frame) -> Frame:
        """A frame resized, but neither cropped, padded nor normalised; it may be given in the frame's place."""
        pictures = self._resized(torch.tensor(frame[None]).permute(0, 3, 1, 2).float())
        small: Frame = pictures[0].permute(1, 2, 0).byte().numpy()
        return small

    def __call__(self, frames: Frames, device: str = "cpu") -> torch.Tensor:
        """The frames, uint8 (n, H, W, 3), as float32 (n, 3, size, size)."""
        # A frame may be read-only, of which torch warns; the batch is copied to the device anyway.
        pictures = torch.tensor(frames, device=device).permute(0, 3, 1, 2)
        pictures = self._resized(pictures.float())
        if not self.padded:
            pictures = self._squared(pictures)
        mean, std = (torch.tensor(each, device=device).view(1, 3, 1, 1) for each in (self.mean, self.std))
        pictures = (pictures / 255 - mean) / std
        return self._squared(pictures) if self.padded else pictures

    def _resized(self, pictures: torch.Tensor) -> torch.Tensor:
        height, width = pictures.shape[-2:]
        if self.stretched:
            target = self.size, self.size
        elif self.padded:
            shrunk = min(1.0, self.size / height, self.size / width)
            target = max(1, round(height * shrunk)), max(1, round(width * shrunk))
        elif self.shortest is None:
            return pictures
        else:
            short, long = sorted((height, width))
            longer = int(self.shortest * long / short)
            target = (self.shortest, longer) if height <= width else (longer, self.shortest)
        if target == (height, width):
            return pictures
        smooth = {} if self.mode == "nearest" else {"antialias": True, "align_corners": False}
        # As Pillow, with whose pictures the weights were trained: rows first, and whole numbers after each direction.
        for part in ((height, target[1]), target):
            pictures = functional.interpolate(pictures, part, mode=self.mode, **smooth).round().clamp(0, 255)
        return pictures

    def _squared(self, pictures: torch.Tensor) -> torch.Tensor:
        """Cropped from the centre, or padded where there is too little."""
        height, width = pictures.shape[-2:]
        if self.padded:
            return functional.pad(pictures, (0, self.size - width, 0, self.size - height))
        top, left = (height - self.size) // 2, (width - self.size) // 2
        if top >= 0 and left >= 0:
            return pictures[..., top : top + self.size, left : left + self.size]
        before = max(0, math.ceil((self.size - height) / 2)), max(0, math.ceil((self.size - width) / 2))
        after = max(0, self.size - height - before[0]), max(0, self.size - width - before[1])
        filled = functional.pad(pictures, (before[1], after[1], before[0], after[0]))
        return replace(self, padded=False)._squared(filled)


def _sizes(asked: Any) -> dict[str, int]:
    sizes = dict(asked) if isinstance(asked, Mapping) else {"shortest_edge": asked}
    if sizes.keys() - {"shortest_edge", "height", "width"} or not all(isinstance(n, int) for n in sizes.values()):
        raise UserError(f"This CLIP's preprocessing resizes to {asked!r}, which is not provided for.")
    return sizes


def _three(config: Mapping[str, Any], name: str, usual: tuple[float, ...]) -> tuple[float, ...]:
    numbers = config.get(name, usual)
    given = numbers if isinstance(numbers, list | tuple) else []
    if [isinstance(each, int | float) for each in given] != [True] * 3:
        raise UserError(f"This CLIP's preprocessing has {name} = {numbers!r}; it must be three numbers.")
    return tuple(numbers)
