"""CLIP as the reward: how well a frame fits a sentence."""

from car.rewards.clip.reference import ClipSettings, read_reference
from car.rewards.clip.reward import ClipReward, GatedReward, open_clip_reward, with_prompts
from car.rewards.clip_kinds import is_clip

__all__ = ["ClipReward", "ClipSettings", "GatedReward", "is_clip", "open_clip_reward", "read_reference", "with_prompts"]
