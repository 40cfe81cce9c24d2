#!/usr/bin/env bash
# The program's own pulse code through rppal on the kernel's own GPIO: Debian's kernel 6.1 under qemu-system-x86_64, its
# gpio-sim built outside the tree from Debian's source package (GPL: built here, never kept in this repository), the
# bank labelled so that rppal takes the machine for a Raspberry Pi 4. About half a minute after the first run.
#
#   tests/rigs/gpio-sim.sh            says what it saw; exit 0 all seen, 1 not, 77 SKIPPED (nothing to run it with)
set -euo pipefail
cd "$(dirname "$0")/../.."
work="${PHANTOMLOAD_RIG_DIR:-${TMPDIR:-/tmp}/phantomload-rig-gpio-sim}"
mkdir -p "$work"

skip() {
  printf '\nSKIPPED: the gpio-sim rig: %s\n\n' "$1" >&2
  if [ -n "${PHANTOMLOAD_SKIP_NOTHING:-}" ]; then exit 1; fi
  exit 77
}

[ "$(uname -m)" = x86_64 ] || skip "it runs on x86_64"
for tool in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static cpio:cpio make:make gcc:gcc dpkg-deb:dpkg; do
  command -v "${tool%%:*}" >/dev/null || skip "no ${tool%%:*}: apt-get install ${tool##*:}"
done
[ -f /usr/src/linux-source-6.1.tar.xz ] || skip "no kernel source: apt-get install linux-source-6.1"
headers="$(dpkg-query -W -f '${Package} ${Status}\n' 'linux-headers-6.1.0-*-amd64' 2>/dev/null |
  awk '/install ok installed/ {print $1}' | sort -V | tail -1)"
[ -n "$headers" ] || skip "no kernel headers: apt-get install linux-headers-6.1.0-N-amd64"
release="${headers#linux-headers-}"

# Kernel image, unpacked from its package: it is not installed on this machine.
if [ ! -f "$work/boot/vmlinuz-$release" ]; then
  (cd "$work" && { ls "linux-image-$release"_*.deb >/dev/null 2>&1 || apt-get download -qq "linux-image-$release"; }) ||
    skip "linux-image-$release cannot be downloaded"
  dpkg-deb -x "$work"/linux-image-"$release"_*.deb "$work/image"
  mkdir -p "$work/boot"
  cp "$work/image/boot/vmlinuz-$release" "$work/boot/"
  find "$work/image" -name 'configfs.ko*' -exec cp {} "$work/" \;
fi

# gpio-sim and the simulated interrupts, as one module. irq_to_desc is not for modules; the data behind it is.
if [ ! -f "$work/module/gpio-sim.ko" ]; then
  mkdir -p "$work/module"
  tar -xJf /usr/src/linux-source-6.1.tar.xz -C "$work" --wildcards \
    'linux-source-6.1/drivers/gpio/gpio-sim.c' 'linux-source-6.1/drivers/gpio/*.h' 'linux-source-6.1/kernel/irq/irq_sim.c'
  cp "$work"/linux-source-6.1/drivers/gpio/*.h "$work/module/"
  cp "$work/linux-source-6.1/drivers/gpio/gpio-sim.c" "$work/module/gsim.c"
  sed 's/irq_to_desc(\([a-z_]*\))/irq_data_to_desc(irq_get_irq_data(\1))/' \
    "$work/linux-source-6.1/kernel/irq/irq_sim.c" >"$work/module/irqsim.c"
  printf 'obj-m := gpio-sim.o\ngpio-sim-y := gsim.o irqsim.o\n' >"$work/module/Makefile"
  make -s -C "/usr/src/$headers" M="$work/module" modules >"$work/module.log" 2>&1 || {
    tail -20 "$work/module.log" >&2
    exit 1
  }
fi

# The test program as cargo builds it, with the libraries it is linked to.
program="$(cargo test --no-run --test gpio_rig --message-format json 2>/dev/null |
  sed -n 's/.*"executable":"\([^"]*gpio_rig-[0-9a-f]*\)".*/\1/p' | tail -1)"
[ -x "$program" ] || { echo "the test program gpio_rig was not built" >&2; exit 1; }

root="$work/root"
rm -rf "$root"
mkdir -p "$root"/{bin,proc,sys,dev,tmp,config,mod}
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$program" "$root/bin/gpio_rig"
ldd "$program" | grep -o '/[^ ]*' | sort -u | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
cp "$work/module/gpio-sim.ko" "$root/mod/"
cp "$work"/configfs.ko* "$root/mod/" 2>/dev/null || true

cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev 2>/dev/null
ip link set lo up
[ -f /mod/configfs.ko.xz ] && unxz /mod/configfs.ko.xz
[ -f /mod/configfs.ko ] && insmod /mod/configfs.ko
insmod /mod/gpio-sim.ko
mount -t configfs c /config
bank=/config/gpio-sim/rig
mkdir -p $bank/b0
for line in 17 22 27; do mkdir -p $bank/b0/line$line; done
echo 54 >$bank/b0/num_lines; echo pinctrl-bcm2711 >$bank/b0/label; echo 1 >$bank/live
PHANTOMLOAD_GPIO_SIM=/sys/devices/platform/$(cat $bank/dev_name)/$(cat $bank/b0/chip_name)
PHANTOMLOAD_GPIO_LIVE=$bank/live
export PHANTOMLOAD_GPIO_SIM PHANTOMLOAD_GPIO_LIVE
# What rppal reads to know the board; the pin registers are plain memory here, so levels and outputs say nothing.
printf 'Hardware\t: BCM2835\nRevision\t: c03111\nModel\t\t: Raspberry Pi 4 Model B Rev 1.1\n' >/tmp/cpuinfo
mount -o bind /tmp/cpuinfo /proc/cpuinfo
dd if=/dev/zero of=/dev/gpiomem bs=4096 count=1 2>/dev/null
mkfifo /tmp/hold
one() { gpio_rig --ignored --exact --nocapture --test-threads=1 "$1"; echo "RIG-RESULT $1 $?"; }
one lock_step_edges_on_two_lines_are_counted_one_by_one
one an_overflow_of_the_kernels_buffer_is_a_hole_in_the_numbers
(sleep 20 >/tmp/hold) &
gpio_rig --ignored --exact --nocapture holder_of_line_22 </tmp/hold >/tmp/holder 2>&1 &
while ! grep -q holding /tmp/holder; do sleep 0.1; done
one a_line_that_somebody_else_holds_is_busy
killall sleep; wait
one a_chip_that_vanishes_is_a_fault_within_a_second
echo RIG-END
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"

log="$work/console.log"
timeout 110 qemu-system-x86_64 -nodefaults -no-reboot -display none -m 768 -smp 2 -cpu max \
  -kernel "$work/boot/vmlinuz-$release" -initrd "$work/initrd.gz" \
  -append "console=ttyS0 quiet panic=-1 rdinit=/init" -serial stdio </dev/null >"$log" 2>&1 || true
grep -aE 'RIG|panicked' "$log" || true
passed="$(grep -ac 'RIG-RESULT .* 0' "$log" || true)"
if [ "$passed" -eq 4 ] && grep -aq RIG-END "$log"; then
  echo "gpio-sim rig: all 4 seen on Linux $release"
else
  echo "gpio-sim rig: $passed of 4 seen; the console is in $log" >&2
  tail -40 "$log" >&2
  exit 1
fi
