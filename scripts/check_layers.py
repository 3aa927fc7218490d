#!/usr/bin/env python3
"""Fails on the first kinds of include that would tangle the layers of src/.

    check_layers.py [ROOT]      ROOT is the checkout, by default the folder above this script

Layers go from low to high; a file may include its own layer and those before it. Siblings do not
know each other. Includes are rooted at src/ (in a tool, at its own folder too), never relative, and
a source file includes its own header first. Prints each offence as FILE:LINE: and exits with 1.
"""

import pathlib
import re
import sys

LAYERS = [
    ["base"],
    ["formats"],
    ["kernels"],
    ["io"],
    ["text"],
    ["arch"],
    ["model"],
    ["calibrate", "train", "generate"],
    ["methods"],
    ["quantize", "eval", "serve"],
]
RANK = {layer: rank for rank, siblings in enumerate(LAYERS) for layer in siblings}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
SUFFIXES = {".h", ".cpp", ".inc"}


def may_include(layer, other):
    return layer == other or RANK[other] < RANK[layer]


def includes(path):
    """(line number, quoted name or None, system name or None) of every include of a file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def offences_in(path, layer, source_roots):
    """`layer` is None for tools/, which may include everything."""
    own_header = path.with_suffix(".h")
    for position, (line, quoted, _) in enumerate(includes(path)):
        if path.suffix == ".cpp" and position == 0 and own_header.exists():
            own_name = own_header.relative_to(source_roots[0]).as_posix()
            if quoted != own_name:
                yield line, f'expected "{own_name}" as the first include'
        if quoted is None:
            continue
        if ".." in quoted or not any((root / quoted).is_file() for root in source_roots):
            yield line, f'"{quoted}" is no file under src/ (includes are rooted there)'
            continue
        other = quoted.split("/")[0]
        if layer is not None and other in RANK and not may_include(layer, other):
            yield line, f'{layer}/ may not include "{quoted}": {other}/ is not a lower layer'
        if layer is not None and other not in RANK:
            yield line, f'{layer}/ may not include "{quoted}": it lies in no layer'


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    source, tools = root / "src", root / "tools"
    failures = []
    for folder in sorted(p for p in source.iterdir() if p.is_dir()):
        if folder.name not in RANK:
            failures.append(f"{folder.relative_to(root)}: unknown layer, add it to {__file__}")
    files = [p for base in (source, tools) if base.is_dir() for p in sorted(base.rglob("*"))
             if p.suffix in SUFFIXES]
    for path in files:
        layer = path.relative_to(source).parts[0] if path.is_relative_to(source) else None
        if layer is not None and layer not in RANK:
            continue
        roots = [source] if layer else [tools / path.relative_to(tools).parts[0], source]
        for line, what in offences_in(path, layer, roots):
            failures.append(f"{path.relative_to(root)}:{line}: {what}")
    print("\n".join(failures) if failures else f"{len(files)} files keep to the layers")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
