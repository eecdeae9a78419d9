#!/usr/bin/env python3
"""Writes tiny random CLIPs in every format that people have, each by the library that the format is of, and what
that library computes with them.

    python scripts/make_model_fixtures.py --output Tests/CLIPModelTests/Fixtures/Models

A folder a model. `reference.safetensors` holds pixels (U8, [images, size, size, 3]) and the embeddings of images and
texts, not normalised, in float32; `reference.json` holds the ids of the texts, each up to its end token, and the
versions of the libraries. The embeddings come from a model that the library read back from the files.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import shutil
from pathlib import Path

import numpy as np
import open_clip
import torch
import transformers
from open_clip.model import CLIP, CustomTextCLIP, set_model_preprocess_cfg
from open_clip.push_to_hf_hub import save_for_hf
from open_clip.transform import PreprocessCfg, merge_preprocess_dict
from safetensors.torch import save_file
from torch import Tensor, nn

VOCABULARY = 514  # the bytes, inside and at the end of a word, start and end
IMAGES = 3
OPENAI = (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)

QUICK = {
    "embed_dim": 10, "quick_gelu": True,
    "vision_cfg": {"image_size": 12, "layers": 3, "width": 24, "head_width": 12, "patch_size": 4, "mlp_ratio": 3.3},
    "text_cfg": {"context_length": 9, "vocab_size": VOCABULARY, "width": 16, "heads": 4, "layers": 2},
}
CUSTOM = {
    "embed_dim": 6, "custom_text": True, "nonscalar_logit_scale": True,
    "vision_cfg": {
        "image_size": [8, 8], "layers": 2, "width": 20, "head_width": 5, "patch_size": 4, "norm_kwargs": {"eps": 1e-6},
        "patch_dropout": 0.0, "attentional_pool": False, "ls_init_value": None,
    },
    "text_cfg": {
        "context_length": 12, "vocab_size": VOCABULARY, "width": 12, "heads": 3, "layers": 2, "mlp_ratio": 2.0,
        "pool_type": "argmax", "no_causal_mask": False,
    },
}
# Heads are 64 wide in OpenAI's files, so no smaller tower can be told apart from a broken one.
OPENAI_LIKE = {
    "embed_dim": 8, "quick_gelu": True,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 7, "vocab_size": 24, "width": 64, "heads": 1, "layers": 1},
}


class NoTokenizer:
    """The vocabulary is not what these fixtures are about."""

    def save_pretrained(self, folder: Path) -> None:
        pass


def randomise(model: nn.Module, seed: int) -> nn.Module:
    """Weights in which every bias and every norm matters, and MLPs leave the range where both GELUs agree."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim < 2:
                centre = 1 if name.endswith("weight") else 2 if "logit" in name else 0
                parameter.copy_(centre + 0.2 * noise)
            else:
                parameter.copy_(noise * 1.5 / parameter[0].numel() ** 0.5)
    return model.eval()


def open_clip_model(config: dict, seed: int, preprocess: dict | None = None) -> nn.Module:
    config = copy.deepcopy(config)
    kind = CustomTextCLIP if config.pop("custom_text", False) else CLIP
    model = randomise(kind(**config), seed)
    size = config["vision_cfg"]["image_size"]
    set_model_preprocess_cfg(model, merge_preprocess_dict(PreprocessCfg(size=size), preprocess or {}))
    return model


def inputs(size: int, vocabulary: int, context: int, seed: int) -> tuple[Tensor, list[list[int]]]:
    random = np.random.default_rng(seed)
    pixels = torch.from_numpy(random.integers(0, 256, (IMAGES, size, size, 3), dtype=np.uint8))
    start, end = vocabulary - 2, vocabulary - 1
    texts = [[start, *random.integers(0, start, length).tolist(), end] for length in (0, 1, 4, context - 2)]
    return pixels, texts


def padded(texts: list[list[int]], context: int, padding: int) -> Tensor:
    return torch.tensor([text + [padding] * (context - len(text)) for text in texts])


