//! Edges: a stream at 10 kHz on two inputs by the wall clock from another process, and every way in which a counter can
//! go wrong in the middle of a window, each told by its own reason and none counted.

#[path = "support/simulated.rs"]
mod simulated;

use phantomload::certificate::record::{Attempt, ItemResult, Outcome, Record};
use phantomload::link::tcp::Tcp;
use phantomload::pulse::stream::{Counter, HELLO, Line};
use phantomload::pulse::{Edge, Input, Told, follows};
use phantomload::regulation::{Item, Kind};
use phantomload::run::Event;
use phantomload::time::{self, Instant, Span};
use phantomload::verdict::Verdict;
use simulated::{Meddled, plan_of, record, record_with, rig};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};

/// The middle of the second reading at a point, in an honest run: there nothing else happens.
fn middle(point: usize) -> Instant {
    let honest = record("good", "dc-meter", Kind::Subsequent, 1);
    let item = honest.results.items.iter().filter(|i| i.item == Item::BasicError).nth(point).unwrap();
    let window = item.readings().nth(1).unwrap().window;
    window.opened + (window.closed - window.opened).half()
}

/// A run in which `change` sees the meter's edges from a moment on, with their number since then.
fn run(from: Instant, mut change: impl FnMut(usize, Edge) -> Vec<Edge> + 'static) -> Record {
    let rig = rig("good");
    let mut seen = 0;
    record_with(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1, |bench| {
        Meddled::events(bench, move |_, event| match event {
            Event::Edge(edge) if edge.input == Input::Meter && edge.at >= from => {
                seen += 1;
                change(seen - 1, edge).into_iter().map(Event::Edge).collect()
            }
            other => vec![other],
        })
    })
}

fn spoiled(item: &ItemResult) -> Vec<(Instant, Instant, String)> {
    let spoiled = |a: &Attempt| match a {
        Attempt::Spoiled { from, to, why, .. } => Some((*from, *to, why.clone())),
        _ => None,
    };
    item.attempts.iter().filter_map(spoiled).collect()
}

/// Exactly one window of the point is spoiled, with these words; no reading overlaps it, and every reading is proven.
fn spoils_one(case: &str, point: usize, record: &Record, words: &str) {
    assert_eq!(record.outcome, Outcome::Completed, "{case}");
    let items = record.results.items.iter().filter(|i| i.item == Item::BasicError);
    for (n, item) in items.enumerate() {
        let spoiled = spoiled(item);
        assert_eq!(spoiled.len(), usize::from(n == point), "{case}: {spoiled:?}");
        for (from, to, why) in &spoiled {
            println!("{case}: {why}");
            assert!(why.contains(words), "{case}: `{words}` is not in `{why}`");
            let apart = item.readings().all(|r| r.window.closed <= *from || r.window.opened >= *to);
            assert!(apart, "{case}: a reading out of a spoiled window");
        }
        for reading in item.readings() {
            let proof = reading.proof.expect("every window has its proof");
            assert_eq!(proof.edges, reading.window.last_seq - reading.window.first_seq + 1, "{case}");
            assert!(proof.falling > 0 && proof.shortest > Span::ZERO, "{case}: {proof:?}");
        }
    }
}

/// The edge with its number moved on by what came before it.
fn moved(edge: Edge, by: u64) -> Edge {
    Edge { seq: edge.seq + by, ..edge }
}

