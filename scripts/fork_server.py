"""Starts a program many times with its libraries loaded once (fork_server.c), for
scripts/robustness.py."""

import os
import struct
import subprocess

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fork_server.c")


def build(folder):
    """The library that programs are started with, or None where there is no compiler."""
    library = os.path.join(folder, "fork_server.so")
    command = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", library, SOURCE]
    try:
        return library if subprocess.run(command, check=False).returncode == 0 else None
    except FileNotFoundError:
        return None


class ForkServer:
    """One program, ready before its main; runs one command after the other."""

    def __init__(self, library, program, folder):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder,
            env={**os.environ, "LD_PRELOAD": library, "PTQ_FORK_SERVER": "1"},
        )

    def start(self, arguments, error_file):
        """The process that runs `arguments`, the program's name first."""
        texts = b"".join(os.fsencode(text) + b"\0" for text in [error_file, *arguments])
        self.process.stdin.write(struct.pack("<I", len(texts)) + texts)
        self.process.stdin.flush()
        return self.answer()[0]

    def wait(self):
        """Status as of os.wait4, seconds of the processor, and KiB of memory."""
        status, micros, kilobytes = self.answer()
        return status, micros / 1e6, kilobytes

    def answer(self):
        return struct.unpack("<3q", self.process.stdout.read(24))

    def close(self):
        self.process.stdin.close()
        self.process.wait()
