#!/usr/bin/env python3
"""Writes the configurations that the tests of CLIPConfiguration compare with.

    make_configuration_fixtures.py --output Tests/CLIPModelTests/Fixtures/Configuration

For each config.json, which stands in the fixture as text: what transformers makes of it, the number of tensors and of parameters of its
CLIPModel, and for one small model the shape of every tensor. For each preprocessor_config.json:
what CLIPImageProcessor makes of it. Models are built on torch's meta device, without memory.
"""

import argparse
import json
import pathlib

import torch
import transformers
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

TOWER_KEYS = [
    "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act", "layer_norm_eps",
]

CONFIGURATIONS = {
    "defaults": {},
    # openai/clip-vit-base-patch32: everything said, the towers' *_dict null, the old end token.
    "ViT-B/32, OpenAI": {
        "architectures": ["CLIPModel"], "initializer_factor": 1.0, "logit_scale_init_value": 2.6592,
        "model_type": "clip", "projection_dim": 512, "transformers_version": None, "text_config_dict": None,
        "vision_config_dict": None,
        "text_config": {
            "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "quick_gelu", "hidden_size": 512,
            "intermediate_size": 2048, "layer_norm_eps": 1e-05, "max_position_embeddings": 77,
            "model_type": "clip_text_model", "num_attention_heads": 8, "num_hidden_layers": 12, "pad_token_id": 1,
            "vocab_size": 49408,
        },
        "vision_config": {
            "hidden_act": "quick_gelu", "hidden_size": 768, "image_size": 224, "intermediate_size": 3072,
            "layer_norm_eps": 1e-05, "model_type": "clip_vision_model", "num_attention_heads": 12,
            "num_hidden_layers": 12, "patch_size": 32,
        },
    },
    # openai/clip-vit-large-patch14: as newer versions save it, with what differs from the defaults.
    "ViT-L/14, short": {
        "model_type": "clip", "projection_dim": 768,
        "text_config": {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "projection_dim": 768},
        "vision_config": {
            "hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16, "num_hidden_layers": 24,
            "patch_size": 14, "projection_dim": 768,
        },
    },
    # laion/CLIP-ViT-H-14: *_dict beside the sections.
    "ViT-H/14, LAION": {
        "model_type": "clip", "projection_dim": 1024,
        "text_config": {"hidden_act": "gelu", "hidden_size": 1024, "num_hidden_layers": 12},
        "text_config_dict": {
            "hidden_act": "gelu", "hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16,
            "num_hidden_layers": 24,
        },
        "vision_config": {},
        "vision_config_dict": {
            "hidden_act": "gelu", "hidden_size": 1280, "intermediate_size": 5120, "num_attention_heads": 16,
            "num_hidden_layers": 32, "patch_size": 14,
        },
    },
    "null sections": {"text_config": None, "vision_config": None},
    "*_dict replaces, not completes": {
        "text_config": {"num_hidden_layers": 3, "eos_token_id": 5},
        "text_config_dict": {"hidden_size": 64, "num_attention_heads": 2},
    },
    "tiny": {
        "projection_dim": 6,
        "text_config": {
            "vocab_size": 100, "eos_token_id": 99, "bos_token_id": 98, "hidden_size": 8, "num_attention_heads": 2,
            "num_hidden_layers": 1, "intermediate_size": 12, "max_position_embeddings": 9, "hidden_act": "gelu",
        },
        "vision_config": {
            "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2, "intermediate_size": 20,
            "image_size": 12, "patch_size": 4, "layer_norm_eps": 1e-06,
        },
    },
}

PREPROCESSORS = {
    "defaults": {},
    "old, numbers for sizes": {
        "crop_size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": 224,
    },
    "new, 336 pixels": {
        "size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}, "do_rescale": True,
        "rescale_factor": 0.00392156862745098,
    },
    "resized to a square, bilinear": {
        "size": {"height": 64, "width": 64}, "do_center_crop": False, "resample": 2,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.25, 1],
    },
    "crop only": {"do_resize": False, "crop_size": {"height": 64, "width": 64}, "rescale_factor": 0.5},
}


def effective(configuration):
    """What CLIPModel sees, and what its parameters are."""
    parsed = transformers.CLIPConfig.from_dict(json.loads(json.dumps(configuration)))
    text, vision = parsed.text_config, parsed.vision_config
    with torch.device("meta"):
        parameters = transformers.CLIPModel(parsed).state_dict()
    expected = {
        "embeddingWidth": parsed.projection_dim,
        "text": {key: getattr(text, key) for key in [*TOWER_KEYS, "vocab_size", "max_position_embeddings", "eos_token_id"]},
        "vision": {key: getattr(vision, key) for key in [*TOWER_KEYS, "image_size", "patch_size"]},
        "tensors": len(parameters),
        "parameters": sum(p.numel() for p in parameters.values()),
    }
    return expected, {name: list(p.shape) for name, p in parameters.items()}


def processor(configuration):
    parsed = CLIPImageProcessorPil(**configuration)
    return {
        "shortestEdge": parsed.size.shortest_edge,
        "size": [parsed.size.height, parsed.size.width],
        "crop": [parsed.crop_size.height, parsed.crop_size.width],
        "doResize": parsed.do_resize,
        "doCrop": parsed.do_center_crop,
        "resample": int(parsed.resample),
        "rescaleFactor": parsed.rescale_factor,
        "mean": list(parsed.image_mean),
        "std": list(parsed.image_std),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder to write into")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    cases = []
    for name, configuration in CONFIGURATIONS.items():
        expected, shapes = effective(configuration)
        case = {"name": name, "configuration": json.dumps(configuration), "expected": expected}
        cases.append(case | ({"shapes": shapes} if name == "tiny" else {}))
    preprocessors = [
        {"name": name, "configuration": json.dumps(configuration), "expected": processor(configuration)}
        for name, configuration in PREPROCESSORS.items()
    ]
    fixture = {"transformers": transformers.__version__, "cases": cases, "preprocessors": preprocessors}
    (output / "cases.json").write_text(json.dumps(fixture, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