#[test]
fn each_fault_of_a_counter_spoils_its_window_with_its_own_reason() {
    let point = 1;
    let from = middle(point);
    let lost = run(from, |n, edge| if n == 3 { vec![] } else { vec![edge] });
    spoils_one("lost", point, &lost, "edges lost: number");
    let doubled = run(from, |n, edge| if n == 3 { vec![edge, edge] } else { vec![edge] });
    spoils_one("doubled", point, &doubled, "came twice");
    // The counter saw every bounce and numbered it: only the edges themselves tell.
    let mut width = Span::ZERO;
    let mut rose = Instant::ZERO;
    let mut measured = move |edge: Edge| {
        if edge.rising {
            rose = edge.at;
        } else {
            width = edge.at - rose;
        }
        width
    };
    let mut put_in = 0;
    let bounced = run(from, move |n, edge| {
        let width = measured(edge);
        let shifted = moved(edge, put_in);
        if n < 4 || put_in > 0 || !edge.rising {
            return vec![shifted];
        }
        put_in = 2;
        let at = |share: f64| edge.at + width * share;
        let fall = Edge { at: at(0.02), rising: false, ..moved(edge, 1) };
        let rise = Edge { at: at(0.04), rising: true, ..moved(edge, 2) };
        vec![edge, fall, rise]
    });
    spoils_one("bounced", point, &bounced, "bounce: at edge number");
    let mut put_in = 0;
    let mut fell = None::<Instant>;
    let mut period = Span::ZERO;
    let glitched = run(from, move |n, edge| {
        if !edge.rising {
            period = fell.map_or(Span::ZERO, |before| edge.at - before);
            fell = Some(edge.at);
        }
        let shifted = moved(edge, put_in);
        if n < 5 || put_in > 0 || edge.rising {
            return vec![shifted];
        }
        put_in = 2;
        // A spike of a fiftieth of a period in the middle of the pause.
        let up = Edge { at: edge.at + period * 0.3, rising: true, ..moved(edge, 1) };
        let down = Edge { at: edge.at + period * 0.32, rising: false, ..moved(edge, 2) };
        vec![edge, up, down]
    });
    spoils_one("glitched", point, &glitched, "glitch: the pulse at edge number");
    let backwards = run(from, |n, mut edge| {
        if n == 3 {
            edge.at = edge.at - Span::from_millis(90);
        }
        vec![edge]
    });
    spoils_one("time backwards", point, &backwards, "not later than the one before it");
    let unseen = run(from, |n, edge| match n {
        3 => vec![],
        n if n > 3 => vec![Edge { seq: edge.seq - 1, ..edge }],
        _ => vec![edge],
    });
    spoils_one("an edge too fast to be seen", point, &unseen, "both");
}

#[test]
fn a_counter_of_16_bits_that_wraps_spoils_the_window_in_which_it_does() {
    let (point, from) = (1, middle(1));
    let rig = rig("good");
    let mut base = None;
    // All edges are renumbered so that the count of 16 bits ends in the middle of the window.
    let before = {
        let honest = record("good", "dc-meter", Kind::Subsequent, 1);
        let edges = honest.raw.iter().filter_map(|l| if let Event::Edge(e) = &l.1 { Some(*e) } else { None });
        edges.filter(|e| e.input == Input::Meter && e.at < from).count() as u64
    };
    let record = record_with(&rig, plan_of(&rig, "dc-meter", Kind::Subsequent), 1, |bench| {
        Meddled::events(bench, move |_, event| match event {
            Event::Edge(mut edge) if edge.input == Input::Meter => {
                let first = *base.get_or_insert(edge.seq);
                edge.seq = (65_536 - before + edge.seq - first) % 65_536;
                Some(Event::Edge(edge))
            }
            other => Some(other),
        })
    });
    let items: Vec<_> = record.results.items.iter().filter(|i| i.item == Item::BasicError).collect();
    let why = spoiled(items[point]);
    println!("wrapped: {why:?}");
    assert!(why.iter().any(|(.., why)| why.contains("wrapped") && why.contains("16 bits")), "{why:?}");
    // The window is repeated and the points pass; the count through the whole run, which the meter constant needs, is not
    // proven any more.
    let open: Vec<_> = record.results.items.iter().filter(|i| i.verdict != Verdict::Pass).collect();
    assert_eq!(record.results.verdict, Some(Verdict::Undecided), "{open:?}");
    assert!(
        open.iter().all(|i| i.item == Item::MeterConstant && i.reason.contains("lost edges")),
        "{open:?}"
    );
}

#[test]
fn a_clock_that_falls_back_far_ends_the_run() {
    let back = run(middle(1), |_, mut edge| {
        edge.at = edge.at - Span::from_secs(2);
        vec![edge]
    });
    assert!(
        matches!(&back.outcome, Outcome::Faulted { why } if why.contains("fallen back")),
        "{:?}",
        back.outcome
    );
    assert_eq!(back.results.verdict, None);
}

