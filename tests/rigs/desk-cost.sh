#!/bin/sh
# What the desk costs with a register of 100 000 rows, in the real program under Xvfb: frames while it scrolls, memory, the
# board of all chargers; and an export to a stick that is too small.
#
# Packages as for screen.sh. usage: tests/rigs/desk-cost.sh PROGRAM [FOLDER-FOR-PICTURES]
set -eu
program=$1
out=${2:-}
work=$(mktemp -d)
app= server= stick=
trap 'kill $app $server 2>/dev/null || true; [ -z "$stick" ] || umount "$stick" 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM

# One real paper of the simulated bench; its row in the register 100 000 times under other numbers.
"$program" verify --data "$work/data" --json >/dev/null 2>&1 || true
python3 - "$work/data/register.csv" <<'PYTHON'
import csv, io, sys
path = sys.argv[1]
text = open(path, encoding="utf-8-sig", newline="").read()
rows = list(csv.reader(io.StringIO(text, newline="")))
head, one = rows[0], rows[1]
at = {name: n for n, name in enumerate(head)}
with open(path, "w", encoding="utf-8-sig", newline="") as file:
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(head)
    for n in range(1, 100_000):
        row = list(one)
        row[at["seq"]] = str(n)
        row[at["certificate_no"]] = f"SIM-2020-{n:06}"
        row[at["record_no"]] = f"SIM-R-2020-{n:06}"
        row[at["dut_serial"]] = f"{n * 7919 % 1_000_000:012}"
        row[at["charger"]] = f"SIM-CH-{n % 300:03}"
        row[at["verdict"]] = "fail" if n % 50 == 0 else "pass"
        writer.writerow(row)
    one[at["seq"]] = "100000"
    writer.writerow(one)
PYTHON

display=:$((150 + $(od -An -N1 -tu1 /dev/urandom) % 50))
Xvfb $display -screen 0 800x480x24 >/dev/null 2>&1 &
server=$!
export DISPLAY=$display
sleep 1
picture() { [ -z "$out" ] || import -window root "png:$out/$1.png"; }
press() { xdotool mousemove "$1" "$2" sleep 0.1 mousedown 1 sleep 0.08 mouseup 1; sleep "${3:-0.6}"; }
"$program" screen --data "$work/data" --size 800x480 --language en --pace 60 --frame-times "$work/frames" 2>"$work/log" &
app=$!
sleep 4
press 500 442
picture desk
press 302 150 3
picture register
xdotool mousemove 400 250
for _ in $(seq 400); do xdotool click 5 sleep 0.02; done
sleep 1
picture register-scrolled
press 40 30; press 106 150 4
picture board
echo "memory: $(awk '/VmHWM/ {print int($2 / 1024)}' /proc/$app/status) MB at most"
kill $app; wait $app 2>/dev/null || true
sed -n '2,$p' "$work/frames"
