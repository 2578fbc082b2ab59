#!/usr/bin/python3
"""Write the small images of tests/data/fixtures: every pixel format that decoding treats specially.

All show one synthetic pattern of 37 x 29 pixels. Pillow writes what it can; formats that it only
reads are put together here byte by byte. Usage: scripts/image_fixtures.py tests/data/fixtures
"""

import pathlib
import struct
import sys
import zlib

from PIL import Image

WIDTH, HEIGHT = 37, 29


def value(x, y, channel):
    """A ramp, a diagonal and a chequer: smooth, oriented and sharp at once."""
    ramp = (7 * x + 3 * y * (channel + 1) + 40 * channel) % 256
    return 255 - ramp if (x // 5 + y // 4 + channel) % 3 == 0 else ramp


def samples(channels):
    return bytes(value(x, y, c) for y in range(HEIGHT) for x in range(WIDTH)
                 for c in range(channels))


def image(mode):
    return Image.frombytes(mode, (WIDTH, HEIGHT), samples(len(Image.new(mode, (1, 1)).getbands())))


def deep(channels, byte_order):
    """16 bits a sample; every fifth is below 256, where Pillow's clipping of grey shows."""
    flat = samples(channels)
    wide = [v * 257 // 2 if i % 5 else v for i, v in enumerate(flat)]
    return struct.pack(f"{byte_order}{len(wide)}H", *wide)


def few_bits(bits):
    """Rows of samples of 1, 2 or 4 bits, padded to bytes."""
    rows = []
    for y in range(HEIGHT):
        line = "".join(f"{value(x, y, 0) >> (8 - bits):0{bits}b}" for x in range(WIDTH))
        line += "0" * (-len(line) % 8)
        rows.append(bytes(int(line[i:i + 8], 2) for i in range(0, len(line), 8)))
    return rows


def rows_of(data):
    stride = len(data) // HEIGHT
    return [data[i:i + stride] for i in range(0, len(data), stride)]


# --- PNG

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2))


def png(color_type, bits, rows, interlaced=False, extra=()):
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, color_type, 0, 0, int(interlaced))
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
            b"".join(chunk(*item) for item in extra) + chunk(b"IDAT", body) + chunk(b"IEND", b""))


def interlaced_rows(rows, pixel_size):
    for left, top, step_x, step_y in ADAM7:
        for y in range(top, HEIGHT, step_y):
            yield b"".join(rows[y][x * pixel_size:(x + 1) * pixel_size]
                           for x in range(left, WIDTH, step_x))


def png_fixtures():
    palette = bytes((i * step) % 256 for i in range(256) for step in (3, 5, 7))
    yield "grey_1bit.png", png(0, 1, few_bits(1))
    yield "grey_2bit.png", png(0, 2, few_bits(2))
    yield "grey_4bit.png", png(0, 4, few_bits(4))
    yield "grey_transparent.png", png(0, 8, rows_of(samples(1)), extra=[(b"tRNS", b"\0\x07")])
    yield "grey_16bit.png", png(0, 16, rows_of(deep(1, ">")))
    yield "grey_alpha_16bit.png", png(4, 16, rows_of(deep(2, ">")))
    yield "rgb_16bit.png", png(2, 16, rows_of(deep(3, ">")))
    yield "rgba_16bit.png", png(6, 16, rows_of(deep(4, ">")))
    yield "rgb_transparent.png", png(2, 8, rows_of(samples(3)), extra=[(b"tRNS", b"\0\x07" * 3)])
    yield "rgb_interlaced.png", png(2, 8, list(interlaced_rows(rows_of(samples(3)), 3)), True)
    for bits in (1, 2, 4):
        yield f"palette_{bits}bit.png", png(3, bits, few_bits(bits),
                                            extra=[(b"PLTE", palette[:3 << bits])])
    yield "palette_8bit.png", png(3, 8, rows_of(samples(1)), extra=[(b"PLTE", palette)])
    yield "palette_transparent.png", png(3, 8, rows_of(samples(1)), extra=[
        (b"PLTE", palette), (b"tRNS", bytes(range(256)))])


# --- TIFF

