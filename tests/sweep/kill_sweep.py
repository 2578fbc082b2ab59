#!/usr/bin/python3
"""kill_sweep.py KILLS SECONDS OUTPUT PROGRAM SWEEP.yaml [flags]: runs a sweep, kills it (SIGKILL) KILLS times, each after
a random time of at most SECONDS, and lets it end; then runs it undisturbed into OUTPUT-undisturbed, where that is not
there yet. Fails unless both tables are equal but for the times."""
import csv
import pathlib
import random
import subprocess
import sys
import time


def rows(folder):
    table = list(csv.DictReader(open(f"{folder}/results.csv")))
    for row in table:
        del row["seconds"]
    return table


def main():
    kills, seconds, output, program = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4]
    command = [program, *sys.argv[5:], "--output"]
    chance = random.Random(1)
    killed = 0
    for _ in range(kills):
        sweep = subprocess.Popen([*command, output], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, seconds))
        killed += sweep.poll() is None
        sweep.kill()
        sweep.wait()
    journal = pathlib.Path(output, "journal.csv")
    lines = journal.read_text().count("\n") if journal.exists() else 0
    print(f"killed {killed} times while it ran; {max(lines - 1, 0)} rows by then", flush=True)
    subprocess.run([*command, output], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    undisturbed = output + "-undisturbed"
    if not pathlib.Path(undisturbed, "results.csv").exists():
        subprocess.run([*command, undisturbed], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    same = rows(output) == rows(undisturbed)
    print(f"{len(rows(output))} rows, {'equal' if same else 'DIFFERENT'}")
    return not same


if __name__ == "__main__":
    sys.exit(main())
