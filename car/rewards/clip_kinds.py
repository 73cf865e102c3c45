"""The two kinds of CLIP reward, and how a line that names one begins."""

KINDS = ("clip-cosine", "clip-softmax")


def is_clip(reward: object) -> bool:
    """Whether this names a CLIP reward, and not a folder or a maker."""
    return isinstance(reward, str) and reward.split(":", 1)[0] in KINDS
