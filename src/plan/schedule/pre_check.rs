//! The operator's pre-check: what three minutes can tell of a meter. It certifies nothing.

use super::{Draft, Wanted};
use crate::calibration::Standards;
use crate::plan::{Capability, Entries, Fault, Nameplate, Plan};
use crate::quantity::Current;
use crate::regulation::{Item, Kind, Profile};
use jiff::civil::Date;

/// What a pre-check looks at; a choice of this house. Warm-up, start, creep, the meter constant and all that a person looks
/// at are left out.
const ITEMS: [Item; 5] =
    [Item::Identity, Item::Seal, Item::BasicError, Item::ClockIndication, Item::DataOutput];

impl Draft<'_> {
    pub(super) fn is_pre_check(&self) -> bool {
        self.points.is_some()
    }

    /// Whether a pre-check passes an item over.
    pub(super) fn leaves_out(&self, item: Item) -> bool {
        self.is_pre_check() && !ITEMS.contains(&item)
    }
}

/// Makes the plan of a pre-check on `day`: the highest and the lowest current of the regulation's load points, and as many of
/// the others as three minutes have room for. Where the lowest takes too long for its few pulses, without it.
pub fn pre_check(
    nameplate: Nameplate,
    profile: Profile,
    kind: Kind,
    standards: Standards,
    capability: Capability,
    entries: Entries,
    day: Date,
) -> Result<Plan, Fault> {
    let class = profile.class(&nameplate.class)?;
    let currents = profile.currents(&nameplate.current, &class)?;
    let mut points: Vec<Current> =
        profile.load_points(kind, &currents).into_iter().map(|point| point.current).collect();
    points.sort_by(|a, b| b.amperes().total_cmp(&a.amperes()));
    let wanted = Wanted { nameplate, profile, kind, standards, capability, entries, day };
    let mut shortest: Option<Plan> = None;
    for points in selections(&points) {
        let plan = wanted.clone().plan(Some(&points))?;
        if plan.fits {
            return Ok(plan);
        }
        if shortest.as_ref().is_none_or(|shortest| plan.total < shortest.total) {
            shortest = Some(plan);
        }
    }
    shortest.ok_or_else(|| Fault::Senseless { what: "the regulation names no load point".into() })
}

/// What is tried, the most telling first: with the highest and the lowest current and ever fewer between them, then from the
/// highest down. `points` stand from the highest to the lowest.
fn selections(points: &[Current]) -> Vec<Vec<Current>> {
    let mut tried = vec![];
    if let [first, between @ .., last] = points {
        for count in (0..=between.len()).rev() {
            tried.push([&[*first], &between[..count], &[*last]].concat());
        }
    }
    tried.extend((1..points.len().max(2)).rev().filter_map(|count| Some(points.get(..count)?.to_vec())));
    tried
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{THREE_MINUTES, Work};
    use crate::sim::{Rig, demo_meter};

    fn plan(meter: &str, regulation: &str) -> Plan {
        let rig = Rig::new(meter, demo_meter(meter).unwrap()).unwrap();
        let day = jiff::civil::date(2026, 11, 20);
        let profile = Profile::builtin(regulation).unwrap();
        let (plate, standards) = (rig.nameplate.clone(), rig.standards.clone());
        pre_check(plate, profile, Kind::Subsequent, standards, rig.capability(), Entries::simulated(), day)
            .unwrap()
    }

    #[test]
    fn a_pre_check_takes_three_minutes_and_measures_the_ends_of_the_range() {
        let plan = plan("good", "dc-meter");
        assert!(plan.pre_check && plan.fits && plan.total <= THREE_MINUTES, "{}", plan.total);
        let points: Vec<f64> = plan
            .steps
            .iter()
            .filter(|step| matches!(step.work, Work::BasicError(_)))
            .map(|step| step.load.current_a.amperes())
            .collect();
        assert!(points.len() >= 2, "{points:?}");
        assert!(points.contains(&plan.currents.imax.amperes()), "{points:?}");
        let dearer = [Item::Creep, Item::Start, Item::MeterConstant, Item::Appearance];
        assert!(dearer.iter().all(|item| !plan.demands(*item)));
        assert!(plan.demands(Item::BasicError) && plan.demands(Item::Seal));
        let creeps = plan.steps.iter().any(|s| matches!(s.work, Work::Creep { .. } | Work::RegisterEnd));
        assert!(!creeps);
        assert_eq!(plan.total, plan.total_max);
    }

    #[test]
    fn slow_pulses_leave_fewer_points_and_what_never_fits_is_said() {
        let fast = plan("good", "dc-meter");
        let slow = plan("slow-pulses", "dc-meter");
        let count = |plan: &Plan| plan.steps.iter().filter(|s| matches!(s.work, Work::BasicError(_))).count();
        assert!(count(&slow) <= count(&fast));
        assert_eq!(slow.fits, slow.total <= THREE_MINUTES);
    }

    #[test]
    fn a_verification_stays_what_it_was() {
        let rig = Rig::new("good", demo_meter("good").unwrap()).unwrap();
        let profile = Profile::builtin("dc-meter").unwrap();
        let day = jiff::civil::date(2026, 11, 20);
        let (plate, standards) = (rig.nameplate.clone(), rig.standards.clone());
        let made = crate::plan::make(
            plate,
            profile,
            Kind::Subsequent,
            standards,
            rig.capability(),
            Entries::simulated(),
            day,
        );
        let made = made.unwrap();
        assert!(!made.pre_check && made.demands(Item::Creep) && made.demands(Item::MeterConstant));
        assert!(!serde_json::to_string(&made).unwrap().contains("pre_check"));
    }

    #[test]
    fn the_ends_come_first_and_then_ever_fewer() {
        let amperes = |list: Vec<Vec<Current>>| -> Vec<Vec<f64>> {
            list.iter().map(|points| points.iter().map(|c| c.amperes()).collect()).collect()
        };
        let points = [100.0, 50.0, 10.0, 1.0].map(Current::from_amperes);
        assert_eq!(
            amperes(selections(&points)),
            [
                vec![100.0, 50.0, 10.0, 1.0],
                vec![100.0, 50.0, 1.0],
                vec![100.0, 1.0],
                vec![100.0, 50.0, 10.0],
                vec![100.0, 50.0],
                vec![100.0]
            ]
        );
        assert_eq!(amperes(selections(&points[..1])), [[100.0]]);
        assert!(selections(&[]).is_empty());
    }
}
