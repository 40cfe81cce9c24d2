//! The calibration file as it is written, and its way into a [`Standard`] that makes sense.

use super::correction::{Found, Points, PowerPoint};
use super::{Fault, Standard, StandardKind, Standards};
use crate::quantity::Temperature;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The only version of the file so far.
const SCHEMA: u32 = 1;

/// The file, key by key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    schema: u32,
    standard: StandardKind,
    model: String,
    serial: String,
    certificate_no: String,
    laboratory: String,
    calibrated_on: Date,
    due_on: Date,
    #[serde(default)]
    simulated: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drift_percent_per_year: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drift_ppm_per_year: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature_coefficient_percent_per_k: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature_coefficient_ppm_per_k: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calibrated_at_c: Option<f64>,
    point: Vec<Row>,
}

/// One `[[point]]`; which keys belong depends on the kind of standard.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    voltage_v: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_a: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature_c: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded_u_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_ppm: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded_u_ppm: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_k: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded_u_k: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    k: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dof: Option<f64>,
}

/// The two standards as they come out of a record.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pair {
    reference: Standard,
    time_base: Standard,
}

impl TryFrom<Pair> for Standards {
    type Error = Fault;
    fn try_from(pair: Pair) -> Result<Self, Fault> {
        Self::new(pair.reference, pair.time_base)
    }
}

impl TryFrom<Sheet> for Standard {
    type Error = Fault;
    fn try_from(sheet: Sheet) -> Result<Self, Fault> {
        let origin = format!("calibration certificate {}", sheet.certificate_no);
        sheet.standard(&origin)
    }
}

/// Says what is wrong where.
struct Judge<'a> {
    origin: &'a str,
}

impl Judge<'_> {
    fn refuse(&self, place: &str, seen: &dyn fmt::Display, allowed: &str) -> Fault {
        Fault::Sense {
            origin: self.origin.to_owned(),
            place: place.to_owned(),
            seen: seen.to_string(),
            allowed: allowed.to_owned(),
        }
    }

    fn number(&self, place: &str, value: f64, good: fn(f64) -> bool, allowed: &str) -> Result<f64, Fault> {
        if value.is_finite() && good(value) { Ok(value) } else { Err(self.refuse(place, &value, allowed)) }
    }

    fn text(&self, place: &str, value: &str) -> Result<(), Fault> {
        if value.trim().is_empty() {
            Err(self.refuse(place, &"empty", "the certificate's own words"))
        } else {
            Ok(())
        }
    }
}

