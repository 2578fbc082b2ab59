"""Trains the network of the demo: a small MobileNetV2 on Fashion-MNIST, saved as TorchScript.

Needs Debian's python3-torch and dataset-fashion-mnist. One thread and a fixed seed.

    /usr/bin/python3 scripts/train_demo.py --out demo/fashion_mobilenet_v2.pt
"""

import argparse
import gzip
import platform
import time
from pathlib import Path

import numpy
import torch
from torch import nn

# The recipe ptq_imagenet_val is given for this network (28 x 28, no resampling): grey repeated to
# RGB, divided by 255, then (x - MEAN) / STD in each channel.
MEAN, STD = 0.286, 0.353
IMAGE_SIZE = 28
MAX_SHIFT = 2

# expansion, output channels, repetitions, stride of the first
STAGES = [(1, 16, 1, 2), (3, 24, 2, 1), (3, 32, 2, 1), (4, 64, 3, 2)]
STEM_CHANNELS, HEAD_CHANNELS, CLASSES = 16, 256, 10


def conv_norm_relu6(inputs, outputs, kernel, stride=1, groups=1):
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    ]


class InvertedResidual(nn.Module):
    """1x1 expansion, 3x3 depthwise, 1x1 linear projection; added to the input where shapes allow."""

    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        hidden = inputs * expansion
        expand = conv_norm_relu6(inputs, hidden, 1) if expansion > 1 else []
        depthwise = conv_norm_relu6(hidden, hidden, 3, stride, groups=hidden)
        project = [nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.layers = nn.Sequential(*expand, *depthwise, *project)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


class FashionMobileNetV2(nn.Module):
    def __init__(self):
        super().__init__()
        features = [nn.Sequential(*conv_norm_relu6(3, STEM_CHANNELS, 3))]
        channels = STEM_CHANNELS
        for expansion, outputs, repetitions, stride in STAGES:
            for index in range(repetitions):
                first = stride if index == 0 else 1
                features.append(InvertedResidual(channels, outputs, first, expansion))
                channels = outputs
        features.append(nn.Sequential(*conv_norm_relu6(channels, HEAD_CHANNELS, 1)))
        self.features = nn.Sequential(*features)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.1), nn.Linear(HEAD_CHANNELS, CLASSES))

    def forward(self, x):
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))


def read_split(folder, split):
    """uint8 images [N, 28, 28] and int64 labels [N] of one split ("train" or "t10k")."""
    with gzip.open(folder / f"{split}-images-idx3-ubyte.gz") as stream:
        pixels = numpy.frombuffer(stream.read(), numpy.uint8, offset=16)
    with gzip.open(folder / f"{split}-labels-idx1-ubyte.gz") as stream:
        labels = numpy.frombuffer(stream.read(), numpy.uint8, offset=8)
    images = pixels.reshape(-1, IMAGE_SIZE, IMAGE_SIZE).copy()
    return torch.from_numpy(images), torch.from_numpy(labels.astype(numpy.int64))


def to_input(images):
    normalised = (images.float() / 255 - MEAN) / STD
    rgb = normalised.unsqueeze(1).repeat(1, 3, 1, 1)
    return rgb.contiguous(memory_format=torch.channels_last)


def augment(images):
    """Each image shifted by up to MAX_SHIFT pixels (black comes in) and mirrored half of the time."""
    count = len(images)
    padded = nn.functional.pad(images, [MAX_SHIFT] * 4)
    span = torch.arange(IMAGE_SIZE)
    rows = torch.randint(2 * MAX_SHIFT + 1, (count, 1)) + span
    columns = torch.randint(2 * MAX_SHIFT + 1, (count, 1)) + span
    mirrored = torch.rand(count, 1) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    return padded[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


def accuracy(model, images, labels):
    with torch.no_grad():
        batches = zip(images.split(500), labels.split(500))
        correct = sum((model(to_input(x)).argmax(1) == y).sum().item() for x, y in batches)
    return correct / len(labels)


def drop_source_records(path):
    """Rewrites a TorchScript file without the records that tie its code to the lines of this script,
    which name the folder of the checkout."""
    reader = torch._C.PyTorchFileReader(str(path))
    names = [n for n in reader.get_all_records() if n != "version" and not n.endswith(".debug_pkl")]
    records = {name: reader.get_record(name) for name in names}
    writer = torch._C.PyTorchFileWriter(str(path))
    for name, record in records.items():
        writer.write_record(name, record, len(record))
    writer.write_end_of_file()


def train(model, images, labels, options):
    optimizer = torch.optim.SGD(
        model.parameters(), lr=options.learning_rate, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    steps = len(images) // options.batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, options.learning_rate, total_steps=steps * options.epochs
    )
    loss_function = nn.CrossEntropyLoss(label_smoothing=0.05)
    start = time.monotonic()
    for epoch in range(1, options.epochs + 1):
        total = 0.0
        order = torch.randperm(len(images))[: steps * options.batch_size]
        for chosen in order.split(options.batch_size):
            optimizer.zero_grad()
            loss = loss_function(model(to_input(augment(images[chosen]))), labels[chosen])
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        elapsed = time.monotonic() - start
        print(f"epoch {epoch}: loss {total / steps:.4f}, {elapsed:.0f} s", flush=True)


def parse_options():
    parser = argparse.ArgumentParser(description="Trains the demo's network.")
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    options = parse_options()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    torch.use_deterministic_algorithms(True)

    model = FashionMobileNetV2().to(memory_format=torch.channels_last)
    train(model, *read_split(options.data, "train"), options)

    torch.jit.script(model.eval()).save(str(options.out))
    drop_source_records(options.out)
    top1 = accuracy(torch.jit.load(str(options.out)), *read_split(options.data, "t10k"))
    parameters = sum(p.numel() for p in model.parameters())
    print(
        f"{options.out}: top-1 {100 * top1:.2f} % of the test images, {parameters} parameters, "
        f"{options.out.stat().st_size} bytes; PyTorch {torch.__version__}, "
        f"Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
