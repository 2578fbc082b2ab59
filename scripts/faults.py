"""Kills programs and takes their disks away, for scripts/robustness.py: nothing partial may stand
under a final name, nothing that was there may be lost, and a cache may change no result."""

import contextlib
import csv
import ctypes
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time

OLD = b"what stood here before"
# Files that are the same bytes whenever the run is the same; the others hold times.
SAME = ("logits.npy", "quantizers.json", "predictions.csv", "graph.svg")


def outputs(folder):
    """Flags for every kind of file; exports take names of their own in the folder."""
    names = {"--report": "report.json", "--page": "page.html", "--dump-logits": "logits.npy",
             "--dump-quantizers": "quantizers.json", "--save-predictions": "predictions.csv",
             "--dump-graph": "graph.svg", "--export-dir": ""}
    flags = [text for flag, name in names.items() for text in (flag, os.path.join(folder, name))]
    return [*flags, "--export-onnx-qcdq", "--export-torch-qcdq", "--gptq"]


def contents(folder):
    """Of files under final names: a name that begins with a dot is a temporary one."""
    found = {}
    for path in glob.glob(os.path.join(folder, "*")):
        with open(path, "rb") as file:
            found[os.path.basename(path)] = file.read()
    return found


def is_whole(name, data, wanted):
    if data == OLD or name in wanted and data == wanted[name]:
        return True
    if name == "report.json":
        return bool(json.loads(data))
    return name == "page.html" and data.rstrip().endswith(b"</html>")


def broken(found, wanted):
    """Names whose files are gone, or neither what was there before nor whole."""
    bad = [name for name in wanted if name not in found]
    for name, data in found.items():
        try:
            good = is_whole(name, data, wanted)
        except ValueError:
            good = False
        if not good:
            bad.append(name)
    return sorted(bad)


