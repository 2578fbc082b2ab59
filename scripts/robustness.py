#!/usr/bin/env python3
"""Feeds the programs damaged and hostile files, and starves them, and counts how they end.

    scripts/robustness.py --build build/dev --work build/robustness --mutants 2000 [--only model,...]

Each run must end by itself within a time limit, with a documented exit code, one line of error
unless it succeeds, bounded memory, and must touch no file but its own. What does not is kept in
WORK/findings. The table goes to standard output (docs/robustness.md holds one)."""

import argparse
import collections
import os
import random
import resource
import shutil
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mutants  # noqa: E402

DOCUMENTED = {0, 2, 64, 65, 66, 67, 68, 71, 73}
GIB = 1 << 30


class Bench:
    def __init__(self, options):
        self.options = options
        self.build = os.path.abspath(options.build)
        self.work = os.path.abspath(options.work)
        self.findings = os.path.join(self.work, "findings")
        self.counts = collections.defaultdict(collections.Counter)
        self.worst = collections.defaultdict(lambda: [0.0, 0])
        self.lock = threading.Lock()
        os.makedirs(self.findings, exist_ok=True)

    def program(self, name):
        return os.path.join(self.build, "apps", name)

    def run(self, kind, name, arguments, limits=None, keep=None, folder=None):
        """One run of a program; notes how it ended."""
        started = time.time()
        process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            cwd=folder, preexec_fn=limits,
        )
        timer = threading.Timer(self.options.seconds, process.kill)
        timer.start()
        out, err = process.communicate()
        timer.cancel()
        seconds = time.time() - started
        code = process.returncode
        problem = self.problem(code, err, seconds)
        with self.lock:
            self.counts[kind][problem or str(code)] += 1
            self.worst[kind][0] = max(self.worst[kind][0], seconds)
        if problem:
            print(f"{kind}: {name}: {problem}: {err[-300:]!r}", file=sys.stderr)
            if keep:
                shutil.copy(keep, os.path.join(self.findings, f"{kind}-{name}-{os.path.basename(keep)}"))
        return code, err

    def problem(self, code, err, seconds):
        if seconds >= self.options.seconds:
            return "too slow"
        if code < 0:
            return f"signal {-code}"
        if code not in DOCUMENTED:
            return f"exit {code}"
        errors = [line for line in err.split(b"\n") if line.startswith(b"error: ")]
        if code != 0 and len(errors) != 1:
            return "no sentence"
        return None


def write_png(path, size, seed):
    rng = random.Random(seed)
    rows = b"".join(b"\0" + bytes(rng.randrange(256) for _ in range(size * 3)) for _ in range(size))

    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = size.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
                   + chunk(b"IEND", b""))


def image_folder(path, classes=2, images=2, size=12):
    for label in range(classes):
        os.makedirs(os.path.join(path, f"c{label}"), exist_ok=True)
        for index in range(images):
            write_png(os.path.join(path, f"c{label}", f"{index}.png"), size, label * 100 + index)
    return path


def validation(bench, model, images, *more, size="8"):
    return [bench.program("ptq_imagenet_val"), "--model", model, "--calibration-dir", images,
            "--validation-dir", images, "--resize", size, "--crop", size, "--calibration-samples", "2",
            "--workers", "1", "--threads", "1", *more]


def models(bench):
    """Mutants of TorchScript files."""
    sources = bench.options.model or [os.path.join(bench.options.fixtures, "tiny.pt")]
    images = image_folder(os.path.join(bench.work, "images"))
    traps = os.path.join(bench.work, "traps")
    os.makedirs(traps, exist_ok=True)

    def one(seed):
        rng = random.Random(seed)
        mark = os.path.join(traps, f"touched-{seed}")
        path = os.path.join(bench.work, f"model-{seed}.pt")
        mutants.change_archive(rng.choice(sources), path, rng, mark)
        bench.run("TorchScript file", str(seed),
                  validation(bench, path, images, size=bench.options.size), keep=path)
        if os.path.exists(mark):
            with bench.lock:
                bench.counts["TorchScript file"]["touched a file"] += 1
        os.unlink(path)

    spread(bench, one)


