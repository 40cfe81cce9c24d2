//! A visit: what one run has found of a meter, without its raw data.

use crate::archive::RegisterRow;
use crate::certificate::csv::valid_until;
use crate::certificate::energy_log::EnergyLog;
use crate::certificate::record::{ItemResult, Record, Unit};
use crate::regulation::Item;
use crate::time::Stamp;
use crate::uncertainty::Component;
use crate::verdict::Verdict;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Which meter it is: the same serial number of another maker is another meter, and a simulated one is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Meter {
    /// Who made it.
    pub maker: String,
    /// Its type.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// It is made up.
    pub simulated: bool,
}

impl Meter {
    /// That of a row of the register.
    pub fn of_row(row: &RegisterRow) -> Self {
        Self {
            maker: row.get("dut_manufacturer").to_owned(),
            model: row.get("dut_model").to_owned(),
            serial: row.get("dut_serial").to_owned(),
            simulated: row.is_simulated(),
        }
    }

    /// That of a record.
    pub fn of_record(record: &Record) -> Self {
        let plate = &record.plan.nameplate;
        Self {
            maker: plate.maker.clone(),
            model: plate.model.clone(),
            serial: plate.serial.clone(),
            simulated: record.simulated,
        }
    }
}

/// A visit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Visit {
    /// Its paper.
    pub certificate_no: String,
    /// Its original record.
    pub record_no: String,
    /// When the run began.
    pub performed: Stamp,
    /// How far its paper has come: draft, checked, issued, amended, withdrawn.
    pub status: String,
    /// On the meter.
    pub verdict: Option<Verdict>,
    /// The meter.
    pub meter: Meter,
    /// The charger it sat in.
    pub charger: String,
    /// Its connector.
    pub connector: String,
    /// Where it stood.
    pub site: String,
    /// The regulation profile.
    pub regulation: String,
    /// Its class there.
    pub class: String,
    /// The certificate of the reference.
    pub reference_certificate_no: String,
    /// The last day on which its paper holds.
    pub valid_until: Option<Date>,
    /// What was measured.
    pub figures: Vec<Figure>,
    /// What was seen besides.
    pub findings: Vec<String>,
    /// What the meter said of its months and days; none where it was not asked.
    #[serde(skip)]
    pub energy_log: Option<EnergyLog>,
}

/// A number with its uncertainty at a load point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// The item.
    pub item: Item,
    /// The load point in the regulation's words; empty where the item has none.
    pub at: String,
    /// Its voltage, in V.
    pub voltage_v: Option<f64>,
    /// Its current, in A.
    pub current_a: Option<f64>,
    /// The unit of all numbers here.
    pub unit: Unit,
    /// The value.
    pub value: f64,
    /// Its standard uncertainty.
    pub u: f64,
    /// Its coverage factor.
    pub k: f64,
    /// Its expanded uncertainty.
    pub expanded: f64,
    /// The symmetric limit.
    pub limit: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// Standard uncertainties that come from certificates of standards, each by the certificate, with its sign.
    #[serde(skip)]
    pub certificates: Vec<(String, f64)>,
}

/// The words by which a budget names the certificate a component is known from.
const BY_CERTIFICATE: &str = "by certificate ";

/// The certificate that a component is known from, where it is that of a standard itself: the same unknown in every run made
/// with that certificate. Drift and temperature of a standard are others at each visit.
fn certificate(component: &Component) -> Option<(String, f64)> {
    let (_, number) = component.evidence.split_once(BY_CERTIFICATE)?;
    component.shared.as_ref().filter(|_| component.label.ends_with("certificate"))?;
    Some((format!("{} {number}", component.label), component.u * component.sensitivity.signum()))
}

impl Figure {
    fn of(item: &ItemResult) -> Option<Self> {
        // A bound is no value, and a plain count has no uncertainty to be compared by.
        let measured = item.measured.as_ref().filter(|m| item.bound().is_none() && !m.budget.is_empty())?;
        let estimate = &measured.estimate;
        let point = item.point.as_ref();
        (estimate.u > 0.0 && estimate.value.is_finite()).then(|| Self {
            item: item.item,
            at: point.map_or(String::new(), |p| p.term.clone()),
            voltage_v: point.map(|p| p.voltage_v.volts()),
            current_a: point.map(|p| p.current_a.amperes()),
            unit: measured.unit,
            value: estimate.value,
            u: estimate.u,
            k: estimate.k,
            expanded: estimate.expanded,
            limit: measured.limit,
            verdict: item.verdict,
            certificates: measured.budget.iter().filter_map(certificate).collect(),
        })
    }

