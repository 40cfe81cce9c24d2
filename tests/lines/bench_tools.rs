//! `phantomload bench probe | check | log` on the simulated bench over real lines, through the program's front door.

use crate::served::Served;
use crate::support::{json, phantomload, short_regulation, stderr};
use phantomload::link::modbus::{self, Wrapping};
use phantomload::link::{Link, serial};
use phantomload::meter::dlt645::frame::Frame;
use phantomload::meter::dlt645::{Address, Control};
use phantomload::source::xl9600::message::Message;
use phantomload::time::{Span, now};
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

/// The links in its bench file, in their order: source, reference, pulse, seconds pulse, meter.
fn links(served: &Served) -> Vec<String> {
    let text = std::fs::read_to_string(served.path("bench.toml")).unwrap();
    let file: toml::Table = text.parse().unwrap();
    let link = |table: &str| file[table]["link"].as_str().unwrap().to_owned();
    ["source", "reference", "pulse", "seconds_pulse", "meter"].map(link).to_vec()
}

/// What a stand-in answers to what it has heard.
type Answer = fn(&[u8]) -> Option<Vec<u8>>;
/// Every byte that it heard.
type Heard = Arc<Mutex<Vec<u8>>>;

fn on_tcp(answer: Answer) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (place, heard) = (listener.local_addr().unwrap().to_string(), Heard::default());
    let ear = Arc::clone(&heard);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut buffer = [0; 256];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                ear.lock().unwrap().extend(&buffer[..count]);
                if let Some(bytes) = answer(&buffer[..count]) {
                    stream.write_all(&bytes).unwrap();
                }
            }
        }
    });
    (place, heard)
}

fn on_udp(answer: Answer) -> (String, Heard) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (place, heard) = (format!("udp:{}", socket.local_addr().unwrap()), Heard::default());
    let ear = Arc::clone(&heard);
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((count, from)) = socket.recv_from(&mut buffer) {
            ear.lock().unwrap().extend(&buffer[..count]);
            if let Some(bytes) = answer(&buffer[..count]) {
                socket.send_to(&bytes, from).unwrap();
            }
        }
    });
    (place, heard)
}

/// The terminal lives as long as what comes beside it.
fn on_terminal(answer: Answer) -> (String, Heard, serial::KeptOpen) {
    let (mut link, path, kept) = serial::pseudo_terminal().unwrap();
    let heard = Heard::default();
    let ear = Arc::clone(&heard);
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(count) = link.receive(&mut buffer, Span::from_secs(60)) {
            ear.lock().unwrap().extend(&buffer[..count]);
            if let Some(bytes) = answer(&buffer[..count]) {
                link.send(&bytes).unwrap();
            }
        }
    });
    (path.display().to_string(), heard, kept)
}

fn scpi(asked: &[u8]) -> Option<Vec<u8>> {
    (asked == b"*IDN?\n").then(|| b"Keysight Technologies,N8957A,MY00000001,A.01.00\n".to_vec())
}

fn modbus_serial(asked: &[u8]) -> Option<Vec<u8>> {
    let mut answer = b"\x01\x2B\x0E\x01\x01\x00\x00\x02\x00\x05Acrel\x01\x03DCM".to_vec();
    let crc = modbus::crc(&answer).to_le_bytes();
    answer.extend(crc);
    (asked == modbus::ask_identity(Wrapping::Rtu, 1)).then_some(answer)
}

/// It has no identity, and no first register either: that is an answer too.
fn modbus_tcp(asked: &[u8]) -> Option<Vec<u8>> {
    [modbus::ask_identity(Wrapping::Tcp, 1), modbus::ask_register(Wrapping::Tcp, 1)]
        .iter()
        .any(|question| question == asked)
        .then(|| vec![0, 1, 0, 0, 0, 3, 1, asked[7] | 0x80, 1])
}

fn meter(asked: &[u8]) -> Option<Vec<u8>> {
    let start = asked.iter().position(|byte| *byte == 0x68)?;
    let (frame, _) = Frame::parse_front(&asked[start..]).ok()?;
    let own = [0x01, 0x00, 0x21, 0x11, 0x26, 0x20];
    let reply = Frame {
        address: Address::from_wire(own),
        control: Control::READ_ADDRESS.reply(),
        data: own.to_vec(),
    };
    (frame.control == Control::READ_ADDRESS).then(|| reply.emit())
}