def normalised(pixels: Tensor, mean: tuple, std: tuple) -> Tensor:
    scaled = pixels.permute(0, 3, 1, 2).float() / 255
    return (scaled - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)


def write_reference(folder: Path, pixels: Tensor, texts: list[list[int]], images: Tensor, embeddings: Tensor, scale: Tensor) -> None:
    tensors = {"pixels": pixels, "imageEmbeddings": images, "textEmbeddings": embeddings, "logitScale": scale.reshape(())}
    file = folder / "reference.safetensors"
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, file)
    versions = {
        "python": platform.python_version(), "torch": torch.__version__, "open_clip": open_clip.__version__,
        "transformers": transformers.__version__,
    }
    (folder / "reference.json").write_text(json.dumps({"versions": versions, "texts": texts}) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(0o644)


@torch.no_grad()
def open_clip_reference(folder: Path, model: nn.Module, mean: tuple, std: tuple, seed: int) -> None:
    model = model.float().eval()
    size = model.visual.image_size
    side = size if isinstance(size, int) else size[0]
    vocabulary, context = int(model.vocab_size), int(model.context_length)
    pixels, texts = inputs(side, vocabulary, context, seed)
    images = model.encode_image(normalised(pixels, mean, std))
    write_reference(folder, pixels, texts, images, model.encode_text(padded(texts, context, 0)), model.logit_scale)


def reloaded(folder: Path) -> nn.Module:
    return open_clip.create_model(f"local-dir:{folder}", require_pretrained=True)


def save_open_clip(folder: Path, model: nn.Module, config: dict, serialization: bool | str) -> None:
    save_for_hf(model, NoTokenizer(), config, folder, safe_serialization=serialization)
    # The library writes a pair for the size only when it was given one.
    check = reloaded(folder)
    mean, std = check.visual.image_mean, check.visual.image_std
    open_clip_reference(folder, check, mean, std, seed=11)


def make_open_clip(output: Path) -> None:
    save_open_clip(output / "openclip", open_clip_model(QUICK, 1), QUICK, "both")
    custom = open_clip_model(
        CUSTOM, 2, {"mean": (0.5, 0.4, 0.3), "std": (0.5, 0.25, 0.2), "resize_mode": "squash", "interpolation": "bilinear"})
    save_open_clip(output / "openclip-custom-text", custom.half(), CUSTOM, True)
    plain = {key: value for key, value in QUICK.items() if key != "quick_gelu"}
    save_open_clip(output / "openclip-bf16", open_clip_model(plain, 3).bfloat16(), plain, False)


def make_open_clip_training(output: Path) -> None:
    """A checkpoint of OpenCLIP's training script: the state dict of a data-parallel model among other things."""
    folder = output / "openclip-training"
    config = copy.deepcopy(QUICK)
    config["vision_cfg"] |= {"layers": 1, "width": 12, "head_width": 6}
    config["text_cfg"] |= {"layers": 1, "width": 8, "heads": 2, "vocab_size": 40}
    model = open_clip_model(config, 4)
    save_for_hf(model, NoTokenizer(), config, folder, skip_weights=True)
    state = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model.encode_text(padded([[1, 39]], 9, 0)).sum().backward()
    optimizer.step()
    state = {name: tensor.clone() for name, tensor in state.items()}
    torch.save({"epoch": 1, "name": "tiny", "state_dict": state, "optimizer": optimizer.state_dict()}, folder / "epoch_1.pt")
    check = open_clip_model(config, 4)
    open_clip.load_checkpoint(check, folder / "epoch_1.pt")
    open_clip_reference(folder, check, *OPENAI, seed=12)


class OpenAIModule(CLIP):
    """What OpenAI's archives have beside the parameters: three numbers as buffers."""

    def __init__(self, config: dict):
        super().__init__(**copy.deepcopy(config))
        numbers = {
            "input_resolution": self.visual.image_size[0], "context_length": self.context_length,
            "vocab_size": self.vocab_size,
        }
        for name, number in numbers.items():
            if hasattr(self, name):
                delattr(self, name)
            self.register_buffer(name, torch.tensor(number))
        # An attribute there, and no buffer, so that it is in the archive but not in the state dict.
        mask = self.attn_mask
        del self.attn_mask
        self.attn_mask = mask


def save_openai_archive(model: OpenAIModule, config: dict, path: Path) -> None:
    """Weights in half precision, traced, as OpenAI publishes them. The model is changed."""
    model = model.half()
    side, context = config["vision_cfg"]["image_size"], config["text_cfg"]["context_length"]
    image, text = torch.ones(2, 3, side, side).half(), torch.zeros(2, context, dtype=torch.int)
    traced = torch.jit.trace_module(model, {"encode_image": image, "encode_text": text}, check_trace=False)
    traced.save(str(path))


def make_openai(output: Path) -> None:
    folder = output / "openai"
    folder.mkdir()
    save_openai_archive(randomise(OpenAIModule(OPENAI_LIKE), 5), OPENAI_LIKE, folder / "ViT-Tiny.pt")
    check = open_clip.load_openai_model(str(folder / "ViT-Tiny.pt"), precision="fp32", device="cpu")
    open_clip_reference(folder, check, *OPENAI, seed=13)


@torch.no_grad()
def hugging_face_reference(folder: Path, seed: int) -> None:
    model = transformers.CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
    text, vision = model.config.text_config, model.config.vision_config
    pixels, texts = inputs(vision.image_size, text.vocab_size, text.max_position_embeddings, seed)
    tokens = padded(texts, text.max_position_embeddings, text.vocab_size - 1)
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    values = normalised(pixels, settings["image_mean"], settings["image_std"])
    images = model.visual_projection(model.vision_model(pixel_values=values).pooler_output)
    embeddings = model.text_projection(model.text_model(input_ids=tokens).pooler_output)
    write_reference(folder, pixels, texts, images, embeddings, model.logit_scale)


def make_hugging_face(output: Path) -> None:
    def model(seed: int, activation: str) -> transformers.CLIPModel:
        config = transformers.CLIPConfig(
            projection_dim=10,
            text_config=dict(
                vocab_size=VOCABULARY, bos_token_id=VOCABULARY - 2, eos_token_id=VOCABULARY - 1, hidden_size=16,
                num_attention_heads=4, num_hidden_layers=2, intermediate_size=40, max_position_embeddings=9,
                hidden_act=activation),
            vision_config=dict(
                hidden_size=24, num_attention_heads=2, num_hidden_layers=3, intermediate_size=80, image_size=12,
                patch_size=4, hidden_act=activation, layer_norm_eps=1e-6))
        return randomise(transformers.CLIPModel(config), seed)

    def preprocessor(folder: Path) -> None:
        transformers.CLIPImageProcessor(
            size={"shortest_edge": 12}, crop_size={"height": 12, "width": 12}, image_mean=[0.5, 0.45, 0.4],
            image_std=[0.25, 0.3, 0.35]).save_pretrained(folder)

    sharded = output / "huggingface-sharded"
    model(6, "gelu").bfloat16().save_pretrained(sharded, max_shard_size="20KB")
    preprocessor(sharded)
    hugging_face_reference(sharded, seed=14)

    pickled = output / "huggingface-bin"
    quick = model(7, "quick_gelu").half()
    quick.save_pretrained(pickled)
    torch.save(quick.state_dict(), pickled / "pytorch_model.bin")
    preprocessor(pickled)
    hugging_face_reference(pickled, seed=15)
    (pickled / "model.safetensors").unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder to write into; replaced")
    output = parser.parse_args().output
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    make_open_clip(output)
    make_open_clip_training(output)
    make_openai(output)
    make_hugging_face(output)


if __name__ == "__main__":
    main()
