#!/usr/bin/env bash
# install_packages.sh GROUP...      GROUP: build, test, bench, lint
# Installs the Debian packages of the groups that are missing; does nothing when all are there.
set -euo pipefail
export LC_ALL=C

packages_of() {
  case "$1" in
    build)
      echo cmake ninja-build g++ pkg-config libfmt-dev libsimdjson-dev nlohmann-json3-dev \
        libpcre2-dev libutf8proc-dev libxxhash-dev libcli11-dev
      ;;
    test)
      echo libgtest-dev libsentencepiece-dev python3 clang-16 libclang-rt-16-dev
      # Any Node.js will do, and those from elsewhere bring npm with them.
      command -v node > /dev/null || echo nodejs
      command -v npm > /dev/null || echo npm
      ;;
    bench)
      echo libbenchmark-dev
      ;;
    lint)
      echo clang-format-14 clang-tidy-14
      ;;
    *)
      echo "error: no package group $1" >&2
      exit 2
      ;;
  esac
}

missing_of() {
  local installed
  # dpkg-query fails when it has never heard of one of them, and lists the others all the same.
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2> /dev/null || true)
  comm -23 <(printf '%s\n' "$@" | sort) <(sed -n 's/^installed //p' <<< "$installed" | sort)
}

wanted=()
for group in "$@"; do
  names=$(packages_of "$group")
  read -r -a names <<< "${names//$'\n'/ }"
  wanted+=("${names[@]}")
done

if ! command -v dpkg-query > /dev/null; then
  echo "note: this is no Debian system; these must be there: ${wanted[*]}" >&2
  exit 0
fi
missing_names=$(missing_of "${wanted[@]}")
[[ -n $missing_names ]] || exit 0
mapfile -t missing <<< "$missing_names"

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo > /dev/null; then
    echo "error: packages are missing, and only root can install them" >&2
    echo "hint: run as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >> "$log" 2>&1; }
install_missing() { apt install --no-install-recommends "${missing[@]}"; }

echo "installing ${missing[*]}" >&2
# The lists are fetched only when they do not know a package, or name a version that is gone.
if ! apt-cache show "${missing[@]}" > /dev/null 2>&1; then apt update || true; fi
if ! install_missing && ! { apt update && install_missing; }; then
  tail -20 "$log" >&2
  echo "error: apt-get could not install the packages" >&2
  exit 1
fi
