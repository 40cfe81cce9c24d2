#!/bin/sh
# What the desk costs with a register of 100 000 rows that follows from a signed chain, in the real program under Xvfb: start,
# frames while it scrolls and is looked through, how long each page is waited for, memory.
#
# The folder is made first, in two minutes: cargo bench --bench register -- --years FOLDER 100000 60
# Packages as for screen.sh. usage: tests/rigs/desk-cost.sh PROGRAM FOLDER [FOLDER-FOR-PICTURES]
set -eu
program=$1
data=$2
out=${3:-}
work=$(mktemp -d)
app= server=
trap 'kill $app $server 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM
display=:$((150 + $(od -An -N1 -tu1 /dev/urandom) % 50))
Xvfb $display -screen 0 800x480x24 -fbdir "$work" >/dev/null 2>&1 &
server=$!
export DISPLAY=$display
sleep 1
picture() { [ -z "$out" ] || import -window root -dither None -colors 128 "png8:$out/$1.png"; }
look() { md5sum <"$work/Xvfb_screen0"; }
ms() { echo $(($(date +%s%N) / 1000000)); }
press() { xdotool mousemove "$1" "$2" sleep 0.1 mousedown 1 sleep 0.08 mouseup 1; }
ticks() { awk '{print $14 + $15}' /proc/$app/stat; }
# Says how long it took from a moment until nothing on the screen changed any more: seen once the program has been at rest for a
# second and a half, and not while it says that it is looking.
settled() {
    what=$1 begin=$2 last= changed=$2 rested=$2 spent=-9
    while now=$(ms); [ $((now - changed)) -lt 1500 ] || [ $((now - rested)) -lt 1500 ]; do
        seen=$(look)
        [ "$seen" = "$last" ] || { last=$seen; changed=$(ms); }
        used=$(ticks)
        [ $((used - spent)) -le 1 ] || { spent=$used; rested=$(ms); }
        [ $((now - begin)) -lt 120000 ] || break
        sleep 0.03
    done
    echo "$what: there after $((changed - begin)) ms"
    picture "$what"
}
opens() {
    press "$2" "$3"
    settled "$1" "$(ms)"
}
back() { press 40 30; sleep 0.6; }

begin=$(ms) begun=$begin
"$program" screen --data "$data" --size 800x480 --language en --pace 60 --frame-times "$work/frames" \
    --paint-while "$work/paint" 2>"$work/log" &
app=$!
sleep 1
# The self test has the chain and the register to read.
settled start-page "$begun"
# Without a window manager nobody gives it the keys.
xdotool search --onlyvisible --name . windowfocus 2>/dev/null || true
opens desk 500 442
opens register 302 150
opens paper 400 164
opens paper-history 94 442
back
back
opens verdict-filter 560 106
press 450 106; sleep 1
opens state-filter 740 106
for _ in 1 2 3 4 5; do press 740 106; sleep 0.4; done
# Searching: a serial number that is there, by the keyboard.
press 150 106; sleep 0.8
xdotool type --delay 40 202600007919
begin=$(ms)
xdotool key Return
sleep 2
picture searched
press 150 106; sleep 0.8
for _ in $(seq 14); do xdotool key BackSpace; done
xdotool key Return
sleep 2
touch "$work/paint"
xdotool mousemove 400 250
for _ in $(seq 300); do xdotool click 5 sleep 0.02; done
# Far down: the list is dragged.
for _ in $(seq 40); do xdotool mousemove 400 420 mousedown 1 sleep 0.03 mousemove 400 330 sleep 0.03 mousemove 400 170 sleep 0.03 mouseup 1; done
rm "$work/paint"
sleep 1
picture register-scrolled
back
opens board 106 150
back
opens history-of-the-desk 500 150
xdotool key Escape; sleep 0.6
back
awk '/VmHWM|VmRSS|RssAnon|RssFile/ {print $1, int($2 / 1024) " MB"}' /proc/$app/status
kill $app; wait $app 2>/dev/null || true
sed -n '2,$p' "$work/frames"
echo "first frame: $(($(date -d "$(sed -n 's/^first //p' "$work/frames")" +%s%N) / 1000000 - begun)) ms after the start"
