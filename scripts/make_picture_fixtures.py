#!/usr/bin/env python3
"""Writes small pictures of every kind with what Pillow and torchvision make of them, for the tests of Inputs.

    make_picture_fixtures.py --output Tests/InputsTests/Fixtures/Pictures

sound.json: files with the SHA-256 of `Image.open(f).convert("RGB")` and of CLIP's square of 224 pixels (OpenCLIP's
`image_transform` without its last two steps). odd.json: defective and unusual files with Pillow's verdict: the
digest, or the name of the exception. squares.json: other sizes, modes, filters and `CLIPImageProcessor`. A few
pictures are stored in full, so that a test can point at the first pixel that differs.

PNG files are written here and not by Pillow, which writes neither all kinds nor defects. Needs open_clip_torch,
torchvision, transformers, and cjpeg of Debian's libjpeg-turbo-progs for what Pillow's encoder cannot do.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import pathlib
import struct
import subprocess
import warnings
import zlib

import numpy
import open_clip
import PIL
import torchvision
import transformers
from open_clip.transform import image_transform
from PIL import Image, ImageFile, features
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

SIZES = [
    (1, 1), (1, 2), (3, 1), (2, 2), (7, 9), (8, 8), (16, 16), (17, 33), (31, 64), (63, 49), (100, 75), (97, 131),
    (223, 225), (225, 223), (224, 224), (224, 300), (300, 225), (1, 500), (500, 1), (2, 1000), (1000, 3), (130, 700),
    (240, 700), (333, 500), (500, 375), (375, 500), (427, 640), (449, 448), (481, 480), (512, 512),
]
PNG_SIZES = [(1, 1), (5, 3), (33, 21), (80, 61)]
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
COLOURS = {0: "grey", 2: "rgb", 3: "palette", 4: "grey-alpha", 6: "rgba"}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


def scene(width: int, height: int, channels: int, seed: int, largest: int = 255) -> numpy.ndarray:
    """Waves and a few edges: compresses well and still differs everywhere. // [height, width, channels]"""
    rng = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width] / max(16, max(width, height) / 6)
    planes = []
    for _ in range(channels):
        a, b, c, d = rng.uniform(0.2, 2.5, 4)
        wave = 0.5 + 0.3 * numpy.sin(a * x + b * y) + 0.25 * numpy.cos(c * x - d * y)
        wave = numpy.where((x + y) % 3 < 0.4, 1.1 - wave, wave)
        planes.append(numpy.clip(wave, 0, 1) * largest)
    return numpy.round(numpy.stack(planes, -1)).astype(numpy.int64)


# JPEG


def jpeg(pixels: numpy.ndarray, mode: str = "RGB", **options) -> bytes:
    picture = Image.fromarray(pixels.astype(numpy.uint8).squeeze(-1) if mode == "L" else pixels.astype(numpy.uint8), mode)
    return encoded(picture, "JPEG", **options)


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    buffer, block = io.BytesIO(), ImageFile.MAXBLOCK
    ImageFile.MAXBLOCK = 1 << 20  # tiny pictures at high quality overflow Pillow's own buffer
    picture.save(buffer, kind, **options)
    ImageFile.MAXBLOCK = block
    return buffer.getvalue()


def cjpeg(pixels: numpy.ndarray, *options: str) -> bytes:
    source = encoded(Image.fromarray(pixels.astype(numpy.uint8)), "PPM")
    return subprocess.run(["cjpeg", *options], input=source, capture_output=True, check=True).stdout


def as_ycck(data: bytes) -> bytes:
    """A CMYK file whose Adobe marker says that its inks are coded as YCCK."""
    place = data.index(b"Adobe") + 11
    return data[:place] + b"\x02" + data[place + 1:]


