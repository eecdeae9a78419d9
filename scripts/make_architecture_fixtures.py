#!/usr/bin/env python3
"""Writes what OpenCLIP makes of its own configurations, and what it computes with a full-size ViT-B/32.

    python scripts/make_architecture_fixtures.py --output Tests/CLIPModelTests/Fixtures/Architectures

`open_clip.json` has, for each published architecture, the model_cfg, the sizes of both towers as built, and the number
of tensors and parameters of the state dict; models are built on torch's meta device, without memory.

`ViT-B-32.safetensors` has the embeddings, not normalised, of a ViT-B/32 (QuickGELU) whose weights, pixels and tokens
follow from the names of the tensors alone. The generator is SplitMix64, its seed the FNV-1a hash of the name; a weight
is c + a·(2u − 1) in float32, u being the upper 24 bits of a draw. Matrices have c = 0 and a = 1.5/√(elements of a row),
gains of norms c = 1 and a = 0.2, the scale of the logits c = 2 and a = 0.2, other vectors c = 0 and a = 0.2. A pixel is
the lowest byte of a draw for "pixels"; token i of a text is draw mod 49406 for "tokens", between start and end.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import open_clip
import torch
from open_clip.model import CLIP
from safetensors.torch import save_file

PUBLISHED = [
    "ViT-B-32", "ViT-B-32-quickgelu", "ViT-B-16", "ViT-B-16-quickgelu", "ViT-L-14", "ViT-L-14-quickgelu", "ViT-L-14-336",
    "ViT-L-14-336-quickgelu", "ViT-H-14", "ViT-g-14", "ViT-bigG-14",
]
GAMMA, IMAGES, LENGTHS = 0x9E3779B97F4A7C15, 2, (3, 20, 77)


def draws(label: str, count: int) -> np.ndarray:
    """The first outputs of SplitMix64 for a label."""
    seed = 0xCBF29CE484222325
    for byte in label.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA) + np.uint64(seed)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def weights(name: str, shape: torch.Size) -> torch.Tensor:
    f, row = np.float32, int(np.prod(shape[1:]))
    if len(shape) >= 2:
        centre, amplitude = f(0), f(1.5) / np.sqrt(f(row))
    else:
        centre = f(2) if name == "logit_scale" else f(1) if name.endswith(".weight") else f(0)
        amplitude = f(0.2)
    uniform = (draws(name, int(np.prod(shape))) >> np.uint64(40)).astype(f) * f(2**-24)
    return torch.from_numpy(centre + amplitude * (f(2) * uniform - f(1))).reshape(shape)


def built(name: str) -> dict:
    config = open_clip.get_model_config(name)
    with torch.device("meta"):
        model = CLIP(**json.loads(json.dumps(config)))
    tower = lambda blocks: {
        "layers": len(blocks), "heads": blocks[0].attn.num_heads, "width": blocks[0].attn.embed_dim,
        "mlpWidth": blocks[0].mlp.c_fc.out_features, "quick": type(blocks[0].mlp.gelu).__name__ == "QuickGELU",
        "epsilon": blocks[0].ln_1.eps,
    }
    state = model.state_dict()
    return {
        "name": name, "configuration": json.dumps({"model_cfg": config}),
        "image": tower(model.visual.transformer.resblocks), "text": tower(model.transformer.resblocks),
        "imageSize": model.visual.image_size[0], "patchSize": model.visual.patch_size[0],
        "contextLength": model.context_length, "vocabularySize": model.vocab_size,
        "embeddingWidth": model.visual.output_dim, "tensors": len(state),
        "parameters": sum(tensor.numel() for tensor in state.values()),
    }


@torch.no_grad()
def full_size(output: Path) -> None:
    model = CLIP(**open_clip.get_model_config("ViT-B-32-quickgelu")).eval()
    model.load_state_dict({name: weights(name, tensor.shape) for name, tensor in model.state_dict().items()})
    side = model.visual.image_size[0]
    pixels = draws("pixels", IMAGES * side * side * 3).astype(np.uint8).reshape(IMAGES, side, side, 3)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD))
    numbers, texts = iter(draws("tokens", sum(LENGTHS))), []
    for length in LENGTHS:
        text = [49406, *(int(next(numbers)) % 49406 for _ in range(length - 2)), 49407]
        texts.append(text + [0] * (77 - length))
    tensors = {"imageEmbeddings": model.encode_image((images - mean) / std), "textEmbeddings": model.encode_text(torch.tensor(texts))}
    file = output / "ViT-B-32.safetensors"
    save_file(tensors, file, {"torch": torch.__version__, "open_clip": open_clip.__version__})
    file.chmod(0o644)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder to write into")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    fixture = {"open_clip": open_clip.__version__, "cases": [built(name) for name in PUBLISHED]}
    (output / "open_clip.json").write_text(json.dumps(fixture, indent=1) + "\n", encoding="utf-8")
    full_size(output)


if __name__ == "__main__":
    main()
