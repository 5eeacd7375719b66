#!/usr/bin/env python3
"""Writes trainer/Modeling/Tokenizers/Text/normalization.txt: what Unicode normalization needs, from the Unicode Character Database
that Python carries (`unicodedata`). .NET does not normalize in invariant globalization mode, and offsets need every step anyhow.

One line a character with a combining class or a decomposition, hexadecimal code points:
    code point; combining class; C canonical and composed again, X canonical and excluded from composition, K compatible; decomposition
Hangul syllables are decomposed by arithmetic and left out."""
import pathlib
import unicodedata

lines = [f"# Unicode {unicodedata.unidata_version}; written by eng/normalization.py"]
for point in range(0x110000):
    if 0xD800 <= point <= 0xDFFF or 0xAC00 <= point <= 0xD7A3:
        continue
    character = chr(point)
    combining, decomposition = unicodedata.combining(character), unicodedata.decomposition(character)
    if not combining and not decomposition:
        continue
    kind = ""
    if decomposition.startswith("<"):
        kind, decomposition = "K", decomposition.split("> ", 1)[1]
    elif decomposition:
        kind = "C" if unicodedata.normalize("NFC", character) == character else "X"
    lines.append(f"{point:X};{combining};{kind};{decomposition}")
target = pathlib.Path(__file__).parent.parent / "trainer/Modeling/Tokenizers/Text/normalization.txt"
target.parent.mkdir(exist_ok=True)
target.write_text("\n".join(lines) + "\n")
