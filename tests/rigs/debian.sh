# shellcheck shell=bash
# What the rigs of the Debian package share. Read by them, not run. What is made once is kept in $work.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
work="${PHANTOMLOAD_RIG_DIR:-${TMPDIR:-/tmp}/phantomload-rig-debian}"
mkdir -p "$work"
# shellcheck disable=SC2034 # for the rigs that read this
target="${CARGO_TARGET_DIR:-target}"

rig="$(basename "$0" .sh)"

say() { printf '== %s\n' "$*"; }

# Said loudly, and a failure where nothing may be skipped.
skip() {
  printf '\nSKIPPED: the rig %s: %s\n\n' "$rig" "$1" >&2
  if [ -n "${PHANTOMLOAD_SKIP_NOTHING:-}" ]; then exit 1; fi
  exit 77
}

# need COMMAND:PACKAGE …
need() {
  local tool
  for tool in "$@"; do
    command -v "${tool%%:*}" >/dev/null || skip "no ${tool%%:*}: apt-get install ${tool##*:}"
  done
}

# This machine's own Debian mirror.
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -vm1 security ||
    skip "this machine's apt has no Debian mirror"
}

# cargo-deb, made once, outside the repository.
cargo_deb() {
  local tools="$work/tools"
  if [ ! -x "$tools/bin/cargo-deb" ]; then
    cargo install --quiet --locked --version 3.8.0 --root "$tools" cargo-deb >&2 || skip "cargo-deb cannot be installed"
  fi
  PATH="$tools/bin:$PATH" cargo deb --quiet "$@"
}

# A minimal Debian of an architecture, made once; then a fresh copy of it at $work/$2.
fresh_chroot() {
  local architecture="$1" root="$work/$2" clean="$work/bookworm-$1.tar"
  if [ ! -s "$clean" ]; then
    mmdebstrap --quiet --mode=root --variant=minbase --architectures="$architecture" \
      --aptopt='Acquire::Check-Valid-Until "false"' bookworm "$clean.part" "$(mirror)" >"$work/mmdebstrap.log" 2>&1 ||
      { tail -5 "$work/mmdebstrap.log" >&2; skip "no minimal Debian for $architecture"; }
    mv "$clean.part" "$clean"
  fi
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  tar -xf "$clean" -C "$root" --exclude='./dev/*'
}

# The kernel runs programs of arm64 by QEMU as long as this rig runs. What was there before is left as it is.
arm64_by_qemu() {
  local place=/proc/sys/fs/binfmt_misc
  need qemu-aarch64-static:qemu-user-static
  [ -e "$place/register" ] || mount -t binfmt_misc binfmt_misc "$place" || skip "no binfmt_misc in this kernel"
  if [ ! -e "$place/qemu-aarch64" ]; then
    cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$place/register" || skip "QEMU cannot be registered with the kernel"
    trap 'echo -1 >/proc/sys/fs/binfmt_misc/qemu-aarch64' EXIT
  fi
}
