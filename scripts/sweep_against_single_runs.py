#!/usr/bin/python3
"""Compares every row of a sweep with a run of ptq_imagenet_val of its own: images right, and the file of
scales byte for byte (the sweep was run with --save-quantizers). Prints what differs and the sum of the
single runs' times, on the clock and of processors.

  sweep_against_single_runs.py DIR PROGRAM [flags of ptq_imagenet_val that the table does not say]
"""
import csv
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

SWEPT = [
    "target_backend", "quant_format", "scale_factor_type", "weight_bit_width", "act_bit_width",
    "bias_bit_width", "weight_quant_granularity", "act_quant_type", "weight_quant_type",
    "act_quant_calibration_type", "act_quant_percentile", "weight_quant_calibration_type",
    "graph_eq_iterations",
]


def flags(row):
    return [word for name in SWEPT for word in ("--" + name.replace("_", "-"), row[name])]


def single_run(program, row, more, folder):
    report, quantizers = folder / "report.json", folder / "quantizers.json"
    command = [program, *flags(row), *more, "--report", report, "--dump-quantizers", quantizers]
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    correct = json.loads(report.read_text())["quantized"]["correct"]
    return correct, quantizers.read_bytes(), seconds


def main():
    sweep, program, more = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    rows = list(csv.DictReader((sweep / "results.csv").open()))
    total, different = 0.0, 0
    with tempfile.TemporaryDirectory() as name:
        for row in rows:
            correct, quantizers, seconds = single_run(program, row, more, pathlib.Path(name))
            total += seconds
            same_scales = quantizers == (sweep / row["quantizers"]).read_bytes()
            if str(correct) != row["correct"] or not same_scales:
                different += 1
                print(f"{row['configuration']}: {correct} right, in the sweep {row['correct']}; "
                      f"scales {'equal' if same_scales else 'differ'}")
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = children.ru_utime + children.ru_stime
    print(f"{len(rows)} configurations, {different} differ; single runs took {total:.1f} s, "
          f"{processor:.1f} s of processor time")
    return different > 0


if __name__ == "__main__":
    sys.exit(main())
