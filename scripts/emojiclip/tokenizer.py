"""CLIP's byte-level BPE, and the training of a small vocabulary for it.

The vocabulary has CLIP's order, so that every reader of CLIP folders opens it:
256 byte characters, the same 256 with the end-of-word mark, one entry for
each merge, then <|startoftext|> and <|endoftext|>.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import regex

END_OF_WORD = "</w>"
START, END = "<|startoftext|>", "<|endoftext|>"
PIECES = regex.compile(r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+""",
                       regex.IGNORECASE)


def byte_characters() -> dict[int, str]:
    """A printable character for every byte, as GPT-2 and CLIP assign them."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(256 + len(table) - len(printable))
    return table


BYTE_CHARACTERS = byte_characters()


def pieces(text: str) -> list[str]:
    """Lower-cased words, digits and runs of punctuation, in byte characters."""
    clean = regex.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip().lower()
    return ["".join(BYTE_CHARACTERS[byte] for byte in piece.encode("utf-8"))
            for piece in PIECES.findall(clean)]


def symbols(piece: str) -> tuple[str, ...]:
    return (*piece[:-1], piece[-1] + END_OF_WORD)


def join(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """`word` with every occurrence of `pair` merged, from left to right."""
    out, i = [], 0
    while i < len(word):
        if word[i:i + 2] == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def learn_merges(texts: Iterable[str], limit: int) -> list[tuple[str, str]]:
    """The most frequent pair first, ties in alphabetical order; stops when
    every word is one token."""
    counts = Counter(piece for text in texts for piece in pieces(text))
    words = [symbols(piece) for piece in counts]
    weights = list(counts.values())
    frequency: Counter = Counter()
    holders: dict[tuple[str, str], set[int]] = defaultdict(set)

    def account(index: int, sign: int) -> None:
        word = words[index]
        for pair in zip(word, word[1:]):
            frequency[pair] += sign * weights[index]
            holders[pair].add(index)

    for index in range(len(words)):
        account(index, +1)
    merges = []
    while len(merges) < limit:
        pair = min(frequency, key=lambda p: (-frequency[p], p), default=None)
        if pair is None or frequency[pair] <= 0:
            break
        merges.append(pair)
        for index in sorted(holders[pair]):
            account(index, -1)
            words[index] = join(words[index], pair)
            account(index, +1)
        del frequency[pair], holders[pair]
    return merges


class Tokenizer:
    """Text to token ids, for a given list of merges."""

    def __init__(self, merges: list[tuple[str, str]], context: int):
        self.merges, self.context = merges, context
        characters = list(BYTE_CHARACTERS.values())
        entries = characters + [c + END_OF_WORD for c in characters]
        entries += ["".join(pair) for pair in merges] + [START, END]
        self.vocabulary = {entry: i for i, entry in enumerate(entries)}
        if len(self.vocabulary) != len(entries):
            raise ValueError("two merges give the same token")
        self.start, self.end = len(entries) - 2, len(entries) - 1
        self._rank = {pair: i for i, pair in enumerate(merges)}
        self._piece_ids = lru_cache(maxsize=1 << 16)(self._encode_piece)

    def _encode_piece(self, piece: str) -> tuple[int, ...]:
        if piece in (START, END):
            return (self.vocabulary[piece],)
        word = symbols(piece)
        while len(word) > 1:
            pair = min(zip(word, word[1:]), key=lambda p: self._rank.get(p, len(self._rank)))
            if pair not in self._rank:
                break
            word = join(word, pair)
        return tuple(self.vocabulary[symbol] for symbol in word)

    def encode(self, text: str) -> list[int]:
        """Ids with the start and end marks, cut to the context length with
        the end mark kept, as transformers.CLIPTokenizer does."""
        ids = [i for piece in pieces(text) for i in self._piece_ids(piece)]
        return [self.start, *ids[:self.context - 2], self.end]

    def save(self, folder: Path) -> None:
        """The four files that transformers.CLIPTokenizer reads."""
        mark = lambda content: {"content": content, "lstrip": False, "normalized": True,
                                "rstrip": False, "single_word": False}
        special = {"bos_token": mark(START), "eos_token": mark(END),
                   "unk_token": mark(END), "pad_token": END}
        config = {"add_prefix_space": False, "do_lower_case": True, "errors": "replace",
                  "model_max_length": self.context, "tokenizer_class": "CLIPTokenizer", **special}
        merges = "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in self.merges)
        (folder / "vocab.json").write_text(json.dumps(self.vocabulary, ensure_ascii=False), encoding="utf-8")
        (folder / "merges.txt").write_text(merges, encoding="utf-8")
        (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def load_merges(folder: Path) -> list[tuple[str, str]]:
    lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")[1:]
    return [tuple(line.split(" ")) for line in lines if line]
