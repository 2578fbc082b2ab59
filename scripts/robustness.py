#!/usr/bin/env python3
"""Feeds the programs damaged and hostile files, and starves them, and counts how they end.

    scripts/robustness.py --build build/dev --work build/robustness --mutants 2000 [--only model,...]
    scripts/robustness.py --only hostile --hostile FOLDER

Each run must end by itself within 10 s of processor time and 2 GiB, with a documented exit code and
one line of error unless it succeeds, and must touch no file that it is not to write. What does not
is kept in WORK/findings. The table goes to standard output (docs/robustness.md holds one)."""

import argparse
import collections
import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faults  # noqa: E402
import fork_server  # noqa: E402
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
        self.worst = collections.defaultdict(lambda: [0.0, 0])  # seconds, KiB
        self.lock = threading.Lock()
        self.servers = {}
        os.makedirs(self.findings, exist_ok=True)
        self.library = fork_server.build(self.work)

    def program(self, name):
        return os.path.join(self.build, "apps", name)

    def run(self, kind, name, arguments, limits=None, keep=None, accepted=DOCUMENTED, runs=1):
        """One run of a program, which stands for `runs` inputs; notes how it ended."""
        error_file = os.path.join(self.work, f"stderr-{threading.get_ident()}")
        status, seconds, kilobytes = self.ended(arguments, error_file, limits)
        code = os.waitstatus_to_exitcode(status)
        with open(error_file, "rb") as file:
            err = file.read()
        problem = self.problem(code, err, accepted, seconds, kilobytes)
        with self.lock:
            self.counts[kind][problem or str(code)] += runs
            worst = self.worst[kind]
            worst[0], worst[1] = max(worst[0], seconds), max(worst[1], kilobytes)
        if problem:
            print(f"{kind}: {name}: {problem}: {err[-300:]!r}", file=sys.stderr)
            if keep:
                shutil.copy(keep, os.path.join(self.findings, f"{kind}-{name}-{os.path.basename(keep)}"))
        return code, err

    def ended(self, arguments, error_file, limits=None):
        """Runs to the end; the status, seconds of the processor and KiB."""
        # A limit holds from the first byte that is loaded, so it is a start of its own.
        if limits or not self.library:
            with open(error_file, "wb") as errors:
                process = subprocess.Popen(
                    arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                    cwd=self.work, preexec_fn=lambda: limits and limits(), start_new_session=True,
                )
            with self.killed_in_time(process.pid):
                _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            return status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss
        server = self.server(arguments[0])
        with self.killed_in_time(server.start(arguments, error_file)):
            return server.wait()

    def server(self, program):
        """The one of this thread, as it runs one command after the other."""
        key = (threading.get_ident(), program)
        if key not in self.servers:
            self.servers[key] = fork_server.ForkServer(self.library, program, self.work)
        return self.servers[key]

    @contextlib.contextmanager
    def killed_in_time(self, process):
        # Of the clock, so that a busy machine does not count: a process that only waits.
        timer = threading.Timer(20 * self.options.seconds, os.killpg, (process, signal.SIGKILL))
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def note(self, kind, problem):
        with self.lock:
            self.counts[kind][problem] += 1

    def problem(self, code, err, accepted, seconds, kilobytes):
        if code < 0:
            return f"signal {-code}"
        if code not in accepted:
            return f"exit {code}"
        if seconds >= self.options.seconds:
            return "too slow"
        if kilobytes * 1024 >= 2 * GIB:
            return "too much memory"
        errors = [line for line in err.split(b"\n") if line.startswith(b"error: ")]
        # ptq_compare's verdict, 1 or 2, is on standard output.
        if code > 2 and len(errors) != 1:
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
            bench.note("TorchScript file", "touched a file")
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


def spread(bench, one, count=None):
    first = bench.options.seed
    with ThreadPoolExecutor(bench.options.jobs) as pool:
        list(pool.map(one, range(first, first + (count or bench.options.mutants))))


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
    return write(bench, "sweep.yaml", f"models:\n  - {{model: {tiny(bench)}, resize: 32, crop: 32}}\n"
                 "options:\n  weight-bit-width: [4, 8]\n  act-bit-width: [4, 8]\n"
                 "  gptq: [true, false]\n  bias-corr: [true, false]\n")


def predictions_source(bench):
    """The predictions of a real run, whose hashes are right."""
    path = os.path.join(bench.work, "predictions.csv")
    if not os.path.exists(path):
        images = image_folder(os.path.join(bench.work, "images"))
        run = validation(bench, tiny(bench), images, "--save-predictions", path, size="32")
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def tiny(bench):
    return os.path.join(bench.options.fixtures, "tiny.pt")


def labels_source(bench):
    """A labels.txt of the images, which lie beside each of its mutants."""
    images = image_folder(os.path.join(bench.work, "images"))
    lines = [f"{os.path.join(images, f'c{label}', f'{index}.png')} {label}" for label in range(2) for index in range(2)]
    return write(bench, "labels.txt", "\n".join(lines) + "\n")


def labels(bench):
    """Mutants of a labels.txt."""
    images = image_folder(os.path.join(bench.work, "images"))

    def one(seed):
        folder = os.path.join(bench.work, f"labels-{seed}")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "labels.txt")
        mutants.change_file(labels_source(bench), path, random.Random(seed))
        run = validation(bench, tiny(bench), images, size="32")
        run[run.index("--validation-dir") + 1] = folder
        bench.run("labels.txt", str(seed), run, keep=path)
        shutil.rmtree(folder)

    spread(bench, one)


