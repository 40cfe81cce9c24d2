#!/usr/bin/env bash
# The life of the package inside a clean Debian: the rigs deb-amd64.sh and deb-arm64.sh run it in a chroot, step by step.
set -euo pipefail
data=/var/lib/phantomload
files() {
  find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /run -o -path /root -o -path /var/cache -o -path /var/log \
    -o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune -o -print | grep -vE '^/etc/(passwd|group|shadow|gshadow)-$' | sort
}
as_user() { runuser -u phantomload -- "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# verification HEADING: a whole one as the tester's user; its package is checked.
verification() {
  local began="$EPOCHREALTIME" number
  as_user phantomload verify --data "$data" >/tmp/verify.txt 2>&1 || { tail -20 /tmp/verify.txt; fail "verify ended with $?"; }
  echo "$1: $(grep -m1 -E '^PASS' /tmp/verify.txt) in $(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }') s of this machine"
  number="$(cd "$data/packages" && find . -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tail -1)"
  as_user phantomload certificate verify "$number" --data "$data" >/tmp/check.txt || { cat /tmp/check.txt; fail "not authentic"; }
  echo "certificate verify $number: $(grep -m1 -i authentic /tmp/check.txt)"
  # The check itself is checked: one byte of the results altered.
  rm -rf /tmp/altered
  cp -r "$data/packages/$number" /tmp/altered
  sed -i '2s/[0-9]/x/' /tmp/altered/*_results.csv
  chmod -R a+rX /tmp/altered
  if as_user phantomload certificate verify /tmp/altered --data "$data" >/tmp/altered.txt; then fail "an altered package passed"; fi
  echo "altered by a byte: $(grep -m1 -i altered /tmp/altered.txt)"
}
case "$1" in
install)
  files >/root/before
  apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends /root/phantomload.deb >/root/apt.log 2>&1 ||
    { tail -5 /root/apt.log; fail "it does not install"; }
  phantomload --version
  echo "user: $(id phantomload)"
  stat -c 'data folder: %A %U:%G %n' "$data"
  # Its words about our own units; cage is only suggested, and not here.
  systemd-analyze verify --man=no /usr/lib/systemd/system/phantomload-verify@.service \
    /usr/lib/systemd/system/phantomload-kiosk.service >/root/units.txt 2>&1 || true
  words="$(grep phantomload /root/units.txt | grep -v 'Command /usr/bin/cage is not executable' || true)"
  [ -z "$words" ] || fail "systemd does not like a unit: $words"
  if systemctl is-enabled phantomload-kiosk.service >/dev/null 2>&1; then fail "the kiosk is enabled"; fi
  echo "units: systemd-analyze verify finds nothing but that cage is not installed; nothing is enabled"
  ;;
verify) verification "verify as phantomload" ;;
readonly)
  if touch /usr/bin/x 2>/dev/null; then fail "the root is not read-only"; fi
  verification "verify on a read-only root"
  ;;
purge)
  apt-get purge -y -qq -o Dpkg::Use-Pty=0 phantomload >/root/apt.log 2>&1 || { tail -5 /root/apt.log; fail "it does not go"; }
  files >/root/after
  left="$(comm -13 /root/before /root/after | grep -v "^$data\(/\|\$\)" || true)"
  [ -z "$left" ] || fail "left behind: $left"
  gone="$(comm -23 /root/before /root/after)"
  [ -z "$gone" ] || fail "taken along: $gone"
  echo "purged: nothing is left but $(find "$data" -type f | wc -l) files of $data and their owner $(stat -c %U "$data")"
  ;;
esac
