#!/usr/bin/env python3
r"""Zero-shot accuracy of a model folder, computed by `transformers` alone.

An independent check of an exported model: nothing of the training code but
the reader of the scene stream is used, and the stored half-precision weights
are evaluated in float32.

    python scripts/check_clip_folder.py --model models/emoji-clip --runner .build/release/runner
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from transformers import CLIPModel, CLIPProcessor

from emojiclip.scenes import SceneSource, StreamHeader


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder in the Hugging Face layout")
    parser.add_argument("--runner", type=Path, required=True, help="the built `runner`")
    parser.add_argument("--recipe", type=Path, help="recipe of the scenes (JSON); default: the compositor's own")
    parser.add_argument("--split", default="val")
    parser.add_argument("--scenes", type=int, default=4000)
    return parser.parse_args()


@torch.no_grad()
def classifier(model: CLIPModel, processor: CLIPProcessor, header: StreamHeader) -> Tensor:
    """[names, d]: every name in every template; normalised, averaged, normalised."""
    context, total = model.config.text_config.max_position_embeddings, 0
    for template in header.templates:
        texts = [template.replace("{}", name) for name in header.names]
        inputs = processor.tokenizer(texts, padding=True, truncation=True, max_length=context, return_tensors="pt")
        pooled = model.text_model(**inputs).pooler_output
        total = total + F.normalize(model.text_projection(pooled), dim=-1)
    return F.normalize(total, dim=-1)


@torch.no_grad()
def ranks(model: CLIPModel, processor: CLIPProcessor, weights: Tensor, scenes: np.ndarray) -> Tensor:
    """How many names score higher than the main label, for every scene."""
    images = [Image.fromarray(pixels) for pixels in scenes["pixels"]]
    pixels = processor.image_processor(images=images, return_tensors="pt")["pixel_values"]
    scores = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output) @ weights.T
    label = torch.tensor(scenes["label"].astype(np.int64))[:, None]
    return (scores > scores.gather(1, label)).sum(1)


def main() -> None:
    options = arguments()
    model = CLIPModel.from_pretrained(options.model, dtype=torch.float32).eval()
    processor = CLIPProcessor.from_pretrained(options.model)
    stream = SceneSource(options.runner, options.recipe).open(options.split, 0, options.scenes)
    weights, found = classifier(model, processor, stream.header), []
    for start in range(0, options.scenes, 200):
        found.append(ranks(model, processor, weights, stream.read(min(200, options.scenes - start))))
    stream.close()
    rank = torch.cat(found)
    top1, top5 = (100 * (rank < k).float().mean().item() for k in (1, 5))
    print(f"{options.split}, {len(rank)} scenes: top-1 {top1:.2f} %, top-5 {top5:.2f} %")


if __name__ == "__main__":
    main()
