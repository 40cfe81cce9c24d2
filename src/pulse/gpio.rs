//! Edges from the Raspberry Pi's own GPIO, through `rppal`: several lines at once, both edges of each.
//!
//! The kernel stamps each edge in its interrupt (`CLOCK_MONOTONIC`) and numbers the edges of each line without a hole
//! (`struct gpio_v2_line_event` in Linux `include/uapi/linux/gpio.h`: `timestamp_ns`, `line_seqno`). rppal asks for a
//! buffer of 1024 edges a line (`src/gpio/ioctl.rs` of rppal 0.22.1); when it overflows the kernel drops the oldest, and
//! the hole in the numbers shows it. Edges faster than the interrupt vanish without a number: of those
//! [`super::proof`] knows by rising edges that have no falling one between them, by width and by interval.
//!
//! Debounce is the kernel's. No Raspberry Pi's pins do it in hardware that Linux uses, so Linux does it with a timer and
//! stamps the edge when the timer ends, late by the time set and by up to a tick of the kernel
//! (`debounce_work_func` in Linux `drivers/gpio/gpiolib-cdev.c`, read in 6.1). It is for contacts; a pulse input that
//! needs it loses its microseconds, and the bench file must say so in `edge_half_width_us`.
//!
//! `CLOCK_MONOTONIC` is slewed by NTP where that runs, by up to 500 ppm (`man 2 adjtimex`): what the certificate of the
//! time base says holds for a clock that is left alone.

use crate::time::{self, Instant, Span};
use rppal::gpio::{Error, Gpio, InputPin, OutputPin, Trigger};
use std::path::{Path, PathBuf};

/// Lines on the 40-pin header; 0 and 1 belong to the EEPROM of a plug-on board (Raspberry Pi documentation, GPIO).
pub const HEADER: std::ops::RangeInclusive<u8> = 2..=27;
/// Longest debounce that is believed; slower contacts are no contacts.
pub const DEBOUNCE_MAX: Span = Span::from_millis(100);

/// Why a GPIO gives no edges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a Raspberry Pi, or one that is too new for rppal.
    #[error(
        "GPIO: this machine is no Raspberry Pi that rppal 0.22.1 knows (by /proc/cpuinfo or /sys/firmware/devicetree/base). On another machine give the bench file a counter on a serial or TCP line: `link` in place of `gpio`"
    )]
    UnknownBoard,
    /// No right to it.
    #[error("GPIO: this user may not open {path}. Put the user into the group `gpio`, then log in anew")]
    NotAllowed {
        /// The device file.
        path: String,
    },
    /// The board is one, its chip is not there.
    #[error(
        "GPIO: no /dev/gpiochip of this Raspberry Pi is there ({why}). Look whether the kernel's pinctrl driver is loaded: `ls /dev/gpiochip*`"
    )]
    NoChip {
        /// The system's words.
        why: String,
    },
    /// Somebody else has it.
    #[error(
        "GPIO {line} ({role}) is busy: another program or a driver holds it. `gpioinfo` says who; end that, or wire to another line and write its number into the bench file"
    )]
    Busy {
        /// BCM number.
        line: u8,
        /// What it is for.
        role: String,
    },
    /// The board has no such line.
    #[error("GPIO {line} ({role}) does not exist on this board; the header has 2 to 27")]
    NoLine {
        /// BCM number.
        line: u8,
        /// What it is for.
        role: String,
    },
    /// The chip went away while it was watched.
    #[error("GPIO: {chip} has vanished while its lines were watched. Restart the tester")]
    Vanished {
        /// The device file.
        chip: String,
    },
    /// The numbers of a line fell back: somebody else has asked for it anew.
    #[error(
        "GPIO {line} ({role}): edge number {seen} came after number {last}: the kernel's count has restarted"
    )]
    Restarted {
        /// BCM number.
        line: u8,
        /// What it is for.
        role: String,
        /// The last one.
        last: u64,
        /// As the kernel gave it.
        seen: u32,
    },
    /// What else the system says.
    #[error("GPIO {line} ({role}): {why}")]
    System {
        /// BCM number.
        line: u8,
        /// What it is for.
        role: String,
        /// The system's words.
        why: String,
    },
}

/// Which way an input is pulled where nothing drives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pull {
    /// As the wiring does it.
    #[default]
    Off,
    /// Up to 3.3 V.
    Up,
    /// Down to ground.
    Down,
}

/// An input to be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// BCM number.
    pub number: u8,
    /// What it is for, in messages.
    pub role: String,
    /// Its pull.
    pub pull: Pull,
    /// The kernel's debounce; none: every edge.
    pub debounce: Option<Span>,
}

