//! The record: the frozen plan, all that came in, and what follows from it. Immutable once written.

use super::cross_check::CrossCheck;
use super::energy_log::EnergyLog;
use super::raw::{Event, Interruption, Logged};
pub use super::second_opinion::SecondOpinion;
use super::signed_record::SignedRecord;
use crate::plan::Plan;
use crate::plan::seal::{self, Closing, Seal};
use crate::pulse::Window;
use crate::pulse::proof::Proof;
use crate::quantity::{Current, Energy, Power, Ratio, Voltage};
use crate::regulation::{Conditions, Item, Kind, Profile};
use crate::source::SwitchedOff;
use crate::time::{Instant, Span, Stamp};
use crate::uncertainty::{Component, Estimate};
use crate::verdict::{Bounds, Conformity, Global, Prior, Rule, Verdict, Zone, round_to_interval};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version of the record's form.
pub const SCHEMA: u32 = 1;

/// A file that is no record of a version this program knows.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Not of the form.
    #[error("record {origin}: {what}")]
    Form {
        /// The file.
        origin: String,
        /// Where and what.
        what: String,
    },
    /// Another version.
    #[error(
        "record {origin} has schema {seen}; this program reads schema {SCHEMA}. Use the program version that the record names"
    )]
    Schema {
        /// The file.
        origin: String,
        /// Its schema.
        seen: u64,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum Outcome {
    /// All steps were done; only this yields a verdict.
    Completed,
    /// A person or the system ended it.
    Aborted {
        /// Why.
        why: String,
    },
    /// The bench did not work.
    Faulted {
        /// What, in words.
        why: String,
    },
}

/// The program that made the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Program {
    /// This program.
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

/// One good window at a load point, with the energies that give its error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PulseReading {
    /// The window of pulses.
    pub window: Window,
    /// Means of the reference, uncorrected.
    pub voltage_v: Voltage,
    /// See voltage.
    pub current_a: Current,
    /// See voltage.
    pub power_w: Power,
    /// Reference energy, corrected by the certificates of our standards.
    pub reference_energy_j: Energy,
    /// N/C.
    pub indicated_energy_j: Energy,
    /// The metering error: the regulation's value, from the first edge to the last.
    pub error: Ratio,
    /// The straight line through every edge, beside it; none where there are too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
    /// What passed before the load stood; none where the window opened after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_in: Option<LeadIn>,
    /// What was seen of its edges; none in records older than it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

/// The first part of a window that opened with an edge of the load before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeadIn {
    /// Current of the load before.
    pub current_a: Current,
    /// When the load of this point stood in its band.
    pub stood: Instant,
    /// Corrected reference energy from the opening edge until then.
    pub reference_energy_j: Energy,
}

impl PulseReading {
    /// From when on the load of the point stood in its band.
    pub fn stood(&self) -> Instant {
        self.lead_in.as_ref().map_or(self.window.opened, |lead| lead.stood)
    }
}

/// The error by the straight line of counted against reference energy through every edge of a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its error.
    pub error: Ratio,
    /// The standard uncertainty of that error from the scatter about the line.
    pub u: Ratio,
    /// Standard deviation of an edge about the line, as reference energy; n − 2 degrees of freedom. None in records
    /// older than this figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scatter_j: Option<Energy>,
    /// Edges on the line, n; 0 in records older than this figure.
    #[serde(default)]
    pub edges: u64,
    /// Why it does not agree with the regulation's value; none where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disagrees: Option<String>,
}

/// What came of one attempt at a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "came", rename_all = "snake_case")]
pub enum Attempt {
    /// A reading.
    Reading(PulseReading),
    /// No pulse, although pulses were due and the source was steady.
    Silent {
        /// From the last pulse or the begin.
        from: Instant,
        /// To the giving up.
        to: Instant,
        /// Corrected reference energy that passed.
        reference_energy_j: Energy,
        /// Pulses that were due.
        due: f64,
        /// Upper bound of the error.
        bound: Ratio,
    },
    /// Not evidence, and why. It is kept, and enters nothing.
    Spoiled {
        /// From.
        from: Instant,
        /// To.
        to: Instant,
        /// Why.
        why: String,
        /// The error it would have had, where only its intervals speak against it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Ratio>,
    },
}

