#!/usr/bin/env python3
"""Writes HTML's named character references as a Swift table.

    make_html_entities.py > Sources/CLIPModel/Tokenizer/Cleaning/HTMLEntityTable.swift

The names and what they stand for are those of the HTML standard (13.5, Named character references),
taken from Python's html.entities.html5.
"""

import html.entities
import platform

WIDTH = 116

names = {}
for name, text in html.entities.html5.items():
    names.setdefault(name.rstrip(";"), {})[name.endswith(";")] = text
entries = []
for name, forms in sorted(names.items()):
    assert set(forms.values()) == {forms[True]}, name
    entries.append(name + ("," if False in forms else "=") + "+".join(f"{ord(c):X}" for c in forms[True]))
lines, line = [], ""
for entry in entries:
    if len(line) + 1 + len(entry) > WIDTH:
        lines.append(line)
        line = ""
    line += (" " if line else "") + entry
lines.append(line)
body = "\n".join("        " + line for line in lines)
print(f'''/// HTML's named character references, {len(entries)} of them.
///
/// Each entry is a name, `=` or `,`, and the scalars it stands for, in hexadecimal digits with `+` between. With `,`
/// the name counts without a semicolon as well.
///
/// Source: HTML Living Standard, 13.5. Written by `scripts/make_html_entities.py` with Python {platform.python_version()}.
enum HTMLEntityTable {{
    static let text = """
{body}
        """
}}''')
