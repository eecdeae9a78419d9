#!/usr/bin/env python3
r"""Writes small random vision transformers and the heat maps that PyTorch makes of them.

Everything is computed in float64: the forward pass, the gradients of a class logit with respect to
every attention matrix (autograd), relevance by both forms of the LRP rules, the maps, bilinear
resizing. The rules for products, sums and linear layers are written as what they are defined by,
X * d<Z, S>/dX, and left to autograd.

    python scripts/make_attribution_fixtures.py --out Tests/AttributionTests/Fixtures

Relevance divides by sums that can come close to zero, where single precision has few digits left: in
float32, or when every weight changes by two units in the last place, the worst result of a typical
image changes by almost 1e-3. To be able to test to 1e-4, the images are those of many candidates that
change least; their figures and the candidates' median are printed and written into each file.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

MEAN, STD = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)
NEURONS = [(0, 3), (1, 0), (1, 17), (2, 19), (1, 17)]


@dataclass(frozen=True)
class Config:
    image: int = 12
    patch: int = 4
    width: int = 12
    heads: int = 3
    layers: int = 3
    mlp: int = 20
    embedding: int = 8
    classes: int = 7
    epsilon: float = 1e-5
    logit_scale: float = 20.0

    @property
    def tokens(self) -> int:
        return 1 + (self.image // self.patch) ** 2


def random_weights(c: Config, seed: int) -> dict[str, Tensor]:
    """float32, so that both sides start from the same numbers."""
    g = torch.Generator().manual_seed(seed)
    normal = lambda *shape, scale=1.0: torch.randn(*shape, generator=g) * scale
    w = {
        "patchEmbedding": normal(c.width, 3 * c.patch**2, scale=0.2),
        "classEmbedding": normal(c.width),
        "positionEmbedding": normal(c.tokens, c.width, scale=0.5),
        "projection": normal(c.embedding, c.width, scale=c.width**-0.5),
        "classifier": F.normalize(normal(c.classes, c.embedding), dim=-1),
    }

    def norm(name: str) -> None:
        w[f"{name}.weight"] = 1 + normal(c.width, scale=0.2)
        w[f"{name}.bias"] = normal(c.width, scale=0.2)

    def linear(name: str, outputs: int, inputs: int) -> None:
        w[f"{name}.weight"] = normal(outputs, inputs, scale=inputs**-0.5)
        w[f"{name}.bias"] = normal(outputs, scale=0.2)

    norm("inputNorm")
    norm("outputNorm")
    for layer in range(c.layers):
        norm(f"{layer}.attentionNorm")
        norm(f"{layer}.mlpNorm")
        linear(f"{layer}.queryKeyValue", 3 * c.width, c.width)
        linear(f"{layer}.attentionOutput", c.width, c.width)
        linear(f"{layer}.mlpInput", c.mlp, c.width)
        linear(f"{layer}.mlpOutput", c.width, c.mlp)
    return w


def activate(x: Tensor, name: str) -> Tensor:
    return x * torch.sigmoid(1.702 * x) if name == "quick_gelu" else F.gelu(x)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """[T, D] -> [H, T, D/H]"""
    return x.reshape(x.shape[0], heads, -1).transpose(0, 1)


def join_heads(x: Tensor) -> Tensor:
    return x.transpose(0, 1).reshape(x.shape[1], -1)


@dataclass
class Step:
    """What one layer computed."""
    x: Tensor
    normed: Tensor
    q: Tensor
    k: Tensor
    v: Tensor
    attention: Tensor
    mixed: Tensor
    attended: Tensor
    middle: Tensor
    normed2: Tensor
    p: Tensor
    mlp: Tensor


class Model:
    def __init__(self, c: Config, weights: dict[str, Tensor], activation: str, dtype: torch.dtype) -> None:
        self.c, self.activation, self.dtype = c, activation, dtype
        self.w = {name: tensor.to(dtype) for name, tensor in weights.items()}

    def norm(self, x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, (self.c.width,), self.w[f"{name}.weight"], self.w[f"{name}.bias"], self.c.epsilon)

    def linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def run(self, image: np.ndarray) -> None:
        """image: [size, size, 3] bytes. Leaves every intermediate value on self."""
        c, w = self.c, self.w
        stats = [torch.tensor(v, dtype=self.dtype).view(3, 1, 1) for v in (MEAN, STD)]
        self.pixels = (torch.tensor(image).permute(2, 0, 1).to(self.dtype) / 255 - stats[0]) / stats[1]
        self.kernel = w["patchEmbedding"].reshape(c.width, 3, c.patch, c.patch)
        patches = F.conv2d(self.pixels[None], self.kernel, stride=c.patch)[0].flatten(1).T
        self.embedded = torch.cat([w["classEmbedding"][None], patches])
        x = self.norm(self.embedded + w["positionEmbedding"], "inputNorm")
        self.steps: list[Step] = []
        for layer in range(c.layers):
            normed = self.norm(x, f"{layer}.attentionNorm")
            q, k, v = (split_heads(part, c.heads)
                       for part in self.linear(normed, f"{layer}.queryKeyValue").chunk(3, -1))
            attention = (q @ k.mT / math.sqrt(c.width // c.heads)).softmax(-1)
            if not attention.requires_grad:
                attention.requires_grad_()
            attention.retain_grad()
            mixed = join_heads(attention @ v)
            attended = self.linear(mixed, f"{layer}.attentionOutput")
            middle = x + attended
            normed2 = self.norm(middle, f"{layer}.mlpNorm")
            p = activate(self.linear(normed2, f"{layer}.mlpInput"), self.activation)
            mlp = self.linear(p, f"{layer}.mlpOutput")
            self.steps.append(Step(x, normed, q, k, v, attention, mixed, attended, middle, normed2, p, mlp))
            x = middle + mlp
        self.output = x
        self.pooled = self.norm(x[0], "outputNorm")
        self.representation = w["projection"] @ self.pooled
        self.direction = self.representation / self.representation.norm()
        self.logits = c.logit_scale * w["classifier"] @ self.direction

    def gradients(self, label: int) -> list[Tensor]:
        return list(torch.autograd.grad(self.logits[label], [s.attention for s in self.steps], retain_graph=True))


# Relevance


def ratio(a: Tensor, b: Tensor) -> Tensor:
    return torch.where(b == 0, torch.zeros_like(a), a / (b + 1e-9))


def leaves(*tensors: Tensor) -> list[Tensor]:
    return [t.detach().clone().requires_grad_() for t in tensors]


def through_linear(rule: str, r: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    xp, xn = leaves(x.clamp(min=0), x.clamp(max=0))
    z1, z2 = F.linear(xp, weight.clamp(min=0)), F.linear(xn, weight.clamp(max=0))
    if rule == "modified":
        gp, gn = torch.autograd.grad(z1 + z2, (xp, xn), ratio(r, z1 + z2))
    else:
        gp, = torch.autograd.grad(z1, xp, ratio(r, z1))
        gn, = torch.autograd.grad(z2, xn, ratio(r, z2))
    return (xp * gp + xn * gn).detach()


def through_sum(rule: str, r: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    a, b = leaves(a, b)
    z = a + b
    ga, gb = torch.autograd.grad(z, (a, b), ratio(r, z))
    ra, rb = (a * ga).detach(), (b * gb).detach()
    if rule == "original":
        return ra, rb
    sa, sb = ra.sum(), rb.sum()
    parts = sa.abs() + sb.abs()
    return (ra * ratio(ratio(sa.abs(), parts) * r.sum(), sa), rb * ratio(ratio(sb.abs(), parts) * r.sum(), sb))


def through_product(r: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x, y = leaves(x, y)
    z = x @ y
    gx, gy = torch.autograd.grad(z, (x, y), ratio(r, z))
    return (x * gx / 2).detach(), (y * gy / 2).detach()


def through_convolution(r: Tensor, m: Model) -> Tensor:
    """z^B with the image's own bounds. r: [patches, D] -> [3, size, size]"""
    grid = m.c.image // m.c.patch
    r = r.T.reshape(1, m.c.width, grid, grid)
    x = m.pixels[None]
    x, low, high = leaves(x, torch.full_like(x, x.min().item()), torch.full_like(x, x.max().item()))
    conv = lambda t, k: F.conv2d(t, k, stride=m.c.patch)
    z = conv(x, m.kernel) - conv(low, m.kernel.clamp(min=0)) - conv(high, m.kernel.clamp(max=0))
    gx, gl, gh = torch.autograd.grad(z, (x, low, high), ratio(r, z))
    return (x * gx + low * gl + high * gh).detach()[0]


