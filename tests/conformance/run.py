#!/usr/bin/env python3
"""Exports one torchvision model, scripted and traced, with random weights, and runs test programs on
both files. The files, up to half a gigabyte each, are gone afterwards. Integers have to give the same
bits with an older instruction set: models take turns.

    run.py MODEL RUNNER...
"""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77  # ctest's SKIP_RETURN_CODE
ON_EVERY_PROCESSOR = "--gtest_filter=*OnEveryProcessor*"
INSTRUCTION_SETS = ("AVX2", "SSE41")
EXPORT = pathlib.Path(__file__).parents[2] / "scripts" / "export_torchvision.py"


def main():
    model, *runners = sys.argv[1:]
    if importlib.util.find_spec("torchvision") is None:
        print("skipped: python3-torchvision is not installed")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ptq-conformance-") as folder:
        subprocess.run([sys.executable, EXPORT, model, "--all", folder], check=True)
        environment = {**os.environ, "PTQ_CONFORMANCE_MODELS": folder}
        codes = [subprocess.run([runner], env=environment).returncode for runner in runners]
        isa = INSTRUCTION_SETS[sum(map(ord, model)) % len(INSTRUCTION_SETS)]
        limited = {**environment, "PTQ_MAX_CPU_ISA": isa, "ONEDNN_MAX_CPU_ISA": isa}
        codes += [subprocess.run([runner, ON_EVERY_PROCESSOR], env=limited).returncode
                  for runner in runners if "integer_conformance" in runner]
        return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
