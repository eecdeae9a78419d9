#!/usr/bin/env python3
"""Writes archives as Python's tarfile and zipfile, GNU tar and Info-ZIP make them, to test the readers.

Good archives hold the same files, whose bytes stand in expected.json; hostile ones break one rule
each, which their name says.

    python scripts/make_archive_fixtures.py Tests/ArchivesTests/Fixtures
"""

from __future__ import annotations

import argparse
import base64
import bz2
import gzip
import io
import json
import lzma
import platform
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

FILES = {
    "a.txt": b"alpha\n",
    "empty": b"",
    "folder/b.bin": random.Random(1).randbytes(1500),
    "folder/deeper/zeros": bytes(3000),
    "folder/äöü-日本-🐶.txt": "Grüße".encode(),
    "long/" + "n" * 120 + ".txt": b"longer than a header's name",
    "longest/" + "/".join("d" * 60 for _ in range(3)) + "/end": b"longer than a name field",
}
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


def tar(files: dict[str, bytes], format: int = tarfile.PAX_FORMAT, prefix: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        folder = tarfile.TarInfo(prefix + "folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, data in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


class Unseekable(io.RawIOBase):
    """Makes zipfile put sizes and CRC behind the data."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.bytes += data
        return len(data)


def zipped(entries: list[tuple[zipfile.ZipInfo | str, bytes]], method: int = zipfile.ZIP_STORED,
           target: io.RawIOBase | None = None, zip64: bool = False) -> bytes:
    target = target or io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in entries:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=zip64) as entry:
                entry.write(data)
    return bytes(target.bytes) if isinstance(target, Unseekable) else target.getvalue()


def patched(data: bytes, at: int, value: bytes) -> bytes:
    at %= len(data)
    return data[:at] + value + data[at + len(value):]


def zip64_ended(data: bytes) -> bytes:
    """Puts a 64-bit end record and its locator in front of the end record, which then refers to them."""
    end = data.rindex(b"PK\5\6")
    _, _, _, _, count, size, start, _ = struct.unpack("<IHHHHIIH", data[end:])
    record = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<IIQI", 0x07064B50, 0, end, 1)
    saturated = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:end] + record + locator + saturated


def good() -> dict[str, bytes]:
    plain = tar(FILES)
    # A ustar name has at most 256 bytes, and a part of it at most 100.
    archives = {f"{name}.tar": tar(FILES, format) for name, format in FORMATS.items() if name != "ustar"}
    archives["ustar.tar"] = tar({k: v for k, v in FILES.items() if not k.startswith("long/")}, FORMATS["ustar"])
    archives["dotted.tar"] = tar(FILES, prefix="./")
    archives["pax.tar.gz"] = gzip.compress(plain, mtime=0)
    archives["members.tar.gz"] = gzip.compress(plain[:5000], mtime=0) + gzip.compress(plain[5000:], mtime=0)
    archives["pax.tar.bz2"] = bz2.compress(plain)
    archives["pax.tar.xz"] = lzma.compress(plain)
    archives["pax.tar.zst"] = subprocess.run(["zstd", "-q"], input=plain, capture_output=True, check=True).stdout
    # ImageNet's train archive: one tar a class, in a tar.
    archives["nested.tar"] = tar({"n01.tar": tar({"n01_1.JPEG": b"one", "n01_2.JPEG": bytes(700)}),
                                  "n02.tar": tar({"n02_1.JPEG": b"three"}), "readme": b"plain"})
    entries = list(FILES.items())
    archives["stored.zip"] = zipped(entries)
    archives["deflated.zip"] = zipped([("folder/", b"")] + entries, zipfile.ZIP_DEFLATED)
    archives["descriptors.zip"] = zipped(entries, zipfile.ZIP_DEFLATED, Unseekable())
    archives["zip64.zip"] = zip64_ended(zipped(entries, zipfile.ZIP_DEFLATED, zip64=True))
    archives["commented.zip"] = patched(zipped(entries), -2, struct.pack("<H", 9)) + b"a comment"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, data in FILES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        names = sorted(FILES)
        command = ["tar", "--create", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "."]
        archives["gnu-tar.tar"] = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
        subprocess.run(["zip", "-q", "-X", "info-zip.zip", *names], cwd=root, check=True)
        archives["info-zip.zip"] = (root / "info-zip.zip").read_bytes()
    return archives


def hostile() -> dict[str, bytes]:
    """Zip files; the tests make hostile tars themselves."""
    def named(name: str) -> bytes:
        return zipped([("good", b"1"), (name, b"2")])

    def unix(mode: int) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo("link")
        info.create_system = 3
        info.external_attr = mode << 16
        return info

    one = zipped([("a", b"0123456789")])
    local, central = one.index(b"PK\3\4"), one.index(b"PK\1\2")
    two = zipped([("a", b"x"), ("b", b"y")])
    second = two.rindex(b"PK\1\2")
    bomb = zipped([("bomb", bytes(20 << 20))], zipfile.ZIP_DEFLATED)
    deflated = zipped([("a", bytes(1000) + b"tail")], zipfile.ZIP_DEFLATED)
    archives = {
        "parent": named("../x"),
        "inner-parent": named("a/../../x"),
        "absolute": named("/etc/x"),
        "empty-part": named("a//b"),
        "too-long": named("n" * 5000),
        "duplicate": named("good"),
        "duplicate-spelling": named("./good"),
        "symbolic-link": zipped([(unix(0o120777), b"/etc/passwd")]),
        "device": zipped([(unix(0o020666), b"")]),
        "encrypted": patched(one, central + 8, b"\x01\x00"),
        "encrypted-local": patched(one, local + 6, b"\x01\x00"),
        "bzip2-method": zipped([("a", b"0123456789")], zipfile.ZIP_BZIP2),
        "bomb": bomb,
        # More than deflate can make of the bytes there are.
        "false-size": patched(deflated, deflated.index(b"PK\1\2") + 24, struct.pack("<I", 10 << 20)),
        "beyond-end": patched(one, central + 20, struct.pack("<II", 5000, 5000)),
        "header-beyond-end": patched(one, central + 42, struct.pack("<I", 5000)),
        "overlap": patched(patched(two, second + 42, struct.pack("<I", 0)), second + 46, b"a"),
        "headers-disagree": patched(one, local + 30, b"b"),
        "wrong-count": patched(one, -12, struct.pack("<H", 2)),
        "several-disks": patched(one, -18, struct.pack("<H", 1)),
        "not-utf8": patched(patched(one, local + 30, b"\xff"), central + 46, b"\xff"),
        "zero-byte": patched(patched(one, local + 30, b"\0"), central + 46, b"\0"),
        "prefixed": b"PK\3\4 something in front" + one,
    }
    # Found only when the entry is read.
    archives["bad-crc"] = patched(one, local + 33, b"X")
    archives["bad-crc-deflated"] = patched(deflated, deflated.index(b"PK\1\2") + 16, b"abcd")
    archives["short-stream"] = patched(deflated, deflated.index(b"PK\1\2") + 24, struct.pack("<I", 1005))
    archives["long-stream"] = patched(deflated, deflated.index(b"PK\1\2") + 24, struct.pack("<I", 1003))
    return {f"hostile/{name}.zip": data for name, data in archives.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    (out / "hostile").mkdir(parents=True, exist_ok=True)
    for name, data in {**good(), **hostile()}.items():
        (out / name).write_bytes(data)
    (out / "expected.json").write_text(json.dumps({
        "versions": {"python": platform.python_version()},
        "files": {name: base64.b64encode(data).decode() for name, data in FILES.items()},
    }, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
