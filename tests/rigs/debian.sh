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
  # shellcheck disable=SC2016 # apt fills it in
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -vm1 security ||
    skip "this machine's apt has no Debian mirror"
}

# cargo-deb, made once, outside the repository.
cargo_deb() {
  local tools="$work/tools"
  if [ ! -x "$tools/bin/cargo-deb" ]; then
    cargo install --quiet --locked --version 3.8.0 --root "$tools" cargo-deb >&2 || skip "cargo-deb cannot be installed"
  fi
  PATH="$tools/bin:$PATH" cargo deb --quiet "$@" >&2
}

# A minimal Debian 12 of an architecture, made once, as an archive.
clean_chroot() {
  local architecture="$1" clean="$work/bookworm-$1.tar"
  [ ! -s "$clean" ] || return 0
  mmdebstrap --quiet --mode=root --variant=minbase --architectures="$architecture" --include=systemd-sysv,udev,dbus \
    --aptopt='Acquire::Check-Valid-Until "false"' --format=tar bookworm "$clean.part" "$(mirror)" >"$work/mmdebstrap.log" 2>&1 ||
    { tail -5 "$work/mmdebstrap.log" >&2; skip "no minimal Debian for $architecture"; }
  mv "$clean.part" "$clean"
}

# A fresh copy of it at $work/$2.
fresh_chroot() {
  local root="$work/$2"
  clean_chroot "$1"
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  tar -xf "$work/bookworm-$1.tar" -C "$root" --exclude='./dev/*'
}

# The kernel runs programs of arm64 by QEMU as long as this rig runs. What was there before is left as it is.
arm64_by_qemu() {
  local place=/proc/sys/fs/binfmt_misc
  need qemu-aarch64-static:qemu-user-static arch-test:arch-test
  [ -e "$place/register" ] || mount -t binfmt_misc binfmt_misc "$place" || skip "no binfmt_misc in this kernel"
  if [ ! -e "$place/qemu-aarch64" ]; then
    cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$place/register" || skip "QEMU cannot be registered with the kernel"
    trap 'echo -1 >/proc/sys/fs/binfmt_misc/qemu-aarch64' EXIT
  fi
}

# whole_life CHROOT PACKAGE: installed, started, a whole verification, checked, on a read-only root as well, purged. Runs
# in mounts of its own, which go with it.
whole_life() {
  local root="$1" package="$2"
  cp "$package" "$root/root/phantomload.deb"
  cp tests/rigs/debian-life.sh "$root/root/life.sh"
  # A chroot has no name service of its own.
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  # shellcheck disable=SC2016 # filled in by the inner shell
  unshare --mount bash -euo pipefail -c '
    root="$1"
    mount --bind "$root" "$root"
    mkdir -p "$root/var/lib/phantomload"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    for place in run tmp; do mount -t tmpfs -o mode=1777 tmpfs "$root/$place"; done
    inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C bash /root/life.sh "$1"; }
    rmdir "$root/var/lib/phantomload"
    inside install
    inside verify
    mount --bind "$root/var/lib/phantomload" "$root/var/lib/phantomload"
    mount -o remount,bind,ro "$root"
    inside readonly
    mount -o remount,bind,rw "$root"
    umount "$root/var/lib/phantomload"
    inside purge
  ' whole_life "$root"
}

# The arm64 package: cross-built, packed here. Prints its path.
arm64_package() {
  local program packed="$work/packed-arm64" package="$work/phantomload_arm64.deb"
  program="$(tests/rigs/cross-arm64.sh)" || exit $?
  install -D "$program" "$packed/aarch64-unknown-linux-gnu/release/phantomload"
  CARGO_TARGET_DIR="$packed" cargo_deb --no-build --no-strip --target aarch64-unknown-linux-gnu --output "$package"
  printf '%s\n' "$package"
}

# boot_with_systemd CHROOT: the same Debian booted with systemd as its first process, the package in it.
boot_with_systemd() {
  local root="$1"
  command -v systemd-nspawn >/dev/null || { echo "SKIPPED: no systemd-nspawn, so the unit was not started: apt-get install systemd-container" >&2; return; }
  cp tests/rigs/debian-boot.sh "$root/root/boot.sh"
  printf '%s\n' '[Service]' 'Type=oneshot' 'ExecStart=/bin/bash /root/boot.sh' 'StandardOutput=file:/root/boot.txt' \
    'StandardError=inherit' 'ExecStopPost=/usr/bin/systemctl poweroff --force' >"$root/etc/systemd/system/rig.service"
  mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
  ln -sf /etc/systemd/system/rig.service "$root/etc/systemd/system/multi-user.target.wants/rig.service"
  # In mounts of its own, with the one hierarchy of control groups that a Raspberry Pi has.
  # shellcheck disable=SC2016 # filled in by the inner shell
  unshare --mount bash -c 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup
    timeout 150 systemd-nspawn --quiet --boot --register=no --keep-unit --private-network --resolv-conf=off --console=pipe \
      --machine=phantomload-rig --directory="$1"' boot "$root" </dev/null >"$work/boot.log" 2>&1 || true
  cat "$root/root/boot.txt" 2>/dev/null || { tail -5 "$work/boot.log" >&2; echo "SKIPPED: systemd does not boot in a container here" >&2; return; }
  grep -qx 'boot: all seen' "$root/root/boot.txt"
}
