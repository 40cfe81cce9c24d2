//! Phantomload verifies the energy meters inside EV chargers in the field. This page is the map: read it first.
//!
//! # The way of the data
//!
//! ```text
//! regulation ─► plan ─► source ─►┬► pulse ─┬► error ─► uncertainty ─► verdict ─► certificate ─► archive
//!                 reference ─────┤         │             ▲ calibration            (reports/)
//!                                └► meter ─┘
//!           └──────── run conducts, bench acts, sim stands in, screen shows ────────┘
//! ```
//!
//! A nameplate, a regulation profile and the certificates of our standards make a [`plan`]. The engine [`run`] conducts
//! it without I/O or clock: events in, actions out. A [`bench`](mod@bench) of real devices, or the one that [`sim`] makes up,
//! does what the engine asks and tells it what came in. What came in is kept as it came; results follow from it alone.
//!
//! # Modules, in the order in which they may use one another
//!
//! A module imports only what stands before it; `tests/tidy.rs` holds that. [`uncertainty`] stands this early because the
//! plan asks for the same budget beforehand ([`plan::budget`]) that the run states afterwards.
//!
//! | module | what it is |
//! |---|---|
//! | [`quantity`] | voltages, currents, energies …: a quantity is a type, its unit stands at the door |
//! | [`time`] | instants, spans, stamps; the only file that asks a clock or sleeps |
//! | [`machine`] | what the computer says of itself: clock, disk, temperature, supply |
//! | [`link`] | a line of bytes: serial, TCP, UDP, loopback, recorder, replay, fault injector, the raw interface log; text instruments on it |
//! | [`calibration`] | certificates of our standards: corrections and uncertainties with validity, never extrapolated |
//! | [`uncertainty`] | components with evidence, combined from the list that is also printed; GUM and JCGM 101 for any model |
//! | [`regulation`] | limits, load points and procedures as data, each figure with clause and provenance |
//! | [`plan`] | nameplate + regulation + calibration → steps with times; says whether ten minutes suffice; the budget of an error by pulses |
//! | [`source`] | the phantom load: one instrument with two outputs, a pair, or the XL-9600 bench, by profiles; its guard switches off on drop; interlocks and limits of the tester |
//! | [`reference`](mod@reference) | samples of the reference standard, their integral, and the source-stable gate |
//! | [`pulse`] | edges with counter time and sequence number, from the board's GPIO or a counter on a line; whole windows, proven, or none |
//! | [`meter`] | the meter's data output: DL/T 645 (2007, 1997), DL/T 698.45, Modbus, IEC 62056-21, SML, LEM DCBM over HTTP(S); models are data; [`meter::ocmf`] checks signed records |
//! | [`error`] | metering error, meter constant, clock: the formulas, each with its clause; the line through every edge |
//! | [`verdict`] | rounding of the regulation, decision rules, pass / fail / undecided, specific and global risk |
//! | [`certificate`] | raw events, the versioned record; what all papers print, once; CSV, PDF, DCC, QR made from it; signatures, chain, checking |
//! | [`archive`] | the data folder: chain, packages, register, key, persons; append-only; the journal of the run that is open; backup |
//! | [`history`] | looking back: visits of a charger, `E_n` between two, the drift with the day at which it would reach its limit, energy by month and day as the meter told it, the board of all chargers |
//! | [`run`] | the engine: handle an event, poll an action, poll a timeout; take an interrupted run up again; recompute from raw data |
//! | [`bench`](mod@bench) | owns devices and threads, conducts the engine; interlocks, heartbeat, signs of life; asks who is there, checks at low level, reads the interface log in words |
//! | [`sim`] | a world of source, reference and meter with known truth; in process or served over real lines; [`sim::study`] counts what intervals and verdicts are worth |
//! | [`screen`] | the touchscreen: reads a [`run::Snapshot`], sends a [`run::Command`]; pages, tokens, words in two languages; nobody imports it |
//! | [`panel`] | pictures of one bit a dot: the label on a meter that has passed, the status display; nobody imports it |
//!
//! The program beside the library is `src/main.rs` with `src/cli/`.
//!
//! # Invariants
//!
//! * Three answers, three types: a module's `Fault` (the bench did not work), [`meter::Reading::Absent`] (the device
//!   answered, with nothing), [`verdict::Verdict`] (the meter). Never a number in place of "no number".
//! * Only a run that was completed yields a verdict, and never a pre-check: it has no number and no paper. Every end of a run begins with the source's off, and a completed
//!   one ends with a discharge that the reference has seen.
//! * A window with a lost edge, a pulse that does not belong, a source out of its band or a silent reference is spoiled: it
//!   is kept with its reason, enters no mean, and is repeated.
//! * Off is seen, not believed: until no current and less than 60 V were measured nothing is safe to disconnect; where that
//!   does not come, the heartbeat stops and a hardware watchdog opens the contactor. It stops as well with the conductor,
//!   with the source's worker, and with the process.
//! * Silence on the pulse input is evidence only after the input has been heard in the same run.
//! * The record freezes plan, nameplate, regulation, calibration and program version; results are computed from it and
//!   the raw events by [`run::recompute`], bit for bit by the same arithmetic and to the last bits by a later one
//!   ([`certificate::likeness`]).
//! * The regulation profile names the decision rule; whatever it is, the guarded verdict, the probability of conformity
//!   and the risks stand beside it. What is assumed of meters before the measurement decides nothing.
//! * Pulses, register, the meter's own power and the record it signs are held against one another and the reference, pair
//!   by pair; a disagreement is a finding with its likely cause, never averaged away.
//! * A signed record is kept byte by byte and checked over these bytes with the key on the nameplate. One that is not
//!   authentic, or contradicts its own register, lets no pass through; one that does not come holds no load and fails no run.
//! * Another error calculator on the bench is a second opinion: it stands beside ours, a difference beyond both
//!   uncertainties is a finding, and it moves no error and no verdict.
//! * A run stands in the chain of [`archive`] before its first action, and its end follows on it; no entry, package or row is ever
//!   changed. A paper is issued after three persons have signed; an amendment or withdrawal is a further entry.
//! * Every event is in [`archive::journal`], on the disk, before anything is done or shown as done because of it; off waits for
//!   nothing. A run that was interrupted waits until somebody goes on with it or closes it; its record says so.
//! * An opening or programming that no paper knows of, or a broken seal, fails nobody and lets nobody pass, until an approver
//!   has answered it in the chain, before the run that then passes ([`plan::seal`]).
//! * What comes from a simulated device is marked so in every file.
//!
//! # What is deliberately absent
//!
//! No writing to a meter, but for the transaction that a meter with signed records is told to begin and end, and the
//! seconds pulse that it is told to put on its output ([`meter::output`]) where the clock's rate is wanted and none comes.
//! No unconfirmed figure without its mark. No default of the bench file that switches anything on.

pub mod quantity;
pub mod time;
pub mod machine;
pub mod link;
pub mod calibration;
pub mod uncertainty;
pub mod regulation;
pub mod plan;
pub mod source;
pub mod reference;
pub mod pulse;
pub mod meter;
pub mod error;
pub mod verdict;
pub mod certificate;
pub mod archive;
pub mod history;
pub mod run;
pub mod bench;
pub mod sim;
pub mod screen;
pub mod panel;
