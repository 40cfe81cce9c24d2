//! What the computer in the tester says of itself: by what its clock was set, room and health of its disk, temperature,
//! supply. It is read from the files that the kernel and systemd show; what a machine does not show is not known.

use crate::time::{Span, Stamp};
use std::fs;
use std::path::{Path, PathBuf};

/// By what the system's clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockSource {
    /// Time servers, so long ago.
    Ntp(Span),
    /// The computer's own battery-backed clock, when it started.
    Rtc,
    /// Somebody or something that left no trace.
    Unknown,
    /// Nobody: it stands before this program was made.
    Unset,
}

impl ClockSource {
    /// The word of records and chains.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ntp(_) => "ntp",
            Self::Rtc => "rtc",
            Self::Unknown => "system",
            Self::Unset => "unset",
        }
    }
}

/// Room on a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Free for this user.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// Whether the supply holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Supply {
    /// The voltage is too low now.
    pub low_now: Option<bool>,
    /// It was too low since the start.
    pub was_low: Option<bool>,
    /// The processor is slowed down now, for heat or for the supply.
    pub throttled: Option<bool>,
}

/// How much of a flash memory's life is used (JEDEC eMMC: `pre_eol_info`, `life_time`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlashLife {
    /// Reserved blocks: 1 normal, 2 warning (80 % used), 3 urgent (90 % used).
    pub pre_end_of_life: u8,
    /// Tenths of the life used, the worse of both kinds of memory; 11 is beyond it.
    pub used_tenths: u8,
}

/// A computer, by its file system.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
}

/// A clock before this was never set: the program did not exist.
const MADE: jiff::civil::Date = jiff::civil::date(2026, 11, 1);

impl Machine {
    /// This one.
    pub fn this() -> Self {
        Self::at(Path::new("/"))
    }

