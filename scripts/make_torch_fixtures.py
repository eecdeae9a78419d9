#!/usr/bin/env python3
"""Writes pickles and checkpoints as CPython, numpy and torch make them, to test the readers.

Pickles go to PickleTests, checkpoints to TorchCheckpointTests; malicious ones stand beside them and are
never loaded here. Expected numbers are those that torch reads back.

    python scripts/make_torch_fixtures.py Tests
"""

from __future__ import annotations

import argparse
import io
import json
import pickle
import platform
import struct
import sys
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

warnings.filterwarnings("ignore", category=DeprecationWarning)


# Pickles

class Python2Pickler(pickle._Pickler):
    """Writes byte strings and names as Python 2 does: with BINSTRING, under the modules of then."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, data: bytes) -> None:
        if len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        else:
            self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)
        self.memoize(data)

    def save_str(self, text: str) -> None:
        self.save_bytes(text.encode("latin-1"))

    def save_global(self, obj, name: str | None = None) -> None:
        name = name or obj.__qualname__
        module = {"numpy._core.multiarray": "numpy.core.multiarray"}.get(obj.__module__, obj.__module__)
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.memoize(obj)

    dispatch[bytes] = save_bytes
    dispatch[str] = save_str
    dispatch[type] = save_global
    dispatch[type(np.empty(0).__reduce__()[0])] = save_global


def python2(value) -> bytes:
    buffer = io.BytesIO()
    Python2Pickler(buffer, protocol=2).dump(value)
    return buffer.getvalue()


def cifar(keys: type) -> dict:
    """What a batch of CIFAR-10 holds, for four pictures; the bytes are those of a ramp."""
    key = (lambda text: text.encode()) if keys is bytes else (lambda text: text)
    return {
        key("data"): (np.arange(4 * 3072) % 251).astype(np.uint8).reshape(4, 3072),
        key("labels"): [6, 9, 0, 3],
        key("batch_label"): key("training batch 1 of 5"),
        key("filenames"): [key(f"picture_{i}.png") for i in range(4)],
    }


def mixed() -> dict:
    shared = [1, 2]
    return {
        "none": None, "truth": [True, False], "integers": [0, -1, 255, 256, 65536, -2**31, 2**31, 2**62, -2**63],
        "large": 2**64 + 5, "negative": -2**70, "floats": [0.0, -1.5, 1e300, float("inf")],
        "text": "äöü 日本 🐶 'quoted' \\ \n", "long": "x" * 300, "bytes": bytes(range(256)),
        "nested": [[], (), {}, (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {1: {2: 3}}],
        "ordered": OrderedDict([("b", 1), ("a", 2)]), "shared": [shared, shared], "set": {7}, "frozen": frozenset({8}),
    }


def pickles() -> dict[str, bytes]:
    files = {f"mixed-{protocol}.pkl": pickle.dumps(mixed(), protocol) for protocol in range(6)}
    # Text of protocol 0 has no integers beyond 64 bits for this reader; sets are calls below protocol 4.
    for protocol in range(4):
        smaller = {k: v for k, v in mixed().items() if k not in ("set", "frozen")}
        if protocol < 2:
            del smaller["large"], smaller["negative"]
        files[f"mixed-{protocol}.pkl"] = pickle.dumps(smaller, protocol)
    files["cifar-python2.pkl"] = python2(cifar(bytes))
    files["cifar-protocol2.pkl"] = pickle.dumps(cifar(bytes), 2)
    files["cifar-protocol4.pkl"] = pickle.dumps(cifar(str), 4)
    loaded = pickle.loads(files["cifar-python2.pkl"], encoding="bytes")
    assert all(np.array_equal(loaded[key], value) for key, value in cifar(bytes).items())
    for name, order in ("fortran", "F"), ("c", "C"):
        array = np.array([[1, 2, 3], [4, 5, 6]], dtype=">i4" if order == "C" else "<f4", order=order)
        files[f"array-{name}.pkl"] = pickle.dumps(array, 3)

    system = b"cos\nsystem\n"
    files |= {
        "evil-reduce.pkl": system + b"(S'true'\ntR.",
        "evil-stack-global.pkl": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
        "evil-inst.pkl": b"(S'true'\nios\nsystem\n.",
        "evil-obj.pkl": b"(" + system + b"S'true'\no.",
        "evil-newobj-ex.pkl": b"\x80\x04ccollections\nOrderedDict\n)}\x92.",
        "evil-ext1.pkl": b"\x80\x02\x82\x01.",
        "evil-ext2.pkl": b"\x80\x02\x83\x01\x01.",
        "evil-ext4.pkl": b"\x80\x02\x84\x01\x01\x01\x01.",
        "evil-buffer.pkl": b"\x80\x05\x97.",
        "evil-builtin.pkl": b"c__builtin__\neval\n(S'1'\ntR.",
        "evil-dotted.pkl": b"\x80\x04\x8c\x0bcollections\x8c\x1dOrderedDict.__init__.__call__\x93)R.",
        "evil-reduce-name.pkl": b"cnumpy\nndarray\n(tR.",
        "evil-reduce-value.pkl": b"(lp0\n(tR.",
        "evil-build.pkl": b"(l(db.",
        # Each list holds the one before it twice: 2^60 paths in 300 bytes.
        "memo-bomb.pkl": b"]q\0" + b"".join(b"](h" + bytes([i]) + b"h" + bytes([i]) + b"eq" + bytes([i + 1])
                                            for i in range(60)) + b".",
    }
    return files


# Checkpoints

class Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_proj(x @ self.in_proj_weight.t()[:, : x.shape[-1]])


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = Attention(width)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(OrderedDict(c_fc=nn.Linear(width, 2 * width), c_proj=nn.Linear(2 * width, width)))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mlp(self.attn(self.ln_1(x)))


class Tower(nn.Module):
    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 4, 4, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width))
        self.transformer = nn.ModuleDict({"resblocks": nn.Sequential(*(Block(width) for _ in range(layers)))})
        self.proj = nn.Parameter(torch.randn(width, 4))

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.conv1(x).flatten(2).permute(0, 2, 1) + self.class_embedding
        return self.transformer["resblocks"](tokens)[:, 0] @ self.proj


class CLIPShaped(nn.Module):
    """Has the names of OpenAI's CLIP, its scalars among the buffers, and little else of it."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = Tower(8, 2)
        self.token_embedding = nn.Embedding(11, 8)
        self.positional_embedding = nn.Parameter(torch.randn(5, 8))
        self.logit_scale = nn.Parameter(torch.tensor(2.5))
        for name, value in ("input_resolution", 8), ("context_length", 5), ("vocab_size", 11):
            self.register_buffer(name, torch.tensor(value))

    def forward(self, image: Tensor) -> Tensor:
        return self.visual(image) * self.logit_scale.exp()