def jpeg_files() -> dict[str, bytes]:
    files = {}
    for index, (width, height) in enumerate(SIZES):
        rgb, inks = scene(width, height, 3, index), scene(width, height, 4, 100 + index)
        quality = 25 if width * height > 100_000 else (30, 60, 85)[index % 3]
        name = f"{width}x{height}"
        files[f"{name}-444.jpg"] = jpeg(rgb, quality=quality, subsampling=0, progressive=index % 2 == 0)
        files[f"{name}-422.jpg"] = jpeg(rgb, quality=quality, subsampling=1, progressive=index % 2 == 1)
        files[f"{name}-420.jpg"] = jpeg(rgb, quality=quality, subsampling=2, progressive=index % 3 == 1)
        if index % 2:
            files[f"{name}-grey.jpg"] = jpeg(rgb[:, :, :1], "L", quality=quality, progressive=index % 4 == 1)
        else:
            files[f"{name}-cmyk.jpg"] = jpeg(inks, "CMYK", quality=quality, progressive=index % 4 == 2)
    rgb = scene(83, 61, 3, 200)
    for sampling in ("1x2", "4x1", "1x4", "4x2", "2x4", "2x2,1x2,2x1", "1x1,2x2,1x1", "3x1"):
        files[f"sampling-{sampling.replace(',', '-')}.jpg"] = cjpeg(rgb, "-quality", "60", "-sample", sampling)
    files["restarts.jpg"] = cjpeg(rgb, "-quality", "60", "-restart", "2B")
    files["restarts-progressive.jpg"] = cjpeg(rgb, "-quality", "60", "-restart", "1", "-progressive")
    files["arithmetic.jpg"] = cjpeg(rgb, "-quality", "60", "-arithmetic")
    files["arithmetic-progressive.jpg"] = cjpeg(rgb, "-quality", "60", "-arithmetic", "-progressive")
    files["components-rgb.jpg"] = cjpeg(rgb, "-quality", "60", "-rgb")
    files["quality-100.jpg"] = jpeg(scene(40, 33, 3, 201), quality=100, subsampling=0)
    files["quality-1.jpg"] = jpeg(scene(200, 133, 3, 202), quality=1)
    for index, progressive in enumerate((False, True)):
        inks = jpeg(scene(57, 43, 4, 203 + index), "CMYK", quality=70, progressive=progressive)
        files[f"ycck-{index}.jpg"] = as_ycck(inks)
        files[f"cmyk-without-adobe-{index}.jpg"] = inks[:2] + without_segment(inks[2:], b"\xff\xee")
    files["trailing-bytes.jpg"] = jpeg(rgb, quality=50) + b"\xff\xd8garbage" * 9
    for orientation in (3, 6):
        exif = Image.Exif()
        exif[0x0112] = orientation
        files[f"orientation-{orientation}.jpg"] = jpeg(scene(50, 30, 3, 210), quality=50, exif=exif)
    files["comment-and-profile.jpg"] = jpeg(rgb, quality=50, comment=b"words", icc_profile=bytes(range(256)) * 3)
    files["named-jpeg.jpg"] = png(scene(20, 14, 3, 211), 8, 2)
    files["named-png.png"] = jpeg(scene(20, 14, 3, 212), quality=50)
    return files


def without_segment(data: bytes, marker: bytes) -> bytes:
    place = data.index(marker)
    length = struct.unpack(">H", data[place + 2:place + 4])[0]
    return data[:place] + data[place + 2 + length:]


# PNG


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def head(width: int, height: int, depth: int, colour: int, interlaced: bool = False, filtering: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, filtering, interlaced))


def packed(samples: numpy.ndarray, depth: int) -> bytes:
    """One row. // samples [columns · channels]"""
    if depth == 16:
        return samples.astype(">u2").tobytes()
    if depth == 8:
        return samples.astype(numpy.uint8).tobytes()
    bits = (samples[:, None] >> numpy.arange(depth - 1, -1, -1)) & 1
    return numpy.packbits(bits.astype(numpy.uint8).reshape(-1)).tobytes()


