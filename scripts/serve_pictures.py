#!/usr/bin/env python3
r"""Makes pictures from descriptions with a diffusion model, for the adversarial concept search.

The partner of clip-lens's command generator, and the paper's setting: the search starts this program once
and writes one line of JSON a picture to its standard input,

    {"output": "/tmp/…/1.png", "prompt": "a picture of a cat next to …", "seed": 7, "size": 224}

it writes a PNG of size×size pixels to `output` and answers on standard output with

    {"output": "/tmp/…/1.png", "ok": true}        or        {"output": "…", "error": "…"}

It ends when its standard input ends. The model is loaded with the first picture.

Install, with a GPU of 24 GB or more (FLUX.1 in bfloat16; --offload makes do with less and takes longer):

    pip install torch diffusers transformers accelerate sentencepiece protobuf safetensors

Models, by --model:

    flux-dev      black-forest-labs/FLUX.1-dev: gated (accept its licence on huggingface.co, then
                  `huggingface-cli login` or HF_TOKEN), non-commercial licence, 28 steps
    flux-schnell  black-forest-labs/FLUX.1-schnell: Apache 2.0, 4 steps; may be gated too
    if            DeepFloyd/IF-I-XL-v1.0 and IF-II-L-v1.0: gated, research licence; 64 pixels, then 256

A picture is made at the model's own size and reduced to the size asked for. In a spec, as the picture
generator (the first picture includes loading, so give it minutes):

    generator:
      kind: command
      command: [python3, scripts/serve_pictures.py, --model, flux-schnell]
      environment: [HF_HOME, HF_TOKEN, CUDA_VISIBLE_DEVICES]

Of the user's environment it gets PATH, HOME, LANG and those that are listed. Starting it needs `--allow-commands`.

To try the protocol anywhere, with nothing installed: --dry-run writes pictures of one colour.

    echo '{"output": "x.png", "prompt": "a cat", "seed": 1, "size": 64}' | serve_pictures.py --dry-run
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import struct
import sys
import zlib
from typing import Callable, NamedTuple, TextIO


class Order(NamedTuple):
    """One picture to be made."""
    prompt: str
    seed: int
    size: int


# Makes one picture at a path.
Painter = Callable[[Order, str], None]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=sorted(MODELS), default="flux-schnell")
    parser.add_argument("--steps", type=int, help="denoising steps, instead of the model's usual number")
    parser.add_argument("--side", type=int, default=1024, help="pixels of a side that FLUX paints (default 1024)")
    parser.add_argument("--guidance", type=float, help="FLUX's guidance scale, instead of the model's usual number")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--offload", action="store_true", help="keep parts of the model in main memory")
    parser.add_argument("--dry-run", action="store_true", help="pictures of one colour, without any model")
    return parser.parse_args()


# Models


def flux(options: argparse.Namespace, name: str, steps: int, guidance: float) -> Painter:
    import torch
    from diffusers import FluxPipeline

    pipeline = placed(FluxPipeline.from_pretrained(name, torch_dtype=torch.bfloat16), options)

    def paint(order: Order, path: str) -> None:
        generator = torch.Generator("cpu").manual_seed(order.seed)
        image = pipeline(order.prompt, width=options.side, height=options.side, generator=generator,
                         guidance_scale=guidance if options.guidance is None else options.guidance,
                         num_inference_steps=options.steps or steps,
                         max_sequence_length=256).images[0]  # the most that FLUX.1-schnell takes
        save(image, order, path)

    return paint


def deepfloyd(options: argparse.Namespace) -> Painter:
    import torch
    from diffusers import DiffusionPipeline

    half = {"variant": "fp16", "torch_dtype": torch.float16}
    first = placed(DiffusionPipeline.from_pretrained("DeepFloyd/IF-I-XL-v1.0", **half), options)
    second = placed(DiffusionPipeline.from_pretrained("DeepFloyd/IF-II-L-v1.0", text_encoder=None, **half), options)

    def paint(order: Order, path: str) -> None:
        generator = torch.Generator("cpu").manual_seed(order.seed)
        positive, negative = first.encode_prompt(order.prompt)
        steps = {"num_inference_steps": options.steps} if options.steps else {}
        shared = {"prompt_embeds": positive, "negative_prompt_embeds": negative, "generator": generator, **steps}
        small = first(output_type="pt", **shared).images
        save(second(image=small, **shared).images[0], order, path)

    return paint


def placed(pipeline, options: argparse.Namespace):
    """The pipeline on its device, without progress bars: they would fill the search's error messages."""
    pipeline.set_progress_bar_config(disable=True)
    if options.offload:
        pipeline.enable_model_cpu_offload()
        return pipeline
    return pipeline.to(options.device)


def save(image, order: Order, path: str) -> None:
    from PIL import Image

    image.convert("RGB").resize((order.size, order.size), Image.Resampling.BICUBIC).save(path, "PNG")


MODELS: dict[str, Callable[[argparse.Namespace], Painter]] = {
    "flux-dev": lambda options: flux(options, "black-forest-labs/FLUX.1-dev", steps=28, guidance=3.5),
    "flux-schnell": lambda options: flux(options, "black-forest-labs/FLUX.1-schnell", steps=4, guidance=0.0),
    "if": deepfloyd,
}


# Without a model


def paint_one_colour(order: Order, path: str) -> None:
    """A PNG of the colour that prompt and seed hash to."""
    colour = hashlib.sha256(f"{order.seed} {order.prompt}".encode()).digest()[:3]
    rows = (b"\0" + colour * order.size) * order.size

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", order.size, order.size, 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


# Protocol


def parsed(line: str) -> tuple[Order, str]:
    """The order in a line, and where its picture goes."""
    fields = json.loads(line)
    order = Order(prompt=str(fields["prompt"]), seed=int(fields["seed"]), size=int(fields["size"]))
    if not 1 <= order.size <= 4096:
        raise ValueError(f"size {order.size} is not from 1 to 4096")
    return order, str(fields["output"])


def serve(load: Callable[[], Painter], answers: TextIO) -> None:
    painter: Painter | None = None
    for line in sys.stdin:
        try:
            order, output = parsed(line)
        except (ValueError, KeyError, TypeError) as error:
            # Without an output there is nothing to answer for.
            print(f"not an order: {error!r}", file=sys.stderr, flush=True)
            continue
        # A model that does not load ends the program: no later picture would fare better.
        painter = painter or load()
        try:
            painter(order, output)
            answer = {"output": output, "ok": True}
        except Exception as error:  # one picture's failure is not the next one's
            answer = {"output": output, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def main() -> None:
    options = arguments()
    # Libraries print to standard output what they like; the answers keep it to themselves.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve((lambda: paint_one_colour) if options.dry_run else (lambda: MODELS[options.model](options)), answers)


if __name__ == "__main__":
    main()