def relevance(m: Model, rule: str, label: int) -> tuple[list[Tensor], Tensor]:
    """Relevance of every layer's attention, and of the pixels."""
    c, w = m.c, m.w
    start = torch.zeros(c.classes, dtype=m.dtype)
    start[label] = 1
    r = through_linear(rule, start, m.direction, w["classifier"])
    r = through_linear(rule, r, m.pooled, w["projection"])
    r = torch.cat([r[None], torch.zeros(c.tokens - 1, c.width, dtype=m.dtype)])
    attention: list[Tensor] = []
    for layer, s in reversed(list(enumerate(m.steps))):
        weight = lambda name: w[f"{layer}.{name}.weight"]
        past, branch = through_sum(rule, r, s.middle, s.mlp)
        branch = through_linear(rule, branch, s.p, weight("mlpOutput"))
        r = past + through_linear(rule, branch, s.normed2, weight("mlpInput"))
        past, branch = through_sum(rule, r, s.x, s.attended)
        branch = split_heads(through_linear(rule, branch, s.mixed, weight("attentionOutput")), c.heads)
        ra, rv = through_product(branch, s.attention, s.v)
        attention.insert(0, ra)
        rq, rk = through_product(ra, s.q, s.k.mT)
        rqkv = torch.cat([join_heads(rq), join_heads(rk.mT), join_heads(rv)], -1)
        r = past + through_linear(rule, rqkv, s.normed, weight("queryKeyValue"))
    r, _ = through_sum(rule, r, m.embedded, w["positionEmbedding"])
    return attention, through_convolution(r[1:], m)


