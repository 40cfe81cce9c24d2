//! `<certificate_no>_results.csv`: one row for each result of the record, in its order.

use super::{BOM, Cell, Fault, SCHEMA, bytes, completed, is_pulse_error, names, writer};
use crate::certificate::number;
use crate::certificate::paper::{cited, unconfirmed};
use crate::certificate::record::{Attempt, ItemResult, Measured, Record, Unit};
use crate::quantity::{Current, Energy, Power, Ratio, Voltage};
use crate::regulation::Item;
use crate::time::{Instant, Span};
use crate::uncertainty::{COVERAGE, type_a};
use crate::verdict::{Rule, Verdict};

/// A column: its name and what stands in it.
type Column = (&'static str, fn(&Row<'_>) -> Cell);

/// What a row is made from.
struct Row<'a> {
    record: &'a Record,
    certificate_no: &'a str,
    no: usize,
    item: &'a ItemResult,
    taken: Option<Taken>,
}

/// The readings of a row together. Time, pulses and indicated energy are sums over the windows; U, I, P are means
/// weighted with the length of their windows. The error is the mean of the readings' errors, as the verdict takes it.
/// The reference energy is the summed indicated energy divided by the mean ratio of indicated to reference energy, so
/// that the error follows exactly from the two energies; it is the plain sum but for a few parts in 10⁶, where
/// windows differ by a pulse. Each window's own energies are in the record.
struct Taken {
    from: Instant,
    elapsed: Span,
    pulses: u64,
    reference: Energy,
    /// Absent where the meter gave no pulse.
    indicated: Option<Energy>,
    means: Option<(Voltage, Current, Power)>,
    stddev_percent: Option<f64>,
}

impl Taken {
    fn by_pulses(item: &ItemResult) -> Option<Self> {
        if item.bound().is_some() {
            return item.attempts.iter().find_map(|attempt| match attempt {
                Attempt::Silent { from, to, reference_energy_j, .. } => Some(Self {
                    from: *from,
                    elapsed: *to - *from,
                    pulses: 0,
                    reference: *reference_energy_j,
                    indicated: None,
                    means: None,
                    stddev_percent: None,
                }),
                _ => None,
            });
        }
        let first = item.readings().next()?;
        let elapsed: Span = item.readings().map(|r| r.window.elapsed()).sum();
        let errors: Vec<f64> = item.readings().map(|r| r.error.percent()).collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let weight = |span: Span| if elapsed == Span::ZERO { 0.0 } else { span.secs() / elapsed.secs() };
        let mut means = (Voltage::ZERO, Current::ZERO, Power::ZERO);
        let mut indicated = Energy::ZERO;
        for reading in item.readings() {
            let weight = weight(reading.window.elapsed());
            means.0 = means.0 + reading.voltage_v * weight;
            means.1 = means.1 + reading.current_a * weight;
            means.2 = means.2 + reading.power_w * weight;
            indicated = indicated + reading.indicated_energy_j;
        }
        Some(Self {
            from: first.window.opened,
            elapsed,
            pulses: item.readings().map(|r| r.window.pulses).sum(),
            reference: if mean > -100.0 { indicated / (1.0 + mean / 100.0) } else { Energy::ZERO },
            indicated: Some(indicated),
            means: Some(means),
            // `type_a` gives the standard uncertainty of the mean.
            stddev_percent: type_a(&errors).map(|(_, u, _)| u * (errors.len() as f64).sqrt()),
        })
    }
}

impl Row<'_> {
    fn measured(&self) -> Option<&Measured> {
        self.item.measured.as_ref().filter(|_| self.item.bound().is_none())
    }

    /// The number of a row whose columns in percent are filled.
    fn percent(&self) -> Option<&Measured> {
        self.measured().filter(|m| is_pulse_error(self.item) && m.unit == Unit::Percent)
    }

    /// The limit of such a row, which stands also where only a bound is known.
    fn limit_percent(&self) -> Option<String> {
        let measured =
            self.item.measured.as_ref().filter(|m| is_pulse_error(self.item) && m.unit == Unit::Percent)?;
        Some(number::limit(measured.limit, measured.rounded.scale()))
    }

    /// A number with a budget; a plain count has no uncertainty.
    fn uncertain(&self) -> Option<&Measured> {
        self.measured().filter(|m| !m.budget.is_empty())
    }

    fn clock(&self) -> Option<&Measured> {
        self.measured().filter(|_| self.item.item == Item::ClockIndication)
    }

    fn taken<T>(&self, of: impl Fn(&Taken) -> T) -> Option<T> {
        self.taken.as_ref().map(of)
    }
}

