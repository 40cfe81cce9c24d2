//! When to stop taking readings: a sequential rule whose total risk is fixed before the first of them.

use super::{Component, Kind, combine, coverage_factor_at};
use serde::{Deserialize, Serialize};

/// A kind A part below this share of the kind B part adds less than 6 % to u: more readings would not narrow it.
const LITTLE: f64 = 1.0 / 3.0;

/// The rule. Each look at the readings so far spends an equal part of the risk (Bonferroni's inequality), so that the
/// probability that a look finds the truth clearly on the wrong side of a limit stays below `risk`, however the looks
/// depend on one another. Readings that end because more of them would change little, or at the planned maximum, are
/// judged by the decision rule with its own risk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    /// Total probability, over all looks, that an interval that ends the readings early misses the truth.
    pub risk: f64,
}

/// Between how many readings the rule may decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// The regulation's number; never fewer.
    pub least: u32,
    /// The planned number; never more.
    pub most: u32,
}

/// Why no further reading is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The interval of this look lies wholly on one side of the limit.
    Clear,
    /// The scatter of the readings adds little to the uncertainty that would stay.
    Narrow,
    /// The planned maximum.
    Last,
}

impl Stop {
    /// In words, for the record.
    pub fn words(self) -> &'static str {
        match self {
            Self::Clear => "the limit lies outside the interval of this look",
            Self::Narrow => "more readings would not narrow the uncertainty",
            Self::Last => "the planned maximum",
        }
    }
}

impl Sequential {
    /// The rule in words, for record and paper.
    pub fn words(&self) -> String {
        format!(
            "Readings at a point end, never before the regulation's number and never after the planned maximum, when the error with U lies wholly on one side of the limit (here U with Student's t for all that is random, the total risk of {} % shared equally by all possible looks), or when repeatability is below a third of the other components together.",
            (self.risk * 1e8).round() / 1e6
        )
    }

    /// Looks at `readings` readings with their mean `value`, budget and symmetric limit, all in the same unit. `None`:
    /// take another one.
    pub fn look(
        &self,
        looks: Looks,
        readings: u32,
        value: f64,
        budget: &[Component],
        limit: f64,
    ) -> Option<Stop> {
        if readings < looks.least {
            return None;
        }
        if readings >= looks.most {
            return Some(Stop::Last);
        }
        combine(value, budget).ok()?;
        let square = |kind: Kind| budget.iter().filter(|c| c.kind == kind).map(|c| c.u * c.u).sum::<f64>();
        let (random, other) = (square(Kind::A), square(Kind::B));
        // Not by Welch and Satterthwaite: few readings that lie close together by chance would stop too soon. The
        // smallest degrees of freedom hold for all that is random.
        let dof = budget.iter().filter(|c| c.kind == Kind::A).filter_map(|c| c.dof).reduce(f64::min);
        let p = 1.0 - self.risk / f64::from(looks.most - looks.least + 1);
        let expanded =
            (coverage_factor_at(p, dof) * random.sqrt()).hypot(coverage_factor_at(p, None) * other.sqrt());
        if value.abs() + expanded <= limit || value.abs() - expanded >= limit {
            return Some(Stop::Clear);
        }
        let square = |kind: Kind| budget.iter().filter(|c| c.kind == kind).map(|c| c.u * c.u).sum::<f64>();
        (square(Kind::A) <= square(Kind::B) * LITTLE * LITTLE).then_some(Stop::Narrow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Sequential = Sequential { risk: 0.05 };
    const LOOKS: Looks = Looks { least: 2, most: 5 };

    fn budget(scatter: f64, dof: f64) -> Vec<Component> {
        let repeatability =
            Component { kind: Kind::A, dof: Some(dof), ..Component::b("repeatability", scatter, "readings") };
        vec![Component::b("reference", 0.01, "certificate"), repeatability]
    }

    #[test]
    fn never_fewer_than_the_regulation_asks_and_never_more_than_planned() {
        assert_eq!(RULE.look(LOOKS, 1, 0.0, &budget(0.0001, 1.0), 1.0), None);
        assert_eq!(RULE.look(LOOKS, 5, 0.99, &budget(10.0, 4.0), 1.0), Some(Stop::Last));
    }

    #[test]
    fn a_clear_case_ends_early_on_either_side_and_a_doubtful_one_does_not() {
        for (value, stop) in [(0.1, Some(Stop::Clear)), (3.0, Some(Stop::Clear)), (0.95, None)] {
            assert_eq!(RULE.look(LOOKS, 3, value, &budget(0.03, 2.0), 1.0), stop, "{value}");
        }
    }

    #[test]
    fn what_more_readings_cannot_mend_ends_too() {
        assert_eq!(RULE.look(LOOKS, 2, 0.999, &budget(0.001, 1.0), 1.0), Some(Stop::Narrow));
    }

    #[test]
    fn more_possible_looks_ask_for_a_wider_interval() {
        let many = Looks { least: 2, most: 50 };
        let one = Looks { least: 2, most: 3 };
        let found = (2..500).map(|n| f64::from(n) / 500.0).find(|value| {
            RULE.look(one, 2, *value, &budget(0.05, 30.0), 1.0)
                != RULE.look(many, 2, *value, &budget(0.05, 30.0), 1.0)
        });
        assert!(found.is_some(), "the number of looks changes nothing");
    }

    #[test]
    fn a_component_that_is_no_number_never_ends_the_readings_early() {
        assert_eq!(RULE.look(LOOKS, 3, 0.0, &budget(f64::NAN, 2.0), 1.0), None);
    }
}
