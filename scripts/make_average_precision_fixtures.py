#!/usr/bin/env python3
"""Writes scikit-learn's measures for the tests of Attribution/Evaluation to compare with.

    make_average_precision_fixtures.py --output Tests/AttributionTests/Fixtures/segmentation-measures.json

Scores are 32-bit numbers, most of them with many ties. Masks have 0, 1 and, where it says so, 255 for
unlabelled pixels, which are left out before scikit-learn sees them. Everything is deterministic.
"""

import argparse
import json
import pathlib
import platform

import numpy as np
import sklearn
from sklearn.metrics import accuracy_score, average_precision_score, jaccard_score

UNLABELLED = 255


def score_cases() -> list[tuple[str, np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(30)
    labels = rng.integers(0, 2, size=60)
    levels = rng.integers(0, 256, size=8192)
    return [
        ("no ties", rng.normal(size=60), labels),
        ("few levels", rng.integers(0, 5, size=60) / 4, labels),
        ("negative scores", rng.integers(-8, 3, size=60) * 0.7, labels),
        ("all equal", np.full(60, 0.25), labels),
        ("perfect", labels * 0.5, labels),
        ("reversed", 1 - labels, labels),
        ("zeros of both signs", np.where(rng.integers(0, 2, size=60) == 1, 0.0, -0.0), labels),
        ("one positive, alone", np.array([0.3]), np.array([1])),
        ("one positive, last", -np.arange(20.0), np.eye(20, dtype=int)[19]),
        ("all positive", rng.normal(size=20), np.ones(20, dtype=int)),
        ("neighbouring numbers", np.nextafter(np.float32(0.1), np.float32(1)) * rng.integers(0, 2, size=60) + 0.1, labels),
        ("from tiny to huge", rng.choice([1, -1], size=60) * 10.0 ** rng.integers(-44, 38, size=60), labels),
        ("8192 scores of 256 levels", levels / 256, (rng.random(8192) < 0.2 + 0.002 * levels).astype(int)),
    ]


def image_cases() -> list[tuple[str, np.ndarray, np.ndarray, float]]:
    rng = np.random.default_rng(31)
    side = 14
    rows, columns = np.mgrid[:side, :side]
    cases = []
    for index, share in enumerate([0.0, 0.0, 0.1, 0.6]):
        inside = (rows - rng.integers(3, 11)) ** 2 + (columns - rng.integers(3, 11)) ** 2 < rng.integers(6, 30)
        mask = inside.astype(int)
        mask[rng.random(mask.shape) < share] = UNLABELLED
        map_ = np.clip(np.round((0.5 * inside + 0.6 * rng.random(mask.shape)) * 16) / 16, 0, 1)
        cases.append((f"disc {index}", map_.ravel(), mask.ravel(), [0.5, 0.5, 0.4375, 0.7][index]))
    pixels = side * side
    cases.append(("no foreground in the mask", rng.integers(0, 9, size=pixels) / 8, np.zeros(pixels, dtype=int), 0.5))
    cases.append(("no foreground in the map", rng.integers(0, 5, size=pixels) / 8, rng.integers(0, 2, size=pixels), 0.5))
    cases.append(("one half everywhere", np.full(pixels, 0.5), rng.integers(0, 2, size=pixels), 0.5))
    return cases


def measures(map_: np.ndarray, mask: np.ndarray, threshold: float) -> dict[str, float]:
    seen = mask != UNLABELLED
    found, expected = (map_[seen] > np.float32(threshold)).astype(int), mask[seen]
    scores = np.concatenate([np.float32(1) - map_[seen], map_[seen]])
    labels = np.concatenate([expected == 0, expected == 1]).astype(int)
    background, foreground = (jaccard_score(expected, found, labels=[label], average=None, zero_division=0)[0] for label in (0, 1))
    return {"pixelAccuracy": accuracy_score(expected, found), "background": background, "foreground": foreground,
            "averagePrecision": average_precision_score(labels, scores)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    scores = []
    for name, values, labels in score_cases():
        values = values.astype(np.float32)
        scores.append({"name": name, "scores": [float(f"{value:.9g}") for value in values], "labels": labels.tolist(),
                       "averagePrecision": float(average_precision_score(labels, values))})
    images, maps, masks = [], [], []
    for name, map_, mask, threshold in image_cases():
        map_ = map_.astype(np.float32)
        # For all images together each map is turned into its decision.
        maps.append((map_ > np.float32(threshold)).astype(np.float32))
        masks.append(mask)
        images.append({"name": name, "map": map_.tolist(), "mask": mask.tolist(), "threshold": threshold,
                       **measures(map_, mask, threshold)})
    fixture = {
        "madeBy": "python scripts/make_average_precision_fixtures.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scikit-learn": sklearn.__version__},
        "scores": scores, "images": images, "together": measures(np.concatenate(maps), np.concatenate(masks), 0.5),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(fixture, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
