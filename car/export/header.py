"""The comments of an exported file: what it is, where it comes from, how it is used."""

import keyword
import textwrap

import car
from car.bundle import Bundle
from car.errors import BadBundle

_WIDTH = 110
_NOT_ISOLATED = (
    "NOT ISOLATED: the programs in this file run in your own process and may do all that it may do. `car` runs them in "
    "processes of their own, without files, network and keys, ends one that takes too long, and stops a training in "
    "which a program changes its answers. Nothing of that happens here. A language model wrote the programs: read them "
    "before you import this file."
)


def header(bundle: Bundle, module: str) -> str:
    """The comment at the head of the file, and its docstring.

    Args:
        bundle: what the file is made of.
        module: the name under which the file is imported.

    Raises:
        BadBundle: an argument of the environment has no name that can be written.
    """
    task, chain = bundle.task, bundle.verdict.chain
    kwargs = dict(task.env_kwargs)
    if task.camera == "render":
        kwargs.setdefault("render_mode", "rgb_array")
    odd = [name for name in kwargs if not name.isidentifier() or keyword.iskeyword(name)]
    if odd:
        raise BadBundle(f"The task {task.name!r} has an argument that is no name in Python: {odd[0]!r}.")
    arguments = "".join(f", {name}={value!r}" for name, value in kwargs.items())
    height, width, _ = bundle.frame_shape
    said = [
        f"The reward of the task {task.name}, written by `car export` of code-as-reward {car.__version__}.",
        _NOT_ISOLATED,
        f"Goal: {bundle.goal}",
        f"Verdict: {bundle.verdict.decision}. {chain.experts_done} of {chain.experts} expert episodes that refinement "
        f"had not seen complete the whole chain, and {chain.randoms_done} of {chain.randoms} random ones.",
        f"Review: {_review(bundle)}",
        f"sha256 of the bundle's manifest: {bundle.manifest_sha256}",
        f"Written by: {', '.join(bundle.provenance.models) or bundle.provenance.vlm}. {bundle.provenance.made}",
        f"Made and verified with: {', '.join(f'{name} {number}' for name, number in _versions(bundle))}.",
        f"Frames: {width} x {height} pixels, RGB; the task's camera is {task.camera!r}.",
        "This file imports numpy, cv2 and gymnasium only. Where the bundle is changed, it must be exported again.",
    ]
    use = [f"import gymnasium as gym\nfrom {module} import DenseReward\n"]
    if task.env_id.startswith(("MiniGrid-", "BabyAI-")):
        use[0] = use[0].replace("\n", "\nimport minigrid\n", 1)
    use.append(f"env = DenseReward(gym.make({task.env_id!r}{arguments}))")
    lines = "\n#\n".join(comment(each) for each in said)
    example = "\n".join(f"#     {line}".rstrip() for line in "\n".join(use).split("\n"))
    return f'"""A dense reward in one file; it is not isolated, see below."""\n\n{lines}\n#\n# Use:\n#\n{example}'


def comment(text: str, ruled: bool = False) -> str:
    """The text as a comment; whatever it holds, it stays one.

    Args:
        text: words of anybody; all white space counts as a space, what cannot be printed becomes a question mark.
        ruled: with a line above it.
    """
    plain = "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))
    lines = textwrap.wrap(plain, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    return "\n".join([*(["# " + "-" * (_WIDTH - 2)] if ruled else []), *(f"# {line}".rstrip() for line in lines)])


def _review(bundle: Bundle) -> str:
    if bundle.approval is None:
        return "NOBODY HAS APPROVED IT."
    why = f" Why: {bundle.approval.why}" if bundle.approval.why else ""
    return f"{bundle.approval.decision} by a person, for just this content.{why}"


def _versions(bundle: Bundle) -> list[tuple[str, str]]:
    versions = bundle.manifest.get("versions", {})
    return sorted((str(name), str(number)) for name, number in versions.items())
