"""The contrastive loss, without the false negatives of a small world."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def shares_an_object(labels: Tensor, absent: int) -> Tensor:
    """[B, B], true where two scenes of a batch show an object in common.

    Labels are [B, 2]: the main object and the second one, or `absent`.
    """
    a, b = labels[:, None, :, None], labels[None, :, None, :]
    return ((a == b) & (a != absent)).flatten(2).any(2)


def contrastive_loss(images: Tensor, texts: Tensor, scale: Tensor, overlap: Tensor) -> Tensor:
    """CLIP's symmetric cross-entropy between scenes and captions.

    `images` and `texts` [B, d] are normalised; caption i belongs to scene i.
    With 800 concepts and hundreds of scenes a batch, many captions are also
    true of other scenes of the batch. Pairs marked in `overlap` [B, B] are
    left out of the denominators, so that no scene is pushed away from a
    caption that fits it.
    """
    logits = scale * images @ texts.T
    own = torch.eye(len(logits), dtype=torch.bool)
    logits = logits.masked_fill(overlap & ~own, float("-inf"))
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