/// The unit of an item's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Relative error in percent.
    #[serde(rename = "%")]
    Percent,
    /// Seconds.
    #[serde(rename = "s")]
    Second,
    /// Seconds a day.
    #[serde(rename = "s/d")]
    SecondPerDay,
    /// Kilowatt-hours.
    #[serde(rename = "kWh")]
    KilowattHour,
    /// A count of pulses.
    #[serde(rename = "imp")]
    Pulse,
    /// A count of events.
    #[serde(rename = "1")]
    One,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Percent => "%",
            Self::Second => "s",
            Self::SecondPerDay => "s/d",
            Self::KilowattHour => "kWh",
            Self::Pulse => "imp",
            Self::One => "",
        })
    }
}

/// The load point of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// As the regulation names it.
    pub term: String,
    /// Nominal voltage.
    pub voltage_v: Voltage,
    /// Nominal current.
    pub current_a: Current,
}

/// A number with all that is printed beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Unit of all numbers here.
    pub unit: Unit,
    /// Value, standard uncertainty, degrees of freedom, k and U; U is zero with an empty budget for a plain count.
    pub estimate: Estimate,
    /// The value rounded as the regulation says.
    #[serde(with = "rust_decimal::serde::str")]
    pub rounded: Decimal,
    /// Symmetric limit.
    pub limit: f64,
    /// The components that make the uncertainty; this list is also the printed budget.
    pub budget: Vec<Component>,
    /// Beside the statutory verdict: guarded acceptance with w = U (ILAC-G8 4.2.2). None for a plain count.
    #[serde(default)]
    pub guarded: Option<Verdict>,
    /// Probability that the true value lies within the limit, given value and uncertainty (JCGM 106 clause 7): the
    /// specific risk of a fail; one less it is that of a pass.
    #[serde(default)]
    pub conformity: Option<f64>,
    /// Which of four answers, where the rule is the non-binary one (ILAC-G8 4.2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Global risks of the rule at this uncertainty, for the population that the regulation profile assumes (JCGM 106
    /// 9.5). None for a plain count, or where nothing is assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub global: Option<Global>,
}

impl Measured {
    /// Judges a number by the rule of a regulation profile and packs it with all that stands beside the verdict, whatever
    /// the rule: the guarded verdict, the probability of conformity, the global risks. `limit` and `interval` (of
    /// rounding) are in the unit of the estimate. None where the value is too large to be rounded.
    pub fn judged(
        profile: &Profile,
        unit: Unit,
        estimate: Estimate,
        interval: Decimal,
        limit: f64,
        budget: Vec<Component>,
    ) -> Option<(Self, Verdict, String)> {
        let Estimate { value, u, dof, expanded, .. } = estimate;
        let rounded = round_to_interval(value, interval)?;
        let rule = Rule::of(profile);
        let (verdict, reason) = rule.judge(value, rounded, expanded, limit);
        let guarded = Some(Rule::Guarded { r: 1.0 }.judge(value, rounded, expanded, limit).0);
        let zone = rule.zone(value, expanded, limit).ok().map(|(zone, _)| zone);
        let zone = zone.filter(|_| matches!(rule, Rule::NonBinary { .. }));
        let bounds = Bounds::symmetric(limit).ok();
        let conformity = bounds.and_then(|b| Conformity::of(value, u, dof, b).ok()).map(|c| c.probability);
        let global = bounds
            .zip(Prior::of(profile, limit))
            .and_then(|(b, prior)| Global::of(prior, u, b, rule.zones(expanded, limit, interval).ok()?).ok());
        let measured = Self { unit, estimate, rounded, limit, budget, guarded, conformity, zone, global };
        Some((measured, verdict, reason))
    }

    /// The risk that this verdict on this number is wrong (JCGM 106 clauses 3.3 and 7): of a pass, that the meter does not
    /// conform; of a fail, that it does. Who decides nothing risks nothing.
    pub fn specific_risk(&self, verdict: Verdict) -> Option<f64> {
        let probability = self.conformity?;
        Conformity { probability, complement: 1.0 - probability }.specific_risk(verdict)
    }
}

/// The result for one item, at one load point where it has several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemResult {
    /// The item.
    pub item: Item,
    /// Its load point.
    pub point: Option<Point>,
    /// The number, where the item has one and it could be measured.
    pub measured: Option<Measured>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
    /// The clause of the limit.
    pub clause: String,
    /// After how many readings it ended, and why not with more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Every attempt, also those that were spoiled.
    pub attempts: Vec<Attempt>,
}

impl ItemResult {
    /// The good windows among the attempts.
    pub fn readings(&self) -> impl Iterator<Item = &PulseReading> {
        self.attempts
            .iter()
            .filter_map(|a| if let Attempt::Reading(reading) = a { Some(reading) } else { None })
    }

    /// Where the meter gave no pulse its number is no error but a bound: the error lies below it.
    pub fn bound(&self) -> Option<Ratio> {
        self.attempts
            .iter()
            .find_map(|a| if let Attempt::Silent { bound, .. } = a { Some(*bound) } else { None })
    }
}

