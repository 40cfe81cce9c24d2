//! `phantomload selftest`: is the tester fit for work? One light a line, and what to do where it is not green.

use super::{Data, Ended, Stop, print_json, print_text, say};
use jiff::ToSpan;
use jiff::civil::Date;
use phantomload::archive;
use phantomload::bench::{Description, check};
use phantomload::calibration::{Standard, Standards, builtin_simulated};
use phantomload::machine::{ClockSource, Machine};
use phantomload::time::{Span, Stamp};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A package takes about 2 MB with its papers; below this there is room for a few only. A house rule.
const ROOM_LOW: u64 = 1 << 30;
/// Below this no run is begun. A house rule.
const ROOM_LEAST: u64 = 100 << 20;
/// A time server that was not heard for longer says nothing about the seconds of a meter's clock. A house rule.
const HEARD_WITHIN: Span = Span::from_secs(86_400);
/// The firmware slows the processor down from here, in °C (Raspberry Pi documentation, config.txt `temp_soft_limit` and
/// the hard limit).
const HOT: f64 = 80.0;
const TOO_HOT: f64 = 85.0;
/// That a certificate ends is said so many days before.
const SOON: i64 = 30;

#[derive(clap::Args)]
pub struct Arguments {
    /// Bench file: its devices are asked too, at safe levels; nothing is switched on
    #[arg(long, value_name = "FILE")]
    bench: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Good,
    /// The machine does not tell.
    Unknown,
    /// Work goes on; somebody should see to it.
    Care,
    /// No work.
    Bad,
}

/// A light of the self test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Light {
    pub(super) what: String,
    pub(super) state: State,
    pub(super) seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) todo: Option<&'static str>,
}

fn good(what: &str, seen: impl Into<String>) -> Light {
    Light { what: what.into(), state: State::Good, seen: seen.into(), todo: None }
}

fn not_good(what: &str, state: State, seen: impl Into<String>, todo: &'static str) -> Light {
    Light { what: what.into(), state, seen: seen.into(), todo: Some(todo) }
}

fn unknown(what: &str, seen: &str) -> Light {
    Light { what: what.into(), state: State::Unknown, seen: seen.into(), todo: None }
}

impl Light {
    /// In a line of text.
    pub(super) fn line(&self) -> String {
        let light = match self.state {
            State::Good => "[ ok ]",
            State::Unknown => "[  ? ]",
            State::Care => "[CARE]",
            State::Bad => "[BAD ]",
        };
        let todo = self.todo.map_or(String::new(), |todo| format!(". {todo}"));
        format!("{light} {}: {}{todo}", self.what, self.seen)
    }
}

/// Tests.
pub fn run(arguments: &Arguments) -> Ended {
    let now = Stamp::now();
    let dir = arguments.data.dir()?;
    let description = arguments.bench.as_deref().map(Description::load).transpose().map_err(Stop::input)?;
    let lights = lights(description.as_ref(), &dir, now);
    let worst = lights.iter().map(|light| light.state).max().unwrap_or(State::Good);
    if arguments.json {
        print_json(&serde_json::json!({ "at": now, "state": worst, "lights": lights }))?;
    } else {
        print_text(&lights.iter().fold(String::new(), |mut text, light| {
            let _ = writeln!(text, "{}", light.line());
            text
        }))?;
        if description.is_none() {
            say("no --bench FILE: no device was asked");
        }
    }
    Ok(u8::from(worst == State::Bad))
}

/// All of them; the devices of a bench are asked too, and nothing is switched on.
pub(super) fn lights(description: Option<&Description>, dir: &Path, now: Stamp) -> Vec<Light> {
    let machine = Machine::this();
    let board = machine.board().unwrap_or_else(|| "no device tree: a PC".into());
    let mut lights = vec![good("program", format!("{} on {board}", env!("CARGO_PKG_VERSION")))];
    lights.extend(of_machine(&machine, dir, now));
    lights.extend(of_data(dir));
    match description {
        None => lights.extend(of_standards(&builtin_simulated(), now.date())),
        Some(description) => {
            lights.extend(of_standards(&description.standards, now.date()));
            lights.extend(check::all(description, None, false, &|| false).into_iter().map(of_look));
        }
    }
    lights
}

/// What keeps a run on a real bench from beginning, and what the operator should know before it.
pub(super) fn before_run(dir: &Path) -> Result<Vec<Light>, Stop> {
    let lights = of_machine(&Machine::this(), dir, Stamp::now());
    if let Some(bad) = lights.iter().find(|light| light.state == State::Bad) {
        return Err(Stop::fault(format!("the self test: {}", bad.line())));
    }
    Ok(lights.into_iter().filter(|light| light.state == State::Care).collect())
}

