//! From evidence to results, item by item: a pure function of the plan and what came in.

use super::evidence::Evidence;
use crate::certificate::record::{Attempt, ItemResult, Measured, Point, PulseReading, Results, Unit};
use crate::meter::{Answer, Query, Reading, Value};
use crate::plan::budget::COUNTER;
use crate::plan::{Plan, Step, Windows, Work};
use crate::pulse::Input;
use crate::regulation::{Demand, Item, Supply};
use crate::time::{Instant, Span, Stamp};
use crate::uncertainty::sequential::{Looks, Stop};
use crate::uncertainty::{Component, Estimate, combine, coverage_factor};
use crate::verdict::{Rule, Verdict, overall};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

mod cross_check;
mod data;
mod energy;
mod energy_log;
mod joint;
mod lead_in;
mod opinion;
mod seal;
mod signed;
mod strays;

pub(super) use energy_log::energy_queries;
pub(super) use seal::{last_of, seal_queries};

/// Silence that is no evidence.
const UNHEARD: &str =
    "silence, but the pulse input was not heard before and after it: the head may have come off";

/// All results of a run.
pub(super) fn all(
    plan: &Plan,
    evidence: &Evidence,
    began: Instant,
    started: Stamp,
    elapsed: Span,
) -> Results {
    let mut judge = Judge { plan, evidence, began, started, findings: evidence.findings.clone() };
    let signed_record = judge.signed_record();
    let mut items = vec![];
    for demanded in &plan.items {
        let results = match demanded.item {
            Item::Appearance => vec![judge.look(Item::Appearance)],
            Item::Withstand => vec![judge.look(Item::Withstand)],
            Item::Identity => judge.identity(),
            Item::Seal => judge.seal(),
            Item::Creep => vec![judge.creep()],
            Item::Start | Item::BasicError => judge.pulse_errors(demanded.item),
            Item::MeterConstant => vec![judge.meter_constant()],
            Item::ClockIndication => judge.clock(demanded.demand),
            Item::DailyRate => judge.daily_rate(demanded.demand),
            Item::TariffRegisters => judge.tariff_registers(),
            Item::DataOutput => {
                let seen = judge.cross_check();
                signed::with_signed(seen, signed_record.as_ref())
            }
        };
        if results.is_empty() && demanded.demand == Demand::Required {
            items.push(undecided(demanded.item, "not measured".into()));
        }
        items.extend(results);
    }
    judge.take_back(&mut items);
    let cross_check = judge.four_ways();
    judge.tell_signed(signed_record.as_ref());
    if items.iter().any(|i| matches!(i.item, Item::Start | Item::BasicError) && i.measured.is_some()) {
        judge.leads();
    }
    let opinions = judge.second_opinions(&items);
    let seals = judge.step(|w| *w == Work::Seal).is_none().then(|| judge.seals()).flatten();
    judge.unit_of_register();
    let energy_log = judge.energy_log();
    let verdict = Some(overall(items.iter().map(|i| i.verdict)));
    let findings = judge.findings;
    let (correlations, joint_conformity) = joint::of(&items);
    let rule = Rule::of(&plan.profile);
    Results {
        items,
        cross_check,
        signed_record,
        opinions,
        verdict,
        correlations,
        joint_conformity,
        findings,
        decision_rule: rule.words(),
        rule: Some(rule),
        stopping_rule: plan.early_stop.words(),
        elapsed,
        seals,
        switched_off: evidence.switched_off,
        energy_log,
    }
}

/// What of the seals waits for an answer, as far as it has been read.
pub(super) fn waiting_seals(plan: &Plan, evidence: &Evidence, began: Instant, started: Stamp) -> Vec<String> {
    let judge = Judge { plan, evidence, began, started, findings: vec![] };
    judge.seals().map_or(vec![], |seals| seals.waiting)
}

/// Why a point takes no further reading; `None` where it takes another.
pub(super) fn stop(
    plan: &Plan,
    evidence: &Evidence,
    started: Stamp,
    step: &Step,
    windows: &Windows,
) -> Option<Stop> {
    let attempts = evidence.attempts.get(&step.no).map(Vec::as_slice).unwrap_or_default();
    let readings: Vec<&PulseReading> = readings(attempts);
    let taken = readings.len() as u32;
    if taken < windows.readings {
        return None;
    }
    let looks = Looks { least: windows.readings, most: windows.readings_max };
    let judge = Judge { plan, evidence, began: Instant::ZERO, started, findings: vec![] };
    match judge.budget(step, &readings) {
        Ok((mean, mut budget)) => {
            // What is seen of the counter's clock grows with the run: a look back must see what the look then saw.
            budget.retain(|component| component.label != COUNTER);
            plan.early_stop.look(looks, taken, mean, &budget, windows.limit.percent())
        }
        // What cannot be computed will not be by more of it.
        Err(_) => Some(Stop::Last),
    }
}

