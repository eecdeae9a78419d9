"""The CLIP of `transformers.CLIPModel`, written for fast training on a CPU.

The arithmetic is that of the Hugging Face class: a pre-norm vision
transformer with a class token, a layer norm before and after, QuickGELU, and
a causal text transformer pooled at the end-of-text token. Only the storage
differs: queries, keys and values are one matrix, and patches are cut out
before they are embedded, so that dropped patches cost nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PIXEL_MEAN = (0.48145466, 0.4578275, 0.40821073)
PIXEL_STD = (0.26862954, 0.26130258, 0.27577711)
HEAD_WIDTH = 64


@dataclass(frozen=True)
class Shape:
    """Everything that fixes the sizes of a model."""

    vocabulary: int
    image_size: int = 64
    patch_size: int = 8
    width: int = 192
    layers: int = 6
    text_width: int = 192
    text_layers: int = 2
    context: int = 32
    projection: int = 192

    @property
    def patches(self) -> int:
        return (self.image_size // self.patch_size) ** 2


def attend(q: Tensor, k: Tensor, v: Tensor, hidden: Tensor | None) -> Tensor:
    """Plain attention on [B, H, T, 64]. For some dozens of tokens it is
    several times faster on a CPU, backwards above all, than the fused kernel."""
    scores = (q * HEAD_WIDTH ** -0.5) @ k.transpose(2, 3)
    if hidden is not None:
        scores = scores.masked_fill(hidden, float("-inf"))
    return scores.softmax(-1) @ v


class Linear(nn.Linear):
    """A linear layer whose bias is added on its own: the compiler fuses the
    addition into what follows, where the library would copy the bias first."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight) + self.bias


