//! The verification of the tester itself: which items, what a laboratory found, how that changed over the years.
//!
//! The items are the headings of JJG 1192-2023; its limits have not been seen (`assets/tester`). This program computes
//! and keeps what a laboratory found with a higher standard. It gives no certificate of itself.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The only version of both files so far.
const SCHEMA: u32 = 1;
/// More readings than any laboratory takes at a point.
const READINGS_MAX: usize = 1000;

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not of the form.
    #[error("{origin}: {what}")]
    Form {
        /// The file.
        origin: String,
        /// Key and reason.
        what: String,
    },
}

/// How an item is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Errors in % at a point.
    Error,
    /// Errors in s.
    Seconds,
    /// Good or not.
    Check,
    /// It follows from the readings of another item.
    FromReadings,
}

/// An item of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name in files.
    pub id: String,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// How it is recorded.
    pub kind: Kind,
    /// How it is done.
    pub how: String,
}

/// What is verified of a tester.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    schema: u32,
    /// The regulation.
    pub document: String,
    /// Where it was read.
    pub source: String,
    /// Classes of which is told, in %.
    pub classes_percent: Vec<f64>,
    /// The items.
    pub item: Vec<Item>,
}

impl Plan {
    /// The one that comes with the program.
    pub fn builtin() -> Result<Self, Fault> {
        let text = include_str!("../../assets/tester/jjg1192-2023.toml");
        let origin = "assets/tester/jjg1192-2023.toml".to_owned();
        let plan: Self =
            toml::from_str(text).map_err(|e| Fault::Form { origin: origin.clone(), what: e.to_string() })?;
        if plan.schema != SCHEMA {
            let what = format!("schema is {}; this program reads {SCHEMA}", plan.schema);
            return Err(Fault::Form { origin, what });
        }
        Ok(plan)
    }

    fn kind(&self, id: &str) -> Option<Kind> {
        self.item.iter().find(|item| item.id == id).map(|item| item.kind)
    }
}

/// What was found at a point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The item.
    pub item: String,
    /// Where: `500 V, 100 A` or `supply 187 V`; the same words in each year.
    pub at: String,
    /// Errors, one a reading: in %, or in s for the clock.
    pub errors: Vec<f64>,
    /// Expanded uncertainty of their mean, k = 2, in the same unit.
    pub expanded_u: f64,
}

impl Point {
    /// The mean error.
    pub fn mean(&self) -> f64 {
        self.errors.iter().sum::<f64>() / self.errors.len() as f64
    }

    /// Experimental standard deviation of a reading (GUM 4.2.2); none of fewer than two.
    pub fn deviation(&self) -> Option<f64> {
        let n = self.errors.len();
        let mean = self.mean();
        let squares = self.errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>();
        (n >= 2).then(|| (squares / (n - 1) as f64).sqrt())
    }
}

/// An item that is good or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The item.
    pub item: String,
    /// Whether it is good.
    pub good: bool,
    /// What was seen.
    #[serde(default)]
    pub seen: String,
}

/// What a laboratory found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    schema: u32,
    /// The tester's number.
    pub tester: String,
    /// When.
    pub performed_on: Date,
    /// Who.
    pub laboratory: String,
    /// By which higher standard, with the number of its certificate.
    pub standard: String,
    /// The tester's class in %, as its nameplate states it.
    pub class_percent: f64,
    /// Errors.
    #[serde(default)]
    pub point: Vec<Point>,
    /// Good or not.
    #[serde(default)]
    pub check: Vec<Check>,
}

/// What a point is worth against ± the class index, which is unconfirmed as a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// Within, with its uncertainty.
    Within,
    /// Within or beyond: its uncertainty spans the limit.
    Unclear,
    /// Beyond, with its uncertainty.
    Beyond,
    /// No limit is known.
    NoLimit,
}