/// Mean and expanded uncertainty of a point, in percent, as far as it has come; none with fewer readings than are asked.
pub(super) fn so_far(
    plan: &Plan,
    evidence: &Evidence,
    started: Stamp,
    step: &Step,
    windows: &Windows,
) -> Option<(f64, f64)> {
    let readings = readings(evidence.attempts.get(&step.no)?);
    if readings.len() < windows.readings as usize {
        return None;
    }
    let judge = Judge { plan, evidence, began: Instant::ZERO, started, findings: vec![] };
    let (mean, budget) = judge.budget(step, &readings).ok()?;
    Some((mean, combine(mean, &budget).ok()?.expanded))
}

/// The readings among attempts.
fn readings(attempts: &[Attempt]) -> Vec<&PulseReading> {
    attempts.iter().filter_map(|a| if let Attempt::Reading(r) = a { Some(r) } else { None }).collect()
}

fn plain(item: Item, verdict: Verdict, reason: String, clause: &str) -> ItemResult {
    ItemResult {
        item,
        point: None,
        measured: None,
        verdict,
        reason,
        clause: clause.to_owned(),
        stopped: None,
        attempts: vec![],
    }
}

/// By how much, in percent, the reference's power was off its voltage times its current in a window, where that is more than
/// a third of the limit: a choice of this house. The certificates speak of power alone; at direct current the product is a
/// second witness.
fn power_apart(reading: &PulseReading, limit: f64) -> Option<f64> {
    let product = reading.voltage_v * reading.current_a;
    let apart = (reading.power_w.ratio_to(product).ok()?.fraction() - 1.0) * 100.0;
    (apart.abs() > limit / 3.0).then_some(apart)
}

fn undecided(item: Item, reason: String) -> ItemResult {
    plain(item, Verdict::Undecided, reason, "")
}

/// Behind why the readings of a point ended, where U has a component that no look during the run could know.
const LOOKED_WITHOUT: &str = ", in this look without the clock of the counter, which U contains";

struct Judge<'a> {
    plan: &'a Plan,
    evidence: &'a Evidence,
    began: Instant,
    started: Stamp,
    findings: Vec<String>,
}