class Attention(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.qkv = Linear(width, 3 * width)
        self.out_proj = Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """[B, T, k·width] to [k, B, H, T, 64]."""
        return x.unflatten(2, (-1, self.heads, HEAD_WIDTH)).permute(2, 0, 3, 1, 4)

    def join(self, mixed: Tensor) -> Tensor:
        return self.out_proj(mixed.transpose(1, 2).flatten(2))

    def forward(self, x: Tensor, hidden: Tensor | None) -> Tensor:
        q, k, v = self.split(self.qkv(x))
        return self.join(attend(q, k, v, hidden))

    def first_token(self, x: Tensor) -> Tensor:
        """The output at token 0 alone, [B, 1, width]."""
        width = x.shape[2]
        weight, bias = self.qkv.weight, self.qkv.bias
        q, = self.split(F.linear(x[:, :1], weight[:width], bias[:width]))
        k, v = self.split(F.linear(x, weight[width:], bias[width:]))
        return self.join(attend(q, k, v, None))


class Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attn = Attention(width)
        self.fc1, self.fc2 = Linear(width, 4 * width), Linear(4 * width, width)

    def mlp(self, x: Tensor) -> Tensor:
        hidden = self.fc1(self.layer_norm2(x))
        return x + self.fc2(hidden * torch.sigmoid(1.702 * hidden))

    def forward(self, x: Tensor, hidden: Tensor | None = None) -> Tensor:
        return self.mlp(x + self.self_attn(self.layer_norm1(x), hidden))

    def first_token(self, x: Tensor) -> Tensor:
        """The last layer of the vision tower: nothing after it reads the patches."""
        return self.mlp(x[:, :1] + self.self_attn.first_token(self.layer_norm1(x)))


class VisionTower(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.patch_size = shape.patch_size
        self.class_embedding = nn.Parameter(torch.empty(shape.width))
        self.patch_embedding = nn.Linear(3 * shape.patch_size ** 2, shape.width, bias=False)
        self.position_embedding = nn.Embedding(shape.patches + 1, shape.width)
        self.pre_layrnorm, self.post_layernorm = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.layers = nn.ModuleList(Block(shape.width) for _ in range(shape.layers))
        self.projection = nn.Linear(shape.width, shape.projection, bias=False)
        self.register_buffer("mean", torch.tensor(PIXEL_MEAN), persistent=False)
        self.register_buffer("std", torch.tensor(PIXEL_STD), persistent=False)

    def patches(self, pixels: Tensor) -> Tensor:
        """RGB bytes [B, S, S, 3] to normalised patches [B, N, 3·p·p]."""
        batch, size, p = len(pixels), pixels.shape[1], self.patch_size
        x = (pixels.float() / 255 - self.mean) / self.std
        x = x.view(batch, size // p, p, size // p, p, 3).permute(0, 1, 3, 5, 2, 4)
        return x.reshape(batch, -1, 3 * p * p)

    def forward(self, pixels: Tensor, kept: Tensor | None = None) -> Tensor:
        """Unnormalised image embeddings; `kept` [B, n] names the patches seen."""
        x, position = self.patches(pixels), self.position_embedding.weight
        place = position[1:].expand(len(x), -1, -1)
        if kept is not None:
            x = x.gather(1, kept[..., None].expand(-1, -1, x.shape[2]))
            place = position[1:][kept]
        x = self.patch_embedding(x) + place
        first = (self.class_embedding + position[0]).to(x.dtype).expand(len(x), 1, -1)
        x = self.pre_layrnorm(torch.cat([first, x], 1))
        for block in self.layers[:-1]:
            x = block(x)
        x = self.layers[-1].first_token(x)
        return self.projection(self.post_layernorm(x[:, 0]))


class TextTower(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.token_embedding = nn.Embedding(shape.vocabulary, shape.text_width)
        self.position_embedding = nn.Embedding(shape.context, shape.text_width)
        self.layers = nn.ModuleList(Block(shape.text_width) for _ in range(shape.text_layers))
        self.final_layer_norm = nn.LayerNorm(shape.text_width)
        self.projection = nn.Linear(shape.text_width, shape.projection, bias=False)

    def forward(self, ids: Tensor, last: Tensor) -> Tensor:
        """Unnormalised text embeddings; `last` [B] is the place of the end mark."""
        x = self.token_embedding(ids) + self.position_embedding.weight[:ids.shape[1]]
        length = ids.shape[1]
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        for block in self.layers:
            x = block(x, later)
        pooled = x[torch.arange(len(x)), last]
        return self.projection(self.final_layer_norm(pooled))


class EmojiCLIP(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.vision, self.text = VisionTower(shape), TextTower(shape)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.initialise()

    def initialise(self) -> None:
        """The scales of the original CLIP: residual branches start small."""
        vision, text = self.vision, self.text
        for tower, width in ((vision, self.shape.width), (text, self.shape.text_width)):
            depth_scale = (2 * len(tower.layers)) ** -0.5
            for block in tower.layers:
                nn.init.normal_(block.self_attn.qkv.weight, std=width ** -0.5)
                nn.init.normal_(block.self_attn.out_proj.weight, std=width ** -0.5 * depth_scale)
                nn.init.normal_(block.fc1.weight, std=(2 * width) ** -0.5)
                nn.init.normal_(block.fc2.weight, std=width ** -0.5 * depth_scale)
                for linear in (block.self_attn.qkv, block.self_attn.out_proj, block.fc1, block.fc2):
                    nn.init.zeros_(linear.bias)
            nn.init.normal_(tower.projection.weight, std=width ** -0.5)
        nn.init.normal_(vision.class_embedding, std=self.shape.width ** -0.5)
        nn.init.normal_(vision.position_embedding.weight, std=0.02)
        nn.init.normal_(vision.patch_embedding.weight, std=vision.patch_embedding.in_features ** -0.5)
        nn.init.normal_(text.token_embedding.weight, std=0.02)
        nn.init.normal_(text.position_embedding.weight, std=0.01)

    def matrices(self) -> list[nn.Parameter]:
        """The weight matrices of the transformer blocks (what Muon updates)."""
        return [parameter for tower in (self.vision, self.text) for block in tower.layers
                for parameter in block.parameters() if parameter.ndim == 2]