def tiff(photometric, bits, channels, data, order="<", extra=None, palette=None, planar=False,
         tile=None):
    """One uncompressed strip a plane, or tiles of `tile` x `tile` pixels."""
    stride = (WIDTH * bits * (1 if planar else channels) + 7) // 8
    strips = [data[i:i + stride * HEIGHT] for i in range(0, len(data), stride * HEIGHT)]
    if tile:
        strips = list(tiles_of(rows_of(data), tile, bits * channels // 8))
    tags = {256: ("H", [WIDTH]), 257: ("H", [HEIGHT]), 258: ("H", [bits] * channels),
            259: ("H", [1]), 262: ("H", [photometric]), 277: ("H", [channels]),
            284: ("H", [2 if planar else 1])}
    offsets, counts = (324, 325) if tile else (273, 279)
    tags[offsets] = ("I", [sum(map(len, strips[:i])) + 8 for i in range(len(strips))])
    tags[counts] = ("I", [len(strip) for strip in strips])
    tags.update({322: ("H", [tile]), 323: ("H", [tile])} if tile else {278: ("H", [HEIGHT])})
    if extra is not None:
        tags[338] = ("H", [extra])
    if palette:
        tags[320] = ("H", palette)
    return tiff_file(order, b"".join(strips), tags)


def tiles_of(rows, tile, pixel_size):
    for top in range(0, HEIGHT, tile):
        for left in range(0, WIDTH, tile):
            part = [row[left * pixel_size:(left + tile) * pixel_size].ljust(tile * pixel_size, b"\0")
                    for row in rows[top:top + tile]]
            yield b"".join(part).ljust(tile * tile * pixel_size, b"\0")


def tiff_file(order, data, tags):
    data += b"\0" * (len(data) % 2)
    directory_at = 8 + len(data)
    beyond_at = directory_at + 2 + 12 * len(tags) + 4
    entries, beyond = b"", b""
    for tag, (kind, values) in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}{kind}", *values)
        if len(packed) > 4:
            field = struct.pack(order + "I", beyond_at + len(beyond))
            beyond += packed
        else:
            field = packed.ljust(4, b"\0")
        entries += struct.pack(order + "HHI", tag, 3 if kind == "H" else 4, len(values)) + field
    magic = b"II" if order == "<" else b"MM"
    return (magic + struct.pack(order + "HI", 42, directory_at) + data +
            struct.pack(order + "H", len(tags)) + entries + b"\0\0\0\0" + beyond)


def tiff_fixtures():
    palette = [(i * step * 256 + i) % 65536 for step in (3, 5, 7) for i in range(256)]
    planes = b"".join(samples(3)[c::3] for c in range(3))
    yield "grey_8bit.tif", tiff(1, 8, 1, samples(1))
    yield "grey_white_is_zero.tif", tiff(0, 8, 1, samples(1))
    yield "grey_1bit_white_is_zero.tif", tiff(0, 1, 1, b"".join(few_bits(1)))
    yield "grey_4bit.tif", tiff(1, 4, 1, b"".join(few_bits(4)))
    yield "grey_16bit.tif", tiff(1, 16, 1, deep(1, "<"))
    yield "grey_16bit_big_endian.tif", tiff(1, 16, 1, deep(1, ">"), order=">")
    yield "grey_16bit_white_is_zero.tif", tiff(0, 16, 1, deep(1, "<"))
    yield "grey_alpha.tif", tiff(1, 8, 2, samples(2), extra=2)
    yield "palette_8bit.tif", tiff(3, 8, 1, samples(1), palette=palette)
    yield "palette_4bit.tif", tiff(3, 4, 1, b"".join(few_bits(4)),
                                   palette=[palette[i] for i in range(768) if i % 256 < 16])
    yield "rgb_16bit.tif", tiff(2, 16, 3, deep(3, "<"))
    yield "rgb_planar.tif", tiff(2, 8, 3, planes, planar=True)
    yield "rgb_tiled.tif", tiff(2, 8, 3, samples(3), tile=16)
    yield "rgb_unspecified_fourth.tif", tiff(2, 8, 4, samples(4), extra=0)
    yield "rgba_straight.tif", tiff(2, 8, 4, samples(4), extra=2)
    yield "rgba_premultiplied.tif", tiff(2, 8, 4, samples(4), extra=1)
    yield "rgba_16bit.tif", tiff(2, 16, 4, deep(4, "<"), extra=2)
    yield "cmyk_8bit.tif", tiff(5, 8, 4, samples(4))
    yield "cmyk_16bit.tif", tiff(5, 16, 4, deep(4, "<"))


# --- BMP

def bmp(bits, rows, compression=0, palette=b"", masks=b"", top_down=False, old=False):
    padded = b"".join(row + b"\0" * (-len(row) % 4) for row in rows) if not compression % 3 else rows
    if old:
        info = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", 40, WIDTH, -HEIGHT if top_down else HEIGHT, 1, bits,
                           compression, len(padded), 0, 0, 0, 0)
    pixels_at = 14 + len(info) + len(masks) + len(palette)
    return (b"BM" + struct.pack("<IHHI", pixels_at + len(padded), 0, 0, pixels_at) + info + masks +
            palette + padded)