/// How far inside the limit a value must lie ([`Rule`]): r·U by a rule with a guard band; by the regulation's own not at
/// all where the uncertainty may be left out, by U elsewhere.
fn guard_band(row: &Row, measured: &Measured) -> String {
    let u = measured.estimate.expanded;
    match Rule::of(&row.record.plan.profile) {
        Rule::Guarded { r } | Rule::NonBinary { r } => number::uncertainty(r * u),
        Rule::RoundedIfCapable { ratio } if u > ratio * measured.limit * (1.0 + 1e-12) => {
            number::uncertainty(u)
        }
        Rule::RoundedIfCapable { .. } | Rule::Simple => "0".into(),
    }
}

/// The rounding interval of the error, where the regulation gives one.
fn rounding_step(row: &Row) -> Option<String> {
    let plan = &row.record.plan;
    let step = plan.profile.rounding_interval(&plan.class).ok().flatten().map_or(0.01, Ratio::percent);
    row.percent().map(|_| number::plain(step))
}

/// The columns. The first 38 are those of the schema, in its order.
const COLUMNS: [Column; 53] = [
    ("schema_version", |_| Cell::plain(SCHEMA)),
    ("certificate_no", |r| Cell::text(r.certificate_no)),
    ("record_no", |r| Cell::text(&r.record.record_no)),
    ("run_id", |r| Cell::text(&r.record.record_no)),
    ("point_no", |r| Cell::plain(r.no)),
    ("test_item", |r| match r.item.item {
        Item::BasicError => Cell::plain("working_error"),
        item => Cell::plain(item),
    }),
    ("connector", |r| Cell::text(&r.record.plan.nameplate.connector)),
    ("load_method", |_| Cell::plain("virtual")),
    ("mode", |_| Cell::plain("dc")),
    ("nominal_voltage_V", |r| Cell::maybe(r.item.point.as_ref().map(|p| number::plain(p.voltage_v.volts())))),
    ("nominal_current_A", |r| {
        Cell::maybe(r.item.point.as_ref().map(|p| number::plain(p.current_a.amperes())))
    }),
    ("power_factor", |_| Cell::Empty),
    ("voltage_V", |r| Cell::maybe(r.taken(|t| t.means).flatten().map(|(u, _, _)| number::volts(u)))),
    ("current_A", |r| Cell::maybe(r.taken(|t| t.means).flatten().map(|(_, i, _)| number::amperes(i)))),
    ("power_W", |r| Cell::maybe(r.taken(|t| t.means).flatten().map(|(_, _, p)| number::watts(p)))),
    ("started_at", |r| Cell::maybe(r.taken(|t| r.record.stamp(t.from)))),
    ("duration_s", |r| Cell::maybe(r.taken(|t| number::secs(t.elapsed)))),
    ("meter_constant_imp_per_kWh", |r| {
        Cell::plain(number::plain(r.record.plan.nameplate.constant_imp_per_kwh.impulses_per_kilowatt_hour()))
    }),
    ("pulses", |r| {
        let counted = r.measured().filter(|m| m.unit == Unit::Pulse).map(number::value);
        Cell::maybe(r.taken(|t| t.pulses.to_string()).or(counted))
    }),
    ("reference_energy_kWh", |r| Cell::maybe(r.taken(|t| number::kilowatt_hours(t.reference)))),
    ("indicated_energy_kWh", |r| Cell::maybe(r.taken(|t| t.indicated).flatten().map(number::kilowatt_hours))),
    ("repeats", |r| Cell::maybe(r.taken(|_| r.item.readings().count()))),
    ("error_percent", |r| Cell::maybe(r.percent().map(number::value))),
    ("error_stddev_percent", |r| {
        Cell::maybe(r.taken(|t| t.stddev_percent).flatten().map(|s| number::significant(s, 3)))
    }),
    ("error_rounded_percent", |r| Cell::maybe(r.percent().map(|m| number::rounded(m.rounded)))),
    ("rounding_step_percent", |r| Cell::maybe(rounding_step(r))),
    ("expanded_uncertainty_percent", |r| {
        Cell::maybe(r.percent().map(|m| number::uncertainty(m.estimate.expanded)))
    }),
    ("coverage_factor", |r| Cell::maybe(r.uncertain().map(|m| number::coverage_factor(m.estimate.k)))),
    ("coverage_probability", |r| Cell::maybe(r.uncertain().map(|_| COVERAGE))),
    ("limit_low_percent", |r| Cell::maybe(r.limit_percent().map(|limit| format!("-{limit}")))),
    ("limit_high_percent", |r| Cell::maybe(r.limit_percent())),
    ("guard_band_percent", |r| Cell::maybe(r.percent().map(|m| guard_band(r, m)))),
    ("result", |r| {
        Cell::plain(match r.item.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Undecided => "not_assessed",
        })
    }),
    ("clock_error_s", |r| Cell::maybe(r.clock().map(number::value))),
    ("clock_limit_s", |r| Cell::maybe(r.clock().map(|m| number::limit(m.limit, m.rounded.scale())))),
    ("ambient_temperature_degC", |r| {
        Cell::maybe(r.record.plan.entries.temperature_degc.map(|t| number::plain(t.degrees_celsius())))
    }),
    ("relative_humidity_percent", |r| Cell::maybe(r.record.plan.entries.humidity_percent.map(number::plain))),
    ("remark", |r| match (r.record.simulated, r.item.reason.as_str()) {
        (true, "") => Cell::text("SIMULATED"),
        (true, reason) => Cell::text(format!("SIMULATED: {reason}")),
        (false, reason) => Cell::text(reason),
    }),
    // Ours, after the schema's own.
    ("simulated", |r| Cell::plain(r.record.simulated)),
    ("item", |r| Cell::plain(r.item.item)),
    ("point", |r| r.item.point.as_ref().map_or(Cell::Empty, |p| Cell::text(&p.term))),
    ("unit", |r| {
        Cell::maybe(r.measured().map(|m| if m.unit == Unit::One { "1".into() } else { m.unit.to_string() }))
    }),
    ("value", |r| Cell::maybe(r.measured().map(|m| number::plain(m.estimate.value)))),
    ("value_rounded", |r| Cell::maybe(r.measured().map(|m| number::rounded(m.rounded)))),
    ("limit", |r| Cell::maybe(r.measured().map(|m| number::limit(m.limit, m.rounded.scale())))),
    ("expanded_uncertainty", |r| {
        Cell::maybe(r.uncertain().map(|m| number::uncertainty(m.estimate.expanded)))
    }),
    ("upper_bound_percent", |r| Cell::maybe(r.item.bound().map(|b| number::error_percent(b.percent())))),
    ("attempts", |r| Cell::maybe(is_pulse_error(r.item).then_some(r.item.attempts.len()))),
    ("spoiled_attempts", |r| {
        let spoiled = r.item.attempts.iter().filter(|a| matches!(a, Attempt::Spoiled { .. })).count();
        Cell::maybe(is_pulse_error(r.item).then_some(spoiled))
    }),
    ("clause", |r| Cell::text(&r.item.clause)),
    ("verdict_rule", |r| Cell::text(&r.record.results.decision_rule)),
    ("regulation", |r| Cell::text(cited(&r.record.plan.profile).en)),
    ("regulation_note", |r| unconfirmed(&r.record.plan).map_or(Cell::Empty, |said| Cell::text(said.en))),
];

