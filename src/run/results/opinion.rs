//! Another error calculator's readings beside ours: a finding where they differ by more than both uncertainties.

use super::Judge;
use crate::certificate::record::{ItemResult, SecondOpinion, Unit};
use crate::plan::{Step, Work};
use crate::regulation::Item;
use crate::source::Opinion;
use crate::uncertainty::Estimate;

/// Coverage factor of the scatter of its readings, as that of its certificate.
const COVERAGE: f64 = 2.0;

impl Judge<'_> {
    /// What it said at each load point; what differs, and where it said nothing, goes among the findings. No verdict
    /// comes of it and no mean.
    pub(super) fn second_opinions(&mut self, items: &[ItemResult]) -> Vec<SecondOpinion> {
        let Some(other) = &self.plan.capability.second_opinion else { return vec![] };
        let points = self.plan.steps.iter().filter(|step| matches!(step.work, Work::BasicError(_)));
        let mut said = vec![];
        let mut findings = vec![];
        for step in points {
            let Some(ours) = ours(items, step) else { continue };
            let Some(opinion) = self.evidence.opinions.get(&step.no) else {
                findings.push(format!(
                    "second opinion: the {} gave none at {}, {}",
                    other.of, step.load.voltage_v, step.load.current_a
                ));
                continue;
            };
            let beside = beside(&other.of, other.expanded_percent, opinion, &ours);
            findings.extend(beside.finding());
            said.push(beside);
        }
        if other.expanded_percent.is_none() && !said.is_empty() {
            findings.push(format!(
                "second opinion: the {}'s error readings stand beside ours and are held against nothing: its uncertainty is not in the bench file (expanded_percent, from its certificate)",
                other.of
            ));
        }
        self.findings.extend(findings);
        said
    }
}

fn ours(items: &[ItemResult], step: &Step) -> Option<Estimate> {
    let item = items.iter().find(|item| {
        item.item == Item::BasicError
            && item
                .point
                .as_ref()
                .is_some_and(|p| p.voltage_v == step.load.voltage_v && p.current_a == step.load.current_a)
    })?;
    item.measured.as_ref().filter(|m| m.unit == Unit::Percent).map(|m| m.estimate.clone())
}

fn beside(of: &str, expanded_percent: Option<f64>, opinion: &Opinion, ours: &Estimate) -> SecondOpinion {
    let scatter = COVERAGE * opinion.scatter_percent().unwrap_or(0.0);
    let expanded_percent = expanded_percent.map(|own| own.hypot(scatter));
    // E_n of ISO 13528 9.7: the difference in parts of both expanded uncertainties together.
    let e_n =
        expanded_percent.map(|theirs| (opinion.mean_percent - ours.value) / theirs.hypot(ours.expanded));
    SecondOpinion {
        of: of.to_owned(),
        voltage_v: opinion.load.voltage_v,
        current_a: opinion.load.current_a,
        mean_percent: opinion.mean_percent,
        expanded_percent,
        readings: opinion.readings_percent.len(),
        ours_percent: ours.value,
        ours_expanded_percent: ours.expanded,
        e_n: e_n.filter(|n| n.is_finite()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Load;
    use crate::quantity::{Current, Voltage};

    #[test]
    fn an_opinion_beyond_both_uncertainties_is_a_finding_and_one_without_an_uncertainty_is_held_against_nothing()
     {
        let load = Load { voltage_v: Voltage::from_volts(750.0), current_a: Current::from_amperes(10.0) };
        let opinion = Opinion {
            load,
            mean_percent: 0.212,
            readings_percent: vec![0.211, 0.213, 0.212, 0.212],
            raw: String::new(),
        };
        let ours = |value| Estimate { value, u: 0.02, dof: None, k: 2.0, expanded: 0.04 };
        let near = beside("XL-9600", Some(0.05), &opinion, &ours(0.18));
        assert_eq!(near.finding(), None);
        let far = beside("XL-9600", Some(0.05), &opinion, &ours(0.10));
        let words = far.finding().unwrap();
        assert!(
            words.contains("+0.212 %") && words.contains("+0.100 %") && words.contains("E_n = +1.7"),
            "{words}"
        );
        let unstated = beside("XL-9600", None, &opinion, &ours(-5.0));
        assert_eq!((unstated.e_n, unstated.finding()), (None, None));
    }
}
