#!/bin/sh
# The lab's desk in the real program under Xvfb, with a picture of each of its pages in both languages: a charger that was visited
# each year and drifts, others of every colour, a paper that three persons have issued.
#
# Packages as for screen.sh, and faketime for the years. usage: tests/rigs/screen-desk.sh PROGRAM [FOLDER]
set -eu
program=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${2:-$root/reports/screens}
mkdir -p "$out"
work=$(mktemp -d)
app= server=
trap 'kill $app $server 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM

# A meter of assets/demo in a charger of its own, with an error that has so much added to it.
meter() {
    sed "s/DEMO-CHARGER-01/DEMO-CHARGER-$2/; s/2026112100[0-9]*/20261121$2$2/g" "$root/assets/demo/$1.toml" >"$work/$2.toml"
    echo "$work/$2.toml"
}
drifted() {
    sed -E "s/^error_curve = .*/error_curve = [[0.4, 1.2], [5.0, $2], [10.0, $2], [100.0, $2], [250.0, $2]]/" "$1" >"$work/drifted.toml"
    echo "$work/drifted.toml"
}
verify() { faketime "$1" "$program" verify --data "$work/data" --meter "$2" --json >/dev/null 2>&1 || true; }
pin() { printf '%s\n' "$@"; }
first=$(meter good 11)
# The error of each year in percent; the limit is 1 %.
for visit in 2022:-0.10 2023:0.12 2024:0.31 2025:0.52; do
    verify "${visit%%:*}-11-20 10:00:00" "$(drifted "$first" "${visit##*:}")"
done
now=$(date -d 'now - 1 hour' '+%F %T')
verify "$now" "$(drifted "$first" 0.70)"
for other in good:12 good:13 good:14 fast:15 clock-off:16 bad-at-imin:17 good:18 led-off:19; do
    verify "$now" "$(meter "${other%%:*}" "${other##*:}")"
done
issued=$(ls "$work/data/packages" | tail -1)
pin 314159 | "$program" person add "王检定" --role verifier --data "$work/data" >/dev/null
pin 271828 | "$program" person add "Bob Checker" --role checker --data "$work/data" >/dev/null
pin 161803 | "$program" person add "李批准" --role approver --data "$work/data" >/dev/null
sign() { pin "$3" | "$program" certificate sign "$issued" --role "$1" --person "$2" --data "$work/data" >/dev/null; }
issued=$(ls "$work/data/packages" | sed -n 5p)
sign verifier "王检定" 314159
sign checker "Bob Checker" 271828
sign approver "李批准" 161803
"$program" certificate issue "$issued" --data "$work/data" >/dev/null

# The pages on one screen: width, height, language, theme. Points are those of a screen whose short side has 480.
pages() {
    width=$1 height=$2 language=$3 theme=$4
    name=${width}x${height}-$language-$theme
    display=:$((90 + $(od -An -N1 -tu1 /dev/urandom) % 100))
    Xvfb $display -screen 0 "${width}x${height}x24" >/dev/null 2>&1 &
    server=$!
    export DISPLAY=$display
    for _ in $(seq 50); do xdotool getmouselocation >/dev/null 2>&1 && break; sleep 0.1; done
    "$program" screen --data "$work/data" --size "${width}x${height}" --language "$language" --theme "$theme" \
        --lock-after 0 --pace 60 --meter good 2>"$work/$name.log" &
    app=$!
    press() { xdotool mousemove "$1" "$2" sleep 0.15 mousedown 1 sleep 0.08 mouseup 1; sleep "${3:-0.8}"; }
    back() { press 40 30; }
    picture() { import -window root -dither None -colors 96 "png8:$out/desk-$name-$1.png"; }
    sleep 3
    # Without a window manager nobody gives it the keys.
    xdotool search --onlyvisible --name . windowfocus 2>/dev/null || true
    press 500 442
    picture 1-desk
    press 106 150 1.5
    picture 2-board
    back
    press 302 150 1.2
    picture 3-register
    back
    press 498 150 1
    xdotool type --delay 30 DEMO-CHARGER-11
    sleep 0.5
    xdotool key Return
    sleep 1.5
    # The second load point drifts.
    press 460 442
    picture 5-history
    press 200 120 1.5
    picture 4-paper
    press 233 442 1
    picture 4-paper-export
    back
    back
    back
    press 694 150 1.2
    picture 8-standards
    back
    press 106 350 1.5
    picture 7-profiles
    press 400 120 1.2
    picture 7-profile
    back
    back
    press 302 350 1.5
    picture 9-trail
    back
    press 498 350 1.5
    picture 6-persons
    kill $app; wait $app 2>/dev/null || true; app=
    kill $server; wait $server 2>/dev/null || true; server=
}
pages 800 480 zh light
pages 800 480 en dark