impl Row {
    fn keys(&self) -> [(&'static str, Option<f64>); 11] {
        [
            ("voltage_v", self.voltage_v),
            ("current_a", self.current_a),
            ("temperature_c", self.temperature_c),
            ("error_percent", self.error_percent),
            ("expanded_u_percent", self.expanded_u_percent),
            ("error_ppm", self.error_ppm),
            ("expanded_u_ppm", self.expanded_u_ppm),
            ("error_k", self.error_k),
            ("expanded_u_k", self.expanded_u_k),
            ("k", self.k),
            ("dof", self.dof),
        ]
    }

    /// The values of `wanted` in that order, `k` among them; every other key but `dof` is refused.
    fn take<const N: usize>(&self, judge: &Judge, at: usize, wanted: [&str; N]) -> Result<[f64; N], Fault> {
        let allowed = format!("{} and, if the certificate gives it, dof", wanted.join(", "));
        for (key, value) in self.keys() {
            if value.is_some() && key != "dof" && !wanted.contains(&key) {
                return Err(judge.refuse(&format!("point {at}: {key}"), &"given", &allowed));
            }
        }
        let mut values = [0.0; N];
        for (slot, want) in values.iter_mut().zip(wanted) {
            let given = self.keys().into_iter().find_map(|(key, value)| value.filter(|_| key == want));
            let place = format!("point {at}: {want}");
            let value = given.ok_or_else(|| judge.refuse(&place, &"missing", &allowed))?;
            let (good, words): (fn(f64) -> bool, _) = match want {
                "k" | "voltage_v" | "current_a" => (|x| x > 0.0, "a finite number above zero"),
                _ if want.starts_with("expanded") => (|x| x >= 0.0, "a finite number, zero or above"),
                _ => (|_| true, "a finite number"),
            };
            *slot = judge.number(&place, value, good, words)?;
        }
        if let Some(dof) = self.dof {
            let words = "a finite number above zero; leave it out when unknown";
            judge.number(&format!("point {at}: dof"), dof, |x| x > 0.0, words)?;
        }
        Ok(values)
    }
}

impl Sheet {
    /// The standard this describes, or what is wrong with it.
    pub(super) fn standard(self, origin: &str) -> Result<Standard, Fault> {
        let judge = Judge { origin };
        if self.schema != SCHEMA {
            return Err(judge.refuse("schema", &self.schema, "1"));
        }
        for (place, value) in [
            ("model", &self.model),
            ("serial", &self.serial),
            ("certificate_no", &self.certificate_no),
            ("laboratory", &self.laboratory),
        ] {
            judge.text(place, value)?;
        }
        if self.due_on <= self.calibrated_on {
            let allowed = format!("a date after calibrated_on, {}", self.calibrated_on);
            return Err(judge.refuse("due_on", &self.due_on, &allowed));
        }
        let any = |_| true;
        for (place, value) in [
            ("drift_percent_per_year", self.drift_percent_per_year),
            ("drift_ppm_per_year", self.drift_ppm_per_year),
            ("temperature_coefficient_percent_per_k", self.temperature_coefficient_percent_per_k),
            ("temperature_coefficient_ppm_per_k", self.temperature_coefficient_ppm_per_k),
            ("calibrated_at_c", self.calibrated_at_c),
        ] {
            value.map_or(Ok(0.0), |value| judge.number(place, value, any, "a finite number"))?;
        }
        if self.drift_percent_per_year.is_some() && self.drift_ppm_per_year.is_some() {
            return Err(judge.refuse("drift_ppm_per_year", &"given twice", "one of percent and ppm"));
        }
        let (percent, ppm) =
            (self.temperature_coefficient_percent_per_k, self.temperature_coefficient_ppm_per_k);
        if percent.is_some() && ppm.is_some() {
            return Err(judge.refuse(
                "temperature_coefficient_ppm_per_k",
                &"given twice",
                "one of percent and ppm",
            ));
        }
        let points = self.points(&judge)?;
        Ok(Standard {
            kind: self.standard,
            model: self.model,
            serial: self.serial,
            certificate_no: self.certificate_no,
            laboratory: self.laboratory,
            calibrated_on: self.calibrated_on,
            due_on: self.due_on,
            simulated: self.simulated,
            note: self.note,
            drift_percent_per_year: self.drift_percent_per_year,
            drift_ppm_per_year: self.drift_ppm_per_year,
            temperature_coefficient_percent_per_k: percent,
            temperature_coefficient_ppm_per_k: ppm,
            calibrated_at: self.calibrated_at_c.map(Temperature::from_degrees_celsius),
            points,
        })
    }

