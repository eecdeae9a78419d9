#!/usr/bin/env python3
"""Writes the vocabularies and token ids that the tests of Tokenizer compare with.

    make_tokenizer_fixtures.py --annotations en.xml --output Tests/CLIPModelTests/Fixtures/Tokenizer

The ids are those of CLIPTokenizer of transformers (fast backend), loaded from a folder that has
vocab.json and merges.txt and nothing else. Two such folders are made:

    regular/    built as CLIP's own: 256 bytes, 256 bytes at the end of a word, 1500 merges in the
                order of training, start and end token
    irregular/  what the file format allows all the same: merges in random order, gaps between
                ids, bytes without a symbol

each with a cases.json: versions, context length, and [text, ids] for every case. The corpus is the
English emoji names of the CLDR (Debian: /usr/share/unicode/cldr/common/annotations/en.xml).
Everything is deterministic: random cases come from a fixed seed.
"""

import argparse
import collections
import hashlib
import json
import pathlib
import random
import xml.etree.ElementTree

import tokenizers
import transformers

CONTEXT_LENGTH = 77
MERGES = 1500
START, END = "<|startoftext|>", "<|endoftext|>"
TEMPLATES = ["{}", "a photo of a {}.", "a photo of the small {}", "an emoji of {}, in the style of a drawing"]

CAPTIONS = [
    "a photo of a cat", "a photo of 2 dogs playing in the snow!", "The Eiffel Tower, Paris (1889)",
    "two people riding bicycles down a city street at night", "a close-up of a person's hand",
    "I'm sure they'll say it's what we'd've done, don't you?", "You're here; we've been there; he'd go.",
    "it's", "'s", "'ll", "''s", "'S 'T 'RE 'VE 'M 'LL 'D", "rock 'n' roll", "o'clock o'd o're o'l",
    "x'slow 'stop 'reboot 'very 'me 'do", "’s curly ’t", "U.S.A.", "e.g., i.e., etc.", "C++ & C#", "a/b\\c|d",
    "user@example.com", "https://example.com/a?b=c&d=e#f", "100% cotton", "3.14159", "1,234,567", "0x1F600",
    "year 2023 and 1999", "12:34:56", "No. 1", "$5.00 €6,00 £7 ¥8", "hello...world", "!!!???...", "----====____",
    "#hashtag @mention", "(a(b)c)", "[tag]{x}<y>", "a-b_c+d=e", "~`^", "*bold* **very**", "\"quoted\"", "—dash–dash-",
    "&amp; &lt;b&gt; &#39;x&#39; &quot; &nbsp; &hearts;", "&amp;amp;", "<b>bold</b>", "caf\u00e9 &eacute;",
    "HELLO WORLD", "CamelCaseWords", "ALLCAPS123abc", "iPhone12Pro", "word" * 30, "a" * 300, "ab" * 200,
    "supercalifragilisticexpialidocious", "pneumonoultramicroscopicsilicovolcanoconiosis",
]