def run_length_8():
    """Runs, literals, a skip to the next row, and the end of the image."""
    out = b""
    for y in range(HEIGHT):
        row = bytes(value(x // 6 * 6, y, 0) for x in range(WIDTH))
        for x in range(0, 24, 6):
            out += bytes((6, row[x]))
        out += bytes((0, 5)) + row[24:29] + b"\0"
        out += bytes((WIDTH - 29, row[30])) + b"\0\0"
    return out + b"\0\1"


def run_length_4():
    return b"".join(bytes((WIDTH, value(y, y, 0), 0, 0)) for y in range(HEIGHT)) + b"\0\1"


def bmp_fixtures():
    palette = bytes((i * step) % 256 for i in range(256) for step in (3, 5, 7, 0))
    old_palette = bytes((i * step) % 256 for i in range(256) for step in (3, 5, 7))
    words = [struct.unpack("<H", samples(2)[i:i + 2])[0] for i in range(0, 2 * WIDTH * HEIGHT, 2)]
    rows_16 = rows_of(struct.pack(f"<{len(words)}H", *words))
    masks_565 = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    masks_rgbx = struct.pack("<III", 0xFF000000, 0x00FF0000, 0x0000FF00)
    yield "palette_1bit.bmp", bmp(1, few_bits(1), palette=palette[4:12])
    yield "palette_4bit.bmp", bmp(4, few_bits(4), palette=palette[:64])
    yield "palette_8bit.bmp", bmp(8, rows_of(samples(1)), palette=palette)
    yield "palette_os2.bmp", bmp(8, rows_of(samples(1)), palette=old_palette, old=True)
    yield "palette_run_length_8.bmp", bmp(8, run_length_8(), 1, palette=palette)
    yield "palette_run_length_4.bmp", bmp(4, run_length_4(), 2, palette=palette[:64])
    yield "rgb_16bit.bmp", bmp(16, rows_16)
    yield "rgb_16bit_565.bmp", bmp(16, rows_16, 3, masks=masks_565)
    yield "rgb_24bit.bmp", bmp(24, rows_of(samples(3)))
    yield "rgb_24bit_top_down.bmp", bmp(24, rows_of(samples(3)), top_down=True)
    yield "rgb_32bit.bmp", bmp(32, rows_of(samples(4)))
    yield "rgb_32bit_masks.bmp", bmp(32, rows_of(samples(4)), 3, masks=masks_rgbx)


# --- what Pillow writes

def write_with_pillow(folder):
    rgb, rgba, cmyk = image("RGB"), image("RGBA"), image("CMYK")
    rotated = Image.Exif()
    rotated[0x0112] = 6
    rgb.save(folder / "rgb.png")
    rgba.save(folder / "rgba.png")
    image("LA").save(folder / "grey_alpha.png")
    rgb.save(folder / "rgb_420.jpg", quality=90)
    rgb.save(folder / "rgb_422.jpg", quality=90, subsampling=1)
    rgb.save(folder / "rgb_444.jpg", quality=90, subsampling=0)
    rgb.save(folder / "rgb_progressive.jpg", quality=90, progressive=True)
    rgb.save(folder / "rgb_exif_rotated.jpg", exif=rotated)
    image("L").save(folder / "grey.jpg")
    cmyk.save(folder / "cmyk.jpg", quality=90)
    # Adobe's colour transform 2 says that the same channels are YCCK.
    stored = (folder / "cmyk.jpg").read_bytes()
    transform_at = stored.index(b"Adobe") + 11
    (folder / "ycck.jpg").write_bytes(stored[:transform_at] + b"\2" + stored[transform_at + 1:])
    rgb.save(folder / "rgb_lossy.webp", quality=80)
    rgb.save(folder / "rgb_lossless.webp", lossless=True)
    rgba.save(folder / "rgba_lossy.webp", quality=80)
    rgba.save(folder / "rgba_lossless.webp", lossless=True, exact=True)
    rgb.save(folder / "rgb_moving.webp", save_all=True, append_images=[rgb.rotate(180)])
    rgb.save(folder / "rgb_lzw.tif", compression="tiff_lzw")
    rgb.save(folder / "rgb_deflate.tif", compression="tiff_adobe_deflate")
    rgb.save(folder / "rgb_jpeg.tif", compression="jpeg")
    image("L").convert("1").save(folder / "grey_1bit_group4.tif", compression="group4")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_with_pillow(folder)
    for fixtures in (png_fixtures(), tiff_fixtures(), bmp_fixtures()):
        for name, data in fixtures:
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