/// An edge on a watched line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Index among the lines given to [`Board::open`].
    pub line: usize,
    /// Number of the edge on its line, without a hole and without end.
    pub seq: u64,
    /// When, by the kernel, on our clock.
    pub at: Instant,
    /// The level after it.
    pub high: bool,
}

/// The kernel's 32-bit count of a line as one that does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count(Option<u64>);

impl Count {
    /// The next number; `None` where it does not lie ahead: the count has restarted.
    pub fn push(&mut self, seen: u32) -> Option<u64> {
        let next = match self.0 {
            None => u64::from(seen),
            Some(last) => {
                let step = seen.wrapping_sub(last as u32);
                if step == 0 || step > u32::MAX / 2 {
                    return None;
                }
                last + u64::from(step)
            }
        };
        self.0 = Some(next);
        Some(next)
    }

    /// The last one.
    pub fn last(self) -> u64 {
        self.0.unwrap_or(0)
    }
}

struct Watched {
    line: Line,
    pin: InputPin,
    count: Count,
}

/// The inputs of the board, watched by one caller. All of them are polled together: rppal keeps one edge a line and
/// would overwrite those of a line left out.
pub struct Board {
    gpio: Gpio,
    lines: Vec<Watched>,
    chip: Option<PathBuf>,
    /// Our clock minus the kernel's.
    ahead: Span,
}

impl Board {
    /// Takes the lines over as inputs and has the kernel count their edges from now on.
    pub fn open(lines: &[Line]) -> Result<Self, Fault> {
        let gpio = Gpio::new().map_err(|e| board_fault(&e))?;
        let chip = chip_of_this_process();
        let ahead = time::since_boot().ok_or(Fault::NoChip { why: "no CLOCK_MONOTONIC".into() })?;
        let mut board = Self { gpio, lines: vec![], chip, ahead };
        for line in lines {
            let pin = board.gpio.get(line.number).map_err(|e| board.fault(line, &e))?;
            let mut pin = match line.pull {
                Pull::Off => pin.into_input(),
                Pull::Up => pin.into_input_pullup(),
                Pull::Down => pin.into_input_pulldown(),
            };
            let debounce = line.debounce.map(Span::to_std);
            pin.set_interrupt(Trigger::Both, debounce).map_err(|e| board.fault(line, &e))?;
            board.lines.push(Watched { line: line.clone(), pin, count: Count::default() });
        }
        Ok(board)
    }

    /// Waits for the next edge on any line; `None` when none came in time. Silence is told apart from a chip that is
    /// gone.
    pub fn wait(&mut self, at_most: Span) -> Result<Option<Sight>, Fault> {
        let pins: Vec<&InputPin> = self.lines.iter().map(|watched| &watched.pin).collect();
        let came = match self.gpio.poll_interrupts(&pins, false, Some(at_most.to_std())) {
            Ok(came) => came.map(|(pin, event)| (pin.pin(), event)),
            // A signal came to this thread.
            Err(Error::Io(why)) if why.kind() == std::io::ErrorKind::Interrupted => None,
            Err(why) => {
                self.here()?;
                let first = self.lines.first().map(|w| w.line.clone());
                return Err(first.map_or(Fault::NoChip { why: why.to_string() }, |l| self.fault(&l, &why)));
            }
        };
        let Some((number, event)) = came else {
            self.here()?;
            return Ok(None);
        };
        let Some(index) = self.lines.iter().position(|w| w.line.number == number) else { return Ok(None) };
        let watched = &mut self.lines[index];
        let last = watched.count.last();
        let seq = watched.count.push(event.seqno).ok_or_else(|| Fault::Restarted {
            line: number,
            role: watched.line.role.clone(),
            last,
            seen: event.seqno,
        })?;
        let stamped = i64::try_from(event.timestamp.as_nanos()).unwrap_or(i64::MAX);
        let at = Instant::from_nanos(stamped) + self.ahead;
        Ok(Some(Sight { line: index, seq, at, high: event.trigger == Trigger::RisingEdge }))
    }

    /// The level of a line now, by the pin's register.
    pub fn is_high(&self, line: usize) -> bool {
        self.lines.get(line).is_some_and(|watched| watched.pin.is_high())
    }

