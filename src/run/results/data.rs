//! Items that come from the meter's data output: identity, clock, registers, cross-check.

use super::{Judge, decimal, kilowatt_hours, plain, to_f64, undecided};
use crate::certificate::record::{ItemResult, Unit};
use crate::error;
use crate::meter::{Query, Reading, Value};
use crate::plan::Work;
use crate::pulse::Input;
use crate::regulation::{Demand, Item, Kind};
use crate::time::Span;
use crate::uncertainty::{Component, type_a};
use crate::verdict::Verdict;
use rust_decimal::Decimal;

/// The cross-check asks whether the data output tells of the same load at all (scale, sign, stale value); a deviation
/// of the meter itself is the basic error's business. This many limits apart, it does not. A rule of this house.
pub(super) const CROSS_CHECK_LIMITS: f64 = 3.0;

/// Crystals differ by less than this share; a clock that the network is setting may be moved by more, and is no time base
/// either. A choice of this house. A day's gain of half a second is far less: what is seen here is only whether the
/// certificate can still hold.
const CRYSTALS: f64 = 1e-4;
/// The least of many delays on a line differs by less than this: a choice of this house.
const LINE: Span = Span::from_millis(20);

/// Whether a clock that moved so far in such a time is no crystal any more.
fn no_crystal((moved, within): &(Span, Span)) -> bool {
    *moved > LINE && moved.secs() > CRYSTALS * within.secs()
}