    fn points(&self, judge: &Judge) -> Result<Points, Fault> {
        if self.point.is_empty() {
            return Err(judge.refuse("point", &"an empty list", "at least one calibrated point"));
        }
        let rows = self.point.iter().enumerate().map(|(at, row)| (at + 1, row));
        match self.standard {
            StandardKind::Reference | StandardKind::Source => {
                let keys = ["voltage_v", "current_a", "error_percent", "expanded_u_percent", "k"];
                let mut points = Vec::new();
                for (at, row) in rows {
                    let [voltage_v, current_a, error, expanded, k] = row.take(judge, at, keys)?;
                    let found = Found { error, expanded, k, dof: row.dof };
                    points.push(PowerPoint { voltage_v, current_a, found });
                }
                points.sort_by(|a, b| {
                    a.voltage_v.total_cmp(&b.voltage_v).then(a.current_a.total_cmp(&b.current_a))
                });
                let same =
                    |a: &PowerPoint, b: &PowerPoint| (a.voltage_v, a.current_a) == (b.voltage_v, b.current_a);
                if let Some(pair) = points.windows(2).find(|pair| same(&pair[0], &pair[1])) {
                    let seen = format!("{} V {} A twice", pair[0].voltage_v, pair[0].current_a);
                    return Err(judge.refuse("point", &seen, "each voltage and current once"));
                }
                Ok(Points::Power(points))
            }
            StandardKind::TimeBase => {
                let [row] = self.point.as_slice() else {
                    return Err(judge.refuse(
                        "point",
                        &format!("{} points", self.point.len()),
                        "one for a time base",
                    ));
                };
                let [error, expanded, k] = row.take(judge, 1, ["error_ppm", "expanded_u_ppm", "k"])?;
                Ok(Points::Rate(Found { error, expanded, k, dof: row.dof }))
            }
            StandardKind::TemperatureSensor => {
                let mut points = Vec::new();
                for (at, row) in rows {
                    let keys = ["temperature_c", "error_k", "expanded_u_k", "k"];
                    let [temperature, error, expanded, k] = row.take(judge, at, keys)?;
                    points.push((temperature, Found { error, expanded, k, dof: row.dof }));
                }
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                if let Some(pair) = points.windows(2).find(|pair| pair[0].0.total_cmp(&pair[1].0).is_eq()) {
                    let seen = format!("{} °C twice", pair[0].0);
                    return Err(judge.refuse("point", &seen, "each temperature once"));
                }
                Ok(Points::Temperature(points))
            }
        }
    }
}

impl From<Standard> for Sheet {
    fn from(standard: Standard) -> Self {
        let row = |found: Found| Row { k: Some(found.k), dof: found.dof, ..Row::default() };
        let point = match &standard.points {
            Points::Power(points) => points
                .iter()
                .map(|point| Row {
                    voltage_v: Some(point.voltage_v),
                    current_a: Some(point.current_a),
                    error_percent: Some(point.found.error),
                    expanded_u_percent: Some(point.found.expanded),
                    ..row(point.found)
                })
                .collect(),
            Points::Rate(found) => {
                vec![Row {
                    error_ppm: Some(found.error),
                    expanded_u_ppm: Some(found.expanded),
                    ..row(*found)
                }]
            }
            Points::Temperature(points) => points
                .iter()
                .map(|(temperature, found)| Row {
                    temperature_c: Some(*temperature),
                    error_k: Some(found.error),
                    expanded_u_k: Some(found.expanded),
                    ..row(*found)
                })
                .collect(),
        };
        Self {
            schema: SCHEMA,
            standard: standard.kind,
            model: standard.model,
            serial: standard.serial,
            certificate_no: standard.certificate_no,
            laboratory: standard.laboratory,
            calibrated_on: standard.calibrated_on,
            due_on: standard.due_on,
            simulated: standard.simulated,
            note: standard.note,
            drift_percent_per_year: standard.drift_percent_per_year,
            drift_ppm_per_year: standard.drift_ppm_per_year,
            temperature_coefficient_percent_per_k: standard.temperature_coefficient_percent_per_k,
            temperature_coefficient_ppm_per_k: standard.temperature_coefficient_ppm_per_k,
            calibrated_at_c: standard.calibrated_at.map(Temperature::degrees_celsius),
            point,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: &str = r#"
schema = 1
standard = "time_base"
model = "T"
serial = "1"
certificate_no = "C"
laboratory = "L"
calibrated_on = "2026-01-05"
due_on = "2027-01-04"
point = [ { error_ppm = 2.0, expanded_u_ppm = 1.0, k = 2.0 } ]
"#;

    fn refused(from: &str, to: &str) -> String {
        assert!(CLOCK.contains(from), "{from}");
        Standard::from_toml("clock.toml", &CLOCK.replace(from, to)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(Standard::from_toml("clock.toml", CLOCK).is_ok());
        assert!(refused("model =", "modell =").contains("unknown field `modell`"));
        assert!(refused("k = 2.0 }", "kk = 2.0 }").contains("unknown field `kk`"));
        assert!(refused("schema = 1", "schema = 2").contains("schema is 2; allowed: 1"));
        assert!(refused("\"L\"", "\" \"").contains("laboratory is empty"));
        assert!(refused("2027-01-04", "2026-01-05").contains("due_on is 2026-01-05"));
        assert!(refused(", k = 2.0", "").contains("point 1: k is missing"));
        assert!(refused("k = 2.0", "k = 0").contains("point 1: k is 0"));
        assert!(refused("error_ppm = 2.0", "error_ppm = nan").contains("point 1: error_ppm is NaN"));
        assert!(
            refused("expanded_u_ppm = 1.0", "expanded_u_ppm = -1").contains("point 1: expanded_u_ppm is -1")
        );
        assert!(refused("k = 2.0", "k = 2.0, voltage_v = 1").contains("point 1: voltage_v is given"));
        assert!(
            refused("point = [ { error_ppm = 2.0, expanded_u_ppm = 1.0, k = 2.0 } ]", "point = []")
                .contains("point is an empty list")
        );
    }

    #[test]
    fn a_temperature_sensor_is_corrected_between_its_points() {
        let text = CLOCK.replace("time_base", "temperature_sensor").replace(
            "{ error_ppm = 2.0, expanded_u_ppm = 1.0, k = 2.0 }",
            "{ temperature_c = 0, error_k = 0.2, expanded_u_k = 0.1, k = 2 }, { temperature_c = 40, error_k = 0.4, expanded_u_k = 0.2, k = 2 }",
        );
        let sensor = Standard::from_toml("sensor.toml", &text).unwrap();
        let (error, u) = sensor.temperature_correction(Temperature::from_degrees_celsius(20.0)).unwrap();
        assert!((error - 0.3).abs() < 1e-12 && (u - 0.1).abs() < 1e-12);
        assert!(sensor.temperature_correction(Temperature::from_degrees_celsius(41.0)).is_err());
        let json = serde_json::to_string(&sensor).unwrap();
        assert_eq!(serde_json::from_str::<Standard>(&json).unwrap(), sensor);
    }
}