impl Sheet {
    /// Reads what a laboratory found; `origin` names the file in messages.
    pub fn from_toml(origin: &str, text: &str, plan: &Plan) -> Result<Self, Fault> {
        let form = |what: String| Fault::Form { origin: origin.to_owned(), what };
        let sheet: Self = toml::from_str(text).map_err(|e| form(e.to_string()))?;
        sheet.sense(plan).map_or(Ok(sheet), |what| Err(form(what)))
    }

    fn sense(&self, plan: &Plan) -> Option<String> {
        let known = || plan.item.iter().map(|item| item.id.as_str()).collect::<Vec<_>>().join(", ");
        if self.schema != SCHEMA {
            return Some(format!("schema is {}; this program reads {SCHEMA}", self.schema));
        }
        for (key, text) in
            [("tester", &self.tester), ("laboratory", &self.laboratory), ("standard", &self.standard)]
        {
            if text.trim().is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
                return Some(format!("{key}: 1 to 200 characters in one line are wanted"));
            }
        }
        if !(self.class_percent > 0.0 && self.class_percent <= 1.0) {
            return Some(format!(
                "class_percent is {}; above 0 and at most 1 is allowed",
                self.class_percent
            ));
        }
        if self.point.is_empty() && self.check.is_empty() {
            return Some(
                "neither [[point]] nor [[check]]: nothing was found, so there is nothing to keep".into(),
            );
        }
        for (n, point) in self.point.iter().enumerate() {
            let place = format!("point {}", n + 1);
            if !matches!(plan.kind(&point.item), Some(Kind::Error | Kind::Seconds)) {
                return Some(format!("{place}: item \"{}\" takes no errors; items: {}", point.item, known()));
            }
            let is_right = |e: &f64| e.is_finite() && e.abs() < 1e6;
            if point.errors.is_empty()
                || point.errors.len() > READINGS_MAX
                || !point.errors.iter().all(is_right)
            {
                return Some(format!("{place}: errors: 1 to {READINGS_MAX} numbers are wanted"));
            }
            if !(point.expanded_u.is_finite() && point.expanded_u > 0.0) {
                return Some(format!(
                    "{place}: expanded_u is {}; a number above 0 is wanted",
                    point.expanded_u
                ));
            }
            let same = |other: &Point| (&other.item, &other.at) == (&point.item, &point.at);
            if self.point.iter().take(n).any(same) {
                return Some(format!("{place}: {} at {} stands there already", point.item, point.at));
            }
        }
        let is_check = |check: &&Check| plan.kind(&check.item) != Some(Kind::Check);
        let wrong = self.check.iter().find(is_check)?;
        Some(format!("item \"{}\" is no check; items: {}", wrong.item, known()))
    }

    /// What a point is worth.
    pub fn against(&self, point: &Point) -> Against {
        if point.item != "energy_error" {
            return Against::NoLimit;
        }
        let (error, u, limit) = (point.mean().abs(), point.expanded_u, self.class_percent);
        if error + u <= limit {
            Against::Within
        } else if error - u > limit {
            Against::Beyond
        } else {
            Against::Unclear
        }
    }

    /// Items of the plan of which nothing was recorded.
    pub fn missing<'a>(&self, plan: &'a Plan) -> Vec<&'a Item> {
        let has = |id: &str| {
            self.point.iter().any(|point| point.item == id) || self.check.iter().any(|check| check.item == id)
        };
        plan.item.iter().filter(|item| item.kind != Kind::FromReadings && !has(&item.id)).collect()
    }
}

/// How a point changed from one verification to the next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// From when.
    pub from: Date,
    /// To when.
    pub to: Date,
    /// The change of the mean error.
    pub change: f64,
    /// The same in a year.
    pub per_year: f64,
    /// The change by its expanded uncertainty: above 1 it is more than both uncertainties explain (ISO 13528 9.7).
    pub e_n: f64,
}