impl Judge<'_> {
    pub(super) fn identity(&mut self) -> Vec<ItemResult> {
        let asked = |w: &Work| *w == Work::Identify;
        let number = self.value(asked, Query::MeterNumber).map(|(v, _)| v.to_string());
        let configured = self.plan.nameplate.data_output.as_ref().map(|output| output.address.clone());
        let answered = self.answer(asked, Query::MeterNumber).is_some_and(|a| !a.exchanges.is_empty());
        // A meter that answers at an address has that address.
        let address = match configured {
            Some(address) if address != "auto" => answered.then_some(address),
            _ => self.value(asked, Query::Address).map(|(v, _)| v.to_string()),
        };
        let constant = self.value(asked, Query::Constant).and_then(|(v, _)| kilowatt_hours(&v));
        let plate = &self.plan.nameplate;
        if let Some(constant) = constant
            && (to_f64(constant) - plate.constant_imp_per_kwh.impulses_per_kilowatt_hour()).abs() > 1e-6
        {
            self.findings.push(format!(
                "the meter says its constant is {constant} imp/kWh; the nameplate (of the output that was counted) says {}",
                plate.constant_imp_per_kwh
            ));
        }
        let said: Vec<(&str, String)> = [("number", number), ("address", address)]
            .into_iter()
            .filter_map(|(what, said)| Some((what, said?)))
            .collect();
        if said.is_empty() {
            return vec![];
        }
        // A number on the data output has 12 digits; of a longer serial number the last 12 are compared.
        let digits = |text: &str| {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let twelve = format!("{digits:0>12}");
            twelve[twelve.len() - 12..].to_owned()
        };
        let serial = digits(&plate.serial);
        let words = said.iter().map(|(what, said)| format!("{what} {said}")).collect::<Vec<_>>().join(", ");
        let is_none = |said: &str| digits(said) == "000000000000";
        let is_it = |(_, said): &(&str, String)| digits(said) == serial && !is_none(said);
        // A number that the meter tells goes before the address it was found at: that is set by whoever reads it.
        let other = said.iter().any(|told| told.0 == "number" && !is_none(&told.1) && !is_it(told));
        let (verdict, reason) = if !other && said.iter().any(is_it) {
            (Verdict::Pass, format!("the meter says it is {words}"))
        } else {
            (
                Verdict::Undecided,
                format!(
                    "the meter says it is {words}, the nameplate says {}: is this the meter?",
                    plate.serial
                ),
            )
        };
        vec![plain(Item::Identity, verdict, reason, "rule of this house")]
    }

    pub(super) fn clock(&mut self, demand: Demand) -> Vec<ItemResult> {
        let item = Item::ClockIndication;
        let plan = self.plan;
        let clock = plan.profile.clock.as_ref();
        let Some(limit) = clock.and_then(|c| c.indication_seconds.of(plan.kind)) else { return vec![] };
        if !plan.nameplate.clock {
            self.findings.push("the meter has no clock, as the nameplate says".into());
            return if demand == Demand::Required {
                vec![undecided(item, "the meter has no clock".into())]
            } else {
                vec![]
            };
        }
        if plan.nameplate.data_output.is_none() {
            return vec![undecided(item, "the clock cannot be read: no data output on the nameplate".into())];
        }
        let Some((Value::Clock(shown), answer)) =
            self.value(|w| matches!(w, Work::Clock { .. }), Query::Clock)
        else {
            return vec![undecided(item, "the meter did not give its clock".into())];
        };
        // How long an interruption lasted is known by the clock of the day alone: it counts from its end.
        let (from, stamp) = self.evidence.again.unwrap_or((self.began, self.started));
        let ours = stamp.after(answer.taken - from);
        let Some(value) = error::clock_indication(shown, ours) else {
            return vec![undecided(item, format!("the meter shows {shown}, which is no time"))];
        };
        let standard =
            plan.profile.bench.as_ref().and_then(|b| b.clock_seconds.as_ref()).map_or(1.0, |f| f.value);
        let budget = vec![
            Component::rectangular(
                "our clock",
                standard,
                "taken to be within the regulation's ± for the clock standard",
            ),
            Component::rectangular("meter shows whole seconds", 0.5, "1 s step"),
            Component::rectangular(
                "moment of the reading",
                answer.taken_half_width.secs(),
                "between question and answer",
            ),
        ];
        let interval =
            clock.and_then(|c| c.rounding_seconds.as_ref()).map_or(Decimal::ONE, |f| decimal(f.value));
        let mut result =
            self.measured(item, value, Unit::Second, interval, limit.value, budget, &limit.clause);
        result.reason = format!("{}; it showed {shown} at {ours}", result.reason);
        if self.step(|w| *w == Work::Clock { delay: true }).is_some() {
            let (delay, half) = (answer.taken - answer.asked, answer.taken_half_width);
            result.reason = format!(
                "{}; {:.3} s from the question to that moment are taken out, ±{:.3} s",
                result.reason,
                delay.secs(),
                half.secs()
            );
        }
        if !plan.entries.tester_clock_checked {
            result.verdict = Verdict::Undecided;
            result.reason = format!(
                "{}; but the tester's own clock was not checked (entry tester_clock_checked)",
                result.reason
            );
        }
        vec![result]
    }

    pub(super) fn daily_rate(&mut self, demand: Demand) -> Vec<ItemResult> {
        let item = Item::DailyRate;
        let plan = self.plan;
        let Some(rule) = plan.profile.clock.as_ref().and_then(|c| c.daily_rate.as_ref()) else {
            return vec![];
        };
        let Some(limit) = rule.limit_seconds.of(plan.kind) else { return vec![] };
        if !plan.nameplate.clock && demand != Demand::Required {
            return vec![];
        }
        let edges: Vec<_> = self.evidence.seconds_pulses().collect();
        if let Some(switched) = &self.evidence.switched {
            self.findings.push(match &switched.refused {
                None => {
                    "the meter was told to put the seconds pulse on its multi-function output (1DH)".into()
                }
                Some(why) => format!(
                    "the meter did not put the seconds pulse on its multi-function output (1DH): {why}"
                ),
            });
            if let (Some(why), true) = (&switched.refused, edges.is_empty()) {
                // It lacks the function: no fault, and where the regulation asks for it only if it is there, no item.
                let reason = format!("the meter gives no seconds pulse: {why}");
                return if demand == Demand::Required { vec![undecided(item, reason)] } else { vec![] };
            }
        }
        let span = rule.reading_seconds.value.round() as usize;
        let needed = span * rule.readings.value as usize + 1;
        if edges.len() < needed {
            let why = format!(
                "{} of {needed} seconds pulses came (no seconds-pulse input, or the output is not switched on)",
                edges.len()
            );
            return vec![undecided(item, why)];
        }
        // A hole in the numbers, or a loss that the counter told of in words.
        if self.evidence.broken(Input::Seconds, edges[0].at, edges[needed - 1].at) {
            return vec![undecided(item, "the counter lost edges of the seconds pulse".into())];
        }
        let seconds: Vec<_> =
            self.evidence.seconds_edges.iter().filter(|e| e.at >= edges[0].at).copied().collect();
        if let Err(flaw) = crate::pulse::whole(&seconds) {
            return vec![undecided(item, flaw.to_string())];
        }
        let Ok(base) = plan.standards.time_base().rate_error() else {
            return vec![undecided(item, "the time base has no certificate".into())];
        };
        if let Some((moved, within)) = self.evidence.counter_against_us(Input::Seconds).find(no_crystal) {
            let millis = crate::quantity::shown(moved.secs() * 1e3, 3);
            let why = format!(
                "the clock of the seconds' counter moved {millis} ms against ours in {within}: one of them is no time base. Is the network setting this computer's clock, or the counter's line slow?"
            );
            return vec![undecided(item, why)];
        }
        let rates: Vec<f64> = (0..rule.readings.value as usize)
            .map(|n| {
                let elapsed = edges[(n + 1) * span].at - edges[n * span].at;
                error::daily_rate(span as u64, elapsed * (1.0 / (1.0 + base.error.fraction())))
            })
            .collect();
        let Some((mean, scatter, dof)) = type_a(&rates) else {
            return vec![undecided(item, "too few readings".into())];
        };
        let half_width = plan.capability.edge_time_half_width.secs();
        let length = rule.reading_seconds.value * rates.len() as f64;
        let budget = vec![
            Component::b(
                "time base",
                base.u.fraction() * 86_400.0,
                format!("certificate {}", plan.standards.time_base().certificate_no()),
            ),
            Component::rectangular(
                "edge time stamps",
                half_width * 2f64.sqrt() / length * 86_400.0,
                "first and last edge",
            ),
            Component::a("repeatability", scatter, dof, format!("{} readings", rates.len())),
        ];
        let interval = decimal(rule.rounding_seconds.value);
        vec![self.measured(item, mean, Unit::SecondPerDay, interval, limit.value, budget, &limit.clause)]
    }

    pub(super) fn tariff_registers(&mut self) -> Vec<ItemResult> {
        let item = Item::TariffRegisters;
        let plan = self.plan;
        if plan.kind == Kind::First {
            return vec![self.look(item)];
        }
        if !plan.nameplate.tariffs {
            self.findings.push("the meter has no tariff registers, as the nameplate says".into());
            return vec![];
        }
        if plan.nameplate.data_output.is_none() {
            return vec![undecided(
                item,
                "the registers cannot be read: no data output on the nameplate".into(),
            )];
        }
        let limit = plan.profile.tariff_registers.as_ref().and_then(|t| t.difference_kwh.of(plan.kind));
        let Some(step) = self.step(|w| *w == Work::TariffRegisters).map(|s| s.no) else { return vec![] };
        let totals: Vec<Decimal> = self.evidence.all(step, Query::Energy).filter_map(number).collect();
        let tariffs: Vec<Decimal> = (1..=63)
            .filter_map(|n| self.evidence.answer(step, Query::TariffEnergy(n)).and_then(number))
            .collect();
        if tariffs.is_empty() {
            self.findings.push("the meter gives no tariff registers".into());
            return vec![];
        }
        let (Some(limit), Some(before), Some(total)) = (limit, totals.first(), totals.last()) else {
            return vec![undecided(item, "the meter gave its tariffs, but not its total".into())];
        };
        let moved = total.checked_sub(*before);
        let (Some(difference), Some(moved)) = (error::register_combination(*total, &tariffs), moved) else {
            return vec![undecided(item, "the registers cannot be added".into())];
        };
        let step = Decimal::new(1, difference.scale());
        let parts = (tariffs.len() as f64 + 1.0).sqrt();
        let budget = vec![
            Component::rectangular(
                "register steps",
                to_f64(step) / 2.0 * parts,
                format!("{} registers of {step} kWh", tariffs.len() + 1),
            ),
            Component::rectangular(
                "total moved while its parts were read",
                to_f64(moved).abs(),
                format!("{moved} kWh"),
            ),
        ];
        let mut result = self.measured(
            item,
            to_f64(difference),
            Unit::KilowattHour,
            step,
            limit.value,
            budget,
            &limit.clause,
        );
        result.reason = format!(
            "{}; total {total} kWh, sum of {} tariffs {} kWh",
            result.reason,
            tariffs.len(),
            total - difference
        );
        vec![result]
    }

    /// U, I, P of the data output against the reference at the same moment, and its energy over the whole run.
    pub(super) fn cross_check(&mut self) -> Vec<ItemResult> {
        let item = Item::DataOutput;
        let plan = self.plan;
        let Some(step) = self.step(|w| matches!(w, Work::CrossCheck { .. })) else { return vec![] };
        let (no, during) = match step.work {
            Work::CrossCheck { during } => (step.no, during),
            _ => return vec![],
        };
        let Some(point) = during.checked_sub(1).and_then(|n| plan.steps.get(n)) else { return vec![] };
        let Work::BasicError(windows) = &point.work else { return vec![] };
        let limit = windows.limit.percent() * CROSS_CHECK_LIMITS;
        // A value that is not there, or whose load had gone, says nothing of this load.
        let momentary = [Query::Voltage, Query::Current, Query::Power].into_iter().filter_map(|query| {
            let (deviation, budget) = self.momentary(point, query, self.evidence.answer(no, query)?).ok()?;
            Some((query.to_string(), deviation, budget))
        });
        let energy = self.register_beside(point, windows).map(|(d, budget)| ("energy".to_owned(), d, budget));
        let compared: Vec<_> = momentary.chain(energy).filter(|(_, d, _)| d.is_finite()).collect();
        let words: Vec<_> = compared.iter().map(|(what, d, _)| format!("{what} {d:+.2} %")).collect();
        let worst = compared.into_iter().max_by(|(_, a, _), (_, b, _)| a.abs().total_cmp(&b.abs()));
        let Some((_, worst, budget)) = worst else {
            if self.evidence.all(no, Query::Voltage).next().is_none() {
                // The run ended before it was asked.
                return vec![];
            }
            self.findings
                .push("the data output gave no voltage, current, power or energy to compare with".into());
            return vec![];
        };
        let mut result = self.measured(
            item,
            worst,
            Unit::Percent,
            Decimal::new(1, 2),
            limit,
            budget,
            "rule of this house",
        );
        if result.verdict != Verdict::Pass {
            result.verdict = Verdict::Undecided;
            // Within the limits it was the uncertainty that left it open, and the reason says so.
            if worst.abs() > limit {
                self.findings.push(format!(
                    "the data output tells of another load than the reference measured: {}",
                    words.join(", ")
                ));
            }
        }
        result.reason = format!("{} (worst of: {})", result.reason, words.join(", "));
        if let Some(stale) = self.stale_power() {
            result.verdict = Verdict::Undecided;
            result.reason = format!("{}; but {stale}", result.reason);
            self.findings.push(stale);
        }
        vec![result]
    }
}

fn number(answer: &crate::meter::Answer) -> Option<Decimal> {
    match &answer.reading {
        Reading::Value(Value::Number(number, _)) => Some(*number),
        _ => None,
    }
}