    /// Whether another one is of the same item at the same load, whatever the regulation calls it.
    pub fn is_same_point(&self, other: &Self) -> bool {
        let same = |a: Option<f64>, b: Option<f64>| match (a, b) {
            // What differs by arithmetic only is equal.
            (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()),
            (None, None) => true,
            _ => false,
        };
        (self.item, self.unit) == (other.item, other.unit)
            && same(self.voltage_v, other.voltage_v)
            && same(self.current_a, other.current_a)
    }

    /// Where it was measured, in words.
    pub fn place(&self) -> String {
        match self.current_a {
            Some(current) => format!("{} at {} ({current} A)", self.item, self.at),
            None => self.item.to_string(),
        }
    }

    /// The covariance with another visit's figure: what both owe to the same certificates.
    pub fn covariance(&self, other: &Self) -> f64 {
        let pairs = self.certificates.iter().flat_map(|a| other.certificates.iter().map(move |b| (a, b)));
        pairs.filter(|((a, _), (b, _))| a == b).map(|((_, u), (_, v))| u * v).sum()
    }
}

impl Visit {
    /// Of a record, in the words of its paper.
    pub fn of(record: &Record, certificate_no: &str, status: &str) -> Self {
        let plate = &record.plan.nameplate;
        Self {
            certificate_no: certificate_no.to_owned(),
            record_no: record.record_no.clone(),
            performed: record.started,
            status: status.to_owned(),
            verdict: record.results.verdict,
            meter: Meter::of_record(record),
            charger: plate.charger.clone(),
            connector: plate.connector.clone(),
            site: record.plan.entries.site.clone(),
            regulation: record.plan.profile.id.clone(),
            class: record.plan.class.name().to_owned(),
            reference_certificate_no: record.plan.standards.reference().certificate_no().to_owned(),
            valid_until: valid_until(record),
            figures: record.results.items.iter().filter_map(Figure::of).collect(),
            findings: record.results.findings.clone(),
            energy_log: record.results.energy_log.clone(),
        }
    }

    /// Whether its paper stands: what was withdrawn says nothing any more.
    pub fn stands(&self) -> bool {
        self.status != "withdrawn" && self.status != "amended"
    }

    /// Its day.
    pub fn day(&self) -> Date {
        self.performed.date()
    }
}

/// Visits for the tests of this folder.
#[cfg(test)]
pub(super) mod samples {
    use super::*;

    /// A visit on a day with errors of this standard uncertainty at 1 A, 2 A …; limit 1 %, k = 2.
    pub fn visit(day: &str, errors: &[f64], u: f64) -> Visit {
        let figure = |(n, value): (usize, &f64)| Figure {
            item: Item::BasicError,
            at: format!("point {}", n + 1),
            voltage_v: Some(750.0),
            current_a: Some((n + 1) as f64),
            unit: Unit::Percent,
            value: *value,
            u,
            k: 2.0,
            expanded: 2.0 * u,
            limit: 1.0,
            verdict: Verdict::Pass,
            certificates: vec![],
        };
        Visit {
            certificate_no: format!("PL-{}-000001", &day[..4]),
            record_no: format!("PL-R-{}-000001", &day[..4]),
            performed: format!("{day}T10:00:00.000+08:00").parse().unwrap(),
            status: "issued".into(),
            verdict: Some(Verdict::Pass),
            meter: Meter { maker: "M".into(), model: "DC1".into(), serial: "42".into(), simulated: false },
            charger: "C-7".into(),
            connector: "A".into(),
            site: "S".into(),
            regulation: "dc-meter".into(),
            class: "1".into(),
            reference_certificate_no: "C-1".into(),
            valid_until: None,
            figures: errors.iter().enumerate().map(figure).collect(),
            findings: vec![],
            energy_log: None,
        }
    }
}