    /// An output of the same board, low at first. A line that another program or a driver holds is refused, as for an
    /// input: rppal writes the register without asking, so the kernel is asked first.
    pub fn output(&self, number: u8, role: &str) -> Result<Output, Fault> {
        let line = Line { number, role: role.to_owned(), pull: Pull::Off, debounce: None };
        let mut asking = self.gpio.get(number).map_err(|e| self.fault(&line, &e))?.into_input();
        asking.set_reset_on_drop(false);
        asking.set_interrupt(Trigger::Both, None).map_err(|e| self.fault(&line, &e))?;
        asking.clear_interrupt().map_err(|e| self.fault(&line, &e))?;
        drop(asking);
        let pin = self.gpio.get(number).map_err(|e| self.fault(&line, &e))?.into_output_low();
        Ok(Output(pin))
    }

    /// Whether the chip is still there. A silent line says nothing about that: Linux 6.1 wakes nobody when it goes.
    fn here(&self) -> Result<(), Fault> {
        match &self.chip {
            Some(chip) if !chip.exists() => Err(Fault::Vanished { chip: chip.display().to_string() }),
            _ => Ok(()),
        }
    }

    fn fault(&self, line: &Line, why: &Error) -> Fault {
        const EBUSY: i32 = 16;
        const ENODEV: i32 = 19;
        let (number, role) = (line.number, line.role.clone());
        match why {
            Error::PinUsed(_) => Fault::Busy { line: number, role },
            Error::PinNotAvailable(_) => Fault::NoLine { line: number, role },
            Error::Io(io) if io.raw_os_error() == Some(EBUSY) => Fault::Busy { line: number, role },
            Error::Io(io) if io.raw_os_error() == Some(ENODEV) => {
                let chip = self.chip.as_ref().map_or("its chip".into(), |chip| chip.display().to_string());
                Fault::Vanished { chip }
            }
            other => Fault::System { line: number, role, why: other.to_string() },
        }
    }
}

/// An output line.
pub struct Output(OutputPin);

impl Output {
    /// Drives it high or low.
    pub fn set(&mut self, high: bool) {
        if high { self.0.set_high() } else { self.0.set_low() }
    }

    /// What the pin's register reads back.
    pub fn is_high(&self) -> bool {
        self.0.is_set_high()
    }
}

fn board_fault(why: &Error) -> Fault {
    match why {
        Error::UnknownModel => Fault::UnknownBoard,
        Error::PermissionDenied(path) => Fault::NotAllowed { path: path.clone() },
        Error::Io(io) if io.kind() == std::io::ErrorKind::PermissionDenied => {
            Fault::NotAllowed { path: "/dev/gpiomem".into() }
        }
        other => Fault::NoChip { why: other.to_string() },
    }
}

/// The device file that rppal has opened: it does not say which, but the process's list of open files does.
fn chip_of_this_process() -> Option<PathBuf> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?;
    let files = open.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let mut chips = files.filter(|path| path.starts_with("/dev") && is_chip(path));
    chips.next()
}

fn is_chip(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
        name.strip_prefix("gpiochip").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_comes_to_its_end_goes_on_and_one_that_falls_back_does_not() {
        let mut count = Count::default();
        assert_eq!(count.push(u32::MAX - 1), Some(u64::from(u32::MAX) - 1));
        assert_eq!(count.push(u32::MAX), Some(u64::from(u32::MAX)));
        assert_eq!(count.push(0), Some(1 << 32));
        assert_eq!(count.push(5), Some((1 << 32) + 5), "a hole stays a hole");
        assert_eq!(count.push(5), None);
        assert_eq!(count.push(4), None);
        assert_eq!(count.last(), (1 << 32) + 5);
    }

    #[test]
    fn a_board_that_rppal_does_not_know_is_told_in_words() {
        if rppal::system::DeviceInfo::new().is_ok() {
            // On a Raspberry Pi there is nothing to be refused; the rigs look at one.
            return;
        }
        let line = Line { number: 17, role: "meter pulses".into(), pull: Pull::Up, debounce: None };
        let fault = Board::open(&[line]).err().unwrap();
        assert_eq!(fault, Fault::UnknownBoard);
        assert!(fault.to_string().contains("`link` in place of `gpio`"), "{fault}");
    }

    #[test]
    fn what_the_system_says_is_told_in_the_trades_words() {
        let denied = Error::PermissionDenied("/dev/gpiomem".into());
        assert!(board_fault(&denied).to_string().contains("group `gpio`"));
        let none = Error::Io(std::io::Error::from_raw_os_error(2));
        assert!(matches!(board_fault(&none), Fault::NoChip { .. }));
        assert!(is_chip(Path::new("/dev/gpiochip0")) && !is_chip(Path::new("/dev/gpiochip0 (deleted)")));
    }
}