fn of_machine(machine: &Machine, dir: &Path, now: Stamp) -> Vec<Light> {
    vec![
        of_clock(machine.clock(now), now),
        of_room(machine, dir),
        of_disk(machine),
        of_flash(machine),
        of_temperature(machine.temperature()),
        of_supply(machine),
    ]
}

fn of_clock(source: ClockSource, now: Stamp) -> Light {
    let what = "clock";
    let compare = "Compare it with a known time before a meter's clock is verified";
    match source {
        ClockSource::Ntp(age) if age <= HEARD_WITHIN => {
            good(what, format!("{now}, set by time servers {age} ago"))
        }
        ClockSource::Ntp(age) => {
            not_good(what, State::Care, format!("{now}, set by time servers, but {age} ago"), compare)
        }
        ClockSource::Rtc => not_good(
            what,
            State::Care,
            format!("{now}, set by the battery-backed clock at the start"),
            compare,
        ),
        ClockSource::Unknown => {
            not_good(what, State::Care, format!("{now}, nothing says by what it was set"), compare)
        }
        ClockSource::Unset => not_good(
            what,
            State::Bad,
            format!("{now}: it was never set"),
            "Set it, or connect the tester to a network until systemd-timesyncd has set it",
        ),
    }
}

fn of_room(machine: &Machine, dir: &Path) -> Light {
    let what = "disk";
    // A folder that is not made yet will stand where its first existing parent stands.
    let Some(there) = dir.ancestors().find(|path| path.exists()) else {
        return unknown(what, "the data folder stands nowhere");
    };
    if nix::unistd::access(there, nix::unistd::AccessFlags::W_OK).is_err() {
        let seen = format!("{} cannot be written", there.display());
        return not_good(what, State::Bad, seen, "Give this user the folder, or another one with --data");
    }
    let Some(room) = machine.room(there) else { return unknown(what, "the system does not tell its room") };
    let mib = |bytes: u64| bytes >> 20;
    let seen = format!("{} MiB of {} MiB free for {}", mib(room.free), mib(room.total), dir.display());
    let make_room = "Back the data folder up and make room";
    match room.free {
        free if free < ROOM_LEAST => not_good(what, State::Bad, seen, make_room),
        free if free < ROOM_LOW => not_good(what, State::Care, seen, make_room),
        _ => good(what, seen),
    }
}

fn of_disk(machine: &Machine) -> Light {
    let what = "file system";
    let errors = machine.disk_errors();
    if errors.is_empty() {
        return unknown(what, "no ext4 file system tells its errors");
    }
    let bad: Vec<_> = errors.iter().filter(|(_, count)| *count > 0).collect();
    if bad.is_empty() {
        return good(what, "the kernel has found no error");
    }
    let seen: Vec<_> = bad.iter().map(|(disk, count)| format!("{count} on {disk}")).collect();
    let todo = "Back the data folder up, check the file system, replace the card";
    not_good(what, State::Care, format!("errors found: {}", seen.join(", ")), todo)
}

fn of_flash(machine: &Machine) -> Light {
    let what = "flash memory";
    let Some(life) = machine.flash() else { return unknown(what, "it does not tell its life (an SD card)") };
    let seen = match life.used_tenths {
        11.. => "its life is over".to_owned(),
        tenths => format!("at most {} % of its life used", u32::from(tenths) * 10),
    };
    let replace = "Back the data folder up and replace it";
    match (life.pre_end_of_life, life.used_tenths) {
        (3.., _) | (_, 11..) => not_good(what, State::Bad, seen, replace),
        (2, _) | (_, 9..) => not_good(what, State::Care, seen, replace),
        _ => good(what, seen),
    }
}

fn of_temperature(celsius: Option<f64>) -> Light {
    let what = "temperature";
    let Some(celsius) = celsius else { return unknown(what, "no sensor tells it") };
    let seen = format!("{celsius:.1} °C in the computer");
    match celsius {
        TOO_HOT.. => not_good(what, State::Bad, seen, "Let it cool down"),
        HOT.. => not_good(what, State::Care, seen, "Keep it out of the sun; the processor is slowed down"),
        _ => good(what, seen),
    }
}

fn of_supply(machine: &Machine) -> Light {
    let what = "supply";
    let supply = machine.supply();
    let todo = "Charge the battery, or take a better supply and a shorter cable";
    match (supply.low_now, supply.was_low, supply.throttled) {
        (Some(true), ..) => not_good(what, State::Bad, "its voltage is too low now", todo),
        (_, Some(true), _) => not_good(what, State::Care, "its voltage was too low since the start", todo),
        (.., Some(true)) => not_good(what, State::Care, "the processor is slowed down", "Let it cool down"),
        (None, None, None) => unknown(what, "this is no Raspberry Pi that tells it"),
        _ => good(what, "its voltage was never too low"),
    }
}

