#!/usr/bin/env python3
"""Writes the TorchScript files that the tests of the program run, with Debian's python3-torch.

    /usr/bin/python3 tests/cli/make_fixtures.py

tiny.pt  a residual network of ten classes for images of any size, random weights
nan.pt   the same with a NaN in one weight
"""

import pathlib

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.activation = nn.ReLU6()
        self.pointwise = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return x + self.pointwise(self.activation(self.norm(self.depthwise(x))))


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()
        )
        self.block = Block(8)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.block(self.stem(x)).mean([2, 3]))


def main():
    folder = pathlib.Path(__file__).parent / "fixtures"
    folder.mkdir(exist_ok=True)
    torch.manual_seed(7)
    network = Tiny().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    nn.init.normal_(network.head.weight, std=2.0)
    torch.jit.script(network).save(str(folder / "tiny.pt"))
    with torch.no_grad():
        network.block.pointwise.weight[3, 2] = float("nan")
    torch.jit.script(network).save(str(folder / "nan.pt"))


if __name__ == "__main__":
    main()
