#!/bin/sh
# Disks that are too small or gone, in the real program under Xvfb: a stick on which a package finds no room, a stick that is
# pulled while its folder is chosen, and a data folder that fills up in a run. Nothing is left half, and what was measured is kept.
# With a folder of years (see desk-cost.sh) also a stick that fills up, and one that is pulled, in the middle of an export.
#
# Packages as for screen.sh; it mounts small file systems, so it needs root.
# usage: tests/rigs/screen-disk.sh PROGRAM [PICTURES [FOLDER-OF-YEARS]]
set -eu
program=$1
out=${2:-}
years=${3:-}
work=$(mktemp -d)
stick=/mnt/phantomload-stick-$$
app= server=
trap 'kill $app $server 2>/dev/null || true; umount "$stick" "$work/small" 2>/dev/null || true; rmdir "$stick" 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM
display=:$((150 + $(od -An -N1 -tu1 /dev/urandom) % 50))
Xvfb $display -screen 0 800x480x24 >/dev/null 2>&1 &
server=$!
export DISPLAY=$display
sleep 1
picture() { [ -z "$out" ] || import -window root "png:$out/$1.png"; }
press() { xdotool mousemove "$1" "$2" sleep 0.1 mousedown 1 sleep 0.08 mouseup 1; sleep "${3:-0.8}"; }
opened() {
    "$program" screen --data "$1" --size 800x480 --language "$2" --pace 60 --meter good 2>"$work/log" &
    app=$!
    sleep 4
}
closed() { kill $app; wait $app 2>/dev/null || true; app=; }
failed=0
holds() { if [ "$2" = "$3" ]; then echo "ok: $1"; else echo "NOT SO: $1: $2, expected $3"; failed=1; fi; }

"$program" verify --data "$work/data" --json >/dev/null 2>&1 || true
mkdir -p "$stick"
mount -t tmpfs -o size=24k tmpfs "$stick"
# Whatever else is mounted there stands before it in the list.
place=$(awk '$2 ~ "^/(media|run/media|mnt)/" { n++ } $2 == "'"$stick"'" { print n }' /proc/mounts)
at=$((134 + 72 * place))
# To the paper, to the places.
places() { press 500 442; press 302 150 1.5; press 400 164 1.5; press 233 442 1; }
opened "$work/data" en
places
picture disk-places
press 300 $at 3
picture disk-stick-full
closed
holds "a package that finds no room leaves nothing on the stick" "$(ls -A "$stick" | wc -l)" 0
opened "$work/data" zh
places
umount "$stick"
press 300 $at 2
picture disk-stick-pulled
closed
holds "nothing is written where the stick was" "$(ls -A "$stick" | wc -l)" 0

# A register of 100 000 rows takes seconds to be written: there is a middle.
if [ -n "$years" ]; then
    # The chain is read first.
    exports() { sleep 20; press 500 442; press 302 150 3; press 700 442 2; }
    mount -t tmpfs -o size=1m tmpfs "$stick"
    opened "$years" en
    exports
    press 300 $at 20
    picture disk-export-full
    holds "an export that fills the stick leaves nothing on it" "$(ls -A "$stick" | wc -l)" 0
    umount "$stick"
    mount -t tmpfs -o size=200m tmpfs "$stick"
    press 40 30 2; press 700 442 2
    press 300 $at 0.5
    for _ in $(seq 200); do [ -n "$(ls -A "$stick")" ] && break; sleep 0.05; done
    sleep 0.3
    holds "the export is under way" "$(ls -A "$stick" | grep -c half)" 1
    umount -l "$stick"
    sleep 20
    picture disk-export-pulled
    holds "nothing lies where the stick was" "$(ls -A "$stick" | wc -l)" 0
    press 40 30 2
    picture disk-export-goes-on
    holds "the program goes on" "$(kill -0 $app && echo yes)" yes
    closed
fi

# Room for the begin of a run and not for its record.
mkdir "$work/small"
mount -t tmpfs -o size=400k tmpfs "$work/small"
before=$(ls /tmp/phantomload-*.json 2>/dev/null | wc -l)
opened "$work/small/data" en
press 580 190; press 700 442; press 60 442; press 700 442; press 120 442 3
press 700 442; press 700 442 1
for _ in $(seq 40); do
    sleep 0.5
    [ "$(ls /tmp/phantomload-*.json 2>/dev/null | wc -l)" -gt "$before" ] && break
done
sleep 1
picture disk-data-full
closed
after=$(ls /tmp/phantomload-*.json 2>/dev/null | wc -l)
holds "what was measured is kept elsewhere" $((after - before)) 1
holds "no half package" "$(ls -A "$work/small/data/packages" 2>/dev/null | wc -l)" 0
ls -l "$work/small/data" | sed -n '2,$p'
exit $failed
