"""CLIPs by their names, from folders and files; what is damaged or unsafe is refused in one sentence."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from car.errors import MissingExtra, UnknownName, UserError
from car.rewards.clip.architectures import ARCHITECTURES, PUBLISHED, Architecture
from tests.unit.rewards.clip.small_clip import save_tiny

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

from car.rewards.clip import loading, transformer  # noqa: E402
from car.rewards.clip.loading import load_encoder, weights_sha256  # noqa: E402

SENTENCES = ["the door is open", "a grid world seen from above", "the agent has picked up the key"]
SMALL = Architecture(8, (32, 1, 2, 64), (16, 1, 1, 32), 24, size=32)


def frames(count: int = 3, height: int = 40, width: int = 48) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8))


@pytest.fixture
def copied(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny CLIP that may be damaged."""
    return Path(shutil.copytree(tiny, tmp_path / "copied"))


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a CLIP of the small shape in a file, with a tokeniser of as many tokens as OpenAI's beside it."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("files")
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    tokens += [f"unused-{number}" for number in range(49406 - len(tokens))]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    transformers.CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = transformers.CLIPModel(transformers.CLIPConfig(**SMALL.config()))
    save_file(model.state_dict(), folder / "small.safetensors")
    return folder


@pytest.fixture
def no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where any socket is opened, and says so to huggingface_hub, which reads the variable when imported."""
    import huggingface_hub.constants

    def refuse(*arguments: object, **more: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def changed(folder: Path, file: str = "config.json", **changes: Any) -> Path:
    """A folder after the numbers in its file were changed."""
    about = json.loads((folder / file).read_text("utf-8"))
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(about.get(name), dict):
            about[name] |= value
        else:
            about[name] = value
    (folder / file).write_text(json.dumps(about), "utf-8")
    return folder


def refused(model: Path | str) -> str:
    """The one sentence with which a CLIP is refused."""
    with pytest.raises(UserError) as caught:
        load_encoder(str(model))
    said = str(caught.value)
    assert "\n" not in said
    assert said.endswith(".")
    return said


def test_a_folder_comes_back_as_it_was_saved(tiny: Path) -> None:
    one, other = load_encoder(str(tiny)), load_encoder(str(tiny))
    assert one.name.endswith("tiny")
    assert one.sha256 == other.sha256
    assert len(one.sha256) == 64
    images, texts = one.images(frames()), one.texts(SENTENCES)
    assert images.shape == (3, 64)
    assert texts.shape == (3, 64)
    assert images.dtype == texts.dtype == np.float32
    for vectors in (images, texts):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
        assert len(np.unique(vectors.round(6), axis=0)) == 3
    np.testing.assert_array_equal(images, other.images(frames()))
    np.testing.assert_array_equal(texts, other.texts(SENTENCES))


def test_the_embeddings_are_those_of_transformers_alone(tiny: Path) -> None:
    model = transformers.CLIPModel.from_pretrained(tiny).eval()
    tokeniser = transformers.CLIPTokenizer.from_pretrained(tiny)
    module = pytest.importorskip("transformers.models.clip.image_processing_pil_clip")
    pixels = module.CLIPImageProcessorPil.from_pretrained(tiny)(frames(), return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        words = tokeniser(SENTENCES, padding=True, return_tensors="pt")
        said = model(pixel_values=pixels, **words)
    encoder = load_encoder(str(tiny))
    np.testing.assert_allclose(encoder.images(frames()), said.image_embeds.numpy(), atol=1e-6)
    np.testing.assert_allclose(encoder.texts(SENTENCES), said.text_embeds.numpy(), atol=1e-6)


def test_a_frame_or_a_sentence_means_the_same_whatever_is_beside_it(tiny: Path, monkeypatch) -> None:
    encoder = load_encoder(str(tiny))
    alone = np.concatenate([encoder.images([frame]) for frame in frames(5)])
    np.testing.assert_allclose(encoder.images(frames(5)), alone, atol=1e-5)
    sentences = [*SENTENCES, "key " * 30]
    np.testing.assert_allclose(
        encoder.texts(sentences), np.concatenate([encoder.texts([each]) for each in sentences]), atol=1e-5
    )
    monkeypatch.setattr(transformer, "MOST_AT_ONCE", 2)
    np.testing.assert_allclose(encoder.images(frames(5)), alone, atol=1e-5)


def test_a_sentence_that_is_too_long_is_named(tiny: Path) -> None:
    with pytest.raises(UserError, match=r"'key key .*' is longer than the \d+ tokens that \S*tiny reads"):
        load_encoder(str(tiny)).texts(["a door", "key " * 200, "door " * 190])


def test_frames_can_be_stretched_in_place_of_its_own_preprocessing(tiny: Path) -> None:
    one, other = load_encoder(str(tiny)), load_encoder(str(tiny), stretch=True)
    assert (one.images(frames()) != other.images(frames())).any()
    square = frames(height=96, width=96)
    np.testing.assert_array_equal(one.images(square), other.images(square))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_half_precision_changes_little(tiny: Path) -> None:
    here, there = load_encoder(str(tiny), device="cpu"), load_encoder(str(tiny))
    np.testing.assert_allclose(there.images(frames()), here.images(frames()), atol=2e-2)
    np.testing.assert_allclose(there.texts(SENTENCES), here.texts(SENTENCES), atol=1e-4)


def test_a_relative_folder_is_found_from_the_working_directory(tiny: Path, monkeypatch) -> None:
    monkeypatch.chdir(tiny.parent)
    assert load_encoder("./tiny").name == load_encoder("tiny").name
    assert load_encoder("tiny").name.endswith("tiny")


def test_weights_of_another_model_are_refused(copied: Path, tmp_path: Path) -> None:
    weights = (copied / "model.safetensors").read_bytes()
    said = "The weights in .* are of another model than its configuration: "
    with pytest.raises(UserError, match=said + r"'text_projection\.weight' is \(64, 16\), where \(32, 16\) is needed"):
        load_encoder(str(changed(copied, projection_dim=32)))
    with pytest.raises(UserError, match=said + r"it lacks 'vision_model\.encoder\.layers\.1\."):
        load_encoder(str(changed(copied, projection_dim=64, vision_config={"num_hidden_layers": 2})))
    with pytest.raises(UserError, match=said + r"it has 'vision_model\.encoder\.layers\.0\."):
        load_encoder(str(changed(copied, vision_config={"num_hidden_layers": 0})))
    assert (copied / "model.safetensors").read_bytes() == weights


def test_older_files_with_the_numbers_of_positions_are_taken(copied: Path, tiny: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(copied / "model.safetensors")
    tensors["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    tensors = {key: each.half() if each.is_floating_point() else each for key, each in tensors.items()}
    save_file(tensors, copied / "model.safetensors")
    older, newer = load_encoder(str(copied)), load_encoder(str(tiny))
    np.testing.assert_allclose(older.images(frames()), newer.images(frames()), atol=1e-2)
    assert older.sha256 != newer.sha256


@pytest.mark.parametrize("rename", ["pytorch_model.bin", "model.pt", "pickle.pkl"])
def test_weights_that_hold_pickles_are_refused(copied: Path, rename: str) -> None:
    (copied / "model.safetensors").rename(copied / rename)
    assert "There is no model.safetensors in" in (said := refused(copied))
    assert "hold pickles, which may run programs when read" in said


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.sprung),)


def test_a_pickle_under_the_right_name_is_not_unpickled(copied: Path, tmp_path: Path) -> None:
    torch.save({"weights": Trap(tmp_path / "sprung")}, copied / "model.safetensors")
    assert "model.safetensors cannot be read: " in refused(copied)
    torch.save({"weights": Trap(tmp_path / "sprung")}, tmp_path / "weights.pt")
    assert "are no .safetensors file; other formats may run programs" in refused(f"ViT-B-32/{tmp_path}/weights.pt")
    assert not (tmp_path / "sprung").exists()


def test_damaged_weights_are_one_sentence(copied: Path) -> None:
    weights = copied / "model.safetensors"
    whole = weights.read_bytes()
    for damaged in (b"", whole[:-100], b"\xff" * 100, whole[:50]):
        weights.write_bytes(damaged)
        assert f"The weights {weights} cannot be read: " in refused(copied)


def test_a_folder_without_a_configuration_or_with_a_damaged_one(copied: Path) -> None:
    config = copied / "config.json"
    for text, said in (
        ("{", f"The file {config} cannot be read: "),
        ("[1]", f"The file {config} is no configuration."),
        ("{}", "is a 'model of no known type', not a 'clip'."),
        ('{"model_type": "siglip"}', f"The model in {copied} is a 'siglip', not a 'clip'."),
    ):
        config.write_text(text, "utf-8")
        assert said in refused(copied)
    config.write_bytes(b"\xff\xfe")
    assert "cannot be read" in refused(copied)
    config.unlink()
    assert f"There is no config.json in {copied}; a CLIP's folder has it beside model.safetensors." == refused(copied)


@pytest.mark.parametrize(
    "changes",
    [
        {"text_config": {"hidden_size": "many"}},
        {"text_config": "small"},
        {"text_config": {"hidden_size": 24, "num_attention_heads": 5}},
        {"text_config": {"num_attention_heads": 0}},
        {"vision_config": {"hidden_act": "nothing"}},
    ],
)
def test_a_configuration_of_no_clip_is_one_sentence(copied: Path, changes: dict[str, Any]) -> None:
    assert f"The config.json in {copied} describes no CLIP: " in refused(changed(copied, **changes))


def test_a_tokeniser_that_is_missing_damaged_or_of_another_model(copied: Path, beside: Path) -> None:
    tokens = copied / "tokenizer.json"
    for damaged in ("{", "{}", ""):
        tokens.write_text(damaged, "utf-8")
        assert f"The tokeniser in {copied} is damaged: " in refused(copied)
    shutil.copy(beside / "tokenizer.json", tokens)
    assert "copied is of another model: it has other tokens" in refused(copied)
    tokens.unlink()
    assert f"There is no tokenizer.json in {copied}; a CLIP cannot read sentences" in refused(copied)


def test_a_preprocessing_that_is_damaged_or_not_provided_for(copied: Path) -> None:
    assert "resizes to {'longest_edge': 3}" in refused(
        changed(copied, "preprocessor_config.json", do_resize=True, size={"longest_edge": 3})
    )
    (copied / "preprocessor_config.json").write_text("nothing", "utf-8")
    assert "preprocessor_config.json cannot be read" in refused(copied)


def test_without_a_preprocessing_it_is_openais(copied: Path) -> None:
    (copied / "preprocessor_config.json").unlink()
    found = load_encoder(str(copied)).preprocessing  # type: ignore[attr-defined]
    assert (found.size, found.shortest, found.padded, found.mean[0]) == (96, 96, False, 0.48145466)


@pytest.mark.parametrize("name", ["nothing", "./nothing", "/nothing/there", "~/nothing", "ViT-B-32/", "/"])
def test_an_unknown_name_says_what_can_be_said(name: str, tmp_path: Path, monkeypatch, no_socket) -> None:
    monkeypatch.chdir(tmp_path)
    if name == "/":
        assert "There is no config.json in /" in refused(name)
        return
    with pytest.raises(UnknownName, match=r"There is no CLIP .*the path of a folder, ARCHITECTURE/WEIGHTS, ORGANIS"):
        load_encoder(name)


def test_weights_in_a_file_go_into_a_known_shape(beside: Path) -> None:
    encoder = transformer.from_file(SMALL, beside / "small.safetensors", "small")
    assert encoder.images(frames()).shape == (3, 24)
    texts = encoder.texts(SENTENCES)
    assert len(np.unique(texts.round(4), axis=0)) == 3
    assert encoder.name == "small"
    model = transformers.CLIPModel(transformers.CLIPConfig(**SMALL.config()))
    assert encoder.parameters == sum(each.numel() for each in model.parameters())
    assert (encoder.preprocessing.size, encoder.preprocessing.shortest) == (32, 32)


def test_an_architecture_and_a_file_are_one_name(beside: Path, tiny: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(loading, "ARCHITECTURES", {"small": SMALL})
    file = beside / "small.safetensors"
    assert load_encoder(f"small/{file}").images(frames()).shape == (3, 24)
    monkeypatch.chdir(beside)
    assert load_encoder("small/small.safetensors").name == "small/small.safetensors"
    assert f"There is no file of weights '{beside}/none.safetensors'." == refused(f"small/{beside}/none.safetensors")
    assert refused("small/none.safetensors") == "There is no file of weights 'none.safetensors'."
    assert refused("small/none/none.pt") == "There is no file of weights 'none/none.pt'."
    said = refused(f"small/{tiny / 'model.safetensors'}")
    assert f"The weights in {tiny / 'model.safetensors'} are of another model than its configuration" in said
    lonely = shutil.copy(file, tmp_path / "lonely.safetensors")
    assert f"There is no tokenizer.json in {tmp_path}" in refused(f"small/{lonely}")
    shutil.copy(tiny / "tokenizer.json", tmp_path)
    assert "is of another model: it has other tokens than the text encoder" in refused(f"small/{lonely}")


def test_random_weights_are_always_the_same_and_tell_sentences_apart(tiny: Path, monkeypatch) -> None:
    monkeypatch.setattr(loading, "SHIPPED", tiny.parent)
    monkeypatch.setattr(loading, "DEFAULT_MODEL", "tiny")
    monkeypatch.setattr(loading, "ARCHITECTURES", {"small": SMALL})
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one = load_encoder("small/random")
    assert torch.equal(torch.random.get_rng_state(), before)
    other = load_encoder("small/random")
    np.testing.assert_array_equal(one.images(frames()), other.images(frames()))
    texts = one.texts(SENTENCES)
    np.testing.assert_array_equal(texts, other.texts(SENTENCES))
    assert np.abs(texts[0] - texts[1]).max() > 1e-2
    assert np.abs(texts[1] - texts[2]).max() > 1e-2
    assert one.name in one.sha256


@pytest.mark.slow
def test_a_vit_b_32_of_random_weights_has_the_size_of_the_real_one(tiny: Path, monkeypatch) -> None:
    monkeypatch.setattr(loading, "SHIPPED", tiny.parent)
    monkeypatch.setattr(loading, "DEFAULT_MODEL", "tiny")
    encoder = load_encoder("ViT-B-32/random")
    # As OpenAI's: https://arxiv.org/abs/2103.00020, and the sum over its published file.
    assert encoder.parameters == 151_277_313  # type: ignore[attr-defined]
    assert encoder.images(frames()).shape == (3, 512)


def test_a_shipped_one_is_known_by_its_name(tiny: Path, monkeypatch) -> None:
    monkeypatch.setattr(loading, "SHIPPED", tiny.parent)
    assert loading.shipped() == ["tiny"]
    assert load_encoder("tiny").name == "tiny"
    with pytest.raises(UnknownName, match="There are: tiny, the path of a folder"):
        load_encoder("nothing")


@pytest.mark.parametrize("name", ["openai/clip-nothing", "ViT-B-32/openai", "ViT-L-14/laion2b_s32b_b82k"])
def test_a_hub_that_cannot_be_reached_is_one_sentence(name: str, no_socket: None, monkeypatch, tmp_path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    said = refused(name)
    assert f"The CLIP {PUBLISHED.get(name, name)!r} can neither be found here nor downloaded (" in said
    assert "; give the path of a folder that holds its config.json, model.safetensors and tokenizer.json." in said


@pytest.mark.parametrize("name", ["ViT-B-32/of_nobody", "RN50/openai", "convnext_base/laion400m"])
def test_without_open_clip_its_models_are_a_missing_extra(name: str, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(MissingExtra, match=rf"The CLIP '{name}' is one of open_clip, .*install open_clip_torch"):
        load_encoder(name)


def test_without_transformers_it_is_a_missing_extra(tiny: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    for model in (str(tiny), "openai/clip-vit-base-patch32", "ViT-B-32/openai"):
        with pytest.raises(MissingExtra) as caught:
            load_encoder(model)
        # Python names the module where there is none, but not where an import is forbidden.
        assert "transformers" in str(caught.value)


def test_where_transformers_is_not_installed_the_extra_is_named(tiny: Path, tmp_path: Path) -> None:
    # A module of that name that cannot be found, as Python itself would say it.
    (tmp_path / "transformers.py").write_text("raise ModuleNotFoundError('none', name='transformers')\n", "utf-8")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from car.errors import MissingExtra\nfrom car.rewards.clip.loading import load_encoder\n"
        "try:\n    load_encoder(sys.argv[2])\nexcept MissingExtra as error:\n    print(error)\n"
    )
    root = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), str(tiny)], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout == "A CLIP reward needs the package transformers: pip install 'code-as-reward[clip]'.\n"


def test_a_transformers_that_cannot_be_imported_says_why(tiny: Path, tmp_path: Path, monkeypatch) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("operator torchvision::nms\ndoes not exist")

    monkeypatch.setitem(sys.modules, "transformers", Broken())
    with pytest.raises(MissingExtra, match=r"cannot load its CLIP: operator torchvision::nms does not exist\. The usu"):
        load_encoder(str(tiny))


def test_the_published_names_have_a_shape() -> None:
    assert all(name.partition("/")[0] in ARCHITECTURES for name in PUBLISHED)
    for architecture in ARCHITECTURES.values():
        config = architecture.config()
        assert config["vision_config"]["image_size"] % config["vision_config"]["patch_size"] == 0
        for part in ("vision_config", "text_config"):
            assert config[part]["hidden_size"] % config[part]["num_attention_heads"] == 0


def test_two_seeds_are_two_clips(tmp_path: Path, tiny: Path) -> None:
    other = load_encoder(str(save_tiny(tmp_path / "other", seed=1)))
    assert other.sha256 != load_encoder(str(tiny)).sha256


def test_a_sentence_with_characters_that_the_tokeniser_does_not_know_is_refused(tiny: Path) -> None:
    """Its end token stands for them, and the text encoder would read no further."""
    encoder = load_encoder(str(tiny))
    with pytest.raises(UserError, match=r"'the door is öpen' has characters that .* cannot read"):
        encoder.texts(["the door is open", "the door is öpen"])


def test_the_weights_of_a_name_are_known_without_loading_them(tiny: Path, tmp_path: Path) -> None:
    known = weights_sha256(str(tiny))
    assert known == hashlib.sha256((tiny / "model.safetensors").read_bytes()).hexdigest()
    assert load_encoder(str(tiny)).sha256 == known
    assert weights_sha256("worlds") == load_encoder("worlds").sha256
    assert weights_sha256(f"ViT-B-32/{tiny}/model.safetensors") == known
    assert weights_sha256("openai/clip-vit-base-patch32") is None
    assert weights_sha256("x" * 300) is None
