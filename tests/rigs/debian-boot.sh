#!/usr/bin/env bash
# Inside a Debian that systemd has booted: the unit phantomload-verify@ on the served simulated bench, in real time. Run
# by the rig deb-amd64.sh.
set -euo pipefail
unit=phantomload-verify@sim
bench=/var/lib/phantomload/benches/sim
fail() { echo "FAILED: $*"; systemctl status --no-pager "$unit" || true; journalctl --namespace=phantomload --no-pager | tail -20; exit 1; }
seen() { systemctl show -P "$1" "$unit"; }
until_true() { local n; for n in $(seq 100); do if "${@:2}"; then return 0; fi; sleep 0.2; done; fail "$1 (waited ${n}/5 s)"; }
not_active() { ! systemctl is-active --quiet "$unit"; }

dpkg -i /root/phantomload.deb >/root/dpkg.log 2>&1 || fail "dpkg -i"
systemd-run --quiet --uid=phantomload --unit=served phantomload sim --serve "$bench"
until_true "the simulated bench is not served" test -s "$bench/bench.toml"
systemctl start "$unit" || fail "it does not start"
echo "unit: $(seen ActiveState), told systemd \"$(seen StatusText)\", watchdog $(seen WatchdogUSec)"
sleep 13
[ "$(seen ActiveState)" = active ] || fail "it did not outlive the watchdog's time"
echo "unit: alive after 13 s, so the conductor tells systemd that it lives"
pid="$(seen MainPID)"
echo "unit: user $(ps -o user= -p "$pid" 2>/dev/null || stat -c %U "/proc/$pid"), NoNewPrivs $(awk '/NoNewPrivs/ {print $2}' "/proc/$pid/status"), capabilities $(awk '/CapEff/ {print $2}' "/proc/$pid/status")"
systemctl stop "$unit" || true
echo "stopped: result $(seen Result), exit code $(seen ExecMainStatus)"
journalctl --namespace=phantomload --no-pager -o cat | grep -m1 -o 'ABORTED.*' || fail "no record of the stop"
systemctl reset-failed "$unit"
systemctl restart served
systemctl start "$unit" || fail "it does not start again"
kill -STOP "$(seen MainPID)"
until_true "a process that hangs is not noticed" not_active
echo "hung: result $(seen Result)"
[ "$(seen Result)" = watchdog ] || fail "not by the watchdog"
echo "journal of its own: $(journalctl --namespace=phantomload --no-pager -q | wc -l) lines, $(journalctl --namespace=phantomload --disk-usage | grep -o 'take up.*')"
systemd-analyze security --no-pager "$unit" | tail -1
echo "boot: all seen"
