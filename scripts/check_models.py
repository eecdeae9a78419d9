#!/usr/bin/env python3
"""Checks `runner` with full-size models of published architectures, in every format that has them.

    python scripts/check_models.py --runner .build/release/runner ViT-B-32 ViT-L-14

Weights are random: agreement is a matter of arithmetic, not of what was learned. Each model is made and written by
the library of its format into a temporary folder, with what that library computes in float32 in a
`reference.safetensors` beside it, and removed after `runner selfcheck --path` has read it. Printed are the largest
relative error of an embedding of either tower, the seconds that opening took, and the peak of resident memory, whole
and without mapped files.

A ViT-L/14 takes 6 GiB of memory and 4 GiB of disk on the way, a ViT-H/14 12 GiB and 8 GiB.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import open_clip
import torch
import transformers
from open_clip.model import CLIP, set_model_preprocess_cfg
from open_clip.push_to_hf_hub import save_for_hf
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file
from torch import Tensor, nn

from make_model_fixtures import (
    OPENAI, NoTokenizer, OpenAIModule, inputs, normalised, padded, randomise, save_openai_archive)

FORMATS = ["openclip", "openclip-bin-fp16", "openai-fp16", "huggingface", "huggingface-sharded-bf16"]


def architecture(name: str) -> dict:
    config = open_clip.get_model_config(name)
    return config | {"quick_gelu": True} if name in ("ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-L-14-336") else config


def rounded(model: nn.Module, kind: torch.dtype) -> nn.Module:
    """The same model with weights that the type can hold."""
    return model.to(kind).float()


def write_vocabulary(folder: Path) -> None:
    """OpenAI's vocabulary as Hugging Face writes it."""
    tokenizer = SimpleTokenizer()
    special = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary = {special.get(token, token): number for token, number in tokenizer.encoder.items()}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    merges = "".join(f"{left} {right}\n" for left, right in tokenizer.bpe_ranks)
    (folder / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")


def write_reference(folder: Path, pixels: Tensor, texts: list[list[int]], images: Tensor, embeddings: Tensor) -> None:
    tensors = {
        "pixels": pixels, "tokenIds": padded(texts, 77, -1).int(), "imageEmbeddings": images,
        "textEmbeddings": embeddings,
    }
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "reference.safetensors")


@torch.no_grad()
def make_open_clip(folder: Path, name: str, kind: str) -> None:
    config = architecture(name)
    half = kind.endswith("fp16")
    model = (OpenAIModule(config) if kind.startswith("openai") else CLIP(**copy.deepcopy(config)))
    model = randomise(model, 21)
    if half:
        model = rounded(model, torch.float16)
    side = config["vision_cfg"]["image_size"]
    pixels, texts = inputs(side, 49408, 77, 22)
    images = model.encode_image(normalised(pixels, *OPENAI))
    write_reference(folder, pixels, texts, images, model.encode_text(padded(texts, 77, 0)))
    if kind.startswith("openai"):
        save_openai_archive(model, config, folder / f"{name}.pt")
        return
    set_model_preprocess_cfg(model, {"size": side, "mean": OPENAI[0], "std": OPENAI[1]})
    save_for_hf(model.half() if half else model, NoTokenizer(), config, folder, safe_serialization=not half)


@torch.no_grad()
def make_hugging_face(folder: Path, name: str, kind: str) -> None:
    config = architecture(name)
    vision, text = config["vision_cfg"], config["text_cfg"]
    activation = "quick_gelu" if config.get("quick_gelu") else "gelu"
    model = transformers.CLIPModel(transformers.CLIPConfig(
        projection_dim=config["embed_dim"],
        text_config=dict(
            hidden_size=text["width"], num_attention_heads=text["heads"], num_hidden_layers=text["layers"],
            intermediate_size=4 * text["width"], hidden_act=activation),
        vision_config=dict(
            hidden_size=vision["width"], num_attention_heads=vision["width"] // vision.get("head_width", 64),
            num_hidden_layers=vision["layers"], intermediate_size=4 * vision["width"], hidden_act=activation,
            image_size=vision["image_size"], patch_size=vision["patch_size"])))
    model = randomise(model, 23)
    half = kind.endswith("bf16")
    if half:
        model = rounded(model, torch.bfloat16)
    side = vision["image_size"]
    pixels, texts = inputs(side, 49408, 77, 24)
    pooled = model.vision_model(pixel_values=normalised(pixels, *OPENAI)).pooler_output
    tokens = model.text_model(input_ids=padded(texts, 77, 49407)).pooler_output
    write_reference(folder, pixels, texts, model.visual_projection(pooled), model.text_projection(tokens))
    transformers.CLIPImageProcessor(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}).save_pretrained(folder)
    (model.bfloat16() if half else model).save_pretrained(folder, max_shard_size="200MB" if half else "50GB")


def peak(process: subprocess.Popen) -> tuple[int, int]:
    """The most resident memory until the process ends, whole and anonymous, in bytes."""
    status, whole, anonymous = Path(f"/proc/{process.pid}/status"), 0, 0
    while process.poll() is None:
        fields = dict(re.findall(r"(VmHWM|RssAnon):\s+(\d+) kB", status.read_text() if status.exists() else ""))
        whole = max(whole, int(fields.get("VmHWM", 0)) << 10)
        anonymous = max(anonymous, int(fields.get("RssAnon", 0)) << 10)
        time.sleep(0.01)
    return whole, anonymous


def check(runner: Path, folder: Path, label: str) -> bool:
    weights = sum(file.stat().st_size for file in folder.iterdir() if file.suffix in (".safetensors", ".bin", ".pt"))
    command = [str(runner), "selfcheck", "--path", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    whole, anonymous = peak(process)
    output = process.stdout.read()
    found = dict(re.findall(r"^(.*?\S)\s{2,}(\S+)\s", output, re.MULTILINE))
    seconds = next((value for name, value in found.items() if name.endswith("opened in seconds")), "?")
    gib = lambda size: f"{size / 2**30:5.2f}"
    print(
        f"{label:40} {gib(weights)} GiB  images {found.get('image embeddings', '?'):>8}  "
        f"texts {found.get('text embeddings', '?'):>8}  {seconds:>6} s  peak {gib(whole)} GiB, {gib(anonymous)} anonymous",
        flush=True)
    if process.returncode != 0:
        print(output, file=sys.stderr)
    return process.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="+", help="names of OpenCLIP's configurations, such as ViT-B-32")
    parser.add_argument("--runner", type=Path, required=True, help="the built `runner`")
    parser.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS)
    options = parser.parse_args()
    print(f"open_clip {open_clip.__version__}, transformers {transformers.__version__}, torch {torch.__version__}")
    passed = True
    for name in options.architectures:
        for kind in options.formats:
            if kind.startswith("openai") and not architecture(name).get("quick_gelu"):
                continue
            with tempfile.TemporaryDirectory(prefix="clip-lens-models-") as temporary:
                folder = Path(temporary)
                write_vocabulary(folder)
                make = make_hugging_face if kind.startswith("huggingface") else make_open_clip
                make(folder, name, kind)
                gc.collect()
                passed &= check(options.runner.resolve(), folder, f"{name}, {kind}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
