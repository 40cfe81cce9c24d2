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

# As assets/system/phantomload-kiosk.service sets them.
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=262144 MALLOC_TRIM_THRESHOLD_=262144
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
# Of the run, and of the making of its papers: what the system has counted as the most, and what it was made of when most of it
# was the program's own. File pages are the program itself and what draws (Mesa's LLVM, where no GPU does): they are read from
# the disk, shared, and given back when others want the room.
now() { awk -v name="$1:" '$1 == name {print $2}' /proc/$app/status; }
run=0 own=0 files=0
for _ in $(seq 1200); do
    sleep 0.05
    [ -n "$(ls "$work/data/packages" 2>/dev/null)" ] && break
    rss=$(now VmRSS) anon=$(now RssAnon)
    [ "$rss" -gt "$run" ] && run=$rss
    [ "$anon" -gt "$own" ] && own=$anon files=$(now RssFile)
done
sleep 2
echo "memory at most: $(($(now VmHWM) / 1024)) MB with the papers (at most 200 MB); seen: $((run / 1024)) MB, of it $((own / 1024)) MB its own and $((files / 1024)) MB pages of files"
echo "memory after it: $(($(now VmRSS) / 1024)) MB, its own $(($(now RssAnon) / 1024)) MB"
awk '/^[0-9a-f]+-[0-9a-f]+ / { name = $6 } /^Rss:/ && name ~ "^/" { rss[name] += $2 }
    END { for (name in rss) if (rss[name] > 4096) printf "    %d MB %s\n", rss[name] / 1024, name }' /proc/$app/smaps
sleep 1
kill $app; wait $app 2>/dev/null || true
first=$(sed -n 's/^first //p' "$work/frames")
echo "first frame: $(($(date -d "$first" +%s%N) / 1000000 - began / 1000000)) ms after the start"
sed -n '2,$p' "$work/frames"
record=$(ls "$work"/data/packages/*/record.json 2>/dev/null | head -1)
[ -n "$record" ] && echo "edges in the record: $(grep -o '"edge"' "$record" | wc -l)"
