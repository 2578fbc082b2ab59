#!/usr/bin/env python3
"""Says whether two builds of the programs do the same, byte for byte.

    scripts/compare_runs.py OLD_BUILD NEW_BUILD IMAGES [--models DIR --data DIR]

Runs twelve varied configurations and a sweep with the programs under OLD_BUILD/apps and
NEW_BUILD/apps, and compares exit codes, what they print, reports, predictions, dumps, logits and
exported files. Times, rates, memory and versions may differ. IMAGES holds Fashion-MNIST as
extract_fashion_mnist writes it, for the network in demo/. With --models (TorchScript files) and
--data (folders calibration/ and validation/), larger networks run too.
Exit code 0: all the same.
"""
import argparse
import filecmp
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEMO = ["--model", str(ROOT / "demo/fashion_mobilenet_v2.pt"), "--resize", "28", "--crop", "28",
        "--mean", "0.286", "0.286", "0.286", "--std", "0.353", "0.353", "0.353"]
FILES = ["--report", "report.json", "--dump-quantizers", "quantizers.json", "--dump-logits", "logits.npy",
         "--save-predictions", "predictions.csv"]
FEW = ["--calibration-samples", "20", "--threads", "2"]
FEW_OF_MANY = FEW + ["--validation-samples", "40"]

DEMO_RUNS = {
    "demo-default": [],
    "demo-attribute": "--attribute --explain --node-sqnr 4 --channel-splitting-ratio 0.1 "
                      "--act-equalization fx --gptq --weight-bit-width 4".split(),
    "demo-learned": "--learned-round hard_sigmoid_round --learned-round-iters 20 --weight-bit-width 4 "
                    "--weight-quant-granularity per_channel".split(),
    "demo-exports": "--export-onnx-qcdq --export-torch-qcdq --check-export 8 --explain".split(),
    "demo-draws": "--repeat-calibration 2 --audit-calibration --skip-float".split(),
    "demo-strict": "--strict --junit junit.xml --weight-bit-width 2 --act-bit-width 2".split(),
    "demo-refused": "--gptq --gpxq-accumulator-bit-width 16 --act-bit-width None".split(),
}
MODEL_RUNS = {
    "mobilenet-gpfq-axe": ("mobilenet_v2", "--gpfq --gpxq-accumulator-bit-width 16 --gpfq-p 0.5 "
                           "--weight-quant-granularity per_channel --act-quant-percentile 99.9".split()),
    "squeezenet-layerwise-mx": ("squeezenet1_1", "--target-backend layerwise --quant-format float_ocp --scale-factor-type po2_scale "
                                "--weight-quant-granularity per_group --act-quant-granularity per_group "
                                "--act-scale-computation-type dynamic --no-bias-corr --bias-bit-width None"
                                .split()),
    "squeezenet-flexml-po2": ("squeezenet1_1", "--target-backend flexml --scale-factor-type po2_scale "
                              "--bias-bit-width 16 --dump-float-logits float.npy --no-compile".split()),
    "vit-layer-bits": ("vit_tiny_16", ["--layer-bits", "[02468].*=W4,A8", "--act-quant-type", "asym",
                                       "--qronos", "--weight-quant-granularity", "per_channel"]),
    "by-hand": ("mobilenet_v1_075_hand_defined", "--model-name quant_mobilenet_v1 --weight-bit-width 4"
                .split()),
}
SWEEP = """models:
  model: {model}
  resize: 28
  crop: 28
  mean: [0.286, 0.286, 0.286]
  std: [0.353, 0.353, 0.353]
options:
  calibration-dir: {images}/calibration
  validation-dir: {images}/validation
  calibration-samples: 20
  threads: 2
  act-quant-percentile: [99.9, 99.999]
  act-quant-type: [sym, asym]
  weight-bit-width: [4, 8]
"""
# What may differ: seconds, rates, versions, memory.
TIMES = re.compile(r"-?\d+\.?\d*(e-?\d+)? (s|images/s|ms)\b|time=\"[\d.]+\"|ptq-eval [\d.]+")
LOOSE = {"seconds", "network_seconds", "waiting_seconds", "images_per_second", "milliseconds",
         "peak_rss_mib", "versions"}


def timeless(value):
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in LOOSE}
    return [timeless(v) for v in value] if isinstance(value, list) else value


def table(path):
    rows = [line.split(",") for line in path.read_text().splitlines()]
    keep = [i for i, name in enumerate(rows[0]) if "seconds" not in name and name != "tool_version"]
    return [[row[i] for i in keep if i < len(row)] for row in rows]


def same(old, new):
    if old.suffix == ".json" and old.stat().st_size > 0:
        return timeless(json.loads(old.read_text())) == timeless(json.loads(new.read_text()))
    if old.suffix in (".out", ".xml", ".md"):
        return TIMES.sub("T", old.read_text()) == TIMES.sub("T", new.read_text())
    if old.name in ("results.csv", "journal.csv", "best_configs.csv"):
        return table(old) == table(new)
    return old.suffix == ".html" or filecmp.cmp(old, new, shallow=False)


def run(command, folder):
    folder.mkdir(parents=True)
    done = subprocess.run([str(word) for word in command], cwd=folder, text=True, capture_output=True)
    progress = re.compile(r"^[^\n]*: \d+ of \d+ images\n", re.M)
    text = f"exit code {done.returncode}\n{progress.sub('', done.stdout)}{done.stderr}"
    (folder / "printed.out").write_text(text)


def differences(old, new):
    names = {p.relative_to(old) for p in old.rglob("*") if p.is_file()}
    names |= {p.relative_to(new) for p in new.rglob("*") if p.is_file()}
    for name in sorted(names):
        if not (old / name).exists() or not (new / name).exists():
            yield f"{name} is there once"
        elif not same(old / name, new / name):
            yield f"{name} differs"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("builds", nargs=2, type=pathlib.Path)
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("--models", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="folder for what the runs write")
    given = parser.parse_args()
    images = given.images.resolve()
    folders = lambda data: ["--calibration-dir", data / "calibration", "--validation-dir", data / "validation"]
    runs = {name: DEMO + folders(images) + FEW + FILES + more for name, more in DEMO_RUNS.items()}
    if given.models and given.data:
        for name, (model, more) in MODEL_RUNS.items():
            file = given.models.resolve() / (model + ".pt")
            runs[name] = ["--model", file] + folders(given.data.resolve()) + FEW_OF_MANY + FILES + more
    top = given.keep or pathlib.Path(tempfile.mkdtemp(prefix="ptq-compare-"))
    failed = False
    for name in list(runs) + ["sweep"]:
        for which, build in zip(("old", "new"), given.builds):
            folder = top / name / which
            if which == "old" and folder.exists():
                continue
            shutil.rmtree(folder, ignore_errors=True)
            apps = build.resolve() / "apps"
            if name != "sweep":
                run([apps / "ptq_imagenet_val"] + runs[name], folder)
                continue
            sweep = top / "sweep.yaml"
            sweep.write_text(SWEEP.format(model=DEMO[1], images=images))
            run([apps / "ptq_benchmark", sweep, "--output", "tables"], folder)
        found = list(differences(top / name / "old", top / name / "new"))
        print(f"{name}: {'same' if not found else '; '.join(found)}", flush=True)
        failed |= bool(found)
    if not given.keep and not failed:
        shutil.rmtree(top)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
