#!/usr/bin/env bash
# The Debian package for amd64 in a clean minimal Debian 12: installed, started, a whole verification and its check as the
# user phantomload, again on a read-only root, purged; then booted with systemd, where the unit itself runs.
#
#   tests/rigs/deb-amd64.sh           exit 0 all seen, 1 not, 77 SKIPPED (nothing to run it with)
set -euo pipefail
# shellcheck source=tests/rigs/debian.sh
. "$(dirname "$0")/debian.sh"
[ "$(uname -m)" = x86_64 ] || skip "it runs on x86_64"
[ "$(id -u)" = 0 ] || skip "a chroot needs root"
need mmdebstrap:mmdebstrap dpkg-deb:dpkg unshare:util-linux cargo:rustup

package="$work/phantomload_amd64.deb"
cargo_deb --locked --output "$package"
say "phantomload_amd64.deb: $(stat -c %s "$package") bytes, program $(stat -c %s "$target/release/phantomload") bytes unstripped"
fresh_chroot amd64 amd64
whole_life "$work/amd64" "$package"
boot_with_systemd "$work/amd64"
say "deb-amd64 rig: all seen"
