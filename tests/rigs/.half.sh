#!/usr/bin/env bash
# Builds the program for a 64-bit Raspberry Pi on x86_64: rustc 1.96 of trixie-backports with Debian's cross gcc, linked to
# the glibc of bookworm (2.36), which Raspberry Pi OS bookworm and everything after it has. Prints the program's path.
set -euo pipefail
# shellcheck source=tests/rigs/debian.sh
. "$(dirname "$0")/debian.sh"
need mmdebstrap:mmdebstrap cargo:rustup
# Debian knows each architecture's packages by its own name for it.
[ "$(dpkg --print-architecture)" = amd64 ] || skip "it builds on amd64"

root="$work/cross"
if [ ! -e "$root/made" ]; then
  rm -rf --one-file-system "$root"
  debian="$(mirror)"
  # trixie's cross gcc wants trixie's glibc beside it; bookworm's is put in its place, with headers and all.
  # shellcheck disable=SC2016 # mmdebstrap fills in $1
  mmdebstrap --mode=root --variant=minbase --architectures=amd64,arm64 \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --setup-hook='mkdir -p "$1/etc/apt/preferences.d"; printf "%s\n" \
      "Package: *" "Pin: release n=bookworm" "Pin-Priority: 10" "" \
      "Package: rustc cargo libstd-rust-*:any libllvm*" "Pin: release n=trixie-backports" "Pin-Priority: 990" \
      >"$1/etc/apt/preferences.d/rig"' \
    --include=gcc,libc6-dev,gcc-aarch64-linux-gnu,gcc-14-aarch64-linux-gnu:amd64,binutils-aarch64-linux-gnu:amd64 \
    --include=rustc,cargo,libstd-rust-dev:arm64 \
    --customize-hook='chroot "$1" sh -ec "cd /var/tmp; apt-get update; apt-get download -t bookworm \
      libc6-arm64-cross libc6-dev-arm64-cross; dpkg --force-depends -i *.deb; rm *.deb"' \
    trixie "$root" \
    "deb $debian trixie main" "deb $debian trixie-backports main" "deb $debian bookworm main" \
    >"$work/cross.log" 2>&1 || { tail -5 "$work/cross.log" >&2; skip "no cross compiler from Debian"; }
  touch "$root/made"
fi

