#!/usr/bin/env python3
"""Runs CLIP's image tower in PyTorch, one pass a line of standard input, for `make bench`.

    echo | scripts/bench_against_pytorch.py --tokens 50 --width 768 --layers 12 --heads 12 --batch 32 --precision fp32

prints one line about the versions after a first pass, then for each line read the seconds of one more. The tower is
written as a PyTorch user would write it today: fused attention, one matrix product for queries, keys and values,
weights random.
"""

import argparse
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.in_proj, self.out_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), QuickGELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        batch, tokens, width = x.shape
        parts = self.in_proj(self.ln_1(x)).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        x = x + self.out_proj(mixed.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.mlp(self.ln_2(x))


class Tower(nn.Module):
    def __init__(self, tokens, width, layers, heads, patch):
        super().__init__()
        self.embed = nn.Linear(3 * patch * patch, width, bias=False)
        self.cls = nn.Parameter(torch.randn(width) * 0.02)
        self.positions = nn.Parameter(torch.randn(tokens, width) * 0.02)
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(layers)])
        self.project = nn.Linear(width, 512, bias=False)

    def forward(self, patches):
        x = self.embed(patches)
        x = torch.cat([self.cls.expand(len(x), 1, -1), x], dim=1) + self.positions
        return self.project(self.ln_post(self.blocks(self.ln_pre(x))[:, 0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ["tokens", "width", "layers", "heads", "patch", "batch", "threads"]:
        parser.add_argument("--" + name, type=int, required=name != "patch", default=32)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    tower = Tower(options.tokens, options.width, options.layers, options.heads, options.patch).eval()
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
    tower = tower.to(dtype)
    patches = torch.randn(options.batch, options.tokens - 1, 3 * options.patch**2).to(dtype)
    with torch.inference_mode():
        tower(patches)
        # Only now: whoever reads this starts to measure.
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {options.precision}", flush=True)
        for _ in sys.stdin:
            start = time.perf_counter()
            tower(patches)
            print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
