#!/usr/bin/env python3
"""Says of each torchvision family whether it clamps, and what `--relu6 auto` does about it.

    relu6_families.py PROGRAM CALIBRATION VALIDATION

PROGRAM is ptq_imagenet_val. Prints two tables in Markdown: the activations of the families of
export_torchvision.py, and the choice for each network with ReLU6 and random weights of three kinds.
Needs python3-torch and python3-torchvision.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import torch
import torchvision

import export_torchvision as families

ACTIVATIONS = (torch.nn.ReLU, torch.nn.ReLU6, torch.nn.Hardtanh, torch.nn.Hardswish,
               torch.nn.Hardsigmoid, torch.nn.SiLU, torch.nn.GELU, torch.nn.Sigmoid)
KINDS = {
    "as torchvision makes them": lambda model, size: None,
    "and statistics of batch norms observed": families.observe_statistics,
    "and random batch norms": families.randomize,
}


def build(name):
    torch.manual_seed(1)
    arguments = families.constructor_arguments(name, families.FAMILIES[name])
    return torchvision.models.get_model(name, weights=None, **arguments).eval()


def activations(model):
    return sorted({type(module).__name__ for module in model.modules()
                   if isinstance(module, ACTIVATIONS)})


def largest_before_relu6(model, size):
    """The largest value that a ReLU6 reads on noise."""
    largest = []
    for module in model.modules():
        if isinstance(module, torch.nn.ReLU6):
            # In place: afterwards the input is the output.
            module.register_forward_pre_hook(lambda _, inputs: largest.append(inputs[0].max().item()))
    with torch.no_grad():
        model(torch.randn(32, 3, size, size))
    return max(largest)


def choice(program, model_file, calibration, validation, size):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        subprocess.run([program, "--model", model_file, "--calibration-dir", calibration,
                        "--validation-dir", validation, "--resize", str(size), "--crop", str(size),
                        "--calibration-samples", "64", "--validation-samples", "64",
                        "--report", report], check=True, stdout=subprocess.DEVNULL)
        return json.loads(report.read_text())["relu6"]


def row(name, kind, change, program, calibration, validation):
    size = families.FAMILIES[name]
    model = build(name)
    change(model, size)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.pt"
        torch.jit.script(model).save(str(path))
        found = choice(program, path, calibration, validation, size)
    replaced = found["replaced"]
    verb = "keeps" if found["becomes"] == "relu6" else "replaces"
    print(f"| {name} | {kind} | {largest_before_relu6(model, size):.3g} | "
          f"{replaced['agreeing']} of {replaced['images']} | {replaced['sqnr_db']:.1f} | "
          f"{replaced['lowest_sqnr_db']:.1f} | {verb} |", flush=True)


def main():
    program, calibration, validation = sys.argv[1:]
    print("| family | activations |\n|---|---|")
    with_relu6 = []
    for name in families.FAMILIES:
        words = activations(build(name))
        print(f"| {name} | {', '.join(words) or 'functions'} |", flush=True)
        if "ReLU6" in words:
            with_relu6.append(name)
    print("\n| network | weights | largest value | same answers | mean SQNR, dB | lowest SQNR, dB | auto |")
    print("|---|---|---|---|---|---|---|")
    for name in with_relu6:
        for kind, change in KINDS.items():
            row(name, kind, change, program, calibration, validation)


if __name__ == "__main__":
    main()