fn xl9600(asked: &[u8]) -> Option<Vec<u8>> {
    (Message::parse(asked) == Ok(Message::bare("源停止"))).then(|| Message::bare("源停止应答").emit())
}

/// What of the bytes is none of the probe's questions: every one of them is a question, or an off.
fn beside_questions(heard: &Heard) -> Vec<u8> {
    let address = Frame { address: Address::WILDCARD, control: Control::READ_ADDRESS, data: vec![] };
    let mut known = vec![b"*IDN?\n".to_vec(), Message::bare("源停止").emit(), address.emit(), vec![0xFE]];
    for wrapping in [Wrapping::Rtu, Wrapping::Tcp] {
        known.extend([modbus::ask_identity(wrapping, 1), modbus::ask_register(wrapping, 1)]);
    }
    let bytes = heard.lock().unwrap().clone();
    let (mut rest, mut unknown) = (bytes.as_slice(), vec![]);
    while let Some(first) = rest.first() {
        if let Some(question) = known.iter().find(|question| rest.starts_with(question)) {
            rest = &rest[question.len()..];
        } else {
            unknown.push(*first);
            rest = &rest[1..];
        }
    }
    unknown
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_probe_finds_every_device_and_its_bench_file_can_be_checked() {
    let served = Served::start(&[]);
    let links = links(&served);
    let found = served.path("found.toml");
    let mut arguments = vec!["bench", "probe", "--out", text(&found)];
    for link in &links {
        arguments.extend([if link.starts_with('/') { "--serial" } else { "--host" }, link.as_str()]);
    }
    let output = phantomload(&arguments);
    let table = out(&output);
    assert_eq!(output.status.code(), Some(0), "{table}{}", stderr(&output));
    for part in [
        "profile simulated-source",
        "profile simulated-reference",
        "DL/T 645 meter 202611210001",
        "pulse counter",
    ] {
        assert!(table.contains(part), "`{part}` is not in\n{table}");
    }
    assert_eq!(table.matches("pulse counter").count(), 2, "{table}");
    // Nothing is overwritten.
    let again = phantomload(&["bench", "probe", "--out", text(&found), "--host", "127.0.0.1:9"]);
    assert_eq!(again.status.code(), Some(2));
    // What it wrote is a bench file.
    let check = phantomload(&["bench", "check", text(&found)]);
    assert_eq!(check.status.code(), Some(0), "{}{}", out(&check), stderr(&check));
    assert!(out(&check).contains("off, and it says so") || out(&check).contains("told off without an error"));
}

#[test]
fn scpi_modbus_dlt645_and_xl9600_are_found_and_nothing_that_is_sent_switches_anything_on() {
    let (source, source_heard) = on_tcp(scpi);
    let (module, module_heard) = on_tcp(modbus_tcp);
    let (mute, mute_heard) = on_tcp(|_| None);
    let (bench, bench_heard) = on_udp(xl9600);
    let (rtu, rtu_heard, _kept) = on_terminal(modbus_serial);
    let (plug, plug_heard, _kept) = on_terminal(meter);
    let (quiet, quiet_heard, _kept) = on_terminal(|_| None);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("found.toml");
    let mut arguments = vec!["bench", "probe", "--out", text(&file)];
    for host in [&source, &module, &mute, &bench] {
        arguments.extend(["--host", host.as_str()]);
    }
    for port in [&rtu, &plug, &quiet] {
        arguments.extend(["--serial", port.as_str()]);
    }
    let output = phantomload(&arguments);
    let table = out(&output);
    assert_eq!(output.status.code(), Some(0), "{table}{}", stderr(&output));
    let line = |place: &str| table.lines().find(|line| line.contains(place)).unwrap_or_default();
    for (place, words) in [
        (&source, "profile keysight-n8957a"),
        (&module, "Modbus, unit 1: refused with 01"),
        (&rtu, "Modbus, unit 1: Acrel, DCM"),
        (&plug, "DL/T 645 meter 202611210001"),
        (&bench, "XL-9600 bench, switched off by the question"),
        (&mute, "-  ("),
        (&quiet, "-  ("),
    ] {
        assert!(line(place).contains(words), "`{words}` is not on the line of {place}\n{table}");
    }
    for (who, heard) in [
        ("source", &source_heard),
        ("module", &module_heard),
        ("mute", &mute_heard),
        ("bench", &bench_heard),
        ("rtu", &rtu_heard),
        ("meter", &plug_heard),
        ("quiet", &quiet_heard),
    ] {
        assert!(!heard.lock().unwrap().is_empty(), "{who} was asked nothing");
        assert_eq!(beside_questions(heard), [0; 0], "{who} heard more than questions");
    }
    assert_eq!(*source_heard.lock().unwrap(), b"*IDN?\n", "who has answered is asked no more");
    let written = std::fs::read_to_string(&file).unwrap();
    for part in
        [bench.as_str(), "[source.xl9600]", "# DL/T 645 meter 202611210001", "# not used:", "Acrel, DCM"]
    {
        assert!(written.contains(part), "`{part}` is not in\n{written}");
    }
    // What nobody can know by asking is missing, and said.
    let check = phantomload(&["bench", "check", text(&file)]);
    assert_eq!(check.status.code(), Some(2));
    assert!(stderr(&check).contains("found.toml"), "{}", stderr(&check));
}

/// The program as an ordinary user, where the tests run as root: root may open everything.
fn as_ordinary_user(dir: &Path, arguments: &[&str]) -> Output {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root {
        return phantomload(arguments);
    }
    let program = dir.join("phantomload");
    std::fs::copy(env!("CARGO_BIN_EXE_phantomload"), &program).unwrap();
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    Command::new(program).args(arguments).uid(NOBODY).gid(NOBODY).output().unwrap()
}

#[test]
fn a_busy_port_and_one_without_permission_are_said_as_what_they_are() {
    use std::os::unix::fs::PermissionsExt;
    let (port, _, _kept) = on_terminal(|_| None);
    let holder = serial::Serial::open(&port, 9600, phantomload::link::Framing::EIGHT_NONE_ONE).unwrap();
    let busy = phantomload(&["bench", "probe", "--serial", &port]);
    assert_eq!(busy.status.code(), Some(3));
    assert!(out(&busy).contains("busy: another program holds it"), "{}", out(&busy));
    drop(holder);
    std::fs::set_permissions(&port, std::fs::Permissions::from_mode(0o000)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let shut = as_ordinary_user(dir.path(), &["bench", "probe", "--serial", &port]);
    assert_eq!(shut.status.code(), Some(3), "{}", stderr(&shut));
    assert!(out(&shut).contains("no permission") && out(&shut).contains("dialout"), "{}", out(&shut));
}

#[test]
fn a_port_under_two_settings_is_asked_in_turn_and_all_that_is_found_stands_in_the_bench_file() {
    let (port, _, _kept) = on_terminal(meter);
    let (other, _, _kept) = on_terminal(meter);
    let dir = tempfile::tempdir().unwrap();
    let (file, link) = (dir.path().join("found.toml"), dir.path().join("by-id"));
    std::os::unix::fs::symlink(&port, &link).unwrap();
    let slow = format!("{},1200,8E1", text(&link));
    let output = phantomload(&[
        "bench",
        "probe",
        "--serial",
        &port,
        "--serial",
        &slow,
        "--serial",
        &other,
        "--out",
        text(&file),
    ]);
    let table = out(&output);
    assert_eq!(output.status.code(), Some(0), "{table}{}", stderr(&output));
    assert_eq!(table.matches("DL/T 645 meter 202611210001").count(), 3, "nobody is busy for us: {table}");
    let written = std::fs::read_to_string(&file).unwrap();
    let (used, not_used) = written.split_once("# not used: ").expect("a bench file has one meter");
    assert!(used.contains(&format!("link = \"{port},")), "{written}");
    assert!(not_used.contains(&other) && not_used.contains(text(&link)), "{written}");
}

#[test]
fn the_check_brings_the_low_level_only_where_it_is_asked_to() {
    let served = Served::start(&[]);
    let bench = served.path("bench.toml");
    let quiet = phantomload(&["bench", "check", text(&bench)]);
    assert_eq!(quiet.status.code(), Some(0), "{}{}", out(&quiet), stderr(&quiet));
    assert!(!out(&quiet).contains("low level"), "{}", out(&quiet));
    let low = phantomload(&["bench", "check", text(&bench), "--low-level"]);
    assert_eq!(low.status.code(), Some(0), "{}{}", out(&low), stderr(&low));
    assert!(out(&low).contains("5 V, 0.1 A asked, the reference sees") && out(&low).contains("off again"));
}

#[test]
fn a_device_that_is_another_one_is_one_fault_among_the_looks() {
    let served = Served::start(&["--mishap", "reference:stranger"]);
    let check = phantomload(&["bench", "check", text(&served.path("bench.toml"))]);
    assert_eq!(check.status.code(), Some(3));
    let page = out(&check);
    assert!(page.contains("FAULT reference") && page.contains("ACME,TOASTER"), "{page}");
    assert!(page.contains("ok    source"), "{page}");
}

#[test]
fn nobody_there_is_said_for_each_line() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = phantomload(&["bench", "probe", "--host", &closed, "--serial", "/dev/no-such-line"]);
    assert_eq!(output.status.code(), Some(3));
    let table = out(&output);
    assert!(table.contains(&closed) && table.contains("nobody listens at this port"), "{table}");
    assert!(table.contains("/dev/no-such-line could not be opened: there is no such device"), "{table}");
}

#[test]
fn a_run_leaves_every_byte_in_the_log_and_it_reads_in_words() {
    let served = Served::start(&["--pace", "4"]);
    let (data, log) = (served.path("data"), served.path("log"));
    let regulation = short_regulation(served.dir());
    let began = now();
    let output = phantomload(&[
        "verify",
        "--json",
        "--bench",
        text(&served.path("bench.toml")),
        "--data",
        text(&data),
        "--log",
        text(&log),
        "--regulation",
        text(&regulation),
        "--kind",
        "in-service",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(now() - began < Span::from_secs(600));
    // The run's own bytes, by its number, to be laid beside its package.
    let number = json(&output)["record_no"].as_str().unwrap().to_owned();
    let bytes = served.path("run.log");
    let part = |more: &[&str]| {
        let mut arguments = vec!["bench", "log", text(&log), "--data", text(&data), "--run", &number];
        arguments.extend(more);
        phantomload(&arguments)
    };
    let told = part(&["--out", text(&bytes)]);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let again = part(&["--out", text(&bytes)]);
    assert!(again.status.code() == Some(2) && stderr(&again).contains("nothing is overwritten"));
    let kept = std::fs::read_to_string(&bytes).unwrap();
    // `*IDN?` and `OUTP OFF`, as they went over the line.
    assert!(
        kept.contains("source > 2A 49 44 4E 3F 0A") && kept.contains("4F 55 54 50 20 4F 46 46 0A"),
        "{kept}"
    );
    let read = out(&phantomload(&["bench", "log", text(&bytes)]));
    assert!(read.contains(&format!("run {number} begins")) && read.contains("> `*IDN?`"), "{read}");
    let none = phantomload(&["bench", "log", text(&log), "--data", text(&data), "--run", "PL-2020-000001"]);
    assert!(none.status.code() == Some(2) && stderr(&none).contains(&number), "{}", stderr(&none));
    let page = out(&phantomload(&["bench", "log", text(&log)]));
    for part in ["> `*IDN?`", "< `PHANTOMLOAD,SIMULATED SOURCE", "> `OUTP ON`", "DL/T 645 202611210001 read"]
    {
        assert!(page.contains(part), "`{part}` is not in the log");
    }
    let source = out(&phantomload(&["bench", "log", text(&log), "--device", "source"]));
    let last = source.lines().rfind(|line| line.contains("`OUTP ")).unwrap_or_default();
    assert!(last.contains("`OUTP OFF`"), "{last}");
    assert!(!source.contains("MEAS:ALL?"));
    let wrong = phantomload(&["bench", "log", text(&log), "--device", "toaster"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        stderr(&wrong).contains("there are:") && stderr(&wrong).contains("reference"),
        "{}",
        stderr(&wrong)
    );
}
