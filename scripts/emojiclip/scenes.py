"""Reading the stream of emoji scenes that `runner scenes stream` writes.

There is one compositor, written in Swift, so that the scenes a model is
trained on and the scenes it is examined on come from the same code. This
module starts it as a subprocess and decodes its standard output.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

NO_LABEL = 0xFFFF


@dataclass(frozen=True)
class StreamHeader:
    """The first line of a stream: what the records that follow are about."""

    image_size: int
    caption_bytes: int
    names: list[str]
    keywords: list[list[str]]
    templates: list[str]
    raw: dict = field(repr=False)

    @classmethod
    def parse(cls, line: bytes) -> StreamHeader:
        raw = json.loads(line)
        return cls(raw["imageSize"], raw["captionBytes"], raw["names"],
                   raw["keywords"], raw["templates"], raw)

    @property
    def record(self) -> np.dtype:
        """Layout of one record; the stream is little-endian and unpadded."""
        size = self.image_size
        return np.dtype([("pixels", "u1", (size, size, 3)), ("label", "<u2"),
                         ("second", "<u2"), ("caption", f"S{self.caption_bytes}")])


@dataclass(frozen=True)
class SceneSource:
    """Where scenes come from: the compositor, or a file that holds its output.

    A file is only a convenience for trying several settings on the same
    scenes; it has to begin at scene 0 of the split.
    """

    runner: Path | None = None
    recipe: Path | None = None
    file: Path | None = None

    def command(self, split: str, first: int, count: int) -> list[str]:
        command = [str(self.runner.resolve()), "scenes", "stream", "--split", split,
                   "--first", str(first), "--count", str(count)]
        return command + (["--recipe", str(self.recipe)] if self.recipe else [])

    def open(self, split: str, first: int, count: int) -> SceneStream:
        if self.file is not None:
            stream = SceneStream(open(self.file, "rb"), None)
            stream.skip(first)
            return stream
        process = subprocess.Popen(self.command(split, first, count),
                                   stdout=subprocess.PIPE, bufsize=1 << 20)
        return SceneStream(process.stdout, process)


class SceneStream:
    """An open stream: a header, then records of a fixed size."""

    def __init__(self, pipe: BinaryIO, process: subprocess.Popen | None):
        self._pipe, self._process = pipe, process
        line = pipe.readline()
        if not line:
            raise EOFError("the scene stream ended before its header")
        self.header = StreamHeader.parse(line)

    def skip(self, scenes: int) -> None:
        self._pipe.seek(scenes * self.header.record.itemsize, 1)

    def read(self, scenes: int) -> np.ndarray:
        """The next records as a structured array."""
        wanted = scenes * self.header.record.itemsize
        data = self._pipe.read(wanted)
        if len(data) != wanted:
            raise EOFError(f"the scene stream ended after {len(data)} of {wanted} bytes")
        return np.frombuffer(data, dtype=self.header.record)

    def close(self) -> None:
        self._pipe.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def captions(records: np.ndarray) -> list[str]:
    """NumPy has already dropped the NUL padding of the fixed-width bytes."""
    return [caption.decode("utf-8", errors="ignore") for caption in records["caption"]]


def read_ahead(stream: SceneStream, batch: int, batches: int, depth: int = 8) -> Iterator[np.ndarray]:
    """Yields batches that a background thread reads while the model trains.

    The pipe's own buffer holds far less than a batch; without the thread the
    compositor and the model would take turns.
    """
    ahead: queue.Queue = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def put(item: object) -> bool:
        while not stop.is_set():
            try:
                ahead.put(item, timeout=0.5)
                return True
            except queue.Full:
                continue
        return False

    def fill() -> None:
        try:
            for _ in range(batches):
                if not put(stream.read(batch)):
                    return
        except Exception as error:  # handed over to the training thread
            put(error)

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    try:
        for _ in range(batches):
            item = ahead.get()
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()
        stream.close()