# Maps


def chain(matrices: list[Tensor]) -> Tensor:
    """Row 0 of M_{L-1} ... M_1, without the class token."""
    product = torch.eye(len(matrices[0]), dtype=matrices[0].dtype)
    for matrix in matrices[1:]:
        product = matrix @ product
    return product[0, 1:]


def textspan(m: Model, label: int) -> Tensor:
    c, w = m.c, m.w
    mean, sigma = m.output[0].mean(), (m.output[0].var(correction=0) + c.epsilon).sqrt()
    # What is the same for all tokens and heads is shared among them and, where it belongs to the whole sum, among the layers'
    # attention and MLPs and the embedding.
    each = c.tokens * c.heads
    every = each * (2 * c.layers + 1)
    scores = torch.zeros(c.tokens, dtype=m.dtype)
    target = w["classifier"][label] - w["classifier"].mean(0)
    for layer, s in enumerate(m.steps):
        output = w[f"{layer}.attentionOutput.weight"].reshape(c.width, c.heads, -1)
        # [T, H, D]: what each token sends to the class token's residual stream through each head.
        sent = torch.einsum("hi,hie,dhe->ihd", s.attention[:, 0], s.v, output)
        sent = sent + w[f"{layer}.attentionOutput.bias"] / each - mean / every
        joint = (sent * w["outputNorm.weight"] / sigma + w["outputNorm.bias"] / every) @ w["projection"].T
        scores = scores + (joint @ target).sum(1)
    return scores[1:]


def legrad(m: Model, label: int) -> Tensor:
    """arXiv 2404.03214, for the last two layers as its released code has it: what the class's cosine with the mean token that
    leaves a layer, read out as the last one is, gains from that layer's own attention."""
    score = torch.zeros(m.c.tokens, dtype=m.dtype)
    for s in m.steps[-2:]:
        embedding = m.w["projection"] @ m.norm((s.middle + s.mlp).mean(0), "outputNorm")
        cosine = m.w["classifier"][label] @ (embedding / embedding.norm())
        gradient, = torch.autograd.grad(cosine, [s.attention], retain_graph=True)
        score = score + gradient.clamp(min=0).mean((0, 1))
    return score[1:]


def maps(m: Model, label: int, g: list[Tensor], original: list[Tensor], modified: list[Tensor],
         pixels: Tensor) -> dict[str, Tensor]:
    a = [s.attention.detach() for s in m.steps]
    eye = torch.eye(m.c.tokens, dtype=m.dtype)
    rolled = [x.mean(0) + eye for x in a]
    weight = g[-1][:, 0, 1:].mean(-1, keepdim=True)
    return {
        "raw-attention": a[-1].mean(0)[0, 1:],
        "rollout": chain([x / x.sum(-1, keepdim=True) for x in rolled]),
        "gradcam": (weight * a[-1][:, 0, 1:]).mean(0).clamp(min=0),
        "partial-lrp": original[-1].clamp(min=0).mean(0)[0, 1:],
        "lrp": pixels.sum(0).flatten(),
        "chefer-2021": chain([eye + (x * y).clamp(min=0).mean(0) for x, y in zip(g, modified)]),
        "textspan": textspan(m, label),
        "legrad": legrad(m, label),
        "second-order": torch.stack([m.steps[layer].p[1:, n] for layer, n in NEURONS]).mean(0),
    }


