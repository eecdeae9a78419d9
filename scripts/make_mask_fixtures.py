#!/usr/bin/env python3
"""Writes what Pillow makes of masks, for the tests of Inputs.

    make_mask_fixtures.py --output Tests/InputsTests/Fixtures

masks.json: for sizes of images and of models, which pixel of a mask each pixel of the model's square
shows. Nearest neighbours choose rows and columns apart, so one list of each says everything. Both
geometries: `squashed` resizes both sides; `aligned` resizes the shorter side and crops the middle, by
the formulas of torchvision's Resize and CenterCrop.
"""

import argparse
import json
import pathlib

import numpy
import PIL
from PIL import Image

IMAGE_SIZES = [
    (1, 1), (1, 9), (9, 1), (2, 3), (7, 5), (64, 64), (65, 64), (63, 64), (67, 64), (64, 69), (100, 75), (75, 100),
    (127, 333), (224, 224), (225, 224), (333, 500), (375, 500), (500, 333), (640, 427), (49, 487), (481, 97),
]
MODEL_SIZES = [1, 2, 7, 32, 64, 224, 225]


def nearest(mask: Image.Image, width: int, height: int) -> Image.Image:
    return mask.resize((width, height), Image.Resampling.NEAREST)


def squashed(mask: Image.Image, size: int) -> Image.Image:
    return nearest(mask, size, size)


def aligned(mask: Image.Image, size: int) -> Image.Image:
    shorter = min(mask.size)
    width, height = (size if side == shorter else int(size * side / shorter) for side in mask.size)
    resized = nearest(mask, width, height)
    left, top = int(round((width - size) / 2.0)), int(round((height - size) / 2.0))
    return resized.crop((left, top, left + size, top + size))


def mask_cases() -> list[dict]:
    cases = []
    for width, height in IMAGE_SIZES:
        # Every pixel of the mask holds its own number.
        numbers = Image.fromarray(numpy.arange(width * height, dtype=numpy.int32).reshape(height, width))
        for size in MODEL_SIZES:
            if size * max(width, height) / min(width, height) > 5000:
                continue
            for name, geometry in (("aligned", aligned), ("squashed", squashed)):
                shown = numpy.array(geometry(numbers, size))
                columns, rows = shown[0] % width, shown[:, 0] // width
                assert (shown == rows[:, None] * width + columns).all()
                cases.append({"width": width, "height": height, "size": size, "geometry": name,
                              "columns": columns.tolist(), "rows": rows.tolist()})
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder for the fixtures")
    output = parser.parse_args().output
    made_by = {"Pillow": PIL.__version__, "numpy": numpy.__version__}
    text = json.dumps({"madeBy": made_by, "cases": mask_cases()}, separators=(",", ":"))
    (output / "masks.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
