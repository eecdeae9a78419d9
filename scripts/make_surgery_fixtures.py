#!/usr/bin/env python3
r"""Writes small random CLIP towers and what literal float64 PyTorch makes of them by surgery.

    python scripts/make_surgery_fixtures.py --out Tests/AttributionTests/Fixtures

surgery-{gelu,quick_gelu}.safetensors: a vision tower, two images of its own size and two larger ones,
for which the positional grid is resized bilinearly; the tokens in the joint space, not normalised, by
architecture surgery at several depths and by the published recipes of the last blocks; the attention
terms of one surgery; feature surgery by the tokens x labels x channels form; heat maps.
surgery-text.safetensors: a causal text tower, its outputs at every position.
surgery-measures.json: points for a promptable segmenter, mean score contrast, explainability IoU by
threshold, mean average precision (scikit-learn).

Near-uniform attention would make the recipes alike, so queries, keys and values are scaled up; the
script refuses to write when attention is too even or two recipes are too close, and writes both
figures into each file, as well as the largest change of any result when all is in float32.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import sklearn
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from sklearn.metrics import average_precision_score
from torch import Tensor

MEAN, STD = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)
DEPTHS = (1, 3, 4, 6)
TERMS_DEPTH = 3
IMAGES = 2
# Of the weights of queries, keys and values.
GAINS = (1.8, 1.8, 1.4)


@dataclass(frozen=True)
class Config:
    image: int = 16
    larger: int = 24
    patch: int = 4
    width: int = 12
    heads: int = 3
    layers: int = 6
    mlp: int = 16
    embedding: int = 6
    labels: int = 5
    epsilon: float = 1e-5

    @property
    def grid(self) -> int:
        return self.image // self.patch


@dataclass(frozen=True)
class TextConfig:
    vocabulary: int = 20
    context: int = 12
    width: int = 16
    heads: int = 2
    layers: int = 4
    mlp: int = 24
    embedding: int = 8
    epsilon: float = 1e-5
    end: int = 19


class Random:
    """float32, so that both sides start from the same numbers."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.w: dict[str, Tensor] = {}

    def normal(self, *shape: int, scale: float = 1.0) -> Tensor:
        return torch.randn(*shape, generator=self.generator) * scale

    def norm(self, name: str, width: int) -> None:
        self.w[f"{name}.weight"] = 1 + self.normal(width, scale=0.2)
        self.w[f"{name}.bias"] = self.normal(width, scale=0.2)

    def linear(self, name: str, outputs: int, inputs: int) -> None:
        self.w[f"{name}.weight"] = self.normal(outputs, inputs, scale=inputs**-0.5)
        self.w[f"{name}.bias"] = self.normal(outputs, scale=0.2)

    def blocks(self, c: Config | TextConfig) -> None:
        gains = torch.tensor(GAINS).repeat_interleave(c.width)
        for layer in range(c.layers):
            self.norm(f"{layer}.attentionNorm", c.width)
            self.norm(f"{layer}.mlpNorm", c.width)
            self.linear(f"{layer}.queryKeyValue", 3 * c.width, c.width)
            self.w[f"{layer}.queryKeyValue.weight"] *= gains[:, None]
            self.linear(f"{layer}.attentionOutput", c.width, c.width)
            self.linear(f"{layer}.mlpInput", c.mlp, c.width)
            self.linear(f"{layer}.mlpOutput", c.width, c.mlp)


def vision_weights(c: Config, seed: int) -> dict[str, Tensor]:
    r = Random(seed)
    r.w["patchEmbedding"] = r.normal(c.width, 3 * c.patch**2, scale=0.2)
    r.w["classEmbedding"] = r.normal(c.width)
    r.w["positionEmbedding"] = r.normal(1 + c.grid**2, c.width, scale=0.5)
    r.w["projection"] = r.normal(c.embedding, c.width, scale=c.width**-0.5)
    r.norm("inputNorm", c.width)
    r.norm("outputNorm", c.width)
    r.blocks(c)
    r.w["texts"] = F.normalize(r.normal(c.labels, c.embedding), dim=-1)
    r.w["emptyText"] = F.normalize(r.normal(c.embedding), dim=-1)
    return r.w