def texts(kind, source, command):
    """Mutants of one file that is read as text."""

    def all_of(bench):
        def one(seed):
            rng = random.Random(seed)
            path = os.path.join(bench.work, f"{kind.replace(' ', '-')}-{seed}")
            mutants.change_file(source(bench), path, rng)
            bench.run(kind, str(seed), command(bench, path), keep=path)
            os.unlink(path)

        spread(bench, one)

    return all_of


def spread(bench, one):
    with ThreadPoolExecutor(bench.options.jobs) as pool:
        list(pool.map(one, range(bench.options.seed, bench.options.seed + bench.options.mutants)))


def write(bench, name, text):
    path = os.path.join(bench.work, name)
    if not os.path.exists(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return path


def config_source(bench):
    return write(bench, "config.yaml", "weight-bit-width: 4\nact-bit-width: 8\nquant-format: int\n"
                 "bias-corr: true\nscale-factor-type: float_scale\nmean: [0.5, 0.5, 0.5]\n")


def sweep_source(bench):
    return write(bench, "sweep.yaml", "weight-bit-width: [4, 8]\nact-bit-width: [4, 8]\n"
                 "gptq: [true, false]\nbias-corr: [true, false]\n")


def predictions_source(bench):
    return write(bench, "predictions.csv", "image,label,prediction,reference\nc0/0.png,0,0,0\nc0/1.png,0,1,0\n")


def tiny(bench):
    return os.path.join(bench.options.fixtures, "tiny.pt")


def limits(bench):
    """The same run under every limit of the shell."""
    images = image_folder(os.path.join(bench.work, "images"))
    run = validation(bench, tiny(bench), images, size="32")
    for tenths in range(5, 41):
        size = int(tenths * GIB / 10)
        bench.run("ulimit -v", f"{tenths / 10} GiB", run,
                  limits=lambda size=size: resource.setrlimit(resource.RLIMIT_AS, (size, size)))
    if os.getuid() != 0:
        for count in range(5, 41):
            bench.run("ulimit -u", str(count), run,
                      limits=lambda count=count: resource.setrlimit(resource.RLIMIT_NPROC, (count, count)))


def hostile(bench):
    """Files that somebody made to break a program."""
    images = image_folder(os.path.join(bench.work, "images"))
    for name in sorted(os.listdir(bench.options.hostile)):
        path = os.path.join(bench.options.hostile, name)
        if name.endswith(".pt"):
            size = "28" if name == "bitflip.pt" else "8"
            bench.run("hostile file", name, validation(bench, path, images, size=size))


KINDS = {
    "model": models,
    "config": texts("--config", config_source, lambda bench, path: validation(
        bench, tiny(bench), image_folder(os.path.join(bench.work, "images")), "--config", path, size="32")),
    "sweep": texts("sweep file", sweep_source, lambda bench, path: [
        bench.program("ptq_benchmark"), path, "--list", "--model", tiny(bench)]),
    "predictions": texts("predictions", predictions_source, lambda bench, path: [
        bench.program("ptq_compare"), path, path]),
    "limits": limits,
    "hostile": hostile,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", default="build/dev")
    parser.add_argument("--work", default="build/robustness")
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--model", action="append", help="TorchScript file to make mutants of")
    parser.add_argument("--size", default="32", help="image size of --model")
    parser.add_argument("--fixtures", default="tests/cli/fixtures")
    parser.add_argument("--hostile", help="folder of hostile files")
    parser.add_argument("--only", default="model,config,sweep,predictions,limits")
    bench = Bench(parser.parse_args())
    bench.options.fixtures = os.path.abspath(bench.options.fixtures)
    for kind in bench.options.only.split(","):
        KINDS[kind](bench)
    print("| input | runs | ended | slowest |\n|---|---|---|---|")
    bad = 0
    for kind, counts in bench.counts.items():
        ended = ", ".join(f"{code}: {count}" for code, count in sorted(counts.items()))
        bad += sum(count for code, count in counts.items() if not code.isdigit())
        print(f"| {kind} | {sum(counts.values())} | {ended} | {bench.worst[kind][0]:.1f} s |")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
