"""Reading what `postcall demo --once --record DIR` wrote, and closing with the line that the test run reads."""

import json
import sys
from pathlib import Path


def directory():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {Path(sys.argv[0]).name} DIRECTORY")
    return Path(sys.argv[1])


def read(name):
    """One JSON object per line. Nothing recorded means nothing proven, which is an error."""
    file = directory() / name
    if not file.is_file():
        sys.exit(f"{name} is not there: run `postcall demo --once --record` first")
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not records:
        sys.exit(f"{name} is empty")
    return records


class Tally:
    """Counts verdicts and shows the bad ones."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def add(self, what, faults):
        if not faults:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {what}")
        for fault in faults:
            print(f"    {fault}")

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)