def text_weights(c: TextConfig, seed: int) -> dict[str, Tensor]:
    r = Random(seed)
    r.w["tokenEmbedding"] = r.normal(c.vocabulary, c.width)
    r.w["positionEmbedding"] = r.normal(c.context, c.width, scale=0.5)
    r.w["projection"] = r.normal(c.embedding, c.width, scale=c.width**-0.5)
    r.norm("outputNorm", c.width)
    r.blocks(c)
    return r.w


def activate(x: Tensor, name: str) -> Tensor:
    return x * torch.sigmoid(1.702 * x) if name == "quick_gelu" else F.gelu(x)


class Tower:
    """The parts that both towers share. Tokens are [T, D], heads [H, T, D/H]."""

    def __init__(self, c: Config | TextConfig, weights: dict[str, Tensor], activation: str, dtype: torch.dtype) -> None:
        self.c, self.activation, self.dtype = c, activation, dtype
        self.w = {name: tensor.to(dtype) for name, tensor in weights.items()}
        self.scale = (c.width // c.heads) ** -0.5

    def norm(self, x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, (self.c.width,), self.w[f"{name}.weight"], self.w[f"{name}.bias"], self.c.epsilon)

    def linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def query_key_value(self, x: Tensor, layer: int) -> list[Tensor]:
        parts = self.linear(self.norm(x, f"{layer}.attentionNorm"), f"{layer}.queryKeyValue").chunk(3, -1)
        return [part.reshape(len(x), self.c.heads, -1).transpose(0, 1) for part in parts]

    def output(self, mixed: Tensor, layer: int) -> Tensor:
        """[H, T, D/H] -> Proj [T, D], with its bias."""
        return self.linear(mixed.transpose(0, 1).reshape(mixed.shape[1], -1), f"{layer}.attentionOutput")

    def mlp(self, x: Tensor, layer: int) -> Tensor:
        hidden = activate(self.linear(self.norm(x, f"{layer}.mlpNorm"), f"{layer}.mlpInput"), self.activation)
        return self.linear(hidden, f"{layer}.mlpOutput")

    def block(self, x: Tensor, layer: int, mask: Tensor | float = 0.0) -> Tensor:
        q, k, v = self.query_key_value(x, layer)
        x = x + self.output((self.scale * q @ k.mT + mask).softmax(-1) @ v, layer)
        return x + self.mlp(x, layer)

    def joint(self, x: Tensor) -> Tensor:
        return self.norm(x, "outputNorm") @ self.w["projection"].T


class Vision(Tower):
    c: Config

    def embed(self, image: np.ndarray) -> Tensor:
        """[size, size, 3] bytes -> [T, D]"""
        c, w = self.c, self.w
        mean, std = (torch.tensor(v, dtype=self.dtype).view(3, 1, 1) for v in (MEAN, STD))
        pixels = (torch.tensor(image).permute(2, 0, 1).to(self.dtype) / 255 - mean) / std
        patches = F.conv2d(pixels[None], w["patchEmbedding"].reshape(c.width, 3, c.patch, c.patch), stride=c.patch)
        grid = patches.shape[-1]
        positions = w["positionEmbedding"]
        square = positions[1:].T.reshape(1, c.width, c.grid, c.grid)
        if grid != c.grid:
            square = F.interpolate(square, size=(grid, grid), mode="bilinear", align_corners=False)
        positions = torch.cat([positions[:1], square[0].flatten(1).T])
        tokens = torch.cat([w["classEmbedding"][None], patches[0].flatten(1).T])
        return self.norm(tokens + positions, "inputNorm")

    def inputs(self, image: np.ndarray) -> list[Tensor]:
        """What enters every block, and what leaves the last."""
        x = [self.embed(image)]
        for layer in range(self.c.layers):
            x.append(self.block(x[-1], layer))
        return x


# The last blocks' recipes: tokens before ln_post, the class token by the recipe itself.


def identity_mix(m: Vision, q: Tensor, k: Tensor, v: Tensor, normed: Tensor) -> Tensor:
    return v


def value_mix(m: Vision, q: Tensor, k: Tensor, v: Tensor, normed: Tensor) -> Tensor:
    return (m.scale * v @ v.mT).softmax(-1) @ v


def sclip_mix(m: Vision, q: Tensor, k: Tensor, v: Tensor, normed: Tensor) -> Tensor:
    """The two matrices are added, so that every row sums to 2."""
    return ((m.scale * q @ q.mT).softmax(-1) + (m.scale * k @ k.mT).softmax(-1)) @ v


def clearclip_mix(m: Vision, q: Tensor, k: Tensor, v: Tensor, normed: Tensor) -> Tensor:
    return (m.scale * q @ q.mT).softmax(-1) @ v


def naclip_mix(deviation: float):
    def mix(m: Vision, q: Tensor, k: Tensor, v: Tensor, normed: Tensor) -> Tensor:
        """The Gaussian, 1 at its centre, is added to scaled logits; nothing is added for the class token."""
        tokens = k.shape[1]
        grid = math.isqrt(tokens - 1)
        added = torch.zeros(tokens, tokens, dtype=m.dtype)
        for i, j in itertools.product(range(tokens - 1), repeat=2):
            distance = (i // grid - j // grid) ** 2 + (i % grid - j % grid) ** 2
            added[1 + i, 1 + j] = math.exp(-distance / (2 * deviation**2))
        return (m.scale * k @ k.mT + added).softmax(-1) @ v
    return mix


def gem_mix(m: Vision, q: Tensor, k: Tensor, v: Tensor, normed: Tensor) -> Tensor:
    """One self-self iteration on unit vectors before the matrix that mixes the values; mean of q, k and v."""
    inverse_temperature = normed.norm(dim=-1).mean() * m.scale
    mixed = []
    for p in (q, k, v):
        for _ in range(2):
            p = F.normalize(p, dim=-1)
            attention = (inverse_temperature * p @ p.mT).softmax(-1)
            p = attention @ p
        mixed.append(attention @ v)
    return sum(mixed) / 3


def dual_path(m: Vision, x: list[Tensor], depth: int, mix) -> tuple[Tensor, list[Tensor]]:
    """The start of the new path and what every one of the last blocks adds to it; no MLP."""
    first = m.c.layers - depth
    terms = []
    for layer in range(first, m.c.layers):
        q, k, v = m.query_key_value(x[layer], layer)
        terms.append(m.output(mix(m, q, k, v, m.norm(x[layer], f"{layer}.attentionNorm")), layer))
    return x[first], terms


def dual(depth: int, mix):
    def recipe(m: Vision, x: list[Tensor]) -> Tensor:
        start, terms = dual_path(m, x, depth, mix)
        return start + sum(terms)
    return recipe


def whole(mix):
    """The last block with another attention, residual and MLP kept."""
    def recipe(m: Vision, x: list[Tensor]) -> Tensor:
        s = dual(1, mix)(m, x)
        return s + m.mlp(s, m.c.layers - 1)
    return recipe


def bare(mix):
    """The last block's attention output alone."""
    def recipe(m: Vision, x: list[Tensor]) -> Tensor:
        return dual_path(m, x, 1, mix)[1][0]
    return recipe


RECIPES = {
    "maskclip": whole(identity_mix),
    "maskclip-no-mlp": dual(1, identity_mix),
    "maskclip-bare": bare(identity_mix),
    "sclip": whole(sclip_mix),
    "clearclip": bare(clearclip_mix),
    "naclip": bare(naclip_mix(5)),
    "naclip-narrow": bare(naclip_mix(1)),
    "gem-3": dual(3, gem_mix),
    "gem-6": dual(6, gem_mix),
} | {f"surgery-{depth}": dual(depth, value_mix) for depth in DEPTHS}


# Feature surgery and maps


def feature_surgery(tokens: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens (class token first) and texts of any length -> similarities [T, K], weights [K]."""
    images, texts = F.normalize(tokens, dim=-1), F.normalize(texts, dim=-1)
    weights = (2 * images[0] @ texts.T).softmax(-1)
    weights = weights / weights.mean()
    features = images[:, None, :] * texts[None, :, :] * weights[None, :, None]
    redundant = features.mean(1, keepdim=True)
    return (features - redundant).sum(-1), weights


def single_text(tokens: Tensor, texts: Tensor, empty: Tensor) -> Tensor:
    return F.normalize(tokens, dim=-1) @ (texts - empty).T


def to_unit(x: Tensor) -> Tensor:
    return (x - x.min()) / (x.max() - x.min())


def heat_map(column: Tensor, size: tuple[int, int]) -> Tensor:
    """A similarity's patches -> [height, width]"""
    grid = math.isqrt(len(column))
    return F.interpolate(to_unit(column).reshape(1, 1, grid, grid), size=size, mode="bilinear", align_corners=False)[0, 0]


MAP_SIZES = {16: (20, 28), 24: (24, 24)}


def expected(c: Config, weights: dict[str, Tensor], activation: str, images: dict[int, np.ndarray],
             dtype: torch.dtype) -> dict[str, Tensor]:
    m = Vision(c, weights, activation, dtype)
    out: dict[str, Tensor] = {}
    for size, batch in images.items():
        stacks: dict[str, list[Tensor]] = {}
        add = lambda name, tensor: stacks.setdefault(f"{size}.{name}", []).append(tensor)
        for index, image in enumerate(batch):
            x = m.inputs(image)
            plain = m.joint(x[-1])
            add("plain", plain)
            classes = []
            for name, recipe in RECIPES.items():
                tokens = m.joint(recipe(m, x))
                classes.append(tokens[0])
                tokens = torch.cat([plain[:1], tokens[1:]])
                add(name, tokens)
                if name == f"surgery-{TERMS_DEPTH}":
                    surgery = tokens
            add("ownClass", torch.stack(classes))
            start, terms = dual_path(m, x, TERMS_DEPTH, value_mix)
            add("start", start)
            add("terms", torch.stack(terms))
            similarity, w = feature_surgery(surgery, m.w["texts"])
            add("similarity", similarity)
            add("labelWeights", w)
            add("singleText", single_text(surgery, m.w["texts"], m.w["emptyText"]))
            if index == 0:
                out[f"{size}.map"] = heat_map(similarity[1:, 0], MAP_SIZES[size])
        out |= {name: torch.stack(tensors) for name, tensors in stacks.items()}
    return out


def evenness(m: Vision, images: dict[int, np.ndarray]) -> float:
    """The largest, over blocks and kinds of attention, of mean row entropy / log T: 1 is uniform."""
    found = []
    for batch in images.values():
        for image in batch:
            for layer, x in enumerate(m.inputs(image)[:-1]):
                q, k, v = m.query_key_value(x, layer)
                for a, b in ((q, k), (q, q), (k, k), (v, v)):
                    p = (m.scale * a @ b.mT).softmax(-1)
                    found.append((-(p * p.log()).sum(-1).mean() / math.log(len(x))).item())
    return max(found)


def closest(out: dict[str, Tensor]) -> tuple[float, str]:
    """The two recipes whose patch tokens differ least, relative to the plain ones' length."""
    pairs = itertools.combinations(["plain", *RECIPES], 2)
    return min((((out[f"{s}.{a}"] - out[f"{s}.{b}"])[:, 1:].norm() / out[f"{s}.plain"][:, 1:].norm()).item(), f"{a}, {b}")
               for a, b in pairs for s in MAP_SIZES)


def relative_error(found: Tensor, true: Tensor) -> float:
    return ((found.double() - true).norm() / true.norm()).item()


def write_vision(folder: Path, activation: str, seed: int) -> None:
    c = Config()
    weights = vision_weights(c, seed)
    rng = np.random.default_rng(seed)
    images = {size: rng.integers(0, 256, (IMAGES, size, size, 3), dtype=np.uint8) for size in (c.image, c.larger)}
    true = expected(c, weights, activation, images, torch.float64)
    single = expected(c, weights, activation, images, torch.float32)
    error = max((relative_error(single[name], true[name]), name) for name in true)
    even = evenness(Vision(c, weights, activation, torch.float64), images)
    nearest = closest(true)
    assert even < 0.9 and nearest[0] > 0.04 and error[0] < 1e-5, (even, nearest, error)
    figures = {"evenness": f"{even:.3f}", "closest": f"{nearest[0]:.3f} ({nearest[1]})", "float32": f"{error[0]:.1e} ({error[1]})"}
    tensors = weights | {f"images.{size}": torch.tensor(batch) for size, batch in images.items()}
    tensors |= {name: tensor.float().contiguous() for name, tensor in true.items()}
    save(tensors, folder / f"surgery-{activation}.safetensors", versions() | figures | {
        "activation": activation, "seed": str(seed), "config": json.dumps(asdict(c)),
        "recipes": json.dumps(list(RECIPES))})
    print(f"{activation}: {figures}", file=sys.stderr)


def write_text(folder: Path, activation: str, seed: int) -> None:
    """Texts of 3, 7 and 12 tokens, padded with zeros. Every position through ln_final and the projection."""
    c = TextConfig()
    weights = text_weights(c, seed)
    rng = np.random.default_rng(seed)
    lengths = [3, 7, c.context]
    ids = np.zeros((len(lengths), c.context), dtype=np.int32)
    for row, length in zip(ids, lengths):
        row[:length] = [c.end - 1, *rng.integers(1, c.end - 1, length - 2), c.end]

    def run(dtype: torch.dtype) -> Tensor:
        m = Tower(c, weights, activation, dtype)
        causal = torch.full((c.context, c.context), -math.inf, dtype=dtype).triu(1)
        outputs = []
        for row in torch.tensor(ids, dtype=torch.long):
            x = m.w["tokenEmbedding"][row] + m.w["positionEmbedding"]
            for layer in range(c.layers):
                x = m.block(x, layer, causal)
            outputs.append(m.joint(x))
        return torch.stack(outputs)

    true = run(torch.float64)
    error = relative_error(run(torch.float32), true)
    pooled = torch.stack([row[length - 1] for row, length in zip(true, lengths)])
    tensors = weights | {"tokens": torch.tensor(ids), "lengths": torch.tensor(lengths, dtype=torch.int32),
                         "positions": true.float(), "pooled": pooled.float()}
    save(tensors, folder / "surgery-text.safetensors", versions() | {
        "activation": activation, "seed": str(seed), "config": json.dumps(asdict(c)), "float32": f"{error:.1e}"})
    print(f"text: float32 {error:.1e}", file=sys.stderr)


# Points


def halved(values: np.ndarray) -> np.ndarray:
    side = len(values) // 2
    resized = F.interpolate(torch.tensor(values)[None, None], size=(side, side), mode="bilinear", align_corners=False)
    return to_unit(resized[0, 0]).numpy()


def points(values: np.ndarray, height: int, width: int, threshold: float = 0.8) -> tuple[list, list]:
    """[x, y] of the best cells, best last, and of the worst, worst first."""
    small = halved(values)
    side = len(small)
    flat = small.ravel()
    order = np.argsort(flat, kind="stable")
    count = min(int((flat >= threshold).sum()), len(flat) // 2)

    def pixel(cell: int) -> list[int]:
        x = min((cell % side + 0.5) * width / side, width - 1)
        y = min((cell // side + 0.5) * height / side, height - 1)
        return [int(x), int(y)]

    # Single precision has to choose the same cells and pixels.
    gaps = np.diff(flat[order])
    others = flat[flat < 1]
    assert gaps.min() > 1e-4 and np.abs(others - threshold).min() > 1e-4, (gaps.min(), np.abs(others - threshold).min())
    return [pixel(cell) for cell in order[-count:]], [pixel(cell) for cell in order[:count]]


def smooth(rng: np.random.Generator, side: int, peaks: int) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side]
    values = 0.15 * rng.normal(size=(side, side))
    for _ in range(peaks):
        y, x, wide = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(0.1, 0.3) * side
        values += np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * wide**2))
    return np.round(values, 4)


def steady(make, check):
    """The first of `make`'s draws with which `check` finds nothing within rounding of a decision."""
    while True:
        drawn = make()
        try:
            return drawn, check(drawn)
        except AssertionError:
            continue


def point_cases(rng: np.random.Generator) -> list[dict]:
    cases = []
    shapes = [("even grid", 8, 1, 224, 320), ("odd grid", 7, 1, 100, 75), ("two by two", 4, 1, 17, 33),
              ("one cell apart", 5, 2, 3, 2), ("fourteen", 14, 2, 481, 640)]
    for name, side, peaks, height, width in shapes:
        values, (positive, negative) = steady(lambda: smooth(rng, side, peaks), lambda v: points(v, height, width))
        cases.append({"name": name, "map": values.tolist(), "height": height, "width": width,
                      "halved": halved(values).tolist(), "positive": positive, "negative": negative})
    # More than half of the cells are above the threshold.
    values, (positive, negative) = steady(
        lambda: np.round(np.where(np.arange(64).reshape(8, 8) < 8, 0, 1) + 0.02 * rng.normal(size=(8, 8)), 4),
        lambda v: points(v, 64, 64))
    assert len(positive) == 8
    cases.append({"name": "half of the cells at most", "map": values.tolist(), "height": 64, "width": 64,
                  "halved": halved(values).tolist(), "positive": positive, "negative": negative})
    return cases


def combined_cases(rng: np.random.Generator) -> list[dict]:
    cases = []
    for name, count, side, height, width in [("a+b", 2, 8, 120, 160), ("a+b+c", 3, 7, 97, 61)]:
        def check(maps: list[np.ndarray]) -> tuple[list, list]:
            mean = np.mean([to_unit(torch.tensor(values)).numpy() for values in maps], axis=0)
            positive = [point for values in maps for point in points(values, height, width)[0]]
            return positive, points(mean, height, width)[1]
        maps, (positive, negative) = steady(lambda: [smooth(rng, side, 1) for _ in range(count)], check)
        cases.append({"name": name, "maps": [values.tolist() for values in maps], "height": height, "width": width,
                      "positive": positive, "negative": negative})
    return cases


# Measures


def unit(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / (values.max() - values.min())


THRESHOLDS = [step / 100 for step in range(101)]


def explanation_cases(rng: np.random.Generator) -> dict:
    """Pairs of a map and a label's mask: pairs 0 and 1 share an image, and so on."""
    pairs = []
    for height, width, share in [(6, 6, 0.3), (6, 6, 0.5), (5, 9, 0.1), (5, 9, 0.7), (8, 4, 0.4), (8, 4, 0.03)]:
        def make() -> tuple[np.ndarray, np.ndarray]:
            mask = (rng.random((height, width)) < share).astype(int)
            return np.round(rng.normal(size=mask.shape) + rng.choice([-1, 1, 1.5]) * mask, 3), mask

        def check(drawn: tuple[np.ndarray, np.ndarray]) -> None:
            values, mask = unit(drawn[0]).ravel() * 100, drawn[1]
            inner = values[(values > 0) & (values < 100)]
            assert 0 < mask.sum() < mask.size and np.abs(inner - np.round(inner)).min() > 1e-3
        pairs.append(steady(make, check)[0])
    contrasts = [100 * (unit(v)[mask == 1].mean() - unit(v)[mask == 0].mean()) for v, mask in pairs]
    foreground, background = [], []
    for threshold in THRESHOLDS:
        fore, back = [], []
        for values, mask in pairs:
            found, real = unit(values) > threshold, mask == 1
            fore.append((found & real).sum() / (found | real).sum())
            back.append((~found & ~real).sum() / (~found | ~real).sum())
        foreground.append(float(np.mean(fore)))
        background.append(float(np.mean(back)))
    best = int(np.argmax(foreground))
    return {"pairs": [{"map": v.tolist(), "mask": mask.tolist()} for v, mask in pairs],
            "scoreContrasts": contrasts, "meanScoreContrast": float(np.mean(contrasts)),
            "thresholds": THRESHOLDS, "foregroundIoU": foreground, "backgroundIoU": background,
            "bestThreshold": THRESHOLDS[best], "bestForegroundIoU": foreground[best]}


def recognition_cases(rng: np.random.Generator) -> list[dict]:
    cases = []
    for name, images, labels, levels in [("no ties", 24, 5, None), ("ties", 24, 4, 5), ("one label each", 9, 3, None)]:
        present = (rng.random((images, labels)) < 0.35).astype(int)
        present[0], present[-1] = 1, 0
        if name == "one label each":
            present = np.eye(labels, dtype=int)[np.arange(images) % labels]
        scores = rng.normal(size=(images, labels)) + present
        scores = np.round(scores, 4) if levels is None else np.round(scores * levels / 4) / levels
        cases.append({"name": name, "scores": scores.tolist(), "present": present.tolist(),
                      "averagePrecisions": average_precision_score(present, scores, average=None).tolist(),
                      "meanAveragePrecision": float(average_precision_score(present, scores, average="macro"))})
    return cases


def write_measures(folder: Path) -> None:
    rng = np.random.default_rng(5)
    document = {"versions": versions() | {"scikit-learn": sklearn.__version__}, "points": point_cases(rng),
                "combinedPoints": combined_cases(rng), "explanation": explanation_cases(rng),
                "recognition": recognition_cases(rng)}
    (folder / "surgery-measures.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


def save(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """The same bytes every time: safetensors writes its metadata in any order."""
    save_file(tensors, path, metadata=metadata)
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[end:])


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
            "madeBy": "python scripts/make_surgery_fixtures.py --out FOLDER"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the fixtures")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    write_vision(options.out, "quick_gelu", 1)
    write_vision(options.out, "gelu", 2)
    write_text(options.out, "quick_gelu", 3)
    write_measures(options.out)


if __name__ == "__main__":
    main()