/// How long the stream runs; `PHANTOMLOAD_EDGE_SECS=60 cargo test --release --test pulses stream -- --nocapture` for the
/// whole minute.
fn stream_secs() -> i64 {
    std::env::var("PHANTOMLOAD_EDGE_SECS").ok().and_then(|secs| secs.parse().ok()).unwrap_or(5)
}

/// Pulses a second on each input; each has two edges.
const RATE: i64 = 10_000;

/// The other process: two counters that send 10 000 pulses a second each, by the wall clock, to the port it is given.
#[test]
#[ignore = "started by the test of the stream"]
fn counter_process() {
    let port: u16 = std::env::var("PHANTOMLOAD_EDGE_PORT").unwrap().parse().unwrap();
    let secs = stream_secs();
    let counters: Vec<_> = (0..2)
        .map(|_| {
            std::thread::spawn(move || {
                let mut line = TcpStream::connect(("127.0.0.1", port)).unwrap();
                line.set_nodelay(true).unwrap();
                let began = time::now();
                let mut text = format!("{HELLO}\n");
                for _ in 0..5 {
                    text += &(Line::Alive(0, 0).emit() + "\n");
                }
                line.write_all(text.as_bytes()).unwrap();
                let (half, edges) = (1_000_000_000 / (2 * RATE), 2 * RATE * secs);
                let mut told = 0;
                while told < edges {
                    time::sleep(Span::from_millis(1));
                    let due = ((time::now() - began).nanos() / half).min(edges);
                    let mut text = String::new();
                    for n in told..due {
                        let edge = Line::Edge(n as u64 + 1, (n + 1) * half, n % 2 == 0);
                        text += &(edge.emit() + "\n");
                    }
                    told = due;
                    line.write_all(text.as_bytes()).unwrap();
                }
                line.write_all((Line::Alive(told as u64, told * half).emit() + "\n").as_bytes()).unwrap();
                // The reader hangs up when it has seen all.
                let _ = std::io::Read::read(&mut line, &mut [0; 1]);
            })
        })
        .collect();
    for counter in counters {
        counter.join().unwrap();
    }
}

/// A process that is ended when dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Processor time of this process so far, in seconds (`man 5 proc_pid_stat`: utime and stime, in ticks of 10 ms).
fn processor_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap()..].split_whitespace().collect();
    let ticks: f64 = fields[12].parse::<f64>().unwrap() + fields[13].parse::<f64>().unwrap();
    ticks / 100.0
}

#[test]
fn a_stream_of_10_khz_on_each_of_two_inputs_loses_nothing() {
    let secs = stream_secs();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "counter_process"])
        .env("PHANTOMLOAD_EDGE_PORT", port.to_string())
        .env("PHANTOMLOAD_EDGE_SECS", secs.to_string())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let _child = Ended(child);
    let (began, used) = (time::now(), processor_secs());
    let inputs = [Input::Meter, Input::Reference].map(|input| {
        let link = Tcp::from_stream(listener.accept().unwrap().0).unwrap();
        std::thread::spawn(move || {
            let mut counter = Counter::open(Box::new(link), input).unwrap();
            let edges = (2 * RATE * secs) as u64;
            let (mut seen, mut last, mut flaws) = (0u64, None::<Edge>, vec![]);
            while last.is_none_or(|last| last.seq < edges) {
                match counter.listen().unwrap() {
                    Told::Edge(edge) => {
                        if let Some(last) = &last
                            && let Err(flaw) = follows(last, &edge)
                        {
                            flaws.push(flaw.to_string());
                        }
                        (seen, last) = (seen + 1, Some(edge));
                    }
                    Told::Lost(what) => flaws.push(what),
                    Told::Alive => {}
                }
            }
            (seen, flaws)
        })
    });
    for input in inputs {
        let (seen, flaws) = input.join().unwrap();
        println!("{seen} edges, {} flaws {:?}", flaws.len(), flaws.first());
        assert_eq!((seen, flaws), ((2 * RATE * secs) as u64, vec![]));
    }
    let took = (time::now() - began).secs();
    let share = (processor_secs() - used) / took * 100.0;
    println!("{took:.1} s by the wall clock, {share:.0} % of one core (the whole test process, both inputs)");
    assert!(took >= secs as f64 - 1.0, "not by the wall clock: {took} s");
}
