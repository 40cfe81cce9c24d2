#!/usr/bin/env bash
# The Debian package for a 64-bit Raspberry Pi, cross-built, in a clean minimal Debian 12 (the base of Raspberry Pi OS
# bookworm, glibc 2.36) whose programs QEMU runs: installed, started, a whole verification and its check as the user
# phantomload, again on a read-only root, purged.
#
#   tests/rigs/deb-arm64.sh           exit 0 all seen, 1 not, 77 SKIPPED (nothing to run it with)
set -euo pipefail
# shellcheck source=tests/rigs/debian.sh
. "$(dirname "$0")/debian.sh"
[ "$(uname -m)" = x86_64 ] || skip "it runs on x86_64"
[ "$(id -u)" = 0 ] || skip "a chroot needs root"
need mmdebstrap:mmdebstrap dpkg-deb:dpkg unshare:util-linux cargo:rustup

package="$(arm64_package)"
say "phantomload_arm64.deb: $(stat -c %s "$package") bytes"
arm64_by_qemu
fresh_chroot arm64 arm64
whole_life "$work/arm64" "$package"
say "deb-arm64 rig: all seen"