/// The steps of each item and point, in the order of the dates.
pub fn drift(sheets: &[Sheet]) -> BTreeMap<(String, String), Vec<Step>> {
    let mut sheets: Vec<_> = sheets.iter().collect();
    sheets.sort_by_key(|sheet| sheet.performed_on);
    let mut last: BTreeMap<(String, String), (Date, Point)> = BTreeMap::new();
    let mut steps: BTreeMap<_, Vec<Step>> = BTreeMap::new();
    for sheet in sheets {
        for point in &sheet.point {
            let key = (point.item.clone(), point.at.clone());
            let now = (sheet.performed_on, point.clone());
            let Some((from, before)) = last.insert(key.clone(), now) else { continue };
            let change = point.mean() - before.mean();
            let years = f64::from((sheet.performed_on - from).get_days().max(1)) / 365.25;
            let e_n = change.abs() / point.expanded_u.hypot(before.expanded_u);
            let step = Step { from, to: sheet.performed_on, change, per_year: change / years, e_n };
            steps.entry(key).or_default().push(step);
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: &str = r#"
schema = 1
tester = "PL-0007"
performed_on = "2026-11-20"
laboratory = "Some laboratory"
standard = "Higher standard 0.01, certificate 123"
class_percent = 0.05
[[point]]
item = "energy_error"
at = "500 V, 100 A"
errors = [0.010, 0.012, 0.014]
expanded_u = 0.010
[[check]]
item = "ports_display"
good = true
"#;

    fn sheet(replace: &[(&str, &str)]) -> Result<Sheet, Fault> {
        let text = replace.iter().fold(FOUND.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        Sheet::from_toml("found.toml", &text, &Plan::builtin().unwrap())
    }

    #[test]
    fn what_a_laboratory_found_is_computed() {
        let found = sheet(&[]).unwrap();
        let point = &found.point[0];
        assert!((point.mean() - 0.012).abs() < 1e-12);
        assert!((point.deviation().unwrap() - 0.002).abs() < 1e-12);
        assert_eq!(found.against(point), Against::Within);
        let against = |errors| {
            let found = sheet(&[("[0.010, 0.012, 0.014]", errors)]).unwrap();
            found.against(&found.point[0])
        };
        assert_eq!(against("[0.045]"), Against::Unclear);
        assert_eq!(against("[-0.061]"), Against::Beyond);
        let plan = Plan::builtin().unwrap();
        let missing: Vec<_> = found.missing(&plan).iter().map(|item| item.id.as_str()).collect();
        assert_eq!(missing, ["limit_operating_error", "indication_error", "clock", "withstand"]);
    }

    #[test]
    fn the_years_show_the_drift() {
        let later = sheet(&[("2026-11-20", "2028-11-19"), ("[0.010, 0.012, 0.014]", "[0.032]")]).unwrap();
        let drift = drift(&[later, sheet(&[]).unwrap()]);
        let steps = &drift[&("energy_error".to_owned(), "500 V, 100 A".to_owned())];
        assert_eq!(steps.len(), 1);
        assert!((steps[0].change - 0.02).abs() < 1e-12 && (steps[0].per_year - 0.01).abs() < 1e-4);
        assert!((steps[0].e_n - std::f64::consts::SQRT_2).abs() < 1e-9, "{}", steps[0].e_n);
    }

    #[test]
    fn nonsense_is_named() {
        for (from, to, what) in [
            ("\"energy_error\"", "\"energy\"", "takes no errors"),
            ("\"energy_error\"", "\"repeatability\"", "takes no errors"),
            ("[0.010, 0.012, 0.014]", "[]", "1 to 1000 numbers"),
            ("[0.010, 0.012, 0.014]", "[nan]", "1 to 1000 numbers"),
            ("= 0.010\n", "= 0.0\n", "expanded_u is 0"),
            ("= 0.05\n", "= 5\n", "class_percent is 5"),
            ("\"ports_display\"", "\"clock\"", "is no check"),
            ("\"PL-0007\"", "\" \"", "tester: 1 to 200"),
            ("schema = 1", "schema = 2", "reads 1"),
            ("good = true", "good = true\nx = 1", "unknown field"),
        ] {
            let fault = sheet(&[(from, to)]).unwrap_err().to_string();
            assert!(fault.starts_with("found.toml") && fault.contains(what), "{what}: {fault}");
        }
    }
}
