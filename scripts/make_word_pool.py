#!/usr/bin/env python3
"""Writes a pool of common English words, a word a line, the most frequent first.

    pip install wordfreq
    scripts/make_word_pool.py                      # 30 000 words to data/pools/common-words.txt

A pool like that of the second-order paper, whose own list `runner fetch second-order-words` brings. The words are those of
wordfreq (https://github.com/rspeer/wordfreq; data under CC BY-SA 4.0), without what has fewer than two letters. Another
list is another pool: name it in the spec.
"""

from __future__ import annotations

import argparse
import pathlib


def words(count: int) -> list[str]:
    """The most frequent words of two letters or more, each once."""
    import wordfreq

    # Some entries are numbers, emoji or single letters: twice as many leave enough.
    found = (word for word in wordfreq.top_n_list("en", 2 * count) if sum(c.isalpha() for c in word) >= 2)
    return list(dict.fromkeys(found))[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--count", type=int, default=30_000)
    parser.add_argument("--output", type=pathlib.Path, default=root / "data/pools/common-words.txt")
    arguments = parser.parse_args()
    pool = words(arguments.count)
    if len(pool) < arguments.count:
        parser.error(f"wordfreq has {len(pool)} words, {arguments.count} were asked for")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text("".join(word + "\n" for word in pool), encoding="utf-8")
    print(f"{arguments.output}: {len(pool)} words, from {pool[0]!r} to {pool[-1]!r}")


if __name__ == "__main__":
    main()
