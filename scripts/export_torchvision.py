#!/usr/bin/env python3
"""Writes torchvision classifiers as TorchScript files for ptq-eval.

    export_torchvision.py resnet18 --out resnet18.pt
    export_torchvision.py vit_b_32 --weights none --trace --seed 1 --out vit.pt
    export_torchvision.py --all DIR

The first form needs the network once, for the published weights; `--weights none` works offline.
`--all DIR` writes every family of FAMILIES with random weights, scripted and traced, as
DIR/MODEL-SIZE-scripted.pt and DIR/MODEL-SIZE-traced.pt, SIZE being the image size to feed.
Needs python3-torch and python3-torchvision.
"""

import argparse
import pathlib
import sys
import warnings

import torch
import torchvision

# One or two of each family, with an image size that it accepts and that keeps tests short.
FAMILIES = {
    "alexnet": 64,
    "vgg11": 32,
    "vgg11_bn": 32,
    "resnet18": 64,
    "resnext50_32x4d": 64,
    "wide_resnet50_2": 64,
    "densenet121": 64,
    "squeezenet1_0": 64,
    "squeezenet1_1": 64,
    "googlenet": 64,
    "inception_v3": 171,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "mobilenet_v3_large": 64,
    "mnasnet0_5": 64,
    "shufflenet_v2_x0_5": 64,
    "efficientnet_b0": 64,
    "efficientnet_v2_s": 64,
    "regnet_x_400mf": 64,
    "regnet_y_400mf": 64,
    "convnext_tiny": 64,
    "vit_b_16": 64,
    "vit_b_32": 96,
    "swin_t": 56,
    "swin_v2_t": 64,
    "maxvit_t": 224,
}


def constructor_arguments(name, size):
    """What a constructor needs besides the name when no weights decide it."""
    if name.startswith("vit"):
        return {"image_size": size}
    if name.startswith("maxvit"):
        return {"input_size": (size, size)}
    if name in ("googlenet", "inception_v3"):
        return {"init_weights": False, "transform_input": True}
    return {}


BATCH_NORM = torch.nn.modules.batchnorm._BatchNorm


def observe_statistics(model, size):
    """Running statistics of random images: with those of a fresh model, signals die out."""
    norms = [module for module in model.modules() if isinstance(module, BATCH_NORM)]
    if not norms:
        return
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    with torch.no_grad():
        model(torch.randn(32, 3, size, size))
    model.eval()


def randomize(model, size):
    """Gives what is trivial in a fresh model (running statistics of 0 and 1, scales of 1 or 1e-6)
    values that matter, so that a mistake in them shows."""
    for module in model.modules():
        if isinstance(module, (BATCH_NORM, torch.nn.LayerNorm)) and module.weight is not None:
            torch.nn.init.uniform_(module.weight, 0.7, 1.3)
            torch.nn.init.normal_(module.bias, 0.5, 0.3)  # around 0, rounding errors grow with depth
        elif isinstance(module, torch.nn.Linear):  # N(0, 0.01) or zeros in some
            torch.nn.init.normal_(module.weight, 0.0, module.in_features**-0.5)
    for name, parameter in model.named_parameters():
        if name.endswith(("layer_scale", "class_token", "pos_embedding", "in_proj_bias")):
            torch.nn.init.normal_(parameter, 0.0, 0.3)
    observe_statistics(model, size)


def build(name, weights, size, seed):
    if weights == "none":
        torch.manual_seed(seed)
        arguments = constructor_arguments(name, size)
        model = torchvision.models.get_model(name, weights=None, **arguments).eval()
        randomize(model, size)
    else:
        model = torchvision.models.get_model(name, weights=weights).eval()
    return model


def to_torchscript(model, size, trace):
    if not trace:
        return torch.jit.script(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        # PyTorch's check traces again without gradients, where attention takes another, fused path.
        return torch.jit.trace(model, torch.randn(2, 3, size, size), check_trace=False)


def published_size(name, weights):
    chosen = torchvision.models.get_model_weights(name)[weights]
    return chosen.transforms().crop_size[0]


def write_all(folder, names, seed):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        model = build(name, "none", FAMILIES[name], seed)
        for trace, word in ((False, "scripted"), (True, "traced")):
            path = folder / f"{name}-{FAMILIES[name]}-{word}.pt"
            to_torchscript(model, FAMILIES[name], trace).save(str(path))
            print(path, flush=True)


def write_one(args):
    size = args.image_size
    if size is None:
        size = 224 if args.weights == "none" else published_size(args.model, args.weights)
    model = build(args.model, args.weights, size, args.seed)
    to_torchscript(model, size, args.trace).save(args.out)
    print(f"{args.out}: {args.model}, image size {size}")


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", help="torchvision's name, such as resnet18")
    parser.add_argument("--weights", default="DEFAULT",
                        help="DEFAULT, another of the model's weight names, or none for random")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--trace", action="store_true", help="write a trace")
    form.add_argument("--script", dest="trace", action="store_false",
                      help="write a script (default)")
    parser.add_argument("--image-size", type=int,
                        help="default: what the weights were published with, else 224")
    parser.add_argument("--seed", type=int, default=0, help="of random weights")
    parser.add_argument("--out", metavar="FILE.pt")
    parser.add_argument("--all", type=pathlib.Path, metavar="DIR",
                        help="write one of each family, or only MODEL, scripted and traced")
    args = parser.parse_args(arguments)
    if args.all is None and (args.model is None or args.out is None):
        parser.error("give MODEL and --out FILE.pt, or --all DIR")
    if args.model is not None and args.model not in torchvision.models.list_models():
        parser.error(f"torchvision has no model named {args.model}")
    if args.all is not None and args.model is not None and args.model not in FAMILIES:
        parser.error(f"--all knows {', '.join(FAMILIES)}")
    return args


def main():
    args = parse(sys.argv[1:])
    if args.all is not None:
        write_all(args.all, [args.model] if args.model else list(FAMILIES), args.seed)
    else:
        write_one(args)


if __name__ == "__main__":
    main()
