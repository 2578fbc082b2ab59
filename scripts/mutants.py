#!/usr/bin/env python3
"""Mutants of the files that the programs read, for scripts/robustness.py: bytes flipped, cut and
doubled, and, of TorchScript archives, members rewritten so that their checksums are right."""

import random
import re
import zipfile

PICKLE_OPERATIONS = b"\x80().NKMJGXcqrhjtebuRQ\x81\x85\x86\x87\x88\x89\x8a]}als0"
WORDS = [
    "torch.save(x, 'MARK')", "torch.from_file('MARK', True, 4)", "ops.aten.save(x, 'MARK')",
    "self", "x", "1", "-1", "9223372036854775807", "0.", "[]", "None", "torch.size(x, 0)",
    "torch.zeros([100000, 100000])", "torch.relu(x)", "(x, x)", "getattr(torch, 'save')(x, 'MARK')",
    "while True:", "torch.reshape(x, [-1])", "ops.prim.RaiseException('x')", "CONSTANTS.c99",
]


def flip(data, rng):
    """A few bytes changed, cut out, repeated, or the end gone."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        if not data:
            break
        at = rng.randrange(len(data))
        kind = rng.randrange(6)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        elif kind == 2:
            del data[at : at + rng.randrange(1, 32)]
        elif kind == 3:
            data[at:at] = data[at : at + rng.randrange(1, 64)]
        elif kind == 4:
            data[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\0\0\0\0", b"\xff\xff\xff\x7f"])
        elif rng.random() < 0.2:
            del data[at:]
    return bytes(data)


def change_pickle(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 3])):
        at = rng.randrange(2, len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] = rng.choice(PICKLE_OPERATIONS)
        elif kind == 1:
            data[at:at] = bytes([rng.choice(PICKLE_OPERATIONS)])
        elif kind == 2:
            del data[at]
        else:
            data = bytearray(flip(bytes(data), rng))
            if len(data) < 4:
                break
    return bytes(data)


def change_code(data, rng, mark):
    text = data.decode("latin1")
    for _ in range(rng.choice([1, 1, 2])):
        kind = rng.randrange(5)
        names = list(re.finditer(r"[A-Za-z_][A-Za-z_0-9.]*|-?\d+\.?\d*", text))
        if not names:
            break
        a, b = rng.choice(names), rng.choice(names)
        if kind == 0:
            text = text[: a.start()] + b.group() + text[a.end() :]
        elif kind == 1:
            text = text[: a.start()] + rng.choice(WORDS).replace("MARK", mark) + text[a.end() :]
        elif kind == 2:
            lines = text.split("\n")
            at = rng.randrange(len(lines))
            lines[at:at] = [lines[rng.randrange(len(lines))]]
            text = "\n".join(lines)
        elif kind == 3:
            text = text[: a.start()] + text[a.end() :]
        else:
            text = text[: a.start()] + "(" * rng.choice([1, 50, 5000]) + text[a.start() :]
    return text.encode("latin1")


def change_archive(path, target, rng, mark):
    """Writes a mutant of the TorchScript file `path`; half of them have good checksums."""
    if rng.random() < 0.4:
        with open(path, "rb") as file:
            data = flip(file.read(), rng)
        with open(target, "wb") as file:
            file.write(data)
        return
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as out:
        names = source.namelist()
        chosen = rng.choice([n for n in names if not n.endswith("debug_pkl")])
        kinds = [n for n in names if n.endswith((".py", "data.pkl"))]
        if rng.random() < 0.8:
            chosen = rng.choice(kinds)
        for name in names:
            data = source.read(name)
            if name == chosen and data:
                if name.endswith(".pkl"):
                    data = change_pickle(data, rng)
                elif name.endswith(".py"):
                    data = change_code(data, rng, mark)
                elif rng.random() < 0.1:
                    continue
                else:
                    data = flip(data, rng)
            out.writestr(zipfile.ZipInfo(name), data)


def change_file(path, target, rng):
    with open(path, "rb") as file:
        data = flip(file.read(), rng)
    with open(target, "wb") as file:
        file.write(data)