ODD = [
    # empty, and spaces of every sort
    "", " ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u3000", " a ", "a  b", "a\tb", "a\nb", "a\r\nb", "a\u000bb",
    "a\u000cb", "a\u0085b", "a\u00a0b", "a\u1680b", "a\u2003b", "a\u2009b", "a\u2028b", "a\u2029b", "a\u202fb",
    "a\u205fb", "a\u3000b", "\u3000a\u3000", "a \u00a0\u3000 b", "a\u200bb", "a\u180eb", "a\ufeffb", "\ufeffa",
    # control and format characters
    "a\u0000b", "\u0000", "\u0001\u0002\u0003", "a\u001cb", "a\u001fb", "a\u007fb", "a\u0080b", "a\u00adb",
    "a\u200db", "a\u200cb", "a\u200eb\u200f", "a\u2060b", "\u202eabc\u202c", "\ufffd", "\ufffe", "\uffff",
    "\U0010ffff", "\ue000", "\U000f0000", "\u0378",
    # accents, composed and not
    "caf\u00e9", "cafe\u0301", "CAF\u00c9", "na\u00efve r\u00e9sum\u00e9", "Z\u00fcrich", "\u00c5ngstr\u00f6m",
    "\u212bngstrom", "A\u030angstrom", "S\u00e3o Paulo", "Ti\u1ebfng Vi\u1ec7t", "Tie\u0302\u0301ng Vie\u0323\u0302t",
    "q\u0307\u0323", "q\u0323\u0307", "a\u0315\u0300\u05ae\u0062", "\u0344", "\u0340\u0341", "\u0301", "\u0301a",
    " \u0301", "1\u0301", "x\u0489", "a\u20dd", "e\u0301\u0301\u0301", "d\u0307\u0323", "\u1e9b\u0323",
    # lower case that is not one scalar to one
    "\u0130stanbul", "I\u0307", "\u0131", "STRASSE", "stra\u00dfe", "STRA\u1e9eE", "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3",
    "\u03a3", "\u03a3\u03a3", "\u03bf\u03c3\u03c2", "\u01c5 \u01c4 \u01c6", "\u0130\u0323", "\u0130\u0301", "\ufb01 \ufb03", "\u212a", "\u2126",
    "\u1f88 \u1fbc", "\u10a0 \u1c90", "\U00010400", "\ua64a", "\u24b6", "\u2160\u2170", "\uff21\uff22\uff23",
    # numbers of every sort
    "\u00b2\u00b3\u00b9", "\u00bd", "\u0661\u0662\u0663", "\u0967\u0968", "\uff11\uff12", "\u2460", "\u4e00\u4e8c\u4e09", "\u3007", "\U0001d7d8",
    "\u0be7\u0bf0", "x\u00b2y", "\u2080",
    # scripts
    "\u65e5\u672c\u8a9e", "\u4f60\u597d\uff0c\u4e16\u754c\uff01", "\ud55c\uad6d\uc5b4", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "\u30ab\u3099", "\u304b\u3099", "\u30ac",
    "\uff76\uff9e", "\u041f\u0440\u0438\u0432\u0435\u0442, \u041c\u0418\u0420", "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\ufb2c", "\u0928\u092e\u0938\u094d\u0924\u0947", "\u0958", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "\u0f71\u0f72\u0f73", "\ufa10\ufa12", "\U0002f800", "\U00020000", "\u1200", "\u13a0\uab70", "\u2a74 \u2adc",
    "\u037e \u1fef \u0387", "\u2000\u2001", "\u0958\u09dc",
    # what Foundation composes wrongly
    "\U000103b1\u0300", "\U00010061\u0301", "\ub098\u11ae", "\u1101\u1176", "\u1113\u1168", "\u0f71\u0f75\u0f81",
    "\U0001d15e\u0323\U0001d165", "\U00011099\U000110ba",
    # later than the tables of the tokenizers library (marks: Unicode 9; letters: Unicode 16)
    "a\u1dfa\u0323", "b\u0323\u1dfa\u0301", "\U00011935\U00011930", "\U00011938", "e\U0001e08f\u0301",
    "\U0001e4ec\u0323a", "a\u1acf\u0323b", "\ua7ce\ua7cf", "\u088f", "\U00011de0", "\U0001f6d8", "\U00016d68",
    # emoji
    "\U0001f600", "I \u2764\ufe0f you", "\u2764", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea", "1\ufe0f\u20e3", "#\ufe0f\u20e3",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\U0001f600\U0001f601\U0001f602", "a\U0001f600b", "\U0001f600!", "\u263a\ufe0e", "\u00a9\u00ae\u2122",
    # special tokens
    END, START, END.upper(), START.upper(), END + END, START + END, f"a{END}b", f"a {END} b", f"a{START}b",
    f"{END}'s", f"a<{END}>", f"<|{END}|>", f"!!{END}!!", f"!!{END.upper()}!!", f"{END.upper()}!!", f"{END.upper()}s",
    f"x {START.upper()}'s {END.upper()} y", "<|EndOfText|>", "<|endoftext|", "<|endoftext>", "|endoftext|>", "<|", "<|>", "<",
    "<<<<", f"e{START}\u0301", f"e\u0301{END}\u0301", f"<|endoftext|>\u0338", "<|endo\u0301ftext|>", "<|start", "</w>", "a</w>b",
    f"{START} a photo of a cat {END}", "<|endoftext|\u226f", "<|pad|>", "\u0130<|ENDOFTEXT|>",
    # longer than the context
    "a " * 74, "a " * 75, "a " * 76, "a " * 77, "a " * 78, "cat dog " * 60, "\U0001f600" * 40, f"{'a ' * 74}{END} b c d",
    "\u65e5" * 60, "1" * 100, "! " * 100, "!" * 100,
]

# Where random scalars come from: a range each, equally likely.
RANGES = [
    (0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0x00, 0x1F), (0x80, 0xFF), (0x100, 0x24F), (0x2B0, 0x36F),
    (0x300, 0x36F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF), (0xE00, 0xFFF),
    (0x1100, 0x11FF), (0x1AB0, 0x1ACE), (0x1DC0, 0x1DFF), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x20D0, 0x214F),
    (0x2150, 0x2BFF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xA640, 0xA7FF), (0xAC00, 0xD7A3), (0xF900, 0xFFFF),
    (0x10000, 0x11FFF), (0x16F00, 0x16FFF), (0x1D000, 0x1D7FF), (0x1E000, 0x1EFFF), (0x1F300, 0x1FAFF), (0x20000, 0x2FA1F),
    (0xE0000, 0xE01EF),
]