    /// One whose files stand below this folder.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn text(&self, path: &str) -> Option<String> {
        let text = fs::read_to_string(self.root.join(path)).ok()?;
        Some(text.trim_matches(['\0', '\n', ' ']).to_owned())
    }

    fn folder(&self, path: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.root.join(path)) else { return vec![] };
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        paths
    }

    /// The address by which this computer is found in a network: the first of IPv4, else of IPv6, that is neither its own
    /// (127.0.0.1) nor of one cable only (169.254…, fe80…). Asked of the kernel, not of a file.
    pub fn address() -> Option<String> {
        let found = nix::ifaddrs::getifaddrs().ok()?.filter_map(|interface| interface.address);
        let (mut four, mut six) = (None, None);
        for address in found {
            if let Some(ip) = address.as_sockaddr_in().map(nix::sys::socket::SockaddrIn::ip)
                && !(ip.is_loopback() || ip.is_link_local() || ip.is_unspecified())
            {
                four = four.or(Some(ip.to_string()));
            }
            if let Some(ip) = address.as_sockaddr_in6().map(nix::sys::socket::SockaddrIn6::ip)
                && !(ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified())
            {
                six = six.or(Some(ip.to_string()));
            }
        }
        four.or(six)
    }

    /// The board, as the device tree names it; a PC has none.
    pub fn board(&self) -> Option<String> {
        self.text("proc/device-tree/model")
    }

    /// By what the clock was set that says `now`. Systemd touches a file at each answer of a time server
    /// (systemd-timesyncd.service(8)); `hctosys` is 1 at the clock from which the kernel set the time when it started
    /// (kernel, ABI/testing/sysfs-class-rtc). Another time service leaves no such trace.
    pub fn clock(&self, now: Stamp) -> ClockSource {
        if now.date() < MADE {
            return ClockSource::Unset;
        }
        let synchronised = fs::metadata(self.root.join("run/systemd/timesync/synchronized"));
        let modified = synchronised.and_then(|file| file.modified()).ok();
        if let Some(at) = modified.and_then(|at| jiff::Timestamp::try_from(at).ok()) {
            let age = now.timestamp().as_second().saturating_sub(at.as_second());
            return ClockSource::Ntp(Span::from_secs(age.max(0)));
        }
        let is_source =
            |clock: &PathBuf| fs::read_to_string(clock.join("hctosys")).is_ok_and(|text| text.trim() == "1");
        if self.folder("sys/class/rtc").iter().any(is_source) {
            ClockSource::Rtc
        } else {
            ClockSource::Unknown
        }
    }

    /// What the kernel calls the time since it was started (`random(4)`: `boot_id`); empty where it does not say.
    pub fn boot(&self) -> String {
        self.text("proc/sys/kernel/random/boot_id").unwrap_or_default()
    }

    /// Room where this path is.
    pub fn room(&self, path: &Path) -> Option<Room> {
        let disk = nix::sys::statvfs::statvfs(path).ok()?;
        let block = disk.fragment_size();
        Some(Room { free: disk.blocks_available() * block, total: disk.blocks() * block })
    }

    /// Errors that the kernel has found on each ext4 file system (kernel, ABI/testing/sysfs-fs-ext4: `errors_count`).
    pub fn disk_errors(&self) -> Vec<(String, u64)> {
        let count = |disk: PathBuf| {
            let count = fs::read_to_string(disk.join("errors_count")).ok()?.trim().parse().ok()?;
            Some((disk.file_name()?.to_string_lossy().into_owned(), count))
        };
        self.folder("sys/fs/ext4").into_iter().filter_map(count).collect()
    }

    /// The life of the flash memory; SD cards do not tell it (kernel, driver-api/mmc/mmc-dev-attrs).
    pub fn flash(&self) -> Option<FlashLife> {
        let hex = |text: &str| u8::from_str_radix(text.trim_start_matches("0x"), 16).ok();
        self.folder("sys/block").into_iter().find_map(|disk| {
            let read = |name: &str| fs::read_to_string(disk.join("device").join(name)).ok();
            let pre_end_of_life = hex(read("pre_eol_info")?.trim())?;
            let used_tenths = read("life_time")?.split_whitespace().filter_map(hex).max()?;
            // JEDEC leaves 0 undefined: such a memory does not tell it.
            (pre_end_of_life > 0 && used_tenths > 0).then_some(FlashLife { pre_end_of_life, used_tenths })
        })
    }

    /// The hottest place in °C (kernel, driver-api/thermal/sysfs-api: `temp` in thousandths).
    pub fn temperature(&self) -> Option<f64> {
        let zones = self.folder("sys/class/thermal").into_iter();
        let milli =
            zones.filter_map(|zone| fs::read_to_string(zone.join("temp")).ok()?.trim().parse::<i32>().ok());
        milli.max().map(|milli| f64::from(milli) / 1000.0)
    }

    /// The supply of a Raspberry Pi: its firmware's `get_throttled` (bit 0 too low now, 1 to 3 slowed down now, 16 was
    /// too low; Raspberry Pi documentation, vcgencmd), else the kernel's `rpi_volt` (hwmon/raspberrypi-hwmon).
    pub fn supply(&self) -> Supply {
        let firmware = self.text("sys/devices/platform/soc/soc:firmware/get_throttled");
        if let Some(bits) = firmware.and_then(|text| u32::from_str_radix(&text, 16).ok()) {
            let bit = |n: u32| Some(bits >> n & 1 == 1);
            return Supply { low_now: bit(0), was_low: bit(16), throttled: Some(bits & 0b1110 != 0) };
        }
        let alarm = self.folder("sys/class/hwmon").into_iter().find_map(|chip| {
            let name = fs::read_to_string(chip.join("name")).ok()?;
            (name.trim() == "rpi_volt").then(|| fs::read_to_string(chip.join("in0_lcrit_alarm")).ok())?
        });
        Supply { was_low: alarm.map(|text| text.trim() == "1"), ..Supply::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Machine) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let machine = Machine::at(dir.path());
        (dir, machine)
    }

    fn at(text: &str) -> Stamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_clock_says_by_what_it_was_set() {
        let late = at("2099-01-01T00:00:00.000+00:00");
        let (_dir, none) = machine(&[]);
        assert_eq!(none.clock(late), ClockSource::Unknown);
        assert_eq!(none.clock(at("1970-01-01T00:00:10.000+00:00")), ClockSource::Unset);
        let clocks = [("sys/class/rtc/rtc0/hctosys", "0\n"), ("sys/class/rtc/rtc1/hctosys", "1\n")];
        assert_eq!(machine(&clocks[..1]).1.clock(late), ClockSource::Unknown);
        let (_dir, by_battery) = machine(&clocks);
        assert_eq!(by_battery.clock(late), ClockSource::Rtc);
        let (dir, by_servers) = machine(&[("run/systemd/timesync/synchronized", ""), clocks[1]]);
        let file = fs::File::options().write(true).open(dir.path().join("run/systemd/timesync/synchronized"));
        let synchronised = at("2026-12-01T00:00:00.000+00:00").timestamp();
        file.unwrap().set_modified(synchronised.into()).unwrap();
        let clock = by_servers.clock(at("2026-12-01T01:00:00.000+00:00"));
        assert_eq!(clock, ClockSource::Ntp(Span::from_secs(3600)));
        assert_eq!(clock.word(), "ntp");
    }

    #[test]
    fn a_raspberry_pi_says_how_it_is() {
        let (_dir, pi) = machine(&[
            ("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0"),
            ("sys/class/thermal/thermal_zone0/temp", "48312\n"),
            ("sys/class/thermal/cooling_device0/type", "gpio-fan\n"),
            ("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n"),
            ("sys/fs/ext4/mmcblk0p2/errors_count", "3\n"),
            ("sys/fs/ext4/features/lazy_itable_init", "supported\n"),
            ("sys/block/mmcblk0/device/pre_eol_info", "0x01\n"),
            ("sys/block/mmcblk0/device/life_time", "0x02 0x03\n"),
        ]);
        assert_eq!(pi.board().unwrap(), "Raspberry Pi 4 Model B Rev 1.4");
        assert_eq!(pi.temperature(), Some(48.312));
        assert_eq!(pi.supply(), Supply { low_now: Some(true), was_low: Some(true), throttled: Some(true) });
        assert_eq!(pi.disk_errors(), [("mmcblk0p2".to_owned(), 3)]);
        assert_eq!(pi.flash(), Some(FlashLife { pre_end_of_life: 1, used_tenths: 3 }));
        let life = ["pre_eol_info", "life_time"].map(|name| format!("sys/block/mmcblk0/device/{name}"));
        let (_dir, mute) = machine(&[(life[0].as_str(), "0x00"), (life[1].as_str(), "0x00 0x00")]);
        assert_eq!(mute.flash(), None);
        let (_dir, other) = machine(&[
            ("sys/class/hwmon/hwmon1/name", "rpi_volt\n"),
            ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n"),
        ]);
        assert_eq!(other.supply(), Supply { was_low: Some(true), ..Supply::default() });
    }

    #[test]
    fn a_machine_that_shows_nothing_is_not_known() {
        let (dir, bare) = machine(&[("sys/class/thermal/thermal_zone0/temp", "warm")]);
        assert_eq!((bare.board(), bare.temperature(), bare.flash()), (None, None, None));
        assert_eq!((bare.supply(), bare.disk_errors()), (Supply::default(), vec![]));
        let room = bare.room(dir.path()).unwrap();
        assert!(0 < room.free && room.free <= room.total);
        assert_eq!(bare.room(&dir.path().join("none")), None);
    }
}
