#!/usr/bin/env python3
"""Compares the labels that ptq_imagenet_val reads from folders with torchvision's own reading.

    folders_against_torchvision.py PTQ_IMAGENET_VAL MODEL.pt IMAGES

IMAGES is a folder with a folder of images for each of at least twelve classes. Makes a small copy of
them in every layout that docs/images.md lists, runs the program on it, and compares the label of each
image with the one that ImageFolder, or ImageNet for the layouts of ILSVRC2012, gives it. Needs
torchvision. Ends with 1 where labels differ.
"""

import csv
import hashlib
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from unittest import mock

import torch
from torchvision.datasets import ImageFolder, ImageNet, imagenet

CLASSES = 12
IMAGES_A_CLASS = 2
# Names whose order as text is not their order as numbers, words or letters.
WORDS = ["Zebra", "apple", "Apple2", "banana split", "éclair", "_x", "a-b", "a b", "a.b", "A", "z", "0z"]


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def samples(dataset):
    """torchvision's labels, by the content of the image."""
    return {digest(path): label for path, label in dataset.samples}


def fill(folder, pictures, names):
    """A folder of images for each class, under the given names."""
    for name, (wnid, paths) in zip(names, pictures.items()):
        (folder / name).mkdir(parents=True)
        for number, path in enumerate(paths):
            shutil.copy(path, folder / name / f"{wnid}_{number}.JPEG")
    return folder


def pack(archive, files):
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w") as tar:
        for path in files:
            tar.add(path, arcname=path.name)
    return archive


def folders(work, pictures):
    """Layouts of class folders: (what, folder, torchvision's labels)."""
    def layout(what, names):
        folder = fill(work / what, pictures, names)
        return what, folder, samples(ImageFolder(str(folder)))

    yield (nested := layout("class folders", pictures))
    yield layout("folders named 0 to 11", [str(number) for number in range(CLASSES)])
    yield layout("folders named by words", WORDS)

    deep = work / "folders in class folders"
    for wnid, paths in pictures.items():
        for number, path in enumerate(paths):
            (deep / wnid / str(number)).mkdir(parents=True)
            shutil.copy(path, deep / wnid / str(number))
    yield deep.name, deep, samples(ImageFolder(str(deep)))

    links = work / "links to class folders"
    links.mkdir()
    for wnid in pictures:
        (links / wnid).symlink_to(nested[1] / wnid)
    yield links.name, links, samples(ImageFolder(str(links)))

    upper = fill(work / "other endings", pictures, pictures)
    for number, path in enumerate(sorted(upper.rglob("*.JPEG"))):
        path.rename(path.with_suffix([".JPG", ".jpg", ".Jpeg", ".jpeg"][number % 4]))
    yield upper.name, upper, samples(ImageFolder(str(upper)))

    archives = work / "an archive for each class"
    for wnid in pictures:
        pack(archives / f"{wnid}.tar", sorted((nested[1] / wnid).iterdir()))
    yield archives.name, archives, nested[2]


def validation(work, pictures):
    """Layouts of the validation images of ILSVRC2012, against torchvision.datasets.ImageNet."""
    draw = random.Random(1)
    images = [(wnid, path) for wnid, paths in pictures.items() for path in paths]
    draw.shuffle(images)
    devkit = list(pictures)
    draw.shuffle(devkit)
    wnids = [wnid for wnid, _ in images]

    flat = work / "flat" / "val"
    flat.mkdir(parents=True)
    for number, (_, path) in enumerate(images, 1):
        shutil.copy(path, flat / f"ILSVRC2012_val_{number:08d}.JPEG")

    root = work / "parsed"
    pack(root / "ILSVRC2012_img_val.tar", sorted(flat.iterdir()))
    torch.save(({wnid: (wnid,) for wnid in pictures}, wnids), root / "meta.bin")
    with mock.patch.object(imagenet, "_verify_archive", lambda *_: None):
        imagenet.parse_val_archive(str(root))
    truth = samples(ImageNet(str(root), "val"))
    yield "validation images as torchvision unpacks them", root / "val", truth

    def layout(what, **files):
        folder = work / what
        shutil.copytree(flat, folder / "val")
        for name, lines in files.items():
            (folder / name.replace("__", ".")).write_text("".join(line + "\n" for line in lines))
        return what, folder / "val", truth

    ground_truth = {
        "ILSVRC2012_validation_ground_truth__txt": [str(devkit.index(wnid) + 1) for wnid in wnids],
        "synsets__txt": devkit,
    }
    yield layout("flat, ground truth", **ground_truth)
    what, folder, _ = layout("archive, ground truth", **ground_truth)
    yield what, pack(folder.parent / "ILSVRC2012_img_val.tar", sorted(folder.iterdir())), truth
    yield layout("flat, synset labels", imagenet_2012_validation_synset_labels__txt=wnids)
    solutions = [f"ILSVRC2012_val_{n:08d},{wnid} 1 2 3 4 {wnid} 5 6 7 8" for n, wnid in enumerate(wnids, 1)]
    yield layout("flat, Kaggle", LOC_val_solution__csv=["ImageId,PredictionString", *solutions],
                 LOC_synset_mapping__txt=[f"{wnid} a thing, another" for wnid in pictures])


def labels(program, model, calibration, folder, predictions):
    """The program's labels, by the content of the image."""
    command = [program, "--model", model, "--calibration-dir", calibration, "--calibration-samples", "4",
               "--validation-dir", folder, "--graph-eq-iterations", "0", "--save-predictions", predictions]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr)
    with open(predictions, encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    name = next(iter(rows[0]))
    return {row[name]: int(row["label"]) for row in rows}


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    program, model, source = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    classes = sorted(path for path in source.iterdir() if path.is_dir())[:CLASSES]
    pictures = {path.name: sorted(path.iterdir())[:IMAGES_A_CLASS] for path in classes}
    differ = 0
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        for layouts in (folders, validation):
            for what, folder, truth in layouts(work, pictures):
                ours = labels(program, model, source, folder, work / "predictions.csv")
                wrong = sum(ours.get(image) != label for image, label in truth.items())
                wrong += len(ours.keys() - truth.keys())
                differ += wrong
                print(f"{what}: {len(truth)} images, {wrong} labels differ", flush=True)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