impl Judge<'_> {
    fn step(&self, is: impl Fn(&Work) -> bool) -> Option<&Step> {
        self.plan.steps.iter().find(|s| is(&s.work))
    }

    fn answer(&self, is: impl Fn(&Work) -> bool, query: Query) -> Option<&Answer> {
        self.evidence.answer(self.step(is)?.no, query)
    }

    /// The answer's value, or nothing; why there is none goes among the findings.
    fn value(&mut self, is: impl Fn(&Work) -> bool, query: Query) -> Option<(Value, Answer)> {
        let answer = self.answer(is, query)?.clone();
        match &answer.reading {
            Reading::Value(value) => Some((value.clone(), answer)),
            Reading::Absent(why) => {
                self.findings.push(format!("the meter gives no {query}: {why}"));
                None
            }
        }
    }

    /// Rounds, judges and packs one number. An uncertainty that cannot be combined decides nothing.
    #[expect(clippy::too_many_arguments, reason = "each is one column of the printed line")]
    fn measured(
        &self,
        item: Item,
        value: f64,
        unit: Unit,
        interval: Decimal,
        limit: f64,
        budget: Vec<Component>,
        clause: &str,
    ) -> ItemResult {
        let estimate = match combine(value, &budget) {
            Ok(estimate) => estimate,
            Err(fault) => return undecided(item, fault.to_string()),
        };
        match Measured::judged(&self.plan.profile, unit, estimate, interval, limit, budget) {
            Some((measured, verdict, reason)) => {
                ItemResult { measured: Some(measured), ..plain(item, verdict, reason, clause) }
            }
            None => undecided(item, format!("{value} {unit} with its uncertainty cannot be stated")),
        }
    }

    fn look(&self, item: Item) -> ItemResult {
        let entries = &self.plan.entries;
        let looks = match item {
            Item::Withstand => vec![("withstand", &entries.withstand)],
            Item::TariffRegisters => vec![("tariff registers", &entries.tariff_registers)],
            _ => vec![("appearance", &entries.appearance), ("function", &entries.function)],
        };
        let mut verdict = Verdict::Pass;
        let mut reasons = vec![];
        for (what, look) in looks {
            let (seen, words) = match look {
                None => (Verdict::Undecided, "not entered by the operator".to_owned()),
                Some(look) if look.ok => (Verdict::Pass, look.remark.clone()),
                Some(look) => (Verdict::Fail, format!("not in order: {}", look.remark)),
            };
            verdict = verdict.max(seen);
            reasons.push(if words.is_empty() {
                format!("{what} in order")
            } else {
                format!("{what}: {words}")
            });
        }
        plain(item, verdict, reasons.join("; "), "operator's entry")
    }

    fn creep(&self) -> ItemResult {
        let Some(Step { work: Work::Creep { max_pulses, .. }, load, .. }) =
            self.step(|w| matches!(w, Work::Creep { .. }))
        else {
            return undecided(Item::Creep, "not planned".into());
        };
        let Some((from, to)) = self.evidence.creep else {
            return undecided(Item::Creep, "not measured".into());
        };
        if self.evidence.broken(Input::Meter, from, to) {
            return undecided(Item::Creep, "the counter lost edges around it".into());
        }
        let pulses = self.evidence.edges_between(from, to).iter().filter(|e| e.rising).count() as u64;
        if pulses <= u64::from(*max_pulses) && !self.evidence.heard_around(from, to) {
            return undecided(Item::Creep, UNHEARD.into());
        }
        let clause = self.plan.profile.creep.as_ref().map_or("", |c| c.max_pulses.clause.as_str());
        let verdict = if pulses <= u64::from(*max_pulses) { Verdict::Pass } else { Verdict::Fail };
        let reason = format!("{pulses} pulses in {}, {max_pulses} allowed", to - from);
        let point = Some(Point { term: "0".into(), voltage_v: load.voltage_v, current_a: load.current_a });
        let measured = Some(count(Unit::Pulse, pulses, f64::from(*max_pulses)));
        ItemResult { point, measured, ..plain(Item::Creep, verdict, reason, clause) }
    }

    fn pulse_errors(&mut self, item: Item) -> Vec<ItemResult> {
        let readings = self.plan.steps.iter().filter(|s| s.item == item).filter_map(|s| {
            let attempts = self.evidence.attempts.get(&s.no)?;
            attempts.iter().find_map(|attempt| match attempt {
                Attempt::Reading(reading) => {
                    Some(format!("{}: {}", s.title, reading.line.as_ref()?.disagrees.as_ref()?))
                }
                _ => None,
            })
        });
        self.findings.extend(readings);
        let steps = self.plan.steps.iter().filter(|s| s.item == item);
        steps
            .filter_map(|step| match &step.work {
                Work::Start(windows) | Work::BasicError(windows) => Some(self.pulse_error(step, windows)),
                _ => None,
            })
            .collect()
    }

    fn pulse_error(&self, step: &Step, windows: &Windows) -> ItemResult {
        let attempts = self.evidence.attempts.get(&step.no).cloned().unwrap_or_default();
        let point = Some(Point {
            term: windows.term.clone(),
            voltage_v: step.load.voltage_v,
            current_a: step.load.current_a,
        });
        let readings = readings(&attempts);
        let silent = attempts.iter().find_map(|a| match a {
            Attempt::Silent { bound, due, from, to, .. } => Some((*bound, *due, *from, *to)),
            _ => None,
        });
        let limit = windows.limit.percent();
        let mut result = if let Some((bound, due, from, to)) = silent {
            let waited = to - from;
            // The bound is the number: the error lies below it.
            let budget = match self.budget_of_bound(step, bound, waited) {
                Ok(budget) => budget,
                Err(why) => return ItemResult { point, attempts, ..undecided(step.item, why) },
            };
            let mut result = self.measured(
                step.item,
                bound.percent(),
                Unit::Percent,
                self.interval(),
                limit,
                budget,
                &windows.clause,
            );
            if !self.evidence.heard_around(from, to) || self.evidence.broken(Input::Meter, from, to) {
                result.verdict = Verdict::Undecided;
                UNHEARD.clone_into(&mut result.reason);
            } else if result.verdict == Verdict::Fail && bound.fraction() < 0.0 {
                result.reason = format!(
                    "no pulse in {waited} while {due:.1} were due: the error is below {:.0} %",
                    bound.percent()
                );
            } else {
                result.verdict = Verdict::Undecided;
                result.reason = format!("no pulse in {waited}, {due:.1} were due");
            }
            result
        } else if readings.len() < windows.readings as usize {
            let spoiled = self.evidence.spoiled(step.no);
            let last = match spoiled {
                0 => String::new(),
                _ => {
                    format!("; {spoiled} attempts spoiled, the last: {}", self.evidence.last_spoiled(step.no))
                }
            };
            undecided(step.item, format!("{} of {} readings{last}", readings.len(), windows.readings))
        } else {
            match self.budget(step, &readings) {
                Ok((mean, budget)) => self.measured(
                    step.item,
                    mean,
                    Unit::Percent,
                    self.interval(),
                    limit,
                    budget,
                    &windows.clause,
                ),
                Err(why) => undecided(step.item, why),
            }
        };
        self.doubt(&mut result, &readings, &attempts, limit);
        let budget = result.measured.as_ref().map(|measured| measured.budget.as_slice()).unwrap_or_default();
        let knows_counter = budget.iter().any(|component| component.label == COUNTER);
        result.stopped = (!readings.is_empty())
            .then(|| stop(self.plan, self.evidence, self.started, step, windows))
            .flatten()
            .map(|stop| {
                let (least, most) = (windows.readings, windows.readings_max);
                let words = match stop {
                    Stop::Clear | Stop::Narrow if knows_counter => {
                        format!("{}{LOOKED_WITHOUT}", stop.words())
                    }
                    _ => stop.words().to_owned(),
                };
                format!("{} readings of {least} to {most}: {words}", readings.len())
            });
        result.point = point;
        result.attempts = attempts;
        result
    }

    /// What speaks against a verdict although the mean lies clearly within the limit or beyond it. Against a pass: a window
    /// whose intervals did not belong together and whose error lies beyond the limit may be a meter that drops or doubles
    /// pulses, and a repetition must not hide it. Against a pass and a fail alike: a reference that contradicts itself, and a
    /// loss that the counter told of later.
    fn doubt(&self, result: &mut ItemResult, readings: &[&PulseReading], attempts: &[Attempt], limit: f64) {
        if result.verdict == Verdict::Undecided {
            return;
        }
        let beyond = attempts.iter().find_map(|a| match a {
            Attempt::Spoiled { error: Some(error), why, .. } if error.percent().abs() > limit => {
                Some((*error, why))
            }
            _ => None,
        });
        if let Some((error, why)) = beyond
            && result.verdict == Verdict::Pass
        {
            result.verdict = Verdict::Undecided;
            result.reason =
                format!("{}; but a spoiled attempt had {:+.2} %: {why}", result.reason, error.percent());
        }
        if self.plan.nameplate.supply == Supply::Dc
            && let Some(apart) = readings.iter().find_map(|reading| power_apart(reading, limit))
        {
            result.verdict = Verdict::Undecided;
            result.reason = format!(
                "{}; but the reference's power is {apart:+.2} % off its voltage times its current, more than a third of the limit: one of the three is wrong",
                result.reason
            );
        }
        if readings.iter().any(|r| self.evidence.broken(Input::Meter, r.window.opened, r.window.closed)) {
            result.verdict = Verdict::Undecided;
            result.reason = "the counter told afterwards that it had lost edges".into();
        }
    }

    /// The rounding interval of the error, in percent.
    fn interval(&self) -> Decimal {
        self.plan.rounding_interval()
    }
}

