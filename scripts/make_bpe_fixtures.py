#!/usr/bin/env python3
"""Writes the token ids that the tests of Tokenizer with OpenAI's vocabulary compare with.

    make_bpe_fixtures.py --openai FOLDER --output Tests/CLIPModelTests/Fixtures/Tokenizer/bpe-cases.json.gz

FOLDER holds openai/CLIP's package `clip` (`pip install --no-deps --target FOLDER openai-clip`), of which only
simple_tokenizer.py is used. The ids are those of

    openCLIP     open_clip's SimpleTokenizer, with ftfy
    openAI       openai/CLIP's SimpleTokenizer, with ftfy
    huggingFace  CLIPTokenizer of transformers, of a folder with the same vocabulary

Each case is [text, openCLIP's ids, openAI's or null, huggingFace's or null]; null where they are openCLIP's. The
5000 texts are captions and oddities of make_tokenizer_fixtures.py, the CLDR's names of emoji in many languages
(Debian: unicode-cldr-core), emoji-test.txt (unicode-data), HTML's references, long texts, and random scalars from a
fixed seed. Scalars later than this Python's Unicode are left out.

Texts that ftfy takes for mojibake, and whose ids change by its repair, stand apart: [text, openCLIP's ids, those
without the repair].
"""

import argparse
import gzip
import html.entities
import importlib.util
import json
import pathlib
import platform
import random
import tempfile
import unicodedata
import xml.etree.ElementTree

import ftfy
import open_clip.tokenizer
import regex
import tokenizers
import transformers

from make_tokenizer_fixtures import CAPTIONS, ODD, RANGES

CONTEXT_LENGTH = 77
COUNT = 5000
LANGUAGES = "ar as bn cs da de el en es fa fi fr gu he hi hu hy ja ka km ko lt lv ml mn my ne nl pa pl pt ru si sv sw ta te th tr uk ur uz vi yue zh zu".split()

CLEANING = [
    # quotes, ligatures, widths
    "\u201cquoted\u201d \u2018it\u2019s\u2019", "don\u2019t we\u2019ll I\u2019ve x\u02bcs", "\u201ab\u201e \u2039c\u203a", "\u201b\u201f",
    "\ufb01sh \ufb02y o\ufb00 a\ufb03x wa\ufb04e \ufb05 \ufb06", "\u0132 \u0133 \u0149 \u01c4 \u01c5 \u01c6 \u01c7 \u01ca \u01f1 \u01f2 \u01f3", "\ufb13",
    "\uff2c\uff2f\uff35\uff24\u3000\uff2e\uff2f\uff29\uff33\uff25\uff33", "\uff35\uff80\uff70\uff9d \uff76\uff9e \uffa1 \uffe5 \uffe0\uffe8", "\uff06amp\uff1b", "\uff07\uff02",
    # control characters, line breaks, escapes
    "a\r\nb\rc\u2028d\u2029e\u0085f", "\x1b[36;44mblue\x1b[0m \x1b[ \x1b[1;2 x", "\x1b[\u0661m", "a\x1b[1;mb", "\x1b[\x1b[3mx", "\ufeffbom", "a\u206ab\ufff9c\ufffcd",
    "e\x00\u0301", "a&am\x00p;b", "\x7fdel", "\x93curly\x94 \x85 \x80 \x81 \x9d",
    # references: with and without semicolon, nested, in capitals, beside a <
    "&amp;", "&amp", "&ampx", "&AMP;", "&amp;amp;", "&amp;amp;amp;amp;amp;", "&ampamp;", "&lt;b&gt;", "<&amp;>", "a\n<\n&amp;eacute;", "&eacute;\n<\n&eacute;", "&EACUTE; &eacute &EACUTE",
    "&SZLIG; &szlig; &szlig", "&notit; &notin; &not &NOT;", "&nosuchthing; &nosuchthing", "&hearts;&HEARTS;", "&nbsp;a&nbsp;b", "&CounterClockwiseContourIntegral;", "&fjlig; &NotEqualTilde; &bne;",
    "&#65;&#x42;&#X43;", "&#65 &#x42z", "&#;&#x;&#xg;", "&#0;&#13;&#10;", "&#128;&#x80;&#159;&#x9F;", "&#x81;&#141;", "&#1;a&#11;b&#31;c&#127;d", "&#xD800;&#xDFFF;", "&#x110000;&#99999999999;",
    "&#xFDD0;&#xFFFE;&#x1FFFF;", "&#x1F600; &#128512;", "&#39;s &apos;s &rsquo;s", "&#59;", "&#38;lt;", "&amp;#38;lt;", "&" * 40, "&a" * 20, "&\u00e9;", "&" + "x" * 40 + ";", "&" + "9" * 40 + ";",
    "&lt;|endoftext|&gt;", "&lt;start_of_text&gt;", "AT&T R&D B&B", "this&not that", "&quot;&copy;&reg;&trade;&hellip;&mdash;", "&frac12;&sup2;", "&Sigma;&SIGMA;",
    # case
    "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u03a3 \u03a3\u03a3 A\u03a3. A\u03a3b \u03a3\u0301 A\u0301\u03a3\u0301 A.\u03a3 'A\u03a3' \u03a31", "\u1f88\u03a3", "\u02b0\u03a3 \u00aa\u03a3\u00aa", "\u24b6\u03a3", "STRASSE \u1e9e \u0130I\u0131",
    "'\u017f '\u017fx '\ufb06 '\ufb05 <\u017ftart_of_text> <|\u017ftartoftext|>", "a\u0345b \u0345 !\u0345! 1\u0345", "\u1fb3\u1fbc", "\u212a\u212b", "'S 'T 'RE 'VE 'M 'LL 'D",
    # special tokens
    "<start_of_text>", "<end_of_text>", "<START_OF_TEXT>a<End_Of_Text>", "!<end_of_text>", "<end_of_text>!", "<<end_of_text>>", "a <start_of_text> b <end_of_text> c", "<end_of_text", "start_of_text",
    "<|startoftext|><|endoftext|>", "A <|STARTOFTEXT|> b <|EndOfText|> c", "!<|endoftext|>", "<|endoftext|>'s",
]

