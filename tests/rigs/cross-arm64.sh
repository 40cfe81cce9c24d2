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
    --customize-hook='chroot "$1" sh -ec "cd /var/tmp; apt-get update; apt-get download \
      libc6-arm64-cross/bookworm libc6-dev-arm64-cross/bookworm; dpkg --force-depends -i *.deb; rm *.deb"' \
    trixie "$root" \
    "deb $debian trixie main" "deb $debian trixie-backports main" "deb $debian bookworm main" \
    >"$work/cross.log" 2>&1 || { tail -5 "$work/cross.log" >&2; skip "no cross compiler from Debian"; }
  touch "$root/made"
fi

cargo fetch --quiet --locked
# Its own mounts, gone with it.
export root work
unshare --mount bash -euo pipefail <<'BUILD' >&2
registry="${CARGO_HOME:-$HOME/.cargo}/registry"
mkdir -p "$root/src" "$root/out" "$root/root/.cargo/registry" "$work/target-arm64"
mount --bind "$PWD" "$root/src"
mount --bind "$work/target-arm64" "$root/out"
mount --bind "$registry" "$root/root/.cargo/registry"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
chroot "$root" env -i PATH=/usr/bin:/bin HOME=/root CARGO_TARGET_DIR=/out \
  CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
  cargo build --manifest-path /src/Cargo.toml --release --offline --locked --quiet --target aarch64-unknown-linux-gnu
program=/out/aarch64-unknown-linux-gnu/release/phantomload
chroot "$root" aarch64-linux-gnu-strip -o "$program-stripped" "$program"
newest="$(chroot "$root" aarch64-linux-gnu-objdump -T "$program" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)"
echo "arm64: $(stat -c %s "$root$program-stripped") bytes, needs $newest"
[ "$(printf '%s\nGLIBC_2.36\n' "$newest" | sort -V | tail -1)" = GLIBC_2.36 ] || { echo "too new for bookworm" >&2; exit 1; }
BUILD
echo "$work/target-arm64/aarch64-unknown-linux-gnu/release/phantomload-stripped"