/// A figure of a profile as the exact decimal that was written there.
fn decimal(figure: f64) -> Decimal {
    Decimal::from_f64(figure).map_or(Decimal::ONE, |d| d.round_dp(9).normalize())
}

/// A plain count has no uncertainty and no rounding.
fn count(unit: Unit, seen: u64, limit: f64) -> Measured {
    let value = seen as f64;
    let estimate = Estimate { value, u: 0.0, dof: None, k: coverage_factor(None), expanded: 0.0 };
    let rounded = Decimal::from(seen);
    Measured {
        unit,
        estimate,
        rounded,
        limit,
        budget: vec![],
        guarded: None,
        conformity: None,
        zone: None,
        global: None,
    }
}

fn kilowatt_hours(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number, _) => Some(*number),
        _ => None,
    }
}

fn to_f64(number: Decimal) -> f64 {
    number.to_f64().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::sample;

    #[test]
    fn a_component_that_is_no_number_leaves_the_item_undecided_with_its_name() {
        let record = sample::completed(0.3);
        let (evidence, began, started) = (Evidence::default(), record.began, record.started);
        let judge = Judge { plan: &record.plan, evidence: &evidence, began, started, findings: vec![] };
        let judged = |u| {
            let budget = vec![Component::b("reference drift", u, "nowhere")];
            judge.measured(Item::BasicError, 0.1, Unit::Percent, Decimal::new(1, 1), 1.0, budget, "6.1")
        };
        assert_eq!(judged(0.01).verdict, Verdict::Pass);
        for u in [f64::NAN, f64::INFINITY, -0.01] {
            let result = judged(u);
            assert_eq!((result.verdict, result.measured), (Verdict::Undecided, None), "{u}");
            assert!(result.reason.contains("`reference drift`"), "{}", result.reason);
        }
    }
}