MOJIBAKE = [
    "s\u00c3\u00b3", "caf\u00c3\u00a9", "\u00e2\u20ac\u0153quoted\u00e2\u20ac\u009d", "it\u00e2\u20ac\u2122s", "\u00e2\u0153\u201d No problems", "na\u00c3\u00afve r\u00c3\u00a9sum\u00c3\u00a9", "M\u00c3\u00bcnchen",
    "\u00d0\u0178\u00d1\u20ac\u00d0\u00b8\u00d0\u00b2\u00d0\u00b5\u00d1\u201a", "\u00f0\u0178\u02dc\u20ac", "\u00e3\u0192\u201e", "voil\u00c3 le travail", "\u00c2\u00a9 2020", "50\u00c2\u00b0", "\u0432\u0402\u201c", "\u00e6\u2014\u00a5\u00e6\u0153\u00ac",
]


def emoji_names(folder):
    """Names and emoji of the CLDR, in LANGUAGES."""
    for language in LANGUAGES:
        path = folder / f"{language}.xml"
        for annotation in xml.etree.ElementTree.parse(path).getroot().iter("annotation"):
            if annotation.get("type") == "tts":
                yield annotation.get("cp"), annotation.text.strip()


def emoji(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("#")[0].split(";")
        if len(fields) == 2:
            yield "".join(chr(int(code, 16)) for code in fields[0].split())


def is_stable(text):
    """Whether no scalar is one that came after this Python's Unicode."""
    return all(unicodedata.category(c) != "Cn" or regex.match(r"\p{Cn}", c) for c in text)


def random_text(generator, ranges):
    def scalar():
        while True:
            value = generator.randint(*generator.choice(ranges))
            if not 0xD800 <= value < 0xE000 and is_stable(chr(value)):
                return chr(value)

    return "".join(scalar() for _ in range(generator.randint(1, 14)))


def random_references(generator):
    names = sorted(html.entities.html5)
    pieces = [
        lambda: "&" + generator.choice(names), lambda: "&" + generator.choice(names).rstrip(";"), lambda: "&" + generator.choice(names).upper(),
        lambda: "&" + generator.choice(names)[: generator.randint(1, 6)], lambda: f"&#{generator.randint(0, 0x3000)};", lambda: f"&#x{generator.randint(0, 0x3000):x}",
        lambda: generator.choice([" ", "a", "&", ";", "&amp;", "Cat", "#", "x"]),
    ]
    return "".join(generator.choice(pieces)() for _ in range(generator.randint(1, 6)))


def sources(arguments, generator):
    """Texts, kind by kind: a list each, of which the first so many are taken."""
    names = list(emoji_names(arguments.cldr))
    pictures = list(emoji(arguments.emoji_test))
    generator.shuffle(names)
    generator.shuffle(pictures)
    yield 10**6, CAPTIONS + ODD + CLEANING
    yield 700, [name for _, name in names[:800]]
    yield 300, [f"A photo of a {name}, {cp}" for cp, name in names[800:1150]]
    yield 500, [a + b for a, b in zip(pictures, pictures[1:])]
    yield 120, [" ".join(n for _, n in names[i : i + 40]) for i in range(0, 6000, 40)]
    yield 60, [b.join(n for _, n in names[i : i + 6]) for i, b in zip(range(0, 400, 6), ["\n", "\r\n", "\u3000", "\t\t", "\u00a0", "\u200b"] * 11)]
    yield 1000, [random_references(generator) for _ in range(1300)]
    ascii_and_latin = [(0x20, 0x7E), (0x20, 0x7E), (0x00, 0xFF), (0x100, 0x24F), (0x2010, 0x2030), (0xFB00, 0xFB06), (0xFF00, 0xFFEF)]
    yield 400, [random_text(generator, ascii_and_latin) for _ in range(800)]
    yield 10**6, [random_text(generator, RANGES) for _ in range(4000)]


def framed(ids, start, end):
    ids = [start, *ids, end]
    return ids if len(ids) <= CONTEXT_LENGTH else ids[: CONTEXT_LENGTH - 1] + [end]


class References:
    def __init__(self, openai):
        self.open_clip = open_clip.tokenizer.SimpleTokenizer()
        specification = importlib.util.spec_from_file_location("simple_tokenizer", openai / "clip" / "simple_tokenizer.py")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        self.openai = module.SimpleTokenizer()
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "vocab.json").write_text(json.dumps(self.openai.encoder), encoding="utf-8")
            merges = [" ".join(pair) for pair in self.openai.bpe_ranks]
            (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
            self.hugging_face = transformers.CLIPTokenizer.from_pretrained(folder)

    def ids_of_open_clip(self, text):
        ids = framed(self.open_clip.encode(text), self.open_clip.sot_token_id, self.open_clip.eot_token_id)
        assert self.open_clip(text)[0].tolist() == ids + [0] * (CONTEXT_LENGTH - len(ids))
        return ids

    def ids_of_openai(self, text):
        return framed(self.openai.encode(text), 49406, 49407)

    def ids_of_hugging_face(self, text):
        return self.hugging_face(text, truncation=True, max_length=CONTEXT_LENGTH).input_ids

    def ids_without_repair(self, text):
        """open_clip's ids, if ftfy did not look for mojibake."""
        original = ftfy.fix_text
        ftfy.fix_text = lambda text: original(text, fix_encoding=False)
        try:
            return self.ids_of_open_clip(text)
        finally:
            ftfy.fix_text = original


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--openai", type=pathlib.Path, required=True, help="folder with openai/CLIP's package clip")
    parser.add_argument("--cldr", type=pathlib.Path, default="/usr/share/unicode/cldr/common/annotations")
    parser.add_argument("--emoji-test", type=pathlib.Path, default="/usr/share/unicode/emoji/emoji-test.txt")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="file to write")
    arguments = parser.parse_args()
    references = References(arguments.openai)
    generator = random.Random(20240819)

    cases, repaired, counts = {}, {}, []
    for limit, texts in sources(arguments, generator):
        before = len(cases)
        for text in texts:
            if len(cases) - before >= limit or len(cases) >= COUNT or text in cases or not is_stable(text):
                continue
            ids, plain = references.ids_of_open_clip(text), references.ids_without_repair(text)
            if ids != plain:
                repaired[text] = [text, ids, plain]
                continue
            others = [references.ids_of_openai(text), references.ids_of_hugging_face(text)]
            cases[text] = [text, ids, *(None if other == ids else other for other in others)]
        counts.append(len(cases) - before)
    for text in MOJIBAKE:
        repaired[text] = [text, references.ids_of_open_clip(text), references.ids_without_repair(text)]
    assert len(cases) == COUNT, len(cases)

    document = {
        "versions": {
            "python": platform.python_version(), "unicode": unicodedata.unidata_version, "regex": regex.__version__, "ftfy": ftfy.__version__,
            "open_clip_torch": open_clip.__version__, "transformers": transformers.__version__, "tokenizers": tokenizers.__version__,
        },
        "cases": list(cases.values()),
        "mojibake": list(repaired.values()),
    }
    text = json.dumps(document, separators=(",", ":"))
    arguments.output.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    differing = [sum(case[i] is not None for case in cases.values()) for i in (2, 3)]
    print(f"{arguments.output}: {len(cases)} cases of {counts}, {len(repaired)} of mojibake, {arguments.output.stat().st_size} bytes")
    print(f"ids other than openCLIP's: openAI {differing[0]}, huggingFace {differing[1]}")


if __name__ == "__main__":
    main()