def emoji_names(path):
    """Pairs of emoji and name, in the file's order."""
    annotations = xml.etree.ElementTree.parse(path).getroot().iter("annotation")
    return [(a.get("cp"), a.text.strip()) for a in annotations if a.get("type") == "tts"]


def byte_alphabet():
    """The characters that spell bytes, in the order of CLIP's vocabulary (bytes_to_unicode)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = 256 - len(printable)
    return [chr(b) for b in printable] + [chr(256 + n) for n in range(others)]


def save(folder, vocabulary, merges):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def words_of(texts, scratch):
    """Counts of the words that CLIP's tokenizer cuts texts into, spelled in the byte alphabet."""
    symbols = byte_alphabet()
    save(scratch, {t: i for i, t in enumerate([*symbols, *(s + "</w>" for s in symbols), START, END])}, [])
    backend = transformers.CLIPTokenizer.from_pretrained(scratch).backend_tokenizer
    counts = collections.Counter()
    for text in texts:
        pieces = backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(text))
        counts.update(piece for piece, _ in pieces)
    return counts


def train(counts, merges):
    """Byte-pair encoding: the most frequent pair first; of equals, the first in order."""
    words = {word: [*word[:-1], word[-1] + "</w>"] for word in counts}
    learned = []
    for _ in range(merges):
        pairs = collections.Counter()
        for word, symbols in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += counts[word]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        learned.append(best)
        for symbols in words.values():
            position = 0
            while position < len(symbols) - 1:
                if (symbols[position], symbols[position + 1]) == best:
                    symbols[position : position + 2] = ["".join(best)]
                position += 1
    return learned


def random_texts(count, generator):
    def scalar():
        while True:
            value = generator.randint(*generator.choice(RANGES))
            if not 0xD800 <= value < 0xE000:
                return chr(value)

    return ["".join(scalar() for _ in range(generator.randint(1, 14))) for _ in range(count)]


def write_cases(folder, texts, annotations):
    tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
    cases = [[text, tokenizer(text, truncation=True, max_length=CONTEXT_LENGTH).input_ids] for text in texts]
    padded = [
        [text, tokenizer(text, truncation=True, max_length=CONTEXT_LENGTH, padding="max_length").input_ids]
        for text in ["", "a photo of a cat", "a " * 100]
    ]
    header = {
        "transformers": transformers.__version__,
        "tokenizers": tokenizers.__version__,
        "corpus": hashlib.sha256(annotations.read_bytes()).hexdigest(),
        "contextLength": CONTEXT_LENGTH,
        "vocabularySize": max(tokenizer.get_vocab().values()) + 1,
    }
    # One case a line, for the sake of diffs.
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in header.items()]
    for key, rows in [("padded", padded), ("cases", cases)]:
        lines.append(f"{json.dumps(key)}: [\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]")
    (folder / "cases.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{folder}: {len(cases)} cases")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotations", type=pathlib.Path, required=True, help="CLDR annotations, en.xml")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder to write into")
    arguments = parser.parse_args()
    generator = random.Random(20240607)

    names = emoji_names(arguments.annotations)
    corpus = [template.format(name) for template in TEMPLATES for _, name in names] + CAPTIONS
    regular = arguments.output / "regular"
    merges = train(words_of(corpus, regular), MERGES)
    symbols = byte_alphabet()
    tokens = [*symbols, *(s + "</w>" for s in symbols), *("".join(m) for m in merges), START, END]
    save(regular, {token: i for i, token in enumerate(dict.fromkeys(tokens))}, merges)
    sample = generator.sample(names, 120)
    texts = CAPTIONS + ODD + [f"{emoji} {name}" for emoji, name in sample[:60]]
    texts += [f"a photo of a {name}" for _, name in sample[60:]] + random_texts(300, generator)
    write_cases(regular, list(dict.fromkeys(texts)), arguments.annotations)

    irregular = arguments.output / "irregular"
    shuffled = merges[:250]
    generator.shuffle(shuffled)
    kept = [s for s in symbols if s not in "qxzQXZ\u0120!" and ord(s) < 0x100]
    used = {part for merge in shuffled for part in merge} | {"".join(merge) for merge in shuffled}
    tokens = sorted({*kept, *(s + "</w>" for s in kept if s not in "jkv"), *used}) + [START, END]
    save(irregular, {token: 3 * i + 7 for i, token in enumerate(tokens)}, shuffled)
    words = [name for _, name in sample[:60]] + CAPTIONS[:20] + ["qxz", "xa", "aq", "jk v", "!", "\u65e5\u672c", "", " q"]
    write_cases(irregular, list(dict.fromkeys(words)), arguments.annotations)


if __name__ == "__main__":
    main()