fn of_data(dir: &Path) -> Vec<Light> {
    let what = "data folder";
    if !dir.exists() {
        return vec![unknown(what, "there is none yet; the first run makes it")];
    }
    match archive::check_register(dir).and_then(|()| archive::key_info(dir)) {
        Err(fault) => vec![not_good(what, State::Bad, fault.to_string(), "Take it from a backup")],
        Ok(info) => {
            let mut lights = vec![good(what, format!("the chain of {} is whole", info.device))];
            lights.push(match (info.problem, info.warning) {
                (Some(why), _) => not_good("key", State::Care, why, "Papers can be made later"),
                (None, Some(why)) => not_good("key", State::Care, why, "Have it certified again"),
                (None, None) => good("key", info.subject.unwrap_or_default()),
            });
            lights
        }
    }
}

fn of_standards(standards: &Standards, today: Date) -> Vec<Light> {
    let name = "standards";
    let todo = "Have them calibrated; until then no certificate comes of a run";
    let problems = standards.check_dates(today);
    if !problems.is_empty() {
        return problems.into_iter().map(|why| not_good(name, State::Care, why, todo)).collect();
    }
    let due = [standards.reference(), standards.time_base()].map(Standard::due_on);
    let first = due.into_iter().min().unwrap_or(today);
    let seen = format!("in date; the first is due on {first}");
    if today.checked_add(SOON.days()).is_ok_and(|soon| soon > first) {
        return vec![not_good(name, State::Care, seen, todo)];
    }
    vec![good(name, seen)]
}

fn of_look(look: check::Look) -> Light {
    let what = format!("{}, {}", look.device, look.what);
    match look.seen {
        Ok(seen) => good(&what, seen),
        Err(why) => not_good(&what, State::Bad, why, "Look at its line, its supply and the bench file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Stamp {
        "2026-12-01T08:00:00.000+08:00".parse().unwrap()
    }

    fn files(files: &[(&str, &str)]) -> (tempfile::TempDir, Machine) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let machine = Machine::at(dir.path());
        (dir, machine)
    }

    fn states(lights: &[Light]) -> Vec<(&str, State)> {
        lights.iter().map(|light| (light.what.as_str(), light.state)).collect()
    }

    #[test]
    fn a_clock_is_worth_what_set_it() {
        let state = |source| of_clock(source, now()).state;
        assert_eq!(state(ClockSource::Ntp(Span::from_secs(60))), State::Good);
        assert_eq!(state(ClockSource::Ntp(Span::from_secs(90_000))), State::Care);
        assert_eq!(state(ClockSource::Rtc), State::Care);
        assert_eq!(state(ClockSource::Unset), State::Bad);
    }

    #[test]
    fn a_tired_machine_says_so() {
        let (dir, tired) = files(&[
            ("sys/class/thermal/thermal_zone0/temp", "81500"),
            ("sys/devices/platform/soc/soc:firmware/get_throttled", "10000"),
            ("sys/fs/ext4/mmcblk0p2/errors_count", "3"),
            ("sys/block/mmcblk0/device/pre_eol_info", "0x03"),
            ("sys/block/mmcblk0/device/life_time", "0x0b 0x01"),
        ]);
        let lights = of_machine(&tired, dir.path(), now());
        assert_eq!(
            states(&lights)[2..],
            [
                ("file system", State::Care),
                ("flash memory", State::Bad),
                ("temperature", State::Care),
                ("supply", State::Care),
            ]
        );
        assert!(lights[2].line().contains("errors found: 3 on mmcblk0p2. Back the data folder up"));
        let (dir, low) = files(&[("sys/devices/platform/soc/soc:firmware/get_throttled", "50005")]);
        assert_eq!(of_machine(&low, dir.path(), now())[5].state, State::Bad);
        assert!(before_run(&dir.path().join("none/yet")).is_ok(), "this machine works");
    }

    #[test]
    fn standards_are_due_a_month_before() {
        let standards = builtin_simulated();
        let due =
            [standards.reference(), standards.time_base()].map(Standard::due_on).into_iter().min().unwrap();
        let state = |days: i64| of_standards(&standards, due.checked_add(days.days()).unwrap())[0].state;
        assert_eq!((state(-40), state(-10), state(1)), (State::Good, State::Care, State::Care));
    }

    #[test]
    fn a_damaged_data_folder_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(of_data(&dir.path().join("none"))[0].state, State::Unknown);
        drop(archive::Archive::open(dir.path()).unwrap());
        assert_eq!(states(&of_data(dir.path())), [("data folder", State::Good), ("key", State::Care)]);
        std::fs::write(dir.path().join("chain.jws"), "nonsense\n").unwrap();
        assert_eq!(states(&of_data(dir.path())), [("data folder", State::Bad)]);
    }
}