def pictures(bench):
    """Mutants of images of every format, many in one folder: those that cannot be read are left out."""
    sources = sorted(os.listdir(bench.options.images))
    good = image_folder(os.path.join(bench.work, "images"))
    each = 50

    def one(seed):
        folder = os.path.join(bench.work, f"pictures-{seed}")
        shutil.copytree(good, folder)
        for index in range(each):
            rng = random.Random(seed * each + index)
            source = os.path.join(bench.options.images, rng.choice(sources))
            mutants.change_file(source, os.path.join(folder, "c0", f"{index}-{os.path.basename(source)}"), rng)
        run = validation(bench, tiny(bench), good, "--skip-unreadable", size="32")
        run[run.index("--validation-dir") + 1] = folder
        code, _ = bench.run("images", str(seed), run, accepted={0}, runs=each)
        if code == 0:
            shutil.rmtree(folder)

    spread(bench, one, (bench.options.mutants + each - 1) // each)


NOBODY = 65534


def limits(bench):
    """The same run under every limit of the shell. Root has as many processes as it likes: as root,
    the runs with few processes are somebody else's."""
    images = image_folder(os.path.join(bench.work, "images"))
    run = validation(bench, tiny(bench), images, size="32")
    for hundredths in range(50, 401, 5 if bench.options.mutants >= 1000 else 25):
        size = int(hundredths * GIB / 100)
        bench.run("ulimit -v", f"{hundredths / 100} GiB", run, accepted={0, 71},
                  limits=lambda size=size: resource.setrlimit(resource.RLIMIT_AS, (size, size)))

    def few(count):
        if os.getuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        resource.setrlimit(resource.RLIMIT_NPROC, (count, count))

    many = run[:]
    for flag in ("--workers", "--threads"):
        many[many.index(flag) + 1] = "4"
    for count in range(5, 41, 1 if bench.options.mutants >= 1000 else 5):
        bench.run("ulimit -u", str(count), many, accepted={0, 71}, limits=lambda count=count: few(count))


def hostile(bench):
    """Files that somebody made to break a program."""
    images = image_folder(os.path.join(bench.work, "images"))
    for name in sorted(os.listdir(bench.options.hostile)):
        path = os.path.join(bench.options.hostile, name)
        if name.endswith(".pt"):
            bench.run("hostile file", name, validation(bench, path, images), accepted={66})
        elif name.endswith((".yaml", ".yml")):
            sweep = [bench.program("ptq_benchmark"), path, "--list", "--model", tiny(bench)]
            bench.run("hostile file", name, sweep, accepted={64})
        else:
            folder = image_folder(os.path.join(bench.work, "hostile-images"))
            shutil.copy(path, os.path.join(folder, "c0", name))
            run = validation(bench, tiny(bench), folder, size="32")
            bench.run("hostile file", name, run, accepted={65})
            os.unlink(os.path.join(folder, "c0", name))


def disturbances(bench):
    """Kills, full disks, read-only disks."""
    random.seed(bench.options.seed)
    images = image_folder(os.path.join(bench.work, "images"))
    sweep = [bench.program("ptq_benchmark"), sweep_source(bench), "--calibration-dir", images, "--validation-dir",
             images, "--calibration-samples", "2", "--workers", "1", "--threads", "1"]
    runs = faults.Faults(bench, validation(bench, tiny(bench), images, size="32"), sweep)
    runs.kill_runs(bench.options.faults // 2)
    runs.kill_sweeps(bench.options.faults // 2)
    runs.kill_with_packs(bench.options.faults * 3 // 20)
    runs.full_disks(bench.options.faults // 5)


KINDS = {
    "faults": disturbances,
    "model": models,
    "config": texts("--config", config_source, lambda bench, path: validation(
        bench, tiny(bench), image_folder(os.path.join(bench.work, "images")), "--config", path, size="32")),
    "sweep": texts("sweep file", sweep_source, lambda bench, path: [
        bench.program("ptq_benchmark"), path, "--list", "--model", tiny(bench)]),
    "labels": labels,
    "pictures": pictures,
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
    parser.add_argument("--faults", type=int, default=200, help="runs to kill; a fifth as many disks are filled")
    parser.add_argument("--seconds", type=float, default=10, help="processor time that a run may take")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--model", action="append", help="TorchScript file to make mutants of")
    parser.add_argument("--size", default="32", help="image size of --model")
    parser.add_argument("--fixtures", default="tests/cli/fixtures")
    parser.add_argument("--images", default="tests/data/fixtures", help="images to make mutants of")
    parser.add_argument("--hostile", help="folder of hostile files")
    parser.add_argument("--only", default="model,config,labels,pictures,sweep,predictions,limits,faults")
    bench = Bench(parser.parse_args())
    for folder in ("fixtures", "images", "hostile"):
        path = getattr(bench.options, folder)
        setattr(bench.options, folder, path and os.path.abspath(path))
    bench.options.model = [os.path.abspath(path) for path in bench.options.model or []]
    for kind in bench.options.only.split(","):
        KINDS[kind](bench)
    print("| input | runs | exit code: runs | most processor time | most memory |\n|---|---|---|---|---|")
    bad = 0
    for kind, counts in bench.counts.items():
        ended = ", ".join(f"{code}: {count}" for code, count in sorted(counts.items()))
        bad += sum(count for code, count in counts.items() if not code.isdigit() and code != "whole")
        print(f"| {kind} | {sum(counts.values())} | {ended} | {bench.worst[kind][0]:.1f} s | "
              f"{bench.worst[kind][1] / 1024:.0f} MiB |")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