/// Two results that share causes of uncertainty: the reference, the time base, the leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Index of the one in [`Results::items`].
    pub a: usize,
    /// Index of the other.
    pub b: usize,
    /// The correlation coefficient of the two errors, −1 to 1.
    pub r: f64,
}

/// What follows from a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// One for each item and point.
    pub items: Vec<ItemResult>,
    /// The ways to one energy held against one another; none where the load point for it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_check: Option<CrossCheck>,
    /// What a meter that signs gave of the run's transaction; none where it signs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_record: Option<SignedRecord>,
    /// What another error calculator on the bench said, beside ours and never averaged with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opinions: Vec<SecondOpinion>,
    /// On the meter; none where the run was not completed.
    pub verdict: Option<Verdict>,
    /// Between each two errors by pulses of this run (start and basic error) that were measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub correlations: Vec<Correlation>,
    /// Probability that the meter conforms at all these points at once, given that they share their reference
    /// ([`crate::verdict::joint_conformity`]). None with fewer than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint_conformity: Option<f64>,
    /// Observations that are no verdict: what the meter lacks, what differs without a limit.
    pub findings: Vec<String>,
    /// The decision rule in words.
    pub decision_rule: String,
    /// The rule in words by which readings at a point end.
    #[serde(default)]
    pub stopping_rule: String,
    /// The same as data; none in records older than it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// From the first action to the confirmed discharge.
    pub elapsed: Span,
    /// The meter's own event records, and what of the seals waits for an answer; none in records older than it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seals: Option<Seals>,
    /// How the load went away at the end; none in records older than it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switched_off: Option<SwitchedOff>,
    /// What the meter has kept of its energy by months and days; none where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_log: Option<EnergyLog>,
}

/// What was seen of the seals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seals {
    /// What the meter says of openings and interventions.
    pub events: Vec<seal::Events>,
    /// What stops a pass until a person with the role has answered it, in words.
    pub waiting: Vec<String>,
}

/// Which paper a completed run gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// 检定证书.
    VerificationCertificate,
    /// 检定结果通知书.
    ResultNotice,
    /// 检测报告: the regulation has unconfirmed figures, or nothing was decided.
    TestReport,
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::VerificationCertificate => "检定证书 Verification certificate",
            Self::ResultNotice => "检定结果通知书 Notice of verification result",
            Self::TestReport => "检测报告 Test report",
        })
    }
}

/// The whole record of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The form's version.
    pub schema: u32,
    /// `SIMULATED` where the bench was; nothing of a simulated run says anything of a real meter.
    pub simulated: bool,
    /// Number of the original record.
    pub record_no: String,
    /// Number of the paper; none where the run was not completed.
    pub certificate_no: Option<String>,
    /// The program.
    pub program: Program,
    /// When the run began; the instants of the raw data count from `began`.
    pub started: Stamp,
    /// The same moment on the run's monotonic clock.
    pub began: Instant,
    /// How it ended.
    pub outcome: Outcome,
    /// What follows.
    pub results: Results,
    /// The frozen plan: nameplate, regulation, calibration, bench, entries, steps.
    pub plan: Plan,
    /// All that came in.
    pub raw: Vec<Logged>,
    /// The seals at the end, as the operator wrote them down; nothing that was measured or judged depends on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
}