/// The names of the columns.
pub const RESULTS_HEADER: [&str; COLUMNS.len()] = names(&COLUMNS);

/// What a row says, by the name of the column and without the guard against formulas: the other papers print the same.
pub struct Said(Vec<String>);

impl Said {
    /// The text in a column; empty where nothing was measured.
    pub fn get(&self, column: &str) -> &str {
        let place = RESULTS_HEADER.iter().position(|name| *name == column);
        place.map_or("", |place| super::unguarded(&self.0[place]))
    }
}

/// What the rows of the results of a completed run say.
pub fn results_said(record: &Record) -> Result<Vec<Said>, Fault> {
    let (certificate_no, ..) = completed(record)?;
    let rows = record.results.items.iter().enumerate().map(|(index, item)| {
        let row = Row { record, certificate_no, no: index + 1, item, taken: Taken::by_pulses(item) };
        Said(COLUMNS.map(|(_, cell)| cell(&row).written()).into())
    });
    Ok(rows.collect())
}

/// The results of a completed run.
pub fn results_csv(record: &Record) -> Result<Vec<u8>, Fault> {
    let (certificate_no, ..) = completed(record)?;
    let fault = |e: ::csv::Error| Fault::Writer { record_no: record.record_no.clone(), what: e.to_string() };
    let mut writer = writer();
    writer.write_record(RESULTS_HEADER).map_err(fault)?;
    for (index, item) in record.results.items.iter().enumerate() {
        let row = Row { record, certificate_no, no: index + 1, item, taken: Taken::by_pulses(item) };
        writer.write_record(COLUMNS.map(|(_, cell)| cell(&row).written())).map_err(fault)?;
    }
    Ok([BOM, &bytes(writer, &record.record_no)?].concat())
}
