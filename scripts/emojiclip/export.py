"""Writing a model folder in the Hugging Face layout."""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from .model import HEAD_WIDTH, PIXEL_MEAN, PIXEL_STD, EmojiCLIP
from .tokenizer import Tokenizer


def block_tensors(prefix: str, state: dict[str, Tensor], index: int, target: str) -> dict[str, Tensor]:
    """One transformer block under its Hugging Face names."""
    source, target = f"{prefix}.layers.{index}.", f"{target}.encoder.layers.{index}."
    out = {}
    for kind in ("weight", "bias"):
        q, k, v = state[f"{source}self_attn.qkv.{kind}"].chunk(3)
        out |= {f"{target}self_attn.{name}_proj.{kind}": part for name, part in (("q", q), ("k", k), ("v", v))}
        out[f"{target}self_attn.out_proj.{kind}"] = state[f"{source}self_attn.out_proj.{kind}"]
        for name in ("fc1", "fc2"):
            out[f"{target}mlp.{name}.{kind}"] = state[f"{source}{name}.{kind}"]
        for name in ("layer_norm1", "layer_norm2"):
            out[f"{target}{name}.{kind}"] = state[f"{source}{name}.{kind}"]
    return out


def hugging_face_tensors(model: EmojiCLIP) -> dict[str, Tensor]:
    """The parameters under the names that transformers.CLIPModel saves."""
    state, shape, p = model.state_dict(), model.shape, model.shape.patch_size
    out = {
        "logit_scale": state["logit_scale"],
        "visual_projection.weight": state["vision.projection.weight"],
        "text_projection.weight": state["text.projection.weight"],
        "vision_model.embeddings.class_embedding": state["vision.class_embedding"],
        "vision_model.embeddings.patch_embedding.weight":
            state["vision.patch_embedding.weight"].view(shape.width, 3, p, p),
        "vision_model.embeddings.position_embedding.weight": state["vision.position_embedding.weight"],
        "text_model.embeddings.token_embedding.weight": state["text.token_embedding.weight"],
        "text_model.embeddings.position_embedding.weight": state["text.position_embedding.weight"],
    }
    for source, target in (("vision.pre_layrnorm", "vision_model.pre_layrnorm"),
                           ("vision.post_layernorm", "vision_model.post_layernorm"),
                           ("text.final_layer_norm", "text_model.final_layer_norm")):
        out |= {f"{target}.{kind}": state[f"{source}.{kind}"] for kind in ("weight", "bias")}
    for index in range(shape.layers):
        out |= block_tensors("vision", state, index, "vision_model")
    for index in range(shape.text_layers):
        out |= block_tensors("text", state, index, "text_model")
    return out


def configuration(model: EmojiCLIP, tokenizer: Tokenizer) -> dict:
    """config.json: only what differs in meaning from CLIP's own defaults is
    our choice; everything a reader needs is spelled out."""
    shape = model.shape
    common = {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, "attention_dropout": 0.0,
              "projection_dim": shape.projection}
    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "dtype": "float16",
        "projection_dim": shape.projection,
        "logit_scale_init_value": round(math.log(1 / 0.07), 4),
        "text_config": {
            **common, "model_type": "clip_text_model", "vocab_size": shape.vocabulary,
            "hidden_size": shape.text_width, "intermediate_size": 4 * shape.text_width,
            "num_hidden_layers": shape.text_layers, "num_attention_heads": shape.text_width // HEAD_WIDTH,
            "max_position_embeddings": shape.context, "bos_token_id": tokenizer.start,
            "eos_token_id": tokenizer.end, "pad_token_id": tokenizer.end},
        "vision_config": {
            **common, "model_type": "clip_vision_model", "hidden_size": shape.width,
            "intermediate_size": 4 * shape.width, "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.width // HEAD_WIDTH, "num_channels": 3,
            "image_size": shape.image_size, "patch_size": shape.patch_size},
    }


def preprocessing(image_size: int) -> dict:
    return {
        "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": True,
        "do_resize": True, "size": {"shortest_edge": image_size}, "resample": 3,
        "do_center_crop": True, "crop_size": {"height": image_size, "width": image_size},
        "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": list(PIXEL_MEAN), "image_std": list(PIXEL_STD)}


def export(model: EmojiCLIP, tokenizer: Tokenizer, folder: Path) -> None:
    """Half precision: small enough for a repository, exact enough (see the
    model card for the accuracy of these very weights)."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().to(torch.float16).contiguous().clone()
               for name, tensor in hugging_face_tensors(model).items()}
    weights = folder / "model.safetensors"
    save_file(tensors, weights, metadata={"format": "pt"})
    weights.chmod(0o644)
    for name, content in (("config.json", configuration(model, tokenizer)),
                          ("preprocessor_config.json", preprocessing(model.shape.image_size))):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    tokenizer.save(folder)
