#!/usr/bin/env python3
"""Writes the greedy text lists that the tests of TextSpan compare with.

    make_textspan_fixtures.py --output Tests/LensTests/Fixtures/TextSpan

An implementation on the data matrix itself, with its singular value decomposition in double precision:
random outputs of a head (clusters of images, some of them of lower rank than wide) and random texts, some of
them near the clusters' differences. All numbers are single-precision values, so the test reads what was used here.
"""

import argparse
import json
import pathlib
import platform

import numpy as np


def head_outputs(random, images, width, inner, clusters):
    """Outputs of a head of inner width `inner`: cluster centres, noise that differs by direction, a common mean."""
    output = random.normal(size=(inner, width)) / np.sqrt(inner)
    centres = random.normal(size=(clusters, inner)) * 2
    scale = np.geomspace(1, 0.05, inner)
    values = centres[random.integers(clusters, size=images)] + random.normal(size=(images, inner)) * scale
    return (values + 3 * random.normal(size=inner)) @ output


def text_directions(random, outputs, count):
    """Half of them random, half near a difference of two outputs; lengths around one."""
    width = outputs.shape[1]
    free = random.normal(size=(count - count // 2, width)) / np.sqrt(width)
    first = random.integers(len(outputs), size=count // 2)
    second = (first + random.integers(1, len(outputs), size=count // 2)) % len(outputs)
    near = outputs[first] - outputs[second]
    near = near / np.linalg.norm(near, axis=1, keepdims=True) + 0.3 * random.normal(size=near.shape) / np.sqrt(width)
    return np.concatenate([free, near])[random.permutation(count)]


def text_span(outputs, texts, count, rank):
    """Chosen rows of `texts` and the cumulative share of the outputs' variance that they explain."""
    data = outputs - outputs.mean(0)
    total = (data**2).sum()
    _, singular, right = np.linalg.svd(data, full_matrices=False)
    right = right[: min(rank, int((singular > 1e-5 * singular[0]).sum()))]
    texts = texts @ right.T @ right
    chosen, shares, margins = [], [], []
    for _ in range(min(count, len(right))):
        variances = (data @ texts.T).var(axis=0)
        best = int(variances.argmax())
        runner_up = np.partition(variances, -2)[-2]
        direction = texts[best] / np.linalg.norm(texts[best])
        data = data - np.outer(data @ direction, direction)
        texts = texts - np.outer(texts @ direction, direction)
        chosen.append(best)
        shares.append(1 - (data**2).sum() / total)
        margins.append(1 - runner_up / variances[best])
    return chosen, shares, min(margins)


def case(name, seed, images, width, inner, clusters, texts, count, rank):
    random = np.random.default_rng(seed)
    outputs = head_outputs(random, images, width, inner, clusters).astype(np.float32)
    directions = text_directions(random, outputs.astype(np.float64), texts).astype(np.float32)
    chosen, shares, margin = text_span(outputs.astype(np.float64), directions.astype(np.float64), count, rank)
    assert margin > 1e-6, f"{name}: two texts are too close to tell apart"
    return {
        "name": name, "width": width, "count": count, "rank": rank,
        "outputs": [float(x) for x in outputs.ravel()], "texts": [float(x) for x in directions.ravel()],
        "chosen": chosen, "explainedVariance": shares,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    folder = parser.parse_args().output
    cases = [
        case("full rank", 1, images=80, width=12, inner=12, clusters=5, texts=60, count=10, rank=12),
        case("fewer leading directions", 2, images=80, width=12, inner=12, clusters=5, texts=60, count=10, rank=5),
        case("head narrower than the joint space", 3, images=90, width=20, inner=6, clusters=4, texts=50, count=12, rank=80),
        case("fewer images than dimensions", 4, images=7, width=16, inner=16, clusters=3, texts=40, count=12, rank=80),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    fixture = {
        "madeBy": "python scripts/make_textspan_fixtures.py --output FOLDER",
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "cases": cases,
    }
    (folder / "cases.json").write_text(json.dumps(fixture) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
