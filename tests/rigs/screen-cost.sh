#!/bin/sh
# What the screen costs, in the real program under Xvfb with software rendering: start to first frame, frames of a run whose
# record grows to more than 420 000 edges, memory, and the processor at rest.
#
# Packages as for screen.sh. usage: tests/rigs/screen-cost.sh PROGRAM
set -eu
program=$1
work=$(mktemp -d)
app= server=
trap 'kill $app $server 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM
display=:$((150 + $(od -An -N1 -tu1 /dev/urandom) % 50))
Xvfb $display -screen 0 800x480x24 >/dev/null 2>&1 &
server=$!
export DISPLAY=$display
sleep 1
# A test output fast enough for 420 000 edges in one run.
sed 's/^constant_imp_per_kwh = .*/constant_imp_per_kwh = 90000.0/' "$(dirname "$0")/../../assets/demo/good.toml" >"$work/fast.toml"
press() { xdotool mousemove "$1" "$2" sleep 0.1 mousedown 1 sleep 0.08 mouseup 1; sleep 0.6; }

began=$(date +%s%N)
"$program" screen --data "$work/data" --size 800x480 --language en --pace 10 --meter "$work/fast.toml" \
    --frame-times "$work/frames" 2>"$work/log" &
app=$!
sleep 5
ticks() { awk '{print $14 + $15}' /proc/$app/stat; }
before=$(ticks)
sleep 20
after=$(ticks)
echo "at rest: $(((after - before) * 100 / 20 / $(getconf CLK_TCK))).$(((after - before) * 1000 / 20 / $(getconf CLK_TCK) % 10)) % of a core"
press 580 190; press 700 442; press 60 442; press 700 442; press 120 442
sleep 4
press 700 442; press 700 442
sleep 1.5
most=0
for _ in $(seq 120); do
    sleep 0.5
    now=$(awk '/VmRSS/ {print $2}' /proc/$app/status)
    [ "$now" -gt "$most" ] && most=$now
    [ -n "$(ls -A "$work/data/packages" 2>/dev/null)" ] && break
done
echo "memory at most: $((most / 1024)) MB"
sleep 1
kill $app; wait $app 2>/dev/null || true
first=$(sed -n 's/^first //p' "$work/frames")
echo "first frame: $(($(date -d "$first" +%s%N) / 1000000 - began / 1000000)) ms after the start"
sed -n '2,$p' "$work/frames"
record=$(ls "$work"/data/packages/*/record.json 2>/dev/null | head -1)
[ -n "$record" ] && echo "edges in the record: $(grep -o '"edge"' "$record" | wc -l)"