def torchscript() -> tuple[torch.jit.ScriptModule, dict[str, Tensor]]:
    torch.manual_seed(3)
    model = CLIPShaped().eval()
    traced = torch.jit.trace(model, torch.randn(1, 3, 8, 8))
    traced.half()
    return traced, traced.state_dict()


def state_dict() -> OrderedDict[str, Tensor]:
    torch.manual_seed(1)
    base = torch.randn(6, 5)
    tensors = OrderedDict(
        float32=base, float16=torch.randn(3, 7).half(), bfloat16=torch.randn(4, 3).bfloat16(),
        float64=torch.randn(5, dtype=torch.float64), int64=torch.tensor(-(2**40)), int32=torch.arange(-3, 3, dtype=torch.int32),
        uint8=torch.arange(250, 256, dtype=torch.uint8), truth=torch.tensor([True, False]),
        transposed=base.t(), part=base[1:5:2, 1:4], column=base[:, 2], expanded=base[0].expand(4, 5),
        permuted=torch.randn(2, 3, 4).permute(2, 0, 1).half(), scalar=torch.tensor(1.25), empty=torch.zeros(0, 3),
        last=base[5, 4], parameter=nn.Parameter(torch.randn(2, 2)), buffer=nn.Buffer(torch.randn(2)),
    )
    # Module.state_dict gives its dictionary an attribute.
    tensors._metadata = OrderedDict([("", {"version": 1})])
    return tensors


def wrapped() -> dict:
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    return {
        "epoch": 3, "name": "run", "state_dict": {f"module.{k}": v for k, v in model.state_dict().items()},
        "optimizer": optimizer.state_dict(),
    }


def saved(value, **options) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def repacked(data: bytes, replace: dict[str, bytes] = {}, method: int = zipfile.ZIP_STORED) -> bytes:
    """The same zip file with other entries in place of some."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", method) as archive:
        for info in source.infolist():
            name = info.filename.split("/", 1)[1]
            archive.writestr(zipfile.ZipInfo(info.filename), replace.get(name, source.read(info)), method)
    return target.getvalue()


def without_debug_records(data: bytes) -> bytes:
    """The same archive of TorchScript, by torch's own writer, without the paths of the machine that made it."""
    reader, target = torch._C.PyTorchFileReader(io.BytesIO(data)), io.BytesIO()
    writer = torch._C.PyTorchFileWriter(target)
    for name in reader.get_all_records():
        # The writer puts the last two in itself.
        if not name.endswith(".debug_pkl") and name not in ("version", ".data/serialization_id"):
            record = reader.get_record(name)
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()
    torch.jit.load(io.BytesIO(target.getvalue()))
    return target.getvalue()


