//! `phantomload bench`: who is there, does it do what it should, what went over the lines.

use super::inputs::read;
use super::{Data, Ended, Stop, print_text, say};
use phantomload::archive;
use phantomload::bench::{Description, check, description, probe, words};
use phantomload::link::journal::{self, Read};
use phantomload::link::{Address, serial};
use phantomload::plan::Nameplate;
use phantomload::time::{Span, Stamp};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

#[derive(clap::Subcommand)]
pub enum Which {
    /// Ask serial ports and hosts who is there; nothing is switched on. Prints a table and can write a bench file
    Probe {
        /// A serial port: /dev/ttyUSB0, or /dev/ttyUSB0,9600,8E1 to ask at that setting only [default: all, where no
        /// host is given]. All are asked at the same time; ports on one RS-485 pair need a call each
        #[arg(long, value_name = "PORT")]
        serial: Vec<String>,
        /// A device in the network: HOST:PORT (TCP), or udp:HOST:PORT (an XL-9600; the question switches it off)
        #[arg(long, value_name = "HOST:PORT")]
        host: Vec<String>,
        /// Write what was found as a bench file, where there is none yet
        #[arg(long, value_name = "BENCH.toml")]
        out: Option<PathBuf>,
    },
    /// Look at each device of a bench at safe levels; nothing is live unless --low-level is given
    Check {
        /// The bench file
        bench: PathBuf,
        /// Bring 5 V and 0.1 A and see whether the reference sees them
        #[arg(long)]
        low_level: bool,
    },
    /// Show the tester's address on the status panel of a bench, and say whether it answers
    Panel {
        /// The bench file
        bench: PathBuf,
    },
    /// Measure how fast the program is on this machine, each figure beside one of the same run; exit code 1 where one that
    /// is asked for is not kept. Nothing is switched on
    Perf {
        /// Fewer and shorter: a look in some seconds, no figure to quote
        #[arg(long)]
        quick: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Read the raw interface log in words
    Log {
        /// The log's folder or one of its files [default: `interface` in the data folder]
        place: Option<PathBuf>,
        #[command(flatten)]
        data: Data,
        /// Only this run, by the number of its record or certificate
        #[arg(long, value_name = "NUMBER")]
        run: Option<String>,
        /// Write the bytes, as they are kept, into this file: to be laid beside the run's package
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Only this device
        #[arg(long, value_name = "NAME")]
        device: Option<String>,
        /// From this time on (2026-11-20T10:02:00+08:00)
        #[arg(long, value_name = "TIME")]
        from: Option<Stamp>,
        /// Up to this time
        #[arg(long, value_name = "TIME")]
        to: Option<Stamp>,
        /// Print the bytes as they are kept
        #[arg(long)]
        raw: bool,
    },
}

/// Does it.
pub fn run(which: &Which) -> Ended {
    match which {
        Which::Probe { serial, host, out } => probe(serial, host, out.as_deref()),
        Which::Perf { quick, json } => super::perf::run(*quick, *json),
        Which::Check { bench, low_level } => check(bench, *low_level),
        Which::Panel { bench } => super::panel::try_out(bench),
        Which::Log { place, data, run, out, device, from, to, raw } => {
            let dir = data.dir()?;
            let place = place.clone().unwrap_or_else(|| dir.join("interface"));
            let read = match run {
                Some(run) => {
                    let origin = place.display().to_string();
                    let text = journal::of_run(&place, &record_no(&dir, run)).map_err(Stop::input)?;
                    Read::from_text(&text, &origin)
                }
                None => journal::read(&place),
            };
            log(
                read.map_err(Stop::input)?,
                &Wanted { device: device.as_deref(), from: *from, to: *to, raw: *raw },
                out.as_deref(),
            )
        }
    }
}

fn probe(ports: &[String], hosts: &[String], out: Option<&Path>) -> Ended {
    if let Some(out) = out.filter(|out| out.exists()) {
        let out = out.display();
        return Err(Stop::input(format!(
            "{out} is there already: nothing is overwritten, name another file"
        )));
    }
    let mut asked = vec![];
    let all = if ports.is_empty() && hosts.is_empty() { serial::ports() } else { vec![] };
    for port in ports.iter().chain(&all) {
        asked.push(probe::serial_lines(port).map_err(Stop::input)?);
    }
    for host in hosts {
        let address = if host.starts_with("tcp:") || host.starts_with("udp:") {
            host.clone()
        } else {
            format!("tcp:{host}")
        };
        asked.push(vec![address.parse::<Address>().map_err(Stop::input)?]);
    }
    if asked.is_empty() {
        return Err(Stop::input(
            "there is no serial port on this machine; give --serial PORT or --host HOST:PORT",
        ));
    }
    // A line that is named twice is asked once.
    let mut named = vec![];
    asked.retain(|lines| {
        let is_new = !named.contains(lines);
        named.push(lines.clone());
        is_new
    });
    for lines in &asked {
        say(&format!("asking {}", lines.first().map_or_else(String::new, ToString::to_string)));
    }
    let found = probe::ask_all(&asked);
    print_text(&probe::table(&found))?;
    if let Some(out) = out {
        std::fs::write(out, probe::bench_file(&found))
            .map_err(|e| Stop::fault(format!("{} could not be written: {e}", out.display())))?;
        print_text(&format!("wrote {}\n", out.display()))?;
    }
    let anybody = found.iter().any(|found| !matches!(found.who, probe::Who::Nobody { .. }));
    if anybody { Ok(0) } else { Err(Stop::fault("nobody answered")) }
}

fn check(bench: &Path, low_level: bool) -> Ended {
    // From here on Ctrl-C means off, then the end.
    let stop = super::verify::stop_flag()?;
    let description = Description::load(bench).map_err(Stop::input)?;
    let nameplate = match &description.nameplate {
        Some(path) => {
            Some(Nameplate::from_toml(&path.display().to_string(), &read(path)?).map_err(Stop::input)?)
        }
        None => None,
    };
    let looks = check::all(&description, nameplate.as_ref(), low_level, &|| stop.load(Ordering::SeqCst));
    let mut text = String::new();
    for look in &looks {
        let (mark, seen) = match &look.seen {
            Ok(seen) => ("ok   ", seen),
            Err(why) => ("FAULT", why),
        };
        let _ = writeln!(text, "{mark} {:<20} {:<14} {seen}", look.device, look.what);
    }
    print_text(&text)?;
    let faults = looks.iter().filter(|look| look.seen.is_err()).count();
    if faults == 0 {
        Ok(0)
    } else {
        Err(Stop::fault(format!("{faults} of {} looks found a fault", looks.len())))
    }
}

/// The record's number where a certificate's was given and its package is there.
fn record_no(dir: &Path, number: &str) -> String {
    let record = archive::find(dir, number).ok();
    let record = record.and_then(|path| description::read_at_most(&path, description::RECORD_MAX).ok());
    let record = record.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let no = record.and_then(|record| record["record_no"].as_str().map(str::to_owned));
    no.unwrap_or_else(|| number.to_owned())
}

/// Which transfers, and how they are shown.
struct Wanted<'a> {
    device: Option<&'a str>,
    from: Option<Stamp>,
    to: Option<Stamp>,
    raw: bool,
}

