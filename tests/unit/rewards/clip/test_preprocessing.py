"""What the image encoder is given is what the processor of `transformers` would give it."""

from typing import Any

import cv2
import numpy as np
import pytest

from car.errors import UserError
from car.rewards.clip.preprocessing import Preprocessing

OPENAI: dict[str, Any] = {
    "crop_size": 224,
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "size": 224,
}
"""The file that OpenAI's CLIPs are published with."""

SIZES = [
    (48, 64),  # landscape
    (64, 48),  # portrait
    (40, 40),
    (17, 90),
    (223, 333),
    (224, 224),
    (225, 224),
    (300, 500),
    (500, 300),
    (480, 641),
]


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    return cv2.resize(noise(height // 8 + 2, width // 8 + 2), (width, height), interpolation=cv2.INTER_LINEAR)


def cells(height: int, width: int) -> np.ndarray:
    """Hard edges, as in a grid world."""
    return np.repeat(np.repeat(noise(height // 8 + 1, width // 8 + 1) // 128 * 255, 8, 0), 8, 1)[:height, :width]


def theirs(config: dict[str, Any], frame: np.ndarray) -> np.ndarray:
    """By the processor of `transformers` that works with Pillow, as its first one did."""
    module = pytest.importorskip("transformers.models.clip.image_processing_pil_clip")
    arguments = {name: value for name, value in config.items() if not name.endswith("_type")}
    return module.CLIPImageProcessorPil(**arguments)(frame, return_tensors="np")["pixel_values"][0]


def in_levels(pixels: np.ndarray, config: dict[str, Any]) -> np.ndarray:
    """From what the encoder takes back to brightness from 0 to 255."""
    mean, std = (np.array(config[name])[:, None, None] for name in ("image_mean", "image_std"))
    return (pixels * std + mean) * 255


@pytest.mark.parametrize("make", [noise, smooth, cells])
@pytest.mark.parametrize("size", SIZES)
def test_frames_of_all_sizes_are_as_pillow_resizes_them(size: tuple[int, int], make: Any) -> None:
    frame = make(*size)
    ours = Preprocessing.of(OPENAI, 224)(frame[None])
    assert ours.shape == (1, 3, 224, 224)
    off = np.abs(in_levels(ours[0].numpy(), OPENAI) - in_levels(theirs(OPENAI, frame), OPENAI)).round(3)
    # Pillow reckons with weights of 22 bits, so that one pixel in some hundred is rounded to the other side.
    assert off.max() <= 2
    assert (off > 0).mean() < 0.01
    assert off.mean() < 0.01
    if min(size) == 224:
        assert off.max() == 0


@pytest.mark.parametrize("size", [(40, 48), (48, 40), (5, 96), (96, 96), (96, 50), (7, 5)])
def test_our_own_clip_pads_exactly_as_transformers_does(size: tuple[int, int]) -> None:
    from car.clip.model import PROCESSOR

    frame = noise(*size)
    ours = Preprocessing.of(PROCESSOR, 96)(frame[None])[0].numpy()
    np.testing.assert_array_equal(ours, theirs(PROCESSOR, frame))
    assert (ours[:, size[0] :] == 0).all()
    assert (ours[:, :, size[1] :] == 0).all()


@pytest.mark.parametrize("size", [(40, 48), (41, 47), (97, 40), (40, 131), (100, 121), (96, 96)])
def test_a_crop_of_what_is_too_small_is_exactly_as_in_transformers(size: tuple[int, int]) -> None:
    config = {**OPENAI, "do_resize": False, "crop_size": {"height": 96, "width": 96}}
    frame = noise(*size)
    ours = Preprocessing.of(config, 96)(frame[None])[0].numpy()
    np.testing.assert_allclose(ours, theirs(config, frame), atol=1e-6)


def test_whole_batches_are_prepared_as_each_frame_alone() -> None:
    frames = np.stack([noise(50, 70), smooth(50, 70), cells(50, 70)])
    for prepare in (Preprocessing.of(OPENAI, 224), Preprocessing.of(OPENAI, 224).to_square()):
        together = prepare(frames)
        for index, frame in enumerate(frames):
            np.testing.assert_array_equal(together[index].numpy(), prepare(frame[None])[0].numpy())


def test_stretching_keeps_all_of_the_frame_and_not_its_shape() -> None:
    frame = np.zeros((60, 120, 3), np.uint8)
    frame[:, :60] = 200
    cropped = in_levels(Preprocessing.of(OPENAI, 224)(frame[None])[0].numpy(), OPENAI)
    stretched = in_levels(Preprocessing.of(OPENAI, 224).to_square()(frame[None])[0].numpy(), OPENAI)
    asked = {**OPENAI, "size": {"height": 224, "width": 224}}
    np.testing.assert_allclose(stretched, in_levels(theirs(asked, frame), OPENAI), atol=2.001)
    for pixels in (cropped, stretched):
        # The middle is the middle either way.
        assert np.abs(pixels[:, :, :100] - 200).max() < 0.01
        assert np.abs(pixels[:, :, -100:]).max() < 0.01
    frame[:, :10] = 77
    cropped, stretched = (
        in_levels(each(frame[None])[0].numpy(), OPENAI)
        for each in (Preprocessing.of(OPENAI, 224), Preprocessing.of(asked, 224))
    )
    assert abs(stretched[0, 112, 5] - 77) < 1
    assert abs(cropped[0, 112, 5] - 200) < 1


def test_what_is_larger_than_the_padded_square_is_made_smaller_with_its_shape() -> None:
    prepare = Preprocessing(size=96, shortest=None, padded=True, mean=(0.0,) * 3, std=(1 / 255,) * 3)
    frame = np.full((50, 192, 3), 90, np.uint8)
    pixels = prepare(frame[None])[0].numpy()
    assert pixels.shape == (3, 96, 96)
    np.testing.assert_allclose(pixels[:, :25], 90, atol=1e-4)
    assert (pixels[:, 25:] == 0).all()
    thin = prepare(np.full((4, 4000, 3), 90, np.uint8)[None])[0].numpy()
    assert (thin[:, 0] > 89).all()
    assert (thin[:, 1:] == 0).all()


@pytest.mark.parametrize(
    "prepare",
    [
        Preprocessing.of(OPENAI, 224),
        Preprocessing.of(OPENAI, 224).to_square(),
        Preprocessing(size=96, shortest=None, padded=True),
        Preprocessing(size=32, shortest=None),
    ],
)
@pytest.mark.parametrize("size", [(30, 50), (300, 200)])
def test_a_frame_that_is_resized_ahead_gives_the_same(prepare: Preprocessing, size: tuple[int, int]) -> None:
    frame = noise(*size)
    small = prepare.resized(frame)
    assert small.dtype == np.uint8
    assert small.shape[2] == 3
    np.testing.assert_array_equal(prepare(small[None]).numpy(), prepare(frame[None]).numpy())


def test_read_only_frames_are_taken_and_left_as_they_are() -> None:
    frames = noise(20, 30)[None].copy()
    before = frames.copy()
    frames.setflags(write=False)
    Preprocessing.of(OPENAI, 224)(frames)
    Preprocessing.of(OPENAI, 224).resized(frames[0])
    np.testing.assert_array_equal(frames, before)


def test_what_the_file_does_not_say_is_as_in_openais_clip() -> None:
    assert Preprocessing.of({}, 224) == Preprocessing.of(OPENAI, 224) == Preprocessing()
    assert Preprocessing.of({}, 336) == Preprocessing(size=336, shortest=336)
    assert Preprocessing.of({**OPENAI, "size": {"shortest_edge": 224}}, 224) == Preprocessing()


def test_without_normalisation_pixels_are_0_to_1() -> None:
    config = {**OPENAI, "do_normalize": False, "do_resize": False, "crop_size": 32}
    frame = noise(32, 32)
    ours = Preprocessing.of(config, 32)(frame[None])[0].numpy()
    np.testing.assert_allclose(ours, frame.transpose(2, 0, 1) / 255, atol=1e-7)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": {"longest_edge": 224}}, "resizes to {'longest_edge': 224}, which is not provided for"),
        ({"size": {"height": 200, "width": 224}}, "resizes to {'height': 200, 'width': 224}, but the model takes 224"),
        ({"size": "large"}, "resizes to 'large', which is not provided for"),
        ({"size": {"shortest_edge": "224"}}, "resizes to {'shortest_edge': '224'}, which is not provided for"),
        ({"crop_size": 200}, r"crops to \[200\] pixels, but the model takes 224"),
        ({"crop_size": {"height": 224, "width": 200}}, r"crops to \[200, 224\] pixels"),
        ({"resample": 1}, "resizes by 1, which is not provided for"),
        ({"do_rescale": False}, "does not take pictures as 0 to 1"),
        ({"rescale_factor": 1 / 127.5}, "does not take pictures as 0 to 1"),
        ({"image_mean": [0.5]}, r"has image_mean = \[0\.5\]; it must be three numbers"),
        ({"image_std": "half"}, "has image_std = 'half'; it must be three numbers"),
    ],
)
def test_what_it_cannot_do_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Preprocessing.of({**OPENAI, **changes}, 224)
