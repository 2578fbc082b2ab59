#!/usr/bin/python3
"""Print what Pillow and torchvision make of images: one line per file, `whole crop... path`.

`whole` is the CRC-32 of open(path).convert("RGB"), and each recipe adds the CRC-32 of the crop that
torchvision's Resize and CenterCrop give. The files under tests/data/ that the tests compare with
are this output:

  scripts/preprocessing_hashes.py $PTQ_TEST_DATA/data/imagenet-sample \\
      256:224:bilinear 232:224:bicubic > tests/data/imagenet_sample.crc32
  scripts/preprocessing_hashes.py tests/data/fixtures \\
      24:20:bilinear 50:61:bicubic > tests/data/fixtures.crc32

Needs Debian's python3-pil and python3-torchvision.
"""

import argparse
import pathlib
import zlib

import PIL
import torchvision
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}


def transform_of(recipe):
    resize, crop, interpolation = recipe.split(":")
    return Compose([Resize(int(resize), InterpolationMode(interpolation)), CenterCrop(int(crop))])


def checksum(image):
    return f"{zlib.crc32(image.tobytes()):08x}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("recipes", nargs="+", metavar="RESIZE:CROP:INTERPOLATION")
    arguments = parser.parse_args()

    print(f"# Pillow {PIL.__version__}, torchvision {torchvision.__version__}")
    print("# whole", *arguments.recipes, "path")
    transforms = [transform_of(recipe) for recipe in arguments.recipes]
    for path in sorted(arguments.folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        with Image.open(path) as file:
            image = file.convert("RGB")
        sums = [checksum(image)] + [checksum(transform(image)) for transform in transforms]
        print(*sums, path.relative_to(arguments.folder).as_posix())


if __name__ == "__main__":
    main()
