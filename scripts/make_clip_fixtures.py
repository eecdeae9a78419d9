#!/usr/bin/env python3
r"""Writes what `transformers` computes for a model folder, to test against.

The first scenes of split `val` and a list of texts (ordinary and odd ones) go
through transformers.CLIPModel in float32; the weights of the folder are taken
as they are. Scenes are not stored: the compositor makes them again.

    python scripts/make_clip_fixtures.py --model models/emoji-clip \
        --runner .build/release/runner --out models/emoji-clip
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from pathlib import Path

import numpy as np
import tokenizers
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPModel, CLIPTokenizer

from emojiclip.scenes import SceneSource, StreamHeader, captions

ODD_TEXTS = [
    "", " ", "Dog", "A PICTURE OF A SHIP", "two  spaces   and more", " leading and trailing ",
    "tab\tand\nnewline", "café au lait", "cafe\u0301 au lait", "piñata", "crème brûlée", "naïve Ünïcödé ß",
    "1st place medal", "24 hours, 7 days", "3.14159", "50%", "rock 'n' roll", "it's a dog's life, they'll see",
    "we've I'd you're I'm don't", "hello... world?!", "(brackets) [and] {braces}", "e-mail: a@b.c", "a_b-c/d",
    "🐶", "a dog 🐶 and a ship 🚢", "👩‍🚀 astronaut", "日本語", "Ελληνικά", "<|endoftext|>", "qwertyuiop",
    "a picture of a dog next to a ship beside a violin near a guitar with an elephant and a bowl of rice under a "
    "rainbow in front of a castle behind a tree",
]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder in the Hugging Face layout")
    parser.add_argument("--runner", type=Path, required=True, help="the built `runner`")
    parser.add_argument("--out", type=Path, required=True, help="folder for the fixture")
    parser.add_argument("--scenes", type=int, default=64)
    parser.add_argument("--texts", type=int, default=64)
    parser.add_argument("--traced-scenes", type=int, default=4, help="scenes with the class token after every layer")
    return parser.parse_args()


def choose_texts(header: StreamHeader, scenes: np.ndarray, count: int) -> list[str]:
    """The odd texts, then names, keywords and captions in equal parts."""
    keywords = sorted({keyword for of_name in header.keywords for keyword in of_name})
    spread = lambda texts, n: [texts[i * len(texts) // n] for i in range(n)]
    each = (count - len(ODD_TEXTS)) // 3
    texts = ODD_TEXTS + spread(header.names, each) + spread(keywords, each)
    return texts + captions(scenes)[:count - len(texts)]


def normalised_pixels(scenes: np.ndarray, folder: Path) -> Tensor:
    """Scenes have the model's size already: rescale and normalise only."""
    config = json.loads((folder / "preprocessor_config.json").read_text())
    pixels = torch.tensor(scenes["pixels"]).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(config[key]).view(3, 1, 1) for key in ("image_mean", "image_std"))
    return (pixels - mean) / std


@torch.no_grad()
def image_tensors(model: CLIPModel, pixels: Tensor, traced: int) -> dict[str, Tensor]:
    """Normalised embeddings [n, d], and the class token's residual stream
    [traced, 1 + layers, width]: after the first layer norm, then after each layer."""
    out = model.vision_model(pixel_values=pixels, output_hidden_states=True)
    embeddings = model.visual_projection(out.pooler_output)
    trace = torch.stack([hidden[:traced, 0] for hidden in out.hidden_states], 1)
    return {"imageEmbeddings": F.normalize(embeddings, dim=-1), "classTokens": trace,
            "imageNorms": embeddings.norm(dim=-1)}


@torch.no_grad()
def text_embeddings(model: CLIPModel, padded: list[list[int]]) -> Tensor:
    pooled = model.text_model(input_ids=torch.tensor(padded)).pooler_output
    return F.normalize(model.text_projection(pooled), dim=-1)


def main() -> None:
    options = arguments()
    stream = SceneSource(options.runner).open("val", 0, options.scenes)
    scenes = stream.read(options.scenes)
    stream.close()
    model = CLIPModel.from_pretrained(options.model, dtype=torch.float32).eval()
    tokenizer = CLIPTokenizer.from_pretrained(options.model)
    context = model.config.text_config.max_position_embeddings
    texts = choose_texts(stream.header, scenes, options.texts)
    ids = tokenizer(texts, truncation=True, max_length=context)["input_ids"]
    padded = tokenizer(texts, truncation=True, max_length=context, padding="max_length")["input_ids"]

    tensors = image_tensors(model, normalised_pixels(scenes, options.model), options.traced_scenes)
    tensors["textEmbeddings"] = text_embeddings(model, padded)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "reference.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    file.chmod(0o644)
    fixture = {
        "model": options.model.name,
        "madeBy": "python scripts/make_clip_fixtures.py --model MODEL --runner RUNNER --out FOLDER "
                  f"--scenes {options.scenes} --texts {options.texts} --traced-scenes {options.traced_scenes}",
        "versions": {"python": platform.python_version(), "torch": torch.__version__,
                     "transformers": transformers.__version__, "tokenizers": tokenizers.__version__},
        "split": "val", "scenes": list(range(options.scenes)),
        "scenesDigest": hashlib.sha256(scenes["pixels"].tobytes()).hexdigest(), "recipeDigest": stream.header.raw.get("recipeDigest"),
        "labels": [int(label) for label in scenes["label"]],
        "contextLength": context, "logitScale": model.logit_scale.exp().item(),
        "texts": texts, "tokenIds": ids,
    }
    (options.out / "reference.json").write_text(json.dumps(fixture, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{len(texts)} texts and {len(scenes)} scenes to {options.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