class Faults:
    """Runs that are disturbed, and the run that they are compared with. All write to the same paths,
    because exported files name them."""

    def __init__(self, bench, command, sweep):
        self.bench, self.sweep = bench, sweep
        self.folder = os.path.join(bench.work, "faults")
        self.disk = os.path.join(self.folder, "disk")
        self.out, self.cache = (os.path.join(self.disk, name) for name in ("out", "cache"))
        shutil.rmtree(self.folder, ignore_errors=True)
        self.wanted = {}
        self.plain = [*command, *outputs(self.out)]
        self.command = [*self.plain, "--cache", self.cache]
        without_cache = self.finished("no cache", self.plain)
        start = time.monotonic()
        self.wanted = self.finished("undisturbed", self.command)
        self.seconds = time.monotonic() - start
        self.check("undisturbed runs", "cache", [name for name in SAME if without_cache[name] != self.wanted[name]])

    @staticmethod
    def fresh(folder):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        return folder

    def fresh_outputs(self):
        self.fresh(self.out)
        for file in self.wanted:
            with open(os.path.join(self.out, file), "wb") as stream:
                stream.write(OLD)

    def finished(self, name, command):
        """What a run leaves that nobody disturbs."""
        self.fresh(self.out)
        self.bench.run("undisturbed runs", name, command, accepted={0})
        return contents(self.out)

    def check(self, kind, name, problems):
        if problems:
            print(f"{kind}: {name}: {problems}")
        self.bench.note(kind, "broken" if problems else "whole")

    def killed(self, arguments, seconds, until=None):
        """Kills a run after some seconds, or as soon as `until` says so; with its child or without."""
        error_file = os.path.join(self.folder, "stderr")
        process = self.bench.server(arguments[0]).start(arguments, error_file)
        stop = threading.Event()

        def kill():
            end = time.monotonic() + seconds
            while time.monotonic() < end and not stop.is_set() and not (until and until()):
                stop.wait(0.001)
            if not stop.is_set():
                # The program's child tidies up where only its parent is killed.
                with contextlib.suppress(ProcessLookupError):
                    (os.killpg if random.random() < 0.7 else os.kill)(process, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        status, _, _ = self.bench.server(arguments[0]).wait()
        stop.set()
        killer.join()
        wait_for_group(process)
        return os.WIFSIGNALED(status)

    def kill_runs(self, count):
        kind = "killed: exports, reports, cache"
        for index in range(count):
            self.fresh_outputs()
            self.killed(self.command, random.uniform(0, self.seconds))
            self.check(kind, index, broken(contents(self.out), self.wanted))
        self.same_with_cache(kind, "the cache afterwards")

    def same_with_cache(self, kind, name):
        found = self.finished("with a cache", self.command)
        exports = [file for file in self.wanted if file.endswith((".onnx", ".pt"))]
        self.check(kind, name, [file for file in (*SAME, *exports) if found.get(file) != self.wanted[file]])

    def kill_with_packs(self, count):
        """Killed as soon as a pack has its name; each third time another run fills the cache too."""
        kind = "killed after a pack was written"
        for index in range(count):
            self.fresh(self.cache)
            self.fresh_outputs()
            other = None
            if index % 3 == 0:
                other = subprocess.Popen(
                    [*self.plain[: self.plain.index("--report")], "--cache", self.cache],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(random.uniform(0, 2 * self.seconds))
            packs = os.path.join(self.cache, "*.pack")
            self.killed(self.command, 60, until=lambda packs=packs: glob.glob(packs))
            if other and other.wait() != 0:
                self.check(kind, index, ["the other run"])
            self.check(kind, index, broken(contents(self.out), self.wanted))
            self.same_with_cache(kind, index)

    def kill_sweeps(self, count):
        kind = "killed: sweeps"
        whole = self.rows(self.run_sweep(self.fresh(os.path.join(self.folder, "whole"))))
        folder = self.fresh(os.path.join(self.folder, "sweep"))
        for index in range(count):
            journal = os.path.join(folder, "journal.csv")
            before = self.lines(journal)
            self.killed([*self.sweep, "--output", folder], random.uniform(0, self.seconds))
            lost = self.lines(journal)[: len(before)] != before
            self.check(kind, index, ["journal.csv"] if lost else self.cut_tables(folder))
            if len(self.lines(journal)) == len(whole) + 1 and index % 2:
                self.check(kind, f"{index}, continued", self.rows(self.run_sweep(folder)) != whole)
                folder = self.fresh(os.path.join(self.folder, "sweep"))
        self.check(kind, "continued", self.rows(self.run_sweep(folder)) != whole)

    def run_sweep(self, folder):
        self.bench.run("undisturbed runs", folder, [*self.sweep, "--output", folder], accepted={0})
        return folder

    @staticmethod
    def lines(path):
        if not os.path.exists(path):
            return []
        with open(path, "rb") as file:
            return [line for line in file.read().splitlines(True) if line.endswith(b"\n")]

    @staticmethod
    def rows(folder):
        with open(os.path.join(folder, "results.csv"), encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return sorted([(key, value) for key, value in row.items() if key != "seconds"] for row in rows)

    @staticmethod
    def cut_tables(folder):
        ends = {"results.html": b"</html>"}
        return [name for name, data in contents(folder).items()
                if name != "journal.csv" and not data.rstrip().endswith(ends.get(name, b""))
                or name.endswith("results.csv") and not data.endswith(b"\n")]

    def full_disks(self, count):
        """A small file system of its own, in a name space of its own."""
        if not mounts_alone():
            return print("full disks and read-only ones are left out: they take root")
        self.bench.servers.clear()
        os.environ["TMPDIR"] = self.disk
        need = sum(len(data) for data in self.wanted.values()) + 200_000
        for index in range(count):
            read_only = index % 4 == 3
            size = 2 * need if read_only else random.randrange(60_000, need)
            mount("-t", "tmpfs", "-o", f"size={size}", "none", self.disk)
            self.disturbed(index, read_only)
            subprocess.run(["umount", self.disk], check=True)
        return None

    def disturbed(self, index, read_only):
        kind = "read-only disk" if read_only else "full disk"
        self.fresh_outputs()
        os.makedirs(self.cache)
        if read_only:
            mount("-o", "remount,ro", self.disk)
        code, _ = self.bench.run(kind, index, self.command, accepted={73} if read_only else {0, 73})
        found = contents(self.out)
        problems = broken(found, self.wanted)
        problems += [name for name in os.listdir(self.out) if name.startswith(".")]
        if code == 0 and OLD in found.values():
            problems.append("not everything, and 0")
        self.check(f"{kind}: files", index, problems)


def wait_for_group(leader):
    """Until the children of a process that was killed have ended too."""
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.killpg(leader, 0)
            time.sleep(0.01)


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def mounts_alone():
    """This process, and what it starts from now on, sees its own mounts."""
    new_mounts = 0x00020000
    if os.getuid() != 0 or ctypes.CDLL(None).unshare(new_mounts) != 0:
        return False
    mount("--make-rprivate", "/")
    return True
