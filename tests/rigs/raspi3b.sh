#!/usr/bin/env bash
# The arm64 package's own program on an emulated Raspberry Pi 3 (QEMU's raspi3b with Debian's arm64 kernel, the libraries
# of bookworm): it finds the board by rppal, makes a whole verification on the simulated bench, and drives and reads the
# board's lines through the front door, a bench file with interlocks and heartbeat. The world outside the board is not
# ours: busybox' devmem sets and reads the levels in the chip's registers (BCM2835 ARM Peripherals, 6.1).
#
#   tests/rigs/raspi3b.sh             exit 0 all seen, 1 not, 77 SKIPPED (nothing to run it with)
#
# QEMU moves no line by itself, so no edges here: those are in gpio-sim.sh.
set -euo pipefail
# shellcheck source=tests/rigs/debian.sh
. "$(dirname "$0")/debian.sh"
[ "$(uname -m)" = x86_64 ] || skip "it runs on x86_64"
[ "$(id -u)" = 0 ] || skip "a chroot needs root"
need qemu-system-aarch64:qemu-system-arm cpio:cpio mmdebstrap:mmdebstrap dpkg-deb:dpkg

package="$(arm64_package)"
arm64_by_qemu
clean_chroot arm64 >/dev/null

# Kernel and busybox of the architecture, from the cross compiler's Debian, which knows arm64.
pi="$work/raspi3b"
if [ ! -s "$pi/vmlinuz" ]; then
  mkdir -p "$pi/download"
  rm -rf "$work/cross/var/tmp/raspi3b"
  mkdir -p "$work/cross/var/tmp/raspi3b"
  # shellcheck disable=SC2016 # filled in by the inner shell
  chroot "$work/cross" sh -ec 'cd /var/tmp/raspi3b; apt-get update -qq
    kernel="$(apt-cache depends linux-image-arm64:arm64 | sed -n "s/.*Depends: \(linux-image-[^:]*\).*/\1/p" | head -1)"
    apt-get download -qq "$kernel:arm64" busybox-static:arm64' >"$work/raspi3b.log" 2>&1 ||
    { tail -5 "$work/raspi3b.log" >&2; skip "Debian's arm64 kernel cannot be downloaded"; }
  for deb in "$work"/cross/var/tmp/raspi3b/*.deb; do dpkg-deb -x "$deb" "$pi/download"; done
  cp "$(find "$pi/download" -name bcm2837-rpi-3-b.dtb)" "$pi/board.dtb"
  cp "$pi/download/usr/bin/busybox" "$pi/busybox"
  cp "$pi"/download/boot/vmlinuz-* "$pi/vmlinuz"
fi

root="$pi/root"
rm -rf "$root"
mkdir -p "$root"/{bin,proc,sys,dev,tmp,data}
dpkg-deb -x "$package" "$root"
cp "$pi/busybox" "$root/bin/busybox"
libraries=usr/lib/aarch64-linux-gnu
tar -xf "$work/bookworm-arm64.tar" -C "$root" ./lib ./usr/lib/ld-linux-aarch64.so.1 "./$libraries/ld-linux-aarch64.so.1" \
  "./$libraries/libc.so.6" "./$libraries/libm.so.6" "./$libraries/libgcc_s.so.1"

# The board wakes up in 1970, and no certificate can be made then.
date +%s >"$root/now"
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/usr/bin:/bin HOME=/data
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev 2>/dev/null
mkdir -p /dev/pts; mount -t devpts p /dev/pts
ip link set lo up
date -s "@$(cat /now)" >/dev/null
echo "RIG $(uname -r), $(tr -d '\0' </proc/device-tree/model), $(grep -c ^processor /proc/cpuinfo) cores"
good() { echo "RIG-RESULT $1 0"; }
bad() { echo "RIG-RESULT $1 1"; cat /tmp/said; }
# The chip's registers, and the wires: line 5 is the emergency stop, 6 the lid (safe when low), 16 the heartbeat.
gpio=0x3f2000
set_high() { devmem ${gpio}1c 32 $((1 << $1)); }
set_low() { devmem ${gpio}28 32 $((1 << $1)); }
level() { echo $((($(devmem ${gpio}34 32) >> $1) & 1)); }
function_of_16() { echo $((($(devmem ${gpio}04 32) >> 18) & 7)); }

phantomload --version

phantomload verify --data /data >/tmp/said 2>&1 && grep -q ^PASS /tmp/said &&
  echo "RIG $(grep ^PASS /tmp/said); $(cut -d' ' -f1 /proc/uptime) s after the start of the kernel" &&
  phantomload certificate verify "$(ls /data/packages | tail -1)" --data /data >/tmp/said 2>&1 &&
  echo "RIG $(grep -m1 -i authentic /tmp/said)" && good whole_verification || bad whole_verification

phantomload sim --serve /bench >/tmp/served 2>&1 &
while ! [ -s /bench/bench.toml ]; do sleep 0.2; done
sleep 1
# The served bench beats to a relay on a line; here it is to be the board's own line.
awk '/^\[/ { out = $0 == "[heartbeat]" } !out' /bench/bench.toml >/tmp/bench.toml
cat /tmp/bench.toml - >/bench/bench.toml <<'BENCH'

[interlock]
emergency_stop = { gpio = 5 }
lid = { gpio = 6, safe = "low" }

[heartbeat]
gpio = 16
BENCH

set_low 5; set_low 6
phantomload verify --bench /bench/bench.toml --data /data >/tmp/said 2>&1
code=$?
echo "RIG emergency stop pressed: exit $code, $(grep -m1 interlock /tmp/said)"
[ $code -eq 2 ] && grep -q 'the emergency stop is pressed' /tmp/said && good interlock_blocks_the_start || bad interlock_blocks_the_start

set_high 5; set_high 6
phantomload verify --bench /bench/bench.toml --data /data >/tmp/said 2>&1
code=$?
echo "RIG lid open: exit $code, $(grep -m1 interlock /tmp/said)"
[ $code -eq 2 ] && grep -q 'the lid over the terminals is open' /tmp/said && good lid_blocks_the_start || bad lid_blocks_the_start

set_low 6
phantomload verify --bench /bench/bench.toml --data /data >/tmp/said 2>&1 &
run=$!
tries=0
while [ "$(function_of_16)" != 1 ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
sleep 2
changes=0; last=$(level 16); n=0
while [ $n -lt 200 ]; do
  now=$(level 16); [ "$now" = "$last" ] || changes=$((changes + 1)); last=$now; n=$((n + 1)); usleep 15000
done
echo "RIG heartbeat: line 16 is an output ($(function_of_16)), $changes changes of level in $n looks"
[ $changes -ge 20 ] && good heartbeat_is_seen_from_outside || bad heartbeat_is_seen_from_outside

# Pressed under load.
set_low 5
wait $run
code=$?
echo "RIG pressed under load: exit $code, $(grep -m1 ABORTED /tmp/said)"
[ $code -eq 3 ] && grep -q 'ABORTED.*the emergency stop is pressed' /tmp/said && good interlock_ends_the_run || bad interlock_ends_the_run
grep -m1 'safe to disconnect' /tmp/said | sed 's/^/RIG /'
changes=0; last=$(level 16); n=0
while [ $n -lt 50 ]; do
  now=$(level 16); [ "$now" = "$last" ] || changes=$((changes + 1)); last=$now; n=$((n + 1)); usleep 15000
done
echo "RIG heartbeat after the run: $changes changes, level $last"
[ $changes -eq 0 ] && [ "$last" = 0 ] && good heartbeat_is_still_and_low || bad heartbeat_is_still_and_low
echo RIG-END
while true; do sleep 60; done
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$pi/initrd.gz"

log="$pi/console.log"
timeout "${PHANTOMLOAD_RIG_SECS:-600}" qemu-system-aarch64 -M raspi3b -smp 4 -m 1G -display none -no-reboot \
  -kernel "$pi/vmlinuz" -dtb "$pi/board.dtb" -initrd "$pi/initrd.gz" \
  -append "console=ttyS1,115200 quiet loglevel=1 iomem=relaxed panic=-1 rdinit=/init" -serial null -serial stdio \
  </dev/null >"$log" 2>&1 &
machine=$!
# Debian's kernel cannot switch this board off: it is ended when it has said its last word.
while kill -0 $machine 2>/dev/null && ! grep -aq RIG-END "$log"; do sleep 1; done
kill $machine 2>/dev/null || true
wait $machine || true
grep -aE '^RIG |^phantomload |RIG-RESULT' "$log" || true
passed="$(grep -ac 'RIG-RESULT .* 0' "$log" || true)"
if [ "$passed" -eq 6 ] && grep -aq RIG-END "$log"; then
  echo "raspi3b rig: all 6 seen"
else
  echo "raspi3b rig: $passed of 6 seen; the console is in $log" >&2
  tail -40 "$log" >&2
  exit 1
fi
