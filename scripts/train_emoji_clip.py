#!/usr/bin/env python3
r"""Trains `emoji-clip`, the small CLIP of the embedded emoji world, on a CPU.

Scenes come from the Swift compositor (`runner scenes stream`), captions with
them. Training is CLIP's: a batch of scenes against the batch's captions. It
can be stopped at any time and goes on from its last checkpoint.

    python scripts/train_emoji_clip.py --runner .build/release/runner \
        --work build/emoji-clip --export models/emoji-clip

The log has one line for each evaluation on the `val` split.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from emojiclip.export import export
from emojiclip.model import EmojiCLIP, Shape
from emojiclip.objective import contrastive_loss, shares_an_object
from emojiclip.scenes import NO_LABEL, SceneSource, StreamHeader, captions, read_ahead
from emojiclip.tokenizer import Tokenizer, learn_merges

LOG_COLUMNS = ("scenes", "seconds", "loss", "learning_rate", "top1", "top5", "val_scenes")
ALLOCATOR = ":".join(("glibc.malloc.hugetlb=1", "glibc.malloc.mmap_threshold=4294967295",
                      "glibc.malloc.trim_threshold=8589934592", "glibc.malloc.top_pad=1073741824"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = parser.add_argument_group("scenes")
    data.add_argument("--runner", type=Path, help="the built `runner`")
    data.add_argument("--recipe", type=Path, help="recipe of the scenes (JSON); default: the compositor's own")
    data.add_argument("--scenes-file", type=Path, help="a saved stream of split train, to try settings on the same scenes")
    data.add_argument("--val-file", type=Path, help="a saved stream of split val")
    out = parser.add_argument_group("output")
    out.add_argument("--work", type=Path, required=True, help="folder of checkpoint and log")
    out.add_argument("--export", type=Path, help="folder for the model in the Hugging Face layout")
    out.add_argument("--export-every", type=int, default=0, help="also export after every so many scenes")
    out.add_argument("--export-only", action="store_true", help="export the checkpoint and end")
    out.add_argument("--restart", action="store_true", help="ignore an existing checkpoint")
    model = parser.add_argument_group("model (fixed once training has begun)")
    model.add_argument("--layers", type=int, default=6)
    model.add_argument("--width", type=int, default=192)
    model.add_argument("--patch-size", type=int, default=8)
    model.add_argument("--text-layers", type=int, default=2)
    model.add_argument("--merges", type=int, default=4000, help="most merges of the BPE vocabulary")
    train = parser.add_argument_group("training")
    train.add_argument("--total-scenes", type=int, default=2746 * 256, help="length of the schedule; may change on resume")
    train.add_argument("--max-minutes", type=float, help="shorten the schedule so that training ends by then")
    train.add_argument("--batch", type=int, default=256)
    train.add_argument("--patch-drop", type=float, default=0.5, help="share of the patches dropped in training")
    train.add_argument("--full-tail", type=float, default=0.25, help="last share of training without dropped patches")
    train.add_argument("--optimiser", choices=("muon", "adamw"), default="muon")
    train.add_argument("--lr", type=float, default=1e-3, help="AdamW")
    train.add_argument("--muon-lr", type=float, default=2e-2, help="Muon, for the matrices of the blocks")
    train.add_argument("--weight-decay", type=float, default=0.1, help="AdamW")
    train.add_argument("--muon-weight-decay", type=float, default=0.03)
    train.add_argument("--warm-up", type=int, default=100, help="steps")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--threads", type=int, default=os.cpu_count())
    train.add_argument("--no-compile", action="store_true", help="do not compile the towers (slower, for debugging)")
    train.add_argument("--evaluate-every", type=int, default=32 * 1024, help="scenes")
    train.add_argument("--evaluate-scenes", type=int, default=1000, help="val scenes of an evaluation on the way")
    train.add_argument("--final-scenes", type=int, default=4000, help="val scenes of the last evaluation")
    train.add_argument("--checkpoint-every", type=int, default=16 * 1024, help="scenes")
    return parser.parse_args()


# Captions to tensors

def pad(ids: list[list[int]], end: int, multiple: int = 8) -> tuple[Tensor, Tensor]:
    """Ids padded with the end mark, cropped to the longest text. Lengths are
    rounded up, so that the compiled text tower sees few different shapes."""
    longest = max(map(len, ids))
    length = -(-longest // multiple) * multiple
    padded = torch.tensor([row + [end] * (length - len(row)) for row in ids])
    return padded, torch.tensor([len(row) - 1 for row in ids])


def vocabulary_texts(header: StreamHeader) -> list[str]:
    """What the vocabulary is trained on: every name, keyword and template."""
    names = [text for name in header.names for text in (name, name)]
    keywords = [keyword for of_name in header.keywords for keyword in of_name]
    return names + keywords + [template.replace("{}", " ") for template in header.templates]


# Evaluation

@torch.no_grad()
def classifier(model: EmojiCLIP, tokenizer: Tokenizer, header: StreamHeader) -> Tensor:
    """[names, d]: every name in every template; normalised, averaged, normalised."""
    total = 0
    for template in header.templates:
        ids = [tokenizer.encode(template.replace("{}", name)) for name in header.names]
        with torch.autocast("cpu", torch.bfloat16):
            texts = model.text(*pad([row[:model.shape.context] for row in ids], tokenizer.end))
        total = total + F.normalize(texts.float(), dim=-1)
    return F.normalize(total, dim=-1)


@torch.no_grad()
def zero_shot(model: EmojiCLIP, tokenizer: Tokenizer, header: StreamHeader, scenes: np.ndarray) -> tuple[float, float]:
    """Top-1 and top-5 accuracy in percent of the main label over all names."""
    weights = classifier(model, tokenizer, header)
    hits = torch.zeros(2)
    for start in range(0, len(scenes), 250):
        part = scenes[start:start + 250]
        with torch.autocast("cpu", torch.bfloat16):
            images = model.vision(torch.tensor(part["pixels"]))
        best = (images.float() @ weights.T).topk(5).indices == torch.tensor(part["label"].astype(np.int64))[:, None]
        hits += torch.tensor([best[:, 0].sum(), best.sum()])
    return tuple((100 * hits / len(scenes)).tolist())


# Training

@dataclass
class Progress:
    """What has been done; saved with the checkpoint."""

    scenes: int = 0
    seconds: float = 0.0
    step: int = 0

    def share(self, options: argparse.Namespace) -> float:
        """Position in the schedule, from 0 to 1: by scenes, or by the clock
        where --max-minutes would otherwise be exceeded."""
        share = self.scenes / options.total_scenes
        if options.max_minutes:
            share = max(share, self.seconds / (60 * options.max_minutes))
        return min(share, 1.0)


class Trainer:
    def __init__(self, options: argparse.Namespace, header: StreamHeader):
        self.options, self.header, self.progress = options, header, Progress()
        torch.manual_seed(options.seed)
        self.tokenizer = Tokenizer(learn_merges(vocabulary_texts(header), options.merges), context=32)
        shape = Shape(vocabulary=len(self.tokenizer.vocabulary), image_size=header.image_size,
                      patch_size=options.patch_size, width=options.width, layers=options.layers,
                      text_width=options.width, text_layers=options.text_layers, projection=options.width)
        self.model = EmojiCLIP(shape)
        self.optimisers = self.make_optimisers()
        self.random = torch.Generator().manual_seed(options.seed)
        compiled = (lambda module: module) if options.no_compile else torch.compile
        self.vision, self.text = compiled(self.model.vision), compiled(self.model.text)

    # Optimisation

    def make_optimisers(self) -> list[torch.optim.Optimizer]:
        """Muon for the block matrices, AdamW for the rest; weight decay only
        on matrices and embeddings."""
        options = self.options
        muon = self.model.matrices() if options.optimiser == "muon" else []
        taken = {id(parameter) for parameter in muon}
        rest = [parameter for parameter in self.model.parameters() if id(parameter) not in taken]
        groups = [{"params": [p for p in rest if p.ndim >= 2], "weight_decay": options.weight_decay},
                  {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0}]
        out = [torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.98), eps=1e-6, fused=True)]
        if muon:
            out.append(torch.optim.Muon(muon, lr=options.muon_lr, weight_decay=options.muon_weight_decay))
        for optimiser in out:
            for group in optimiser.param_groups:
                group["peak"] = group["lr"]
        return out

    def set_learning_rate(self) -> float:
        """Linear warm-up, then a half cosine to zero."""
        factor = min(1.0, (self.progress.step + 1) / self.options.warm_up)
        factor *= 0.5 * (1 + math.cos(math.pi * self.progress.share(self.options)))
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * factor
        return factor

    def kept_patches(self, batch: int) -> Tensor | None:
        """Random patches for each scene, none dropped at the end of training."""
        options, patches = self.options, self.model.shape.patches
        if options.patch_drop == 0 or self.progress.share(options) >= 1 - options.full_tail:
            return None
        kept = round(patches * (1 - options.patch_drop))
        return torch.rand(batch, patches, generator=self.random).argsort(1)[:, :kept]

    def loss(self, records: np.ndarray) -> Tensor:
        labels = torch.tensor(np.stack([records["label"], records["second"]], 1).astype(np.int64))
        ids = [self.tokenizer.encode(caption) for caption in captions(records)]
        pixels = torch.tensor(records["pixels"])
        with torch.autocast("cpu", torch.bfloat16):
            images = self.vision(pixels, self.kept_patches(len(records)))
            texts = self.text(*pad(ids, self.tokenizer.end))
        images, texts = F.normalize(images.float(), dim=-1), F.normalize(texts.float(), dim=-1)
        overlap = shares_an_object(labels, NO_LABEL)
        return contrastive_loss(images, texts, self.model.logit_scale.exp(), overlap)

    def step(self, records: np.ndarray) -> float:
        self.set_learning_rate()
        loss = self.loss(records)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        with torch.no_grad():
            self.model.logit_scale.clamp_(max=math.log(100))
        self.progress.step += 1
        self.progress.scenes += len(records)
        return loss.item()

    # Checkpoints

    @property
    def checkpoint(self) -> Path:
        return self.options.work / "checkpoint.pt"

    def save(self) -> None:
        """Under a temporary name first: a checkpoint is whole or not there."""
        state = {"model": self.model.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers],
                 "progress": asdict(self.progress), "random": self.random.get_state(),
                 "merges": self.tokenizer.merges}
        temporary = self.checkpoint.with_suffix(".partial")
        torch.save(state, temporary)
        os.replace(temporary, self.checkpoint)

    def resume(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        if [tuple(pair) for pair in state["merges"]] != self.tokenizer.merges:
            raise SystemExit("the checkpoint was made with other names, keywords or templates")
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
        self.random.set_state(state["random"])
        self.progress = Progress(**state["progress"])

    # The whole run

    def evaluate(self, scenes: np.ndarray, loss: float) -> None:
        top1, top5 = zero_shot(self.model, self.tokenizer, self.header, scenes)
        rate = self.set_learning_rate() * self.options.lr
        row = (self.progress.scenes, round(self.progress.seconds), f"{loss:.4f}", f"{rate:.2e}",
               f"{top1:.2f}", f"{top5:.2f}", len(scenes))
        log = self.options.work / "training-log.tsv"
        if not log.exists():
            log.write_text("\t".join(LOG_COLUMNS) + "\n")
        with log.open("a") as file:
            file.write("\t".join(map(str, row)) + "\n")
        print("  ".join(f"{name} {value}" for name, value in zip(LOG_COLUMNS, row)), flush=True)

    def run(self, source: SceneSource, val: np.ndarray) -> None:
        options, progress = self.options, self.progress
        steps = (options.total_scenes - progress.scenes) // options.batch
        stream = source.open("train", progress.scenes, steps * options.batch)
        average, since = None, time.monotonic()
        for records in read_ahead(stream, options.batch, steps):
            loss = self.step(records)
            average = loss if average is None else 0.95 * average + 0.05 * loss
            now = time.monotonic()
            progress.seconds, since = progress.seconds + now - since, now
            if self.due(options.evaluate_every):
                self.evaluate(val[:options.evaluate_scenes], average)
            if self.due(options.checkpoint_every):
                self.save()
            if options.export and options.export_every and self.due(options.export_every):
                export(self.model, self.tokenizer, options.export)
            if progress.share(options) >= 1:
                break
        self.save()
        self.evaluate(val[:options.final_scenes], average if average is not None else float("nan"))

    def due(self, every: int) -> bool:
        return self.progress.scenes % every < self.options.batch


def keep_memory() -> None:
    """Starts the process again with an allocator that keeps what it has freed.

    By default glibc hands every large tensor's pages back to the kernel and
    has them zeroed again for the next one; with two cores that costs a third
    of a training step. The setting is only read when a process starts.
    """
    if sys.platform == "linux" and "GLIBC_TUNABLES" not in os.environ:
        os.environ["GLIBC_TUNABLES"] = ALLOCATOR
        os.execv(sys.executable, [sys.executable, *sys.argv])


def main() -> None:
    options = arguments()
    keep_memory()
    if not options.runner and not (options.scenes_file and options.val_file):
        sys.exit("needs --runner, or --scenes-file and --val-file")
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    val_stream = SceneSource(options.runner, options.recipe, options.val_file).open("val", 0, options.final_scenes)
    val = val_stream.read(options.final_scenes)
    val_stream.close()
    trainer = Trainer(options, val_stream.header)
    if trainer.checkpoint.exists() and not options.restart:
        trainer.resume()
    parameters = sum(parameter.numel() for parameter in trainer.model.parameters())
    print(f"{parameters} parameters, vocabulary {len(trainer.tokenizer.vocabulary)}, "
          f"from scene {trainer.progress.scenes}", flush=True)
    if not options.export_only:
        trainer.run(SceneSource(options.runner, options.recipe, options.scenes_file), val)
    if options.export:
        export(trainer.model, trainer.tokenizer, options.export)
        print(f"exported to {options.export}")


if __name__ == "__main__":
    main()
