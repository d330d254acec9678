# SPDX-License-Identifier: BSD-2-Clause
"""Pictures: PPM in, PNG out, and the text on them, read with the kernel's own font."""

import struct
import zlib

FONT_WIDTH, FONT_HEIGHT, FONT_FIRST, FONT_COUNT = 8, 16, 32, 95


def read_ppm(data):
    """(width, height, RGB bytes) of a binary PPM file with 8 bits a colour."""
    fields, at = [], 0
    while len(fields) < 4:
        end = at
        while data[end:end + 1] not in (b" ", b"\n", b"\t", b"\r"):
            end += 1
        fields.append(data[at:end])
        at = end + 1
    magic, width, height, depth = fields[0], *map(int, fields[1:])
    if magic != b"P6" or depth != 255 or len(data) - at < width * height * 3:
        raise ValueError("not a PPM file with 8 bits a colour")
    return width, height, data[at:at + width * height * 3]


def _chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def write_png(path, width, height, pixels):
    """With a palette where the colours are few, as on text screens."""
    colours = sorted({pixels[i:i + 3] for i in range(0, len(pixels), 3)})
    if len(colours) <= 256:
        number = {colour: i for i, colour in enumerate(colours)}
        body = bytes(number[pixels[i:i + 3]] for i in range(0, len(pixels), 3))
        kind, step, palette = 3, width, _chunk(b"PLTE", b"".join(colours))
    else:
        body, kind, step, palette = pixels, 2, width * 3, b""
    rows = b"".join(b"\0" + body[y * step:(y + 1) * step] for y in range(height))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" +
                   _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)) +
                   palette + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b""))


def crop(width, pixels, new_width, new_height):
    """The upper left part of a picture."""
    rows = (pixels[y * width * 3:(y * width + new_width) * 3] for y in range(new_height))
    return new_width, new_height, b"".join(rows)


def read_font(path):
    """{16 bytes of rows: character}, from the pictures in font.txt."""
    glyphs, group = [], []
    with open(path, encoding="ascii") as file:
        for line in file:
            parts = line.split()
            if not parts or any(set(part) - set(".#") for part in parts):
                continue
            group.append(parts)
            if len(group) == FONT_HEIGHT - 2:
                for column in range(len(group[0])):
                    rows = [int("".join("1" if dot == "#" else "0" for dot in row[column]), 2)
                            for row in group]
                    glyphs.append(bytes([0, *rows, 0]))
                group = []
    if len(glyphs) != FONT_COUNT:
        raise ValueError(f"{path}: {len(glyphs)} characters, not {FONT_COUNT}")
    return {glyph: chr(FONT_FIRST + i) for i, glyph in enumerate(glyphs)}


def read_text(font, width, height, pixels, scale=1):
    """The rows of text on a screen; what is no character of the font is '~'. The first row of
    pixels of every character is blank, so its colour is the paper's, whatever it is."""
    rows = []
    cell_width, cell_height = FONT_WIDTH * scale, FONT_HEIGHT * scale
    for top in range(0, height - cell_height + 1, cell_height):
        band = pixels[top * width * 3:(top + cell_height) * width * 3]
        if band == band[:3] * (len(band) // 3):
            rows.append("")
            continue
        text = []
        for left in range(0, width - cell_width + 1, cell_width):
            paper = pixels[(top * width + left) * 3:(top * width + left) * 3 + 3]
            glyph = bytearray()
            for y in range(0, cell_height, scale):
                at = ((top + y) * width + left) * 3
                bits = 0
                for x in range(0, cell_width * 3, 3 * scale):
                    bits = bits << 1 | (pixels[at + x:at + x + 3] != paper)
                glyph.append(bits)
            text.append(font.get(bytes(glyph), "~"))
        rows.append("".join(text).rstrip())
    return rows


def screen_reader(font_path):
    """A function from a PPM file's bytes to rows of text."""
    font = read_font(font_path)

    def read(dump):
        width, height, pixels = read_ppm(dump)
        return read_text(font, width, height, pixels, 2 if width > 1600 else 1)

    return read