fn log(mut read: Read, wanted: &Wanted, out: Option<&Path>) -> Ended {
    let mut devices: Vec<String> = read.entries.iter().map(|entry| entry.device.clone()).collect();
    devices.sort();
    devices.dedup();
    if let Some(device) = wanted.device.filter(|device| !devices.iter().any(|own| own == device)) {
        let there = devices.join(", ");
        return Err(Stop::input(format!("no device `{device}` in this log; there are: {there}")));
    }
    read.entries.retain(|entry| {
        wanted.device.is_none_or(|device| entry.device == device)
            && wanted.from.is_none_or(|from| entry.at.since(from) >= Span::ZERO)
            && wanted.to.is_none_or(|to| to.since(entry.at) >= Span::ZERO)
    });
    let mut text = String::new();
    let mark = if out.is_some() { "# " } else { "" };
    if read.dropped > 0 {
        let _ = writeln!(text, "{mark}{} older transfers were dropped for room", read.dropped);
    }
    for remark in &read.remarks {
        let _ = writeln!(text, "{mark}{remark}");
    }
    if wanted.raw || out.is_some() {
        read.entries.iter().for_each(|entry| {
            let _ = writeln!(text, "{entry}");
        });
    } else {
        text += &words::page(&read.entries);
    }
    let Some(out) = out else {
        print_text(&text)?;
        return Ok(0);
    };
    let mut file = std::fs::File::create_new(out).map_err(|e| {
        Stop::input(format!("{}: {e}; nothing is overwritten, name another file", out.display()))
    })?;
    std::io::Write::write_all(&mut file, text.as_bytes())
        .map_err(|e| Stop::fault(format!("{} could not be written: {e}", out.display())))?;
    print_text(&format!("wrote {} ({} transfers)\n", out.display(), read.entries.len()))?;
    Ok(0)
}
