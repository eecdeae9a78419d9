#!/usr/bin/env python3
"""Writes how similar the phrases of a pool are to classes, as a sentence encoder sees them: a file for `synonyms:` of a spec.

    pip install sentence-transformers
    scripts/make_similarities.py --phrases data/second-order-words/30k.txt --classes models/prompts/cifar-10-classes.txt \\
        --output similarities.tsv

The spec then has `synonyms: {above: 0.6, similarities: similarities.tsv}`. The adversarial search drops phrases that are
synonyms of the second class; its released code asks all-distilroberta-v1, the default here, which is downloaded once.

A line a phrase, a column a class, tabs between them; the classes' names in the first line after `phrase`.
"""

from __future__ import annotations

import argparse
import pathlib
import sys


def lines(path: pathlib.Path) -> list[str]:
    """Lines without the space around them, as the runner reads a pool: empty ones do not count."""
    return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phrases", type=pathlib.Path, required=True, help="a phrase a line")
    parser.add_argument("--classes", type=pathlib.Path, required=True, help="a class a line")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--encoder", default="sentence-transformers/all-distilroberta-v1", help="a name or a folder")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--device", help="cpu, cuda, …; by default what there is")
    arguments = parser.parse_args()

    phrases, classes = (list(dict.fromkeys(lines(path))) for path in (arguments.phrases, arguments.classes))
    for text in phrases + classes:
        if "\t" in text:
            sys.exit(f"{text!r} has a tab, which separates the columns")
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(arguments.encoder, device=arguments.device)

    def encoded(texts: list[str]):
        return encoder.encode(texts, batch_size=arguments.batch, normalize_embeddings=True, show_progress_bar=True)

    similarities = encoded(phrases) @ encoded(classes).T
    rows = ["\t".join(["phrase", *classes])]
    rows += ["\t".join([phrase, *(f"{value:.5f}" for value in row)]) for phrase, row in zip(phrases, similarities)]
    arguments.output.write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"{arguments.output}: {len(phrases)} phrases, {len(classes)} classes", file=sys.stderr)


if __name__ == "__main__":
    main()
