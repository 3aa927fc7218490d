#!/bin/sh
# check_isa_symbols.sh OBJECT...
#
# Fails when an object compiled for one instruction set defines anything but its table of kernels. A
# weak symbol (a template, an inline function) might be the copy the linker keeps for the whole
# program, which would then die of an illegal instruction on an older CPU.
set -eu

[ $# -gt 0 ] || { echo "usage: check_isa_symbols.sh OBJECT..." >&2; exit 2; }
status=0
for object in "$@"; do
  symbols=$(nm -C "$object")
  tables=$(printf '%s\n' "$symbols" | grep -c '^[0-9a-f]* [A-Z] nibble::[a-z0-9]*::kernels$' || true)
  # Capital letters (and u, v, w) are what other objects see; U is only used, not defined.
  others=$(printf '%s\n' "$symbols" | grep '^[0-9a-f]* [A-TV-Zuvw] ' |
    grep -v ' nibble::[a-z0-9]*::kernels$' || true)
  if [ "$tables" -ne 1 ] || [ -n "$others" ]; then
    echo "$object: expected nibble::ISA::kernels alone, found $tables of them and" >&2
    printf '%s\n' "$others" >&2
    status=1
  fi
done
exit $status