def tensor_pickle(offset: int, shape: tuple, strides: tuple, count: int, storage: str = "FloatStorage",
                  key: str = "0") -> bytes:
    """A state dict {'x': tensor} with any numbers."""
    def integer(value: int) -> bytes:
        return pickle.LONG1 + b"\x08" + struct.pack("<q", value)

    def text(value: str) -> bytes:
        return pickle.BINUNICODE + struct.pack("<I", len(value)) + value.encode()

    def numbers(values: tuple) -> bytes:
        return b"(" + b"".join(map(integer, values)) + b"t"

    identity = b"(" + text("storage") + f"ctorch\n{storage}\n".encode() + text(key) + text("cpu") + integer(count) + b"tQ"
    call = (b"ctorch._utils\n_rebuild_tensor_v2\n(" + identity + integer(offset) + numbers(shape) + numbers(strides)
            + b"\x89ccollections\nOrderedDict\n)RtR")
    return b"\x80\x02}" + text("x") + call + b"s."


def checkpoints() -> tuple[dict[str, bytes], dict[str, Tensor]]:
    files: dict[str, bytes] = {}
    expected: dict[str, Tensor] = {}

    def add(name: str, data: bytes, tensors: dict[str, Tensor]) -> None:
        files[name] = data
        for key, tensor in tensors.items():
            expected[f"{name}/{key}"] = tensor.detach().clone().contiguous()

    tensors = state_dict()
    add("state-dict.pt", saved(tensors), tensors)
    legacy = OrderedDict((key, value) for key, value in tensors.items())
    add("legacy.pt", saved(legacy, _use_new_zipfile_serialization=False), legacy)
    training = wrapped()
    inner = {key.removeprefix("module."): value for key, value in training["state_dict"].items()}
    add("training.pt", saved(training), inner)
    add("training-legacy.pt", saved(training, _use_new_zipfile_serialization=False), inner)
    add("deflated.pt", repacked(files["training.pt"], method=zipfile.ZIP_DEFLATED), inner)
    torch.serialization.set_crc32_options(False)
    add("without-crc.pt", saved(training), inner)
    torch.serialization.set_crc32_options(True)
    module, names = torchscript()
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    add("torchscript.pt", without_debug_records(buffer.getvalue()), names)

    one = saved({"x": torch.arange(6, dtype=torch.float32)})

    def evil(name: str, pickled: bytes) -> None:
        files[f"evil-{name}.pt"] = repacked(one, {"data.pkl": pickled})

    evil("reduce", b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")
    evil("beyond", tensor_pickle(0, (7,), (1,), 6))
    evil("offset", tensor_pickle(1, (6,), (1,), 6))
    evil("far-offset", tensor_pickle(2**62, (1,), (1,), 6))
    evil("strides", tensor_pickle(0, (2, 3), (4, 1), 6))
    evil("overflow", tensor_pickle(0, (2**32, 2**31), (2**31, 2**31), 6))
    evil("expanded", tensor_pickle(0, (2**40,), (0,), 6))
    evil("negative-shape", tensor_pickle(0, (-6,), (1,), 6))
    evil("negative-stride", tensor_pickle(5, (6,), (-1,), 6))
    evil("negative-offset", tensor_pickle(-1, (6,), (1,), 6))
    evil("empty-overflow", tensor_pickle(0, (0, 2**40, 2**40), (0, 2**40, 1), 6))
    evil("storage-size", tensor_pickle(0, (6,), (1,), 7))
    evil("storage-class", tensor_pickle(0, (6,), (1,), 6, storage="ComplexFloatStorage"))
    evil("missing-storage", tensor_pickle(0, (6,), (1,), 6, key="9"))
    evil("parent-storage", tensor_pickle(0, (6,), (1,), 6, key="../byteorder"))
    evil("no-tensors", pickle.dumps({"a": 1}, 2))
    # Each module has the next one twice: 2^70 names.
    evil("module-bomb", b"\x80\x02" + b"c__torch__\nM\n)\x81q\0"
         + b"".join(b"c__torch__\nM\n)\x81}(X\1\0\0\0ah" + bytes([i]) + b"X\1\0\0\0bh" + bytes([i]) + b"ubq" + bytes([i + 1])
                    for i in range(30)) + b".")
    # A module that is its own part.
    evil("module-cycle", b"\x80\x02c__torch__\nM\n)\x81q\0}X\1\0\0\0ah\0sb.")
    files["evil-big-endian.pt"] = repacked(one, {"byteorder": b"big"})
    flipped = bytearray(one)
    flipped[one.index(struct.pack("<f", 4.0))] ^= 1
    files["evil-flipped.pt"] = bytes(flipped)
    return files, expected


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", type=Path)
    tests = parser.parse_args().tests
    versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
    for folder, files in ("PickleTests", pickles()), ("TorchCheckpointTests", {}):
        (tests / folder / "Fixtures").mkdir(parents=True, exist_ok=True)
        (tests / folder / "Fixtures/versions.json").write_text(json.dumps(versions, indent=1) + "\n")
        for name, data in files.items():
            (tests / folder / "Fixtures" / name).write_bytes(data)
    files, expected = checkpoints()
    for name, data in files.items():
        (tests / "TorchCheckpointTests/Fixtures" / name).write_bytes(data)
    save_file(expected, tests / "TorchCheckpointTests/Fixtures/expected.safetensors")


if __name__ == "__main__":
    sys.exit(main())
