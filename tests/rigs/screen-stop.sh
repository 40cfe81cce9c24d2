#!/bin/sh
# STOP in the real program, at real time, on the served bench: from the press of the mouse to the source's OFF command on its
# line, as the raw interface log has it; then the same with the screen's thread frozen: the run makes safe by itself.
#
# Packages as for screen.sh. usage: tests/rigs/screen-stop.sh PROGRAM
set -eu
program=$1
work=$(mktemp -d)
app= server= bench=
trap 'kill $app $server $bench 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM
display=:$((200 + $(od -An -N1 -tu1 /dev/urandom) % 50))
Xvfb $display -screen 0 800x480x24 >/dev/null 2>&1 &
server=$!
export DISPLAY=$display
sleep 1

press() { xdotool mousemove "$1" "$2" sleep 0.15 mousedown 1 sleep 0.08 mouseup 1; sleep 0.7; }

# Opens the screen on a fresh bench and goes on until the source has been set in the run.
run() {
    "$program" sim --serve "$work/bench-$1" >"$work/bench-$1.log" 2>&1 &
    bench=$!
    for _ in $(seq 100); do grep -q "In another terminal" "$work/bench-$1.log" && break; sleep 0.1; done
    "$program" screen --bench "$work/bench-$1/bench.toml" --data "$work/data-$1" --size 800x480 --language en \
        --freeze-while "$work/freeze" 2>"$work/app-$1.log" &
    app=$!
    sleep 4
    press 580 190; press 700 442
    press 60 442; press 700 442
    press 120 442
    # The look at the wiring takes its time.
    sleep 8
    press 700 442; sleep 1; press 700 442
    for _ in $(seq 200); do
        sets=$("$program" bench log --data "$work/data-$1" --device source 2>/dev/null | grep -c "> .*OUTP.* ON\|> .*OUTP.* 1" || true)
        [ "${sets:-0}" -ge 2 ] && return
        sleep 0.2
    done
    echo "the run did not begin"; import -window root "$work/why.png"; cp "$work/why.png" /tmp/screen-stop-why.png
    "$program" bench log --data "$work/data-$1" --device source | tail -20
    exit 1
}

# The first OFF after a moment, in milliseconds after it.
off_after() {
    "$program" bench log --data "$work/data-$1" --device source | grep "> .*OUTP.* OFF\|> .*OUTP.* 0" | while read -r at _; do
        ms=$(($(date -d "$at" +%s%N) / 1000000 - $2 / 1000000))
        [ "$ms" -ge 0 ] && { echo "$ms"; break; }
    done
}

run a
sleep 2
xdotool mousemove 700 442 sleep 0.2
pressed=$(date +%s%N)
xdotool mousedown 1
sleep 1.5
xdotool mouseup 1
echo "STOP: OFF on the source's line $(off_after a "$pressed") ms after the press (at most 100)"
sleep 3
kill $app; wait $app 2>/dev/null || true; kill $bench; wait $bench 2>/dev/null || true

run b
sleep 2
touch "$work/freeze"
frozen=$(date +%s%N)
sleep 8
echo "frozen: OFF on the source's line $(off_after b "$frozen") ms after the screen's thread hung (5 s and a turn)"
rm "$work/freeze"
sleep 2
ls "$work/data-b/unfinished" | head -1
kill $app; wait $app 2>/dev/null || true