def filtered(row: bytes, above: bytes, kind: int, distance: int) -> bytes:
    left = bytes(distance) + row[:len(row) - distance] if len(row) >= distance else bytes(len(row))
    corner = bytes(distance) + above[:len(row) - distance] if len(row) >= distance else bytes(len(row))
    result = bytearray()
    for value, a, b, c in zip(row, left, above, corner):
        p = a + b - c
        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        result.append((value - (0, a, b, (a + b) // 2, paeth)[kind]) & 255)
    return bytes([kind]) + bytes(result)


def rows_of(samples: numpy.ndarray, depth: int, colour: int, interlaced: bool) -> bytes:
    """Every filter in turn, over all the passes."""
    distance, data = max(1, depth * CHANNELS[colour] // 8), b""
    for x, y, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[y::dy, x::dx]
        if part.size == 0:
            continue
        above = bytes(len(packed(part[0].reshape(-1), depth)))
        for index, row in enumerate(part):
            row = packed(row.reshape(-1), depth)
            data += filtered(row, above, index % 5, distance)
            above = row
    return data


def palette_of(count: int) -> bytes:
    return numpy.random.default_rng(count).integers(0, 256, 3 * count, dtype=numpy.uint8).tobytes()


def png(samples: numpy.ndarray, depth: int, colour: int, interlaced: bool = False, before: bytes = b"",
        after: bytes = b"", pieces: int = 1) -> bytes:
    height, width = samples.shape[:2]
    data = zlib.compress(rows_of(samples, depth, colour, interlaced), 9)
    cuts = [len(data) * piece // pieces for piece in range(pieces + 1)]
    return (SIGNATURE + head(width, height, depth, colour, interlaced) + before
            + b"".join(chunk(b"IDAT", data[a:b]) for a, b in zip(cuts, cuts[1:])) + after + chunk(b"IEND"))


def png_files() -> dict[str, bytes]:
    files = {}
    for colour, depths in DEPTHS.items():
        for depth in depths:
            for index, (width, height) in enumerate(PNG_SIZES):
                samples = scene(width, height, CHANNELS[colour], colour * 20 + depth + index, 2**depth - 1)
                palette = chunk(b"PLTE", palette_of(2**depth)) if colour == 3 else b""
                interlaced = (index + depth // 2) % 2 == 1
                name = f"{COLOURS[colour]}-{depth}-{width}x{height}{'-interlaced' * interlaced}.png"
                files[name] = png(samples, depth, colour, interlaced, before=palette, pieces=1 + index)
    rgb, grey = scene(30, 20, 3, 300), scene(30, 20, 1, 301)
    indices = scene(30, 20, 1, 302, 7)
    palette = chunk(b"PLTE", palette_of(8))
    files["palette-one-transparent.png"] = png(indices, 8, 3, before=palette + chunk(b"tRNS", b"\xff\xff\0"))
    files["palette-half-transparent.png"] = png(indices, 4, 3, before=palette + chunk(b"tRNS", bytes(range(8))))
    files["grey-transparent.png"] = png(grey, 8, 0, before=chunk(b"tRNS", b"\0\x80"))
    files["rgb-transparent.png"] = png(rgb, 8, 2, before=chunk(b"tRNS", b"\0\x01\0\x02\0\x03"))
    files["gamma.png"] = png(rgb, 8, 2, before=chunk(b"gAMA", struct.pack(">I", 100000)))
    files["gamma-grey-16.png"] = png(scene(30, 20, 1, 303, 700), 16, 0, before=chunk(b"gAMA", struct.pack(">I", 45455)))
    files["srgb.png"] = png(rgb, 8, 2, before=chunk(b"sRGB", b"\0"))
    files["chromaticity.png"] = png(rgb, 8, 2, before=chunk(b"cHRM", bytes(range(32))))
    profile = b"name\0\0" + zlib.compress(bytes(range(200)))
    files["profile.png"] = png(rgb, 8, 2, before=chunk(b"iCCP", profile))
    files["texts.png"] = png(rgb, 8, 2, before=chunk(b"tEXt", b"a\0b"), after=chunk(b"zTXt", b"a\0\0" + zlib.compress(b"c")))
    files["animation.png"] = animation(rgb, default_image=False)
    files["animation-with-default.png"] = animation(rgb, default_image=True)
    files["flat-large.png"] = png(numpy.repeat(scene(600, 1, 3, 304), 400, 0) // 64 * 64, 8, 2)
    return files


def animation(rgb: numpy.ndarray, default_image: bool) -> bytes:
    height, width = rgb.shape[:2]
    control = lambda number: chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, 1, 10, 0, 0))
    frame = lambda number: chunk(
        b"fdAT", struct.pack(">I", number) + zlib.compress(rows_of(255 - rgb, 8, 2, False)))
    count = chunk(b"acTL", struct.pack(">II", 1 if default_image else 2, 0))
    if default_image:
        return png(rgb, 8, 2, before=count, after=control(0) + frame(1))
    return png(rgb, 8, 2, before=count + control(0), after=control(1) + frame(2))


# Odd files


def odd_jpeg_files() -> dict[str, bytes]:
    rgb = scene(61, 45, 3, 400)
    good, progressive = jpeg(rgb, quality=60), jpeg(rgb, quality=60, progressive=True)
    start = good.index(b"\xff\xda")
    size = good.index(b"\xff\xc0")
    changed = lambda data, place, value: data[:place] + bytes([value]) + data[place + 1:]
    # The third component goes out of the frame's header and out of the scan's.
    pair = (good[:size] + b"\xff\xc0\0\x0e" + good[size + 4:size + 9] + b"\x02" + good[size + 10:size + 16] + good[size + 19:start]
            + b"\xff\xda\0\x0a\x02" + good[start + 5:start + 9] + good[start + 11:])
    scans = [place for place in range(len(progressive)) if progressive[place:place + 2] == b"\xff\xda"]
    tables = good[:2] + b"".join(
        segment for segment in segments(good[2:start]) if segment[1] in (0xDB, 0xC4)) + b"\xff\xd9"
    return {
        "cut-in-header.jpg": good[:size + 6], "cut-before-scan.jpg": good[:start], "cut-in-scan.jpg": good[:start + 300],
        "without-end.jpg": good[:-2], "half-an-end.jpg": good[:-1], "only-start.jpg": good[:3], "start-end.jpg": b"\xff\xd8\xff\xd9",
        "cut-progressive.jpg": progressive[:-40], "scans-left-out.jpg": progressive[:scans[2]] + b"\xff\xd9",
        "one-scan.jpg": progressive[:scans[1]] + b"\xff\xd9", "end-in-scan.jpg": good[:start + 200] + b"\xff\xd9" + good[start + 200:],
        "flipped-in-scan.jpg": changed(good, start + 150, good[start + 150] ^ 0x10),
        "restart-in-scan.jpg": good[:start + 100] + b"\xff\xd3" + good[start + 100:],
        "zeros-in-scan.jpg": good[:start + 100] + bytes(40) + good[start + 140:],
        "twelve-bits.jpg": changed(good, size + 4, 12), "two-components.jpg": pair, "component-missing.jpg": changed(good, size + 9, 2),
        "no-height.jpg": changed(changed(good, size + 5, 0), size + 6, 0),
        "lower.jpg": changed(good, size + 6, 30), "higher.jpg": changed(good, size + 6, 90),
        "huge.jpg": good[:size + 5] + b"\xff\xdc\xff\xdc" + good[size + 9:],
        "lossless.jpg": changed(good, size + 1, 0xC3), "two-frames.jpg": good[:start] + good[size:start] + good[start:],
        "tables-in-front.jpg": tables + good, "two-pictures.jpg": good + progressive,
        "garbage-between-markers.jpg": good[:size] + b"\0\x12\x34" + good[size:],
        "padding-between-markers.jpg": good[:size] + b"\xff" * 9 + good[size:],
        "unknown-marker.jpg": good[:size] + b"\xff\x02\0\x04ab" + good[size:],
        "no-tables.jpg": without_segment(good, b"\xff\xc4"), "no-quantisation.jpg": without_segment(good, b"\xff\xdb"),
        "short-segment.jpg": good[:2] + b"\xff\xe5\0\x01" + good[2:],
    }


def segments(data: bytes) -> list[bytes]:
    found = []
    while data:
        length = 2 + struct.unpack(">H", data[2:4])[0]
        found.append(data[:length])
        data = data[length:]
    return found


def odd_png_files() -> dict[str, bytes]:
    rgb = scene(31, 23, 3, 500)
    good = png(rgb, 8, 2, before=chunk(b"tEXt", b"a\0b"), pieces=2)
    raw = rows_of(rgb, 8, 2, False)
    row = 31 * 3 + 1
    data = good.index(b"IDAT")
    end = good.index(b"IEND")
    assembled = lambda compressed, header=head(31, 23, 8, 2), before=b"": (
        SIGNATURE + header + before + chunk(b"IDAT", compressed) + chunk(b"IEND"))
    changed = lambda place, value: good[:place] + bytes([value]) + good[place + 1:]
    whole = zlib.compress(raw)
    indices = rows_of(scene(31, 23, 1, 501, 200), 8, 3, False)
    coloured = lambda before: assembled(zlib.compress(indices), head(31, 23, 8, 3), before)
    return {
        "checksum-of-header.png": changed(29, good[29] ^ 1), "checksum-of-text.png": changed(data - 6, good[data - 6] ^ 1),
        "checksum-of-data.png": changed(end - 5, good[end - 5] ^ 1), "checksum-of-end.png": changed(len(good) - 1, 0),
        "cut-in-signature.png": good[:7], "cut-in-header.png": good[:20], "cut-before-data.png": good[:data - 4],
        "cut-in-data.png": good[:data + 200], "without-end.png": good[:end - 4], "cut-in-checksum-of-data.png": good[:end - 6],
        "cut-in-text-after.png": (assembled(whole)[:-12] + chunk(b"tEXt", b"a\0bcdefgh"))[:-8],
        "trailing-bytes.png": good + b"garbage", "wrong-adler.png": assembled(whole[:-1] + bytes([whole[-1] ^ 1])),
        "without-adler.png": assembled(whole[:-4]), "bytes-after-stream.png": assembled(whole + b"garbage"),
        "rows-left-out.png": assembled(zlib.compress(raw[:row * 9])), "rows-cut.png": assembled(zlib.compress(raw[:row * 9 + 40])),
        "rows-left-out-palette.png": assembled(zlib.compress(indices[:32 * 9]), head(31, 23, 8, 3), chunk(b"PLTE", palette_of(9))),
        "too-many-rows.png": assembled(zlib.compress(raw + raw)), "unknown-filter.png": assembled(zlib.compress(raw[:row] + b"\x05" + raw[row + 1:])),
        "not-deflated.png": assembled(raw), "no-data.png": SIGNATURE + head(31, 23, 8, 2) + chunk(b"IEND"),
        "empty-data.png": assembled(b""), "data-in-front.png": SIGNATURE + chunk(b"IDAT", whole) + good[8:],
        "no-width.png": assembled(whole, head(0, 23, 8, 2)), "three-bits.png": assembled(whole, head(31, 23, 3, 2)),
        "unknown-colour.png": assembled(whole, head(31, 23, 8, 5)), "filter-method.png": assembled(whole, head(31, 23, 8, 2, filtering=1)),
        "huge.png": assembled(whole, head(65535, 65535, 8, 2)), "gigantic.png": assembled(whole, head(2**31 - 1, 2**31 - 1, 16, 6)),
        "unknown-critical.png": assembled(whole, before=chunk(b"ABCD", b"x")), "two-headers.png": assembled(whole, before=head(31, 23, 8, 2)),
        "bad-name.png": assembled(whole, before=chunk(b"a-cd", b"x")), "bad-name-after.png": good[:end - 4] + chunk(b"a-cd", b"x"),
        "no-palette.png": coloured(b""), "short-palette.png": coloured(chunk(b"PLTE", palette_of(7))),
        "ragged-palette.png": coloured(chunk(b"PLTE", palette_of(7) + b"ab")), "long-palette.png": coloured(chunk(b"PLTE", palette_of(257))),
        "short-transparency.png": assembled(whole, before=chunk(b"tRNS", b"\0\0")), "short-gamma.png": assembled(whole, before=chunk(b"gAMA", b"\0")),
        "profile-method.png": assembled(whole, before=chunk(b"iCCP", b"a\0\1x")), "text-method.png": assembled(whole, before=chunk(b"zTXt", b"a\0\1x")),
        "frame-out-of-order.png": assembled(whole, before=chunk(b"fcTL", struct.pack(">IIIIIHHBB", 5, 31, 23, 0, 0, 1, 1, 0, 0))),
        "frame-too-large.png": assembled(whole, before=chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 32, 23, 0, 0, 1, 1, 0, 0))),
        "empty.png": b"", "text.png": b"not a picture",
    }


# What the references make of them


def sha256(pixels: numpy.ndarray) -> str:
    return hashlib.sha256(numpy.ascontiguousarray(pixels).tobytes()).hexdigest()


def square(picture: Image.Image, **options) -> numpy.ndarray:
    """OpenCLIP's transform up to the picture that would be scaled to [0, 1]."""
    for step in image_transform(is_train=False, **options).transforms[:-2]:
        picture = step(picture)
    return numpy.array(picture)


def sound_case(name: str, data: bytes) -> dict:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    case = {"file": name, "width": picture.width, "height": picture.height, "rgb": sha256(numpy.array(picture)),
            "clip224": sha256(square(picture, image_size=224))}
    stored = Image.open(io.BytesIO(data))
    # Grey of 2 and 4 bits Pillow spreads over 8, and 16-bit colours it cuts: no samples to compare with.
    if data.startswith(SIGNATURE) and (stored.mode in ("1", "P", "I;16") or data[24] == 8):
        case["samples"] = sha256(numpy.array(stored).astype("<u2"))
    if picture.width * picture.height <= 128 and len(name) % 4 == 0:
        case["pixels"] = base64.b64encode(numpy.array(picture).tobytes()).decode()
    return case


def odd_case(name: str, data: bytes) -> dict:
    try:
        picture = Image.open(io.BytesIO(data)).convert("RGB")
    except Exception as error:
        return {"file": name, "error": type(error).__name__}
    return {"file": name, "width": picture.width, "height": picture.height, "rgb": sha256(numpy.array(picture))}


SQUARED = [
    "1x1-444.jpg", "1x2-444.jpg", "7x9-444.jpg", "17x33-420.jpg", "100x75-444.jpg", "97x131-422.jpg", "223x225-444.jpg", "1x500-444.jpg", "1000x3-444.jpg", "130x700-444.jpg",
    "240x700-444.jpg", "500x375-420.jpg", "333x500-444.jpg", "449x448-444.jpg",
]


def square_cases(files: dict[str, bytes]) -> list[dict]:
    cases = []
    for name in SQUARED:
        picture = Image.open(io.BytesIO(files[name])).convert("RGB")

        def add(result: numpy.ndarray, **how) -> None:
            case = {"file": name, **how, "square": sha256(result)}
            if how["size"] == 32 and how["mode"] == "shortest" and how["filter"] == "bicubic":
                case["pixels"] = base64.b64encode(result.tobytes()).decode()
            cases.append(case)

        # Pillow takes seconds to make strips of 336 × 168 000 pixels.
        is_strip = max(picture.size) > 100 * min(picture.size)
        for size in (7, 32) if is_strip else (7, 32, 224, 336):
            for filtering in ("bicubic", "bilinear"):
                for mode in ("shortest", "squash", "longest"):
                    ratio = max(picture.size) / min(picture.size)
                    if mode == "longest" and round(size / ratio) == 0:
                        continue  # OpenCLIP fails where a side vanishes
                    fill = 127 if size == 32 and mode == "longest" else 0
                    add(square(picture, image_size=size, interpolation=filtering, resize_mode=mode, fill_color=fill),
                        size=size, mode=mode, filter=filtering, fill=fill)
        for filtering in ("nearest", "lanczos", "box", "hamming"):
            for size in (33, 225):
                resized = picture.resize((size, size), Image.Resampling[filtering.upper()])
                add(numpy.array(resized), size=size, mode="squash", filter=filtering, fill=0)
        for size in (32, 225):
            # Pillow before 13 resized the rows of every picture first.
            rows_first = picture.resize((size, picture.height), Image.Resampling.BICUBIC).resize((size, size), Image.Resampling.BICUBIC)
            add(numpy.array(rows_first), size=size, mode="rows-first", filter="bicubic", fill=0)
        for size, edge in ((32, 33), (64, 31)) if is_strip else ((224, 224), (225, 256), (32, 33), (64, 31)):
            processor = CLIPImageProcessorPil(
                size={"shortest_edge": edge}, crop_size={"height": size, "width": size}, do_rescale=False, do_normalize=False)
            result = numpy.array(processor(picture)["pixel_values"][0]).transpose(1, 2, 0).astype(numpy.uint8)
            add(result, size=size, edge=edge, mode="transformers", filter="bicubic", fill=0)
            cropped = torchvision.transforms.CenterCrop(size)(torchvision.transforms.Resize(
                edge, torchvision.transforms.InterpolationMode.BICUBIC)(picture))
            add(numpy.array(cropped), size=size, edge=edge, mode="torchvision", filter="bicubic", fill=0)
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    folder = parser.parse_args().output
    warnings.simplefilter("ignore")
    versions = {
        "Pillow": PIL.__version__, "libjpeg-turbo": features.version_feature("libjpeg_turbo"), "numpy": numpy.__version__,
        "torchvision": torchvision.__version__, "open_clip": open_clip.__version__, "transformers": transformers.__version__,
    }
    sound = jpeg_files() | png_files()
    odd = odd_jpeg_files() | odd_png_files()
    for name, files in (("sound", sound), ("odd", odd)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            (folder / name / file).write_bytes(data)
    for name, cases in (
        ("sound", [sound_case(*file) for file in sound.items()]), ("odd", [odd_case(*file) for file in odd.items()]),
        ("squares", square_cases(sound)),
    ):
        content = {"madeBy": versions, "cases": cases}
        (folder / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")).replace("},{", "},\n{") + "\n")
        print(name, len(cases))


if __name__ == "__main__":
    main()
