#!/bin/sh
# The real program under Xvfb, driven by real mouse events through a whole verification on the simulated bench at 60 times
# real time, with a picture of each page in reports/screens/.
#
# apt-get install -y --no-install-recommends xvfb xdotool imagemagick libgl1-mesa-dri libegl1 libgl1 libegl-mesa0 \
#     libxkbcommon-x11-0 libxcursor1 libxi6 libxrandr2
# usage: tests/rigs/screen.sh PROGRAM [FOLDER]
set -eu
program=$1
out=${2:-$(dirname "$0")/../../reports/screens}
mkdir -p "$out"
work=$(mktemp -d)
trap 'kill $app $server 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM
app= server=

# The way on one screen: width, height, language, theme. Points are those of a screen whose short side has 480.
way() {
    width=$1 height=$2 language=$3 theme=$4
    name=${width}x${height}-$language-$theme
    short=$width
    [ "$height" -lt "$width" ] && short=$height
    display=:$((90 + $(od -An -N1 -tu1 /dev/urandom) % 100))
    Xvfb $display -screen 0 "${width}x${height}x24" >/dev/null 2>&1 &
    server=$!
    export DISPLAY=$display
    for _ in $(seq 50); do xdotool getmouselocation >/dev/null 2>&1 && break; sleep 0.1; done
    "$program" screen --data "$work/$name" --size "${width}x${height}" --language "$language" --theme "$theme" \
        --pace 60 --meter "${meter:-good}" 2>"$work/$name.log" &
    app=$!
    # In points, from the upper left; negative: from the lower right.
    px() { echo $(($1 * short / 480)); }
    press() {
        x=$(px "$1") y=$(px "$2")
        [ "$1" -lt 0 ] && x=$((width + x))
        [ "$2" -lt 0 ] && y=$((height + y))
        xdotool mousemove "$x" "$y" sleep 0.15 mousedown 1 sleep 0.08 mouseup 1
        sleep 0.6
    }
    picture() { import -window root -dither None -colors 128 "png8:$out/$name-$1.png"; }
    sleep 3
    picture 1-start
    if [ "$height" -gt "$width" ]; then press 240 480; else press 580 190; fi
    sleep 0.5
    picture 2-meter
    press -100 -38
    press 60 -38
    picture 3-look
    press -100 -38
    press 120 -38
    sleep 2.5
    picture 4-connect
    press -100 -38
    sleep 0.5
    picture 5-plan
    press -100 -38
    sleep 0.8
    picture 6-run
    for _ in $(seq 60); do
        sleep 0.5
        [ -n "$(ls -A "$work/$name/packages" 2>/dev/null)" ] && break
    done
    sleep 2
    picture 7-result
    kill $app; wait $app 2>/dev/null || true
    kill $server; wait $server 2>/dev/null || true
}

if [ $# -ge 6 ]; then
    way "$3" "$4" "$5" "$6"
    exit
fi
way 800 480 zh light
way 800 480 en dark
way 1280 720 en light
way 1280 720 zh dark
way 720 1280 zh light
way 720 1280 en dark
