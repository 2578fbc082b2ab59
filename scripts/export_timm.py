#!/usr/bin/env python3
"""Writes timm classifiers as TorchScript files for ptq-eval.

    export_timm.py convnextv2_nano --out convnextv2_nano.pt
    export_timm.py nfnet_l0 --weights none --trace --seed 1 --out nfnet.pt
    export_timm.py --all DIR

The first form needs the network once, for the published weights; `--weights none` works offline.
`--all DIR` writes every family of FAMILIES with random weights as DIR/MODEL-SIZE-traced.pt, SIZE being
the image size to feed; what this version of timm does not have is named and left out. A folder like
that is what PTQ_CONFORMANCE_MODELS is for (tests/conformance). Needs torch and timm.
"""

import argparse
import pathlib
import sys
import warnings

import timm
import torch

# One of each pattern, with an image size that it accepts and that keeps tests short.
FAMILIES = {
    "resnetv2_50x1_bit": 64,  # weights standardized in every forward
    "nfnet_l0": 64,  # without normalization: scaled, standardized weights
    "convnextv2_atto": 64,  # a norm over the map that divides by its mean
    "vit_tiny_patch16_224": 224,
    "deit_tiny_distilled_patch16_224": 224,
    "beit_base_patch16_224": 224,  # relative position biases
    "swin_tiny_patch4_window7_224": 224,  # shifted windows and masks
    "mixer_s32_224": 224,  # mixes tokens by a weight
    "resmlp_12_224": 224,
    "gmlp_s16_224": 224,
    "sequencer2d_s": 224,  # LSTMs over rows and columns
    "xcit_nano_12_p16_224": 224,  # attention over channels, of normalized queries
    "halonet26t": 128,  # overlapping windows
    "lambda_resnet26t": 128,  # einsum and convolutions over positions
    "efficientnet_lite0": 64,
    "tf_efficientnet_b0": 64,  # padding that depends on the size
    "mobilevit_xxs": 128,
    "levit_128s": 224,
    "coat_tiny": 224,
    "crossvit_9_240": 240,
    "hrnet_w18_small": 64,
    "dla34": 64,
    "ghostnet_100": 64,
    "ese_vovnet19b_dw": 64,
    "skresnet18": 64,
    "resnest14d": 64,
    "regnetz_b16": 64,
    "poolformer_s12": 64,
}


def build(name, weights):
    options = {"pretrained": weights != "none"}
    return timm.create_model(name, **options).eval()


def export(model, size, trace):
    images = torch.rand(2, 3, size, size)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if trace:
            return torch.jit.trace(model, images, check_trace=False)
        return torch.jit.script(model)


def reason(error):
    """The first line that says something, or the kind of error."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def export_all(folder):
    folder.mkdir(parents=True, exist_ok=True)
    left_out = 0
    for name, size in FAMILIES.items():
        try:
            export(build(name, "none"), size, True).save(str(folder / f"{name}-{size}-traced.pt"))
        except Exception as error:  # timm's names and their needs change between versions
            print(f"{name} is left out: {reason(error)}")
            left_out += 1
    return 1 if left_out == len(FAMILIES) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?")
    parser.add_argument("--out", help="file to write")
    parser.add_argument("--weights", default="default", choices=("default", "none"))
    parser.add_argument("--trace", action="store_true", help="trace rather than script")
    parser.add_argument("--size", type=int, default=224, help="image size to trace with")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", metavar="DIR", type=pathlib.Path)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    if arguments.all:
        return export_all(arguments.all)
    if not arguments.model or not arguments.out:
        parser.error("a model and --out are needed, or --all")
    try:
        model = build(arguments.model, arguments.weights)
        export(model, arguments.size, arguments.trace).save(arguments.out)
    except Exception as error:
        print(f"{arguments.model}: {reason(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
