#!/usr/bin/env bash
# Proves that a fresh clone works on a fresh machine.
#
#   scripts/clean_room.sh [COMMAND]...      by default "./run demo" "./run test"
#
# Makes a minimal Debian 12 with debootstrap, clones the last commit of this checkout into it and runs
# each COMMAND there as root with an empty environment. Prints what each took; the exit code is that
# of the first that failed. Needs root, debootstrap, git and unshare. Mirror, proxies and the registry
# of npm are those this machine is set up with. The folder (some 4 GB, in TMPDIR or /var/tmp) is
# removed at the end; KEEP=1 leaves it.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ $# -gt 0 ]] || set -- "./run demo" "./run test"

for tool in debootstrap git unshare; do
  command -v "$tool" > /dev/null || { echo "error: $tool is not installed" >&2; exit 1; }
done
[[ $(id -u) -eq 0 ]] || { echo "error: only root can make a root file system" >&2; exit 1; }

room=$(mktemp -d "${TMPDIR:-/var/tmp}/nibble-clean-room-XXXXXX")
chmod 755 "$room"
# Mounts live in a namespace of their own, so that nothing of the host is below the folder here.
clean_up() {
  if [[ -n ${KEEP:-} ]]; then echo "left at $room" >&2; else rm -rf --one-file-system "$room"; fi
}
trap clean_up EXIT

debian_mirror() {
  local uri
  # $(SITE) is for apt to fill in.
  # shellcheck disable=SC2016
  uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2> /dev/null | head -1)
  echo "${uri:-http://deb.debian.org/debian}"
}

# How this machine reaches the network, and nothing else of its configuration.
carry_network_settings() {
  apt-config dump | grep -E '^Acquire::(http|https|Check-)' > "$room/etc/apt/apt.conf.d/99host" || true
  cp /etc/resolv.conf /etc/hosts "$room/etc/"
  if [[ -f /etc/ssl/certs/ca-certificates.crt ]]; then
    mkdir -p "$room/etc/ssl/certs"
    cp /etc/ssl/certs/ca-certificates.crt "$room/etc/ssl/certs/"
  fi
  # The bundle is made anew when the package ca-certificates is installed, from these too.
  if [[ -d /usr/local/share/ca-certificates ]]; then
    mkdir -p "$room/usr/local/share"
    cp -r /usr/local/share/ca-certificates "$room/usr/local/share/"
  fi
  command -v npm > /dev/null || return 0
  local key value
  for key in registry proxy https-proxy noproxy cafile; do
    value=$(npm config get "$key" 2> /dev/null)
    [[ -z $value || $value == null || $value == undefined ]] || echo "$key=$value"
  done > "$room/root/.npmrc"
}

run_inside() {  # COMMAND
  local settings=(HOME=/root TERM=dumb LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  local name
  for name in http_proxy https_proxy no_proxy; do
    [[ -z ${!name:-} ]] || settings+=("$name=${!name}")
  done
  # shellcheck disable=SC2016
  unshare --mount --propagation private --pid --fork --kill-child bash -c '
    set -e
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/dev/shm"
    room=$1 command=$2
    shift 2
    exec chroot "$room" env -i "$@" bash -c "cd /nibble && $command"' \
    inside "$room" "$1" "${settings[@]}"
}

begin=$SECONDS
debootstrap --variant=minbase bookworm "$room" "$(debian_mirror)" > "$room.log" 2>&1 || {
  tail -20 "$room.log" >&2
  exit 1
}
rm -f "$room.log"
carry_network_settings
echo force-unsafe-io > "$room/etc/dpkg/dpkg.cfg.d/throwaway"
git clone --quiet --no-hardlinks "$checkout" "$room/nibble"
echo "== clean room: $((SECONDS - begin)) s, $(git -C "$checkout" log -1 --format='%h %s')"

for command in "$@"; do
  begin=$SECONDS
  echo "== $command"
  code=0
  run_inside "$command" || code=$?
  echo "== $command: exit code $code, $((SECONDS - begin)) s"
  [[ $code -eq 0 ]] || exit "$code"
done
