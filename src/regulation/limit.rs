//! Answers of a profile for one meter: its limits, load points and the times and energies that follow from them.

use super::current::compare;
use super::{
    Class, CreepDwell, CurrentRange, CurrentTerm, Currents, Fault, Kind, Profile, Provenance, RangeLimit,
    Scale,
};
use crate::quantity::{Current, Energy, PulseConstant, Ratio, Voltage};
use crate::time::Span;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// The limit of error at one current.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The limit, to both sides.
    pub ratio: Ratio,
    /// The range of the regulation the current lies in.
    pub range: String,
    /// The clause or table.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
}

/// A load point of one meter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadPoint {
    /// The current.
    #[serde(rename = "current_a")]
    pub current: Current,
    /// The same in the words of the regulation.
    pub term: CurrentTerm,
    /// The clause or table.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
}

impl Profile {
    /// The limit of error of a class at a current.
    pub fn limit(&self, class: &Class, current: Current, currents: &Currents) -> Result<Limit, Fault> {
        let limits = &self.figures_of(class)?.limits;
        let row = limits.iter().find(|row| row.range.holds(current, currents));
        let row = row.ok_or_else(|| {
            let ranges: Vec<_> = limits.iter().map(|row| written(row.range, currents)).collect();
            Fault::NoFigure {
                document: self.document.clone(),
                what: "limit of error",
                seen: format!("class {class} at {current}"),
                allowed: format!("its ranges are {}", ranges.join(", ")),
            }
        })?;
        let ratio = match row.scale {
            Scale::None => Ratio::from_percent(row.percent),
            Scale::IminOverI => scaled(row, current, currents),
        };
        let (clause, provenance) = (row.clause.clone(), row.provenance);
        Ok(Limit { ratio, range: row.range.to_string(), clause, provenance })
    }

    /// The load points of the basic error in descending order; of equal currents the first of the file stands.
    ///
    /// A point above Imax (`10 Itr` of a meter that does not go so far) is none.
    pub fn load_points(&self, kind: Kind, currents: &Currents) -> Vec<LoadPoint> {
        let mut points: Vec<LoadPoint> = Vec::new();
        for row in &self.load_points {
            if !row.is_for(kind) || row.when.is_some_and(|when| !when.holds(currents)) {
                continue;
            }
            // A checked profile has no load point in the old naming.
            let Some(current) = row.current.value(|symbol| currents.of(symbol)) else { continue };
            let is_there = points.iter().any(|point| compare(point.current, current) == Ordering::Equal);
            if !is_there && compare(current, currents.imax) != Ordering::Greater {
                let (clause, provenance) = (row.clause.clone(), row.provenance);
                points.push(LoadPoint { current, term: row.current, clause, provenance });
            }
        }
        points.sort_by(|a, b| compare(b.current, a.current));
        points
    }

    /// How long creep is tested on a meter of nominal voltage `un` and constant `c`.
    pub fn creep_dwell(
        &self,
        class: &Class,
        un: Voltage,
        c: PulseConstant,
        currents: &Currents,
    ) -> Result<Span, Fault> {
        let creep = self.creep.as_ref().ok_or_else(|| self.without("creep test", class))?;
        let (un, c) = (un.volts(), c.impulses_per_kilowatt_hour());
        if un <= 0.0 || c <= 0.0 {
            return Err(Fault::Nameplate { seen: format!("{un} V and {c} imp/kWh are not both above zero") });
        }
        let secs = match &creep.dwell {
            CreepDwell::Imin { numerator, elements } => {
                let b = self.limit(class, currents.imin, currents)?.ratio.percent();
                let divisor =
                    creep.voltage_factor.value * b * c * elements.value * un * currents.imin.amperes();
                3600.0 * numerator.value / divisor
            }
            CreepDwell::Imax { numerators, elements } => {
                let numerator = numerators.iter().find(|row| row.class == class.name());
                let numerator = numerator.ok_or_else(|| self.without("creep time", class))?;
                60.0 * numerator.value / (c * elements.value * un * currents.imax.amperes())
            }
        };
        Ok(Span::from_secs_f64(secs))
    }

    /// The least energy of the register test, for a register that shows steps of `resolution_kwh`.
    pub fn constant_energy_min(
        &self,
        class: &Class,
        resolution_kwh: f64,
        currents: &Currents,
    ) -> Result<Energy, Fault> {
        let rule = self.meter_constant.as_ref().ok_or_else(|| self.without("test of the constant", class))?;
        if !resolution_kwh.is_finite() || resolution_kwh <= 0.0 {
            return Err(Fault::Nameplate {
                seen: format!("a register step of {resolution_kwh} kWh is not above zero"),
            });
        }
        let b = self.base_limit(class, currents)?.ratio.percent();
        Ok(Energy::from_kilowatt_hours(rule.energy_factor.value * resolution_kwh / b))
    }

    /// The limit of the difference between pulses and register.
    pub fn constant_limit(&self, class: &Class, currents: &Currents) -> Result<Limit, Fault> {
        let rule = self.meter_constant.as_ref().ok_or_else(|| self.without("test of the constant", class))?;
        let base = self.base_limit(class, currents)?;
        let share = &rule.share_of_limit;
        let provenance = base.provenance.max(share.provenance);
        Ok(Limit { ratio: base.ratio * share.value, clause: share.clause.clone(), provenance, ..base })
    }

