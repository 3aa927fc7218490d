#!/usr/bin/env python3
"""Fails on what the style asks for and a compiler does not see.

    check_style.py [ROOT]

Looks at the files of the working tree that git knows or would add: length, leftover marks, paths of
one machine, tabs, trailing blanks, and the layout clang-format 14 gives (where it is installed, with a
note where it is not; other versions lay out differently). Prints each offence as FILE:LINE: and exits
with 1.
"""

import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys

MAX_LINES = 500
CLANG_FORMAT_VERSION = "14"
HOME = pathlib.Path(__file__).resolve().parents[1]
STYLE = f"--style=file:{HOME / '.clang-format'}"
CODE = {".cpp", ".h"}
TEXT = CODE | {".py", ".sh", ".cmake", ".txt", ".md", ".mjs", ".yml"}
# Written in two halves so that this file passes its own check.
LEFTOVER = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.~}])/(work|home|root|mnt|Users)/")


def files_of(root):
    command = ["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, capture_output=True, check=False) if shutil.which("git") else None
    if listed is not None and listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
        return [root / name for name in names if name and (root / name).is_file()]
    skipped = {"build", "node_modules", ".git"}
    return [p for p in root.rglob("*") if p.is_file() and not skipped & set(p.parts)]


def offences_in(path, relative):
    if path.suffix not in TEXT or relative.parts[0] == "models":
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    is_table = path.suffix == ".inc" or "tables" in relative.parts
    if path.suffix in CODE and len(lines) > MAX_LINES and not is_table:
        yield MAX_LINES + 1, f"{len(lines)} lines, expected at most {MAX_LINES}"
    if path.suffix == ".h" and "#pragma once" not in lines:
        yield 1, "a header begins with #pragma once"
    for number, line in enumerate(lines, start=1):
        if LEFTOVER.search(line):
            yield number, "unfinished work is not committed"
        if MACHINE_PATH.search(line):
            yield number, "a path of one machine"
        # Blanks at the end of a line of a page or of test data mean something.
        if line != line.rstrip() and path.suffix not in {".md", ".txt"}:
            yield number, "trailing blanks"
        if "\t" in line and path.suffix in CODE:
            yield number, "a tab"


def find_formatter():
    for name in (f"clang-format-{CLANG_FORMAT_VERSION}", "clang-format"):
        path = shutil.which(name)
        if path is None:
            continue
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if re.search(rf"version {CLANG_FORMAT_VERSION}\b", version.stdout):
            return path
    return None


def misformatted(formatter, path):
    """The first line clang-format would change, or None."""
    run = subprocess.run([formatter, STYLE, "--dry-run", "--Werror", path], capture_output=True,
                         text=True, check=False)
    if run.returncode == 0:
        return None
    found = re.search(r":(\d+):\d+:", run.stderr)
    return int(found.group(1)) if found else 1


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HOME
    files = files_of(root)
    failures = []
    for path in files:
        relative = path.relative_to(root)
        failures += [f"{relative}:{line}: {what}" for line, what in offences_in(path, relative)]
    formatter = find_formatter()
    if formatter is None:
        print(f"clang-format {CLANG_FORMAT_VERSION} is not installed: the layout was not checked")
    else:
        code = [p for p in files if p.suffix in CODE]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            lines = pool.map(lambda p: misformatted(formatter, p), code)
        failures += [f"{p.relative_to(root)}:{line}: not as clang-format writes it"
                     for p, line in zip(code, lines) if line]
    print("\n".join(failures) if failures else f"{len(files)} files keep to the style")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
