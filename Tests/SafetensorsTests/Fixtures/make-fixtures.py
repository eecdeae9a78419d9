"""Makes the fixtures of SafetensorsTests with the reference library.

    pip install safetensors==0.8.0 numpy==2.4.6
    python make-fixtures.py

Writes reference.safetensors, and under cases/ small files, most of them malformed; verdicts.json
says for each what the reference library does with it: "accepted", or its error.
"""

import json
import pathlib
import shutil
import struct

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

here = pathlib.Path(__file__).parent


def file(header, data=b"", length=None):
    """A file of a header (text, bytes or JSON object) and the bytes of its tensors."""
    if isinstance(header, dict):
        header = json.dumps(header)
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def tensor(dtype="F32", shape=(2,), offsets=(0, 8), **extra):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **extra}


eight = bytes(range(8))
valid = file({"a": tensor()}, eight)
one = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'

cases = {
    "valid": valid,
    "valid-padded": file(json.dumps({"a": tensor()}) + "   ", eight),
    "valid-empty": file("{}"),
    "valid-no-elements": file({"a": tensor(shape=(0, 3), offsets=(0, 0)), "b": tensor()}, eight),
    "valid-scalar": file({"a": tensor(shape=(), offsets=(0, 4))}, eight[:4]),
    "valid-metadata": file({"__metadata__": {"k": "v"}, "a": tensor()}, eight),
    "valid-null-metadata": file('{"__metadata__":null,"a":%s}' % one, eight),
    "valid-escapes": file(r'{"\u00e9\ud83d\ude00\"\n":%s}' % one, eight),
    "valid-unknown-field": file({"a": tensor(extra=[{"x": [1e3, None, True]}])}, eight),
    "valid-order": file({"b": tensor(offsets=(8, 16)), "a": tensor()}, eight * 2),
    "valid-half-bytes": file({"a": tensor("F4", (4,), (0, 2))}, eight[:2]),
    "empty-file": b"",
    "seven-bytes": valid[:7],
    "no-header": struct.pack("<Q", 0),
    "header-over-100-mb": file("{}", length=100_000_001),
    "header-beyond-end": file("{}", length=3),
    "header-length-overflows": file("{}", length=2**64 - 1),
    "header-cut": valid[:30],
    "not-utf8": file(b'{"\xff":%s}' % one.encode(), eight),
    "not-json": file("{a: 1}", eight),
    "header-array": file("[]"),
    "header-number": file("5"),
    "trailing-comma": file('{"a":%s,}' % one, eight),
    "trailing-garbage": file('{"a":%s} x' % one, eight),
    "lone-surrogate": file(r'{"\ud800":%s}' % one, eight),
    "control-character": file('{"a\n":%s}' % one, eight),
    "leading-zero": file('{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}', eight),
    "duplicate-tensor": file('{"a":%s,"a":%s}' % (one, one), eight),
    "duplicate-field": file('{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', eight),
    "duplicate-metadata": file('{"__metadata__":{"k":"1","k":"2"},"a":%s}' % one, eight),
    "unknown-dtype": file({"a": tensor("F31")}, eight),
    "missing-dtype": file('{"a":{"shape":[2],"data_offsets":[0,8]}}', eight),
    "missing-shape": file('{"a":{"dtype":"F32","data_offsets":[0,8]}}', eight),
    "missing-offsets": file('{"a":{"dtype":"F32","shape":[2]}}', eight),
    "three-offsets": file({"a": tensor(offsets=(0, 4, 8))}, eight),
    "negative-shape": file({"a": tensor(shape=(-2,))}, eight),
    "fractional-shape": file('{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}', eight),
    "huge-shape": file({"a": tensor(shape=(2**62, 2**62))}, eight),
    "huge-dimension": file({"a": tensor(shape=(2**64,))}, eight),
    "wrong-size": file({"a": tensor(shape=(3,))}, eight),
    "odd-half-bytes": file({"a": tensor("F4", (3,), (0, 2))}, eight[:2]),
    "hole": file({"a": tensor(), "b": tensor(offsets=(12, 20))}, bytes(20)),
    "hole-at-start": file({"a": tensor(offsets=(4, 12))}, bytes(12)),
    "overlap": file({"a": tensor(), "b": tensor(offsets=(4, 12))}, bytes(12)),
    "same-bytes": file({"a": tensor(), "b": tensor()}, eight),
    "end-before-start": file({"a": tensor(shape=(0,), offsets=(8, 0))}, eight),
    "beyond-end": file({"a": tensor(offsets=(0, 8))}, eight[:7]),
    "trailing-bytes": file({"a": tensor()}, eight + b"\0"),
    "metadata-number": file({"__metadata__": {"k": 1}, "a": tensor()}, eight),
    "metadata-array": file({"__metadata__": ["k"], "a": tensor()}, eight),
    "tensor-null": file('{"a":null}'),
}

shutil.rmtree(here / "cases", ignore_errors=True)
(here / "cases").mkdir()
verdicts = {}
for name, content in cases.items():
    path = here / "cases" / f"{name}.safetensors"
    path.write_bytes(content)
    try:
        with safe_open(path, framework="numpy") as opened:
            opened.keys()
        verdicts[name] = "accepted"
    except Exception as error:
        verdicts[name] = str(error)
(here / "verdicts.json").write_text(json.dumps(verdicts, indent=1, sort_keys=True) + "\n")

save_file(
    {
        "weights.f32": np.array([[1.5, -0.0, 1e-45], [np.inf, -1 / 3, 3e38]], np.float32),
        "half.f16": np.array([1.0, 1 / 3, 65504, 6e-8, -np.inf], np.float16),
        "double.f64": np.array([np.pi, 1e-300]),
        "ids.i64": np.array([0, 76, -1]),
        "ids.i32": np.array([[2**31 - 1], [-(2**31)]], np.int32),
        "bytes.u8": np.array([0, 255], np.uint8),
        "mask.bool": np.array([True, False, True]),
        "none.f32": np.zeros((0, 4), np.float32),
    },
    here / "reference.safetensors",
    metadata={"format": "pt", "note": "é"},
)