    /// The limit at Imax, which the regulations call the base limit.
    pub fn base_limit(&self, class: &Class, currents: &Currents) -> Result<Limit, Fault> {
        self.limit(class, currents.imax, currents)
    }

    /// The warm-up of a class, if the regulation gives one; what the meter's manual says goes before.
    pub fn warm_up(&self, class: &Class) -> Result<Option<Span>, Fault> {
        let minutes = self.figures_of(class)?.warm_up_minutes.as_ref();
        Ok(minutes.map(|minutes| Span::from_secs_f64(60.0 * minutes.value)))
    }

    /// The rounding interval of the error of a class, if the regulation gives one.
    pub fn rounding_interval(&self, class: &Class) -> Result<Option<Ratio>, Fault> {
        let percent = self.figures_of(class)?.rounding_percent.as_ref();
        Ok(percent.map(|percent| Ratio::from_percent(percent.value)))
    }

    fn without(&self, what: &'static str, class: &Class) -> Fault {
        Fault::NoFigure {
            document: self.document.clone(),
            what,
            seen: format!("class {class}"),
            allowed: "choose another profile or leave the item out".to_owned(),
        }
    }
}

/// `percent` · Imin/I.
fn scaled(row: &RangeLimit, current: Current, currents: &Currents) -> Ratio {
    // A range without zero: Ist is positive and belongs to no meter below it.
    Ratio::from_percent(row.percent * (currents.imin.amperes() / current.amperes()))
}