def expected(c: Config, weights: dict[str, Tensor], activation: str, images: np.ndarray, labels: list[int | None],
             dtype: torch.dtype) -> tuple[dict[str, Tensor], list[int]]:
    """labels: a class for each image, None for the predicted one."""
    out: dict[str, Tensor] = {}
    used: list[int] = []
    for i, image in enumerate(images):
        m = Model(c, weights, activation, dtype)
        m.run(image)
        label = labels[i] if labels[i] is not None else int(m.logits.argmax())
        used.append(label)
        g = m.gradients(label)
        original, lrp = relevance(m, "original", label)
        modified, modified_pixels = relevance(m, "modified", label)
        out[f"{i}.representation"], out[f"{i}.logits"] = m.representation, m.logits
        for layer in range(c.layers):
            out[f"{i}.gradient.{layer}"] = g[layer]
            out[f"{i}.original.{layer}"] = original[layer]
            out[f"{i}.modified.{layer}"] = modified[layer]
        out[f"{i}.original.pixels"], out[f"{i}.modified.pixels"] = lrp, modified_pixels
        for name, values in maps(m, label, g, original, modified, lrp).items():
            out[f"{i}.map.{name}"] = values
    return {name: tensor.detach() for name, tensor in out.items()}, used


def relative_error(found: Tensor, true: Tensor) -> float:
    return ((found.double() - true).norm() / true.norm().clamp(min=1e-300)).item()


def sensitivity(c: Config, weights: dict[str, Tensor], activation: str, image: np.ndarray, label: int | None) -> float:
    """The largest relative change of any result when weights change by 2e-7 of themselves, or all is in float32."""
    true, used = expected(c, weights, activation, image[None], [label], torch.float64)
    g = torch.Generator().manual_seed(0)
    runs = [expected(c, weights, activation, image[None], list(used), torch.float32)[0]]
    for _ in range(6):
        changed = {name: w.double() * (1 + 2e-7 * torch.randn(w.shape, generator=g)) for name, w in weights.items()}
        runs.append(expected(c, changed, activation, image[None], list(used), torch.float64)[0])
    return max(relative_error(run[name], true[name]) for run in runs for name in true)


def choose_images(c: Config, weights: dict[str, Tensor], activation: str, seed: int, labels: list[int | None],
                  candidates: int) -> tuple[np.ndarray, list[float], float]:
    """The least sensitive image for each label, its sensitivity, and the median over all candidates."""
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), candidates, c.image, c.image, 3), dtype=np.uint8)
    found = np.array([[sensitivity(c, weights, activation, image, label) for image in images[i]]
                      for i, label in enumerate(labels)])
    best = found.argmin(1)
    return images[np.arange(len(labels)), best], found.min(1).tolist(), float(np.median(found))


def write(folder: Path, activation: str, seed: int, candidates: int) -> None:
    c = Config()
    weights = random_weights(c, seed)
    labels: list[int | None] = [None, 2]
    images, sensitivities, median = choose_images(c, weights, activation, seed, labels, candidates)
    true, used = expected(c, weights, activation, images, labels, torch.float64)
    tensors = weights | {"images": torch.tensor(images), "labels": torch.tensor(used, dtype=torch.int32),
                         "neurons": torch.tensor(NEURONS, dtype=torch.int32)}
    tensors |= {name: tensor.float().contiguous() for name, tensor in true.items()}
    note = f"{', '.join(f'{s:.1e}' for s in sensitivities)}; median of {2 * candidates} candidates {median:.1e}"
    save_file(tensors, folder / f"{activation}.safetensors", metadata=metadata() | {
        "activation": activation, "seed": str(seed), "config": json.dumps(asdict(c)), "sensitivity": note})
    print(f"{activation}: seed {seed}, sensitivity {note}", file=sys.stderr)


def write_resizing(folder: Path) -> None:
    """Enlarging, shrinking, sizes that do not divide, one cell, no change."""
    g = torch.Generator().manual_seed(5)
    tensors: dict[str, Tensor] = {}
    for source, target in [(4, 16), (7, 56), (5, 13), (13, 5), (1, 6), (6, 1), (8, 8), (56, 16)]:
        values = torch.randn(source, source, generator=g)
        resized = F.interpolate(values.double()[None, None], size=(target, target), mode="bilinear", align_corners=False)
        tensors[f"{source}.{target}.source"], tensors[f"{source}.{target}.target"] = values, resized[0, 0].float()
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(tensors, folder / "resizing.safetensors", metadata=metadata())


def metadata() -> dict[str, str]:
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
            "madeBy": "python scripts/make_attribution_fixtures.py --out FOLDER"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the fixtures")
    parser.add_argument("--candidates", type=int, default=300, help="images to choose each image from")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    write(options.out, "quick_gelu", 1, options.candidates)
    write(options.out, "gelu", 2, options.candidates)
    write_resizing(options.out)


if __name__ == "__main__":
    main()