impl Record {
    /// Reads a record. `origin` names it in messages.
    pub fn from_json(origin: &str, text: &str) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Version {
            schema: u64,
        }
        let form = |what: String| Fault::Form { origin: origin.to_owned(), what };
        let version: Version = serde_json::from_str(text).map_err(|e| form(e.to_string()))?;
        if version.schema != u64::from(SCHEMA) {
            return Err(Fault::Schema { origin: origin.to_owned(), seen: version.schema });
        }
        let record: Self = serde_json::from_str(text).map_err(|e| form(e.to_string()))?;
        record.contradiction().map_or(Ok(record), |why| Err(form(why)))
    }

    /// What in a record cannot be so, whoever wrote it: a simulated run that does not say so, a plan that no nameplate
    /// or bench gives.
    fn contradiction(&self) -> Option<String> {
        let numbers = std::iter::once(&self.record_no).chain(&self.certificate_no);
        let numbered = numbers.clone().any(|number| number.starts_with("SIM"));
        if (numbered || self.plan.standards.is_simulated()) && !self.simulated {
            return Some(
                "its number or its standards are of the simulated bench, but it does not say SIMULATED"
                    .into(),
            );
        }
        if let Some(number) =
            numbers.clone().find(|n| n.chars().any(|c| !(c.is_ascii_alphanumeric() || c == '-')))
        {
            return Some(format!("the number {number:?} is none: letters, digits and `-` are allowed"));
        }
        let nameplate = self.plan.nameplate.check("in the record").err().map(|fault| fault.to_string());
        nameplate.or_else(|| self.plan.capability.settle.check().err())
    }

    /// Every seal with a photograph, those at the end last.
    pub fn photographed(&self) -> impl Iterator<Item = &Seal> {
        let after = self.closing.iter().flat_map(|closing| &closing.seal);
        self.plan.entries.seal.iter().chain(after).filter(|seal| seal.photograph.is_some())
    }

    /// The record as JSON, one line.
    pub fn to_json(&self) -> Result<String, Fault> {
        serde_json::to_string(self)
            .map_err(|e| Fault::Form { origin: self.record_no.clone(), what: e.to_string() })
    }

    /// When something of the raw data happened. After an interruption the clock of the day counts from when the run was
    /// taken up again: how long it rested is known by that clock alone.
    pub fn stamp(&self, at: Instant) -> Stamp {
        let before = self.interruptions().filter(|(then, _)| *then <= at);
        let again = before.last().map(|(then, interruption)| (then, interruption.again));
        let (from, stamp) = again.unwrap_or((self.began, self.started));
        stamp.after(at - from)
    }

    /// When the load was seen to be gone, or the waiting for that ended.
    pub fn ended(&self) -> Stamp {
        self.stamp(self.began + self.results.elapsed)
    }

    /// Each time that it was interrupted, on its own time.
    fn interruptions(&self) -> impl Iterator<Item = (Instant, &Interruption)> {
        self.raw.iter().filter_map(|Logged(then, event)| match event {
            Event::Interrupted(interruption) => Some((*then, &**interruption)),
            _ => None,
        })
    }

    /// Which paper the run gives; none where it was not completed.
    pub fn document(&self) -> Option<Document> {
        let verdict = self.results.verdict?;
        let may = self.why_no_certificate().is_empty();
        Some(match verdict {
            Verdict::Pass if may => Document::VerificationCertificate,
            Verdict::Fail if may => Document::ResultNotice,
            _ => Document::TestReport,
        })
    }

    /// The reference temperature that was not kept or not measured, in words.
    fn outside(&self, conditions: &Conditions) -> Option<String> {
        let tolerance = conditions.tolerance_k(self.plan.class.name());
        let reference = conditions.temperature_c.value;
        let allowed = format!("{reference} °C ± {tolerance} K ({})", conditions.temperature_c.clause);
        match self.plan.entries.temperature_degc {
            None => Some(format!("the temperature was not entered; allowed is {allowed}")),
            Some(seen) if (seen.degrees_celsius() - reference).abs() > tolerance => {
                Some(format!("the temperature was {seen}; allowed is {allowed}"))
            }
            Some(_) => None,
        }
    }

    /// Why the paper is a test report and no certificate, in words; empty where it is none.
    pub fn why_no_certificate(&self) -> Vec<String> {
        let mut why = self.plan.standards.check_dates(self.started.date());
        // A run that rested past the end of a calibration was not made within it.
        for again in self.interruptions().map(|(_, interruption)| interruption.again) {
            for problem in self.plan.standards.check_dates(again.date()) {
                if !why.contains(&problem) {
                    why.push(problem);
                }
            }
        }
        if self.plan.profile.supply != self.plan.nameplate.supply {
            let (document, supply) = (&self.plan.profile.document, self.plan.nameplate.supply);
            why.push(format!(
                "{document} is not about {supply:?} meters; its procedure was used all the same"
            ));
        }
        if self.plan.kind == Kind::InService {
            why.push("an inspection in service is no verification and opens no period of validity".into());
        }
        why.extend(self.plan.profile.conditions.as_ref().and_then(|conditions| self.outside(conditions)));
        // A notice of a failed meter opens no period, and needs none.
        if self.results.verdict != Some(Verdict::Fail)
            && self.plan.profile.validity_years(&self.plan.class).is_none()
        {
            why.push(format!(
                "no period of validity is known for class {}: the profile {} has none, and no laboratory gave one (`phantomload profile approve --validity-years`)",
                self.plan.class, self.plan.profile.id
            ));
        }
        if !self.plan.profile.may_certify(self.plan.kind, &self.plan.class) {
            why.extend(
                self.plan.unconfirmed().into_iter().map(|figure| format!("unconfirmed figure: {figure}")),
            );
        }
        why
    }
}