/// The range with its currents: `Itr <= I <= Imax` (10 A to 600 A).
fn written(range: CurrentRange, currents: &Currents) -> String {
    let of = |term: CurrentTerm| {
        term.value(|symbol| currents.of(symbol))
            .map_or_else(|| term.to_string(), |current| current.to_string())
    };
    format!("`{range}` ({} to {})", of(range.low), of(range.high))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the numbers compared are rounded to decimals first")]
mod tests {
    use super::*;

    fn a(amperes: f64) -> Current {
        Current::from_amperes(amperes)
    }

    fn currents() -> Currents {
        Currents { ist: a(0.4), imin: a(5.0), itr: a(10.0), imax: a(600.0) }
    }

    fn percent(profile: &Profile, class: &str, amperes: f64) -> f64 {
        let class = profile.class(class).unwrap();
        let limit = profile.limit(&class, a(amperes), &currents()).unwrap();
        (limit.ratio.percent() * 1e9).round() / 1e9
    }

    #[test]
    fn the_limits_of_table_1_stand_as_printed() {
        let profile = Profile::builtin("jjg596-2026").unwrap();
        let expected = [("A", 2.0, 2.5), ("B", 1.0, 1.5), ("C", 0.5, 1.0), ("D", 0.2, 0.4), ("E", 0.1, 0.2)];
        for (class, upper, lower) in expected {
            let found = [600.0, 100.0, 10.0, 9.9, 5.1, 5.0].map(|i| percent(&profile, class, i));
            assert_eq!(found, [upper, upper, upper, lower, lower, lower], "class {class}");
            assert_eq!(percent(&profile, class, 2.5), lower * 2.0, "class {class} at Imin/2");
            assert_eq!(percent(&profile, class, 0.4), lower * 12.5, "class {class} at Ist");
        }
    }

    #[test]
    fn a_limit_says_where_it_stands() {
        let profile = Profile::builtin("jjg596-2026").unwrap();
        let limit = profile.limit(&profile.class("1").unwrap(), a(7.0), &currents()).unwrap();
        assert_eq!((limit.range.as_str(), limit.clause.as_str()), ("Imin < I < Itr", "Table 1"));
        assert_eq!(limit.provenance, Provenance::Read);
    }

    #[test]
    fn outside_the_ranges_there_is_no_limit() {
        let profile = Profile::builtin("jjg596-2026").unwrap();
        let class = profile.class("B").unwrap();
        let fault = profile.limit(&class, a(601.0), &currents()).unwrap_err().to_string();
        assert!(fault.starts_with("JJG 596-2026 has no limit of error for class B at 601 A; its ranges are `Itr <= I <= Imax` (10 A to 600 A)"), "{fault}");
        assert!(profile.limit(&class, a(0.3), &currents()).is_err());
        assert!(profile.limit(&class, Current::ZERO, &currents()).is_err());
    }

    #[test]
    fn limits_of_direct_current_meters_are_unconfirmed() {
        let profile = Profile::builtin("dc-meter").unwrap();
        for (class, upper, lower) in [("0.5", 0.5, 1.0), ("1", 1.0, 1.5), ("2", 2.0, 2.5)] {
            let found = [600.0, 10.0, 9.0, 5.0, 2.5].map(|i| percent(&profile, class, i));
            assert_eq!(found, [upper, upper, lower, lower, 2.0 * lower], "class {class}");
            let limit = profile.limit(&profile.class(class).unwrap(), a(10.0), &currents()).unwrap();
            assert_eq!(limit.provenance, Provenance::Unconfirmed);
        }
    }

    fn terms(profile: &str, currents: &Currents) -> Vec<String> {
        let profile = Profile::builtin(profile).unwrap();
        profile.load_points(Kind::First, currents).iter().map(|point| point.term.to_string()).collect()
    }

    #[test]
    fn load_points_come_in_descending_order() {
        assert_eq!(terms("jjg596-2026", &currents()), ["Imax", "0.5 Imax", "10 Itr", "Itr", "Imin"]);
        assert_eq!(terms("jjg1149-2022", &currents()), ["Imax", "Imin"]);
    }

    #[test]
    fn half_of_imax_is_a_point_only_from_40_itr_on() {
        let at = |imax| terms("jjg596-2026", &Currents { imax: a(imax), ..currents() });
        assert_eq!(at(399.0), ["Imax", "10 Itr", "Itr", "Imin"]);
        assert_eq!(at(400.0), ["Imax", "0.5 Imax", "10 Itr", "Itr", "Imin"]);
    }

    #[test]
    fn equal_points_are_one_and_none_lies_above_imax() {
        let at = |imax| terms("jjg596-2026", &Currents { imax: a(imax), ..currents() });
        assert_eq!(at(100.0), ["Imax", "Itr", "Imin"]);
        assert_eq!(at(60.0), ["Imax", "Itr", "Imin"]);
        let flat = Currents { imin: a(10.0), ..currents() };
        assert_eq!(terms("jjg596-2026", &flat), ["Imax", "0.5 Imax", "10 Itr", "Itr"]);
    }

    #[test]
    fn creep_takes_as_long_as_the_formula_says() {
        let profile = Profile::builtin("dc-meter").unwrap();
        let class = profile.class("1").unwrap();
        let secs = |c: f64, imin: f64| {
            let currents = Currents { imin: a(imin), ..currents() };
            let c = PulseConstant::from_impulses_per_kilowatt_hour(c);
            let dwell = profile.creep_dwell(&class, Voltage::from_volts(750.0), c, &currents).unwrap();
            dwell.secs().round()
        };
        assert_eq!([secs(100.0, 1.0), secs(100.0, 2.5), secs(100.0, 5.0)], [2909.0, 1164.0, 582.0]);
        assert_eq!([secs(1000.0, 1.0), secs(1000.0, 2.5), secs(1000.0, 5.0)], [291.0, 116.0, 58.0]);
        assert_eq!([secs(10000.0, 1.0), secs(10000.0, 2.5), secs(10000.0, 5.0)], [29.0, 12.0, 6.0]);
        assert!(profile.creep_dwell(&class, Voltage::ZERO, PulseConstant::ZERO, &currents()).is_err());
    }

    #[test]
    fn creep_by_imax_takes_the_numerator_of_the_class() {
        let mut profile = Profile::builtin("dc-meter").unwrap();
        let text = "rule = 'imax'\nelements = { value = 1, clause = 'test', provenance = 'read' }\n\
            numerators = [{ class = '1', value = 600e6, clause = 'test', provenance = 'read' }]";
        profile.creep.as_mut().unwrap().dwell = toml::from_str(text).unwrap();
        let dwell = |class: &str| {
            let c = PulseConstant::from_impulses_per_kilowatt_hour(1000.0);
            profile.creep_dwell(&profile.class(class).unwrap(), Voltage::from_volts(750.0), c, &currents())
        };
        assert_eq!(dwell("1").unwrap(), Span::from_secs(80));
        assert!(dwell("2").unwrap_err().to_string().contains("no creep time for class 2"));
    }

    #[test]
    fn the_register_test_needs_the_energy_of_its_step() {
        let profile = Profile::builtin("dc-meter").unwrap();
        let kwh = |class: &str, step| {
            let found = profile.constant_energy_min(&profile.class(class).unwrap(), step, &currents());
            (found.unwrap().kilowatt_hours() * 1e9).round() / 1e9
        };
        assert_eq!([kwh("1", 0.01), kwh("1", 0.001), kwh("0.5", 0.01)], [10.0, 1.0, 20.0]);
        let class = profile.class("1").unwrap();
        assert!(profile.constant_energy_min(&class, f64::NAN, &currents()).is_err());
        let limit = profile.constant_limit(&class, &currents()).unwrap();
        assert!((limit.ratio.percent() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn what_a_regulation_does_not_have_is_said() {
        let profile = Profile::builtin("jjg1149-2022").unwrap();
        let class = profile.class("1").unwrap();
        let c = PulseConstant::from_impulses_per_kilowatt_hour(1000.0);
        let fault = profile.creep_dwell(&class, Voltage::from_volts(750.0), c, &currents()).unwrap_err();
        assert!(fault.to_string().starts_with("JJG 1149-2022 has no creep test for class 1"), "{fault}");
        assert_eq!(profile.warm_up(&class).unwrap(), None);
        let ac = Profile::builtin("jjg596-2026").unwrap();
        assert_eq!(ac.warm_up(&ac.class("C").unwrap()).unwrap(), Some(Span::from_secs(1800)));
    }
}
