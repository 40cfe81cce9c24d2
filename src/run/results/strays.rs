//! Pulses that are not the meter's, seen over the whole run: what they say may fail nobody.

use super::Judge;
use crate::certificate::record::{Attempt, ItemResult};
use crate::pulse::{Edge, proof};
use crate::regulation::Item;
use crate::time::{Instant, Span};
use crate::verdict::Verdict;

const NOT_ALL: &str = "not all pulses that were counted are the meter's";
/// A pulse that comes once in so long at every load counts seconds and no energy.
const SECOND: Span = Span::from_secs(1);
/// An interval may be off that by so much; a choice of this house, far beyond any clock of a meter.
const OFF: f64 = 0.01;
/// So many intervals tell; fewer may be so by chance.
const TELLING: usize = 20;
/// The greatest load is so many times the smallest, or nothing is told by an even rhythm.
const APART: f64 = 4.0;

impl Judge<'_> {
    /// Takes back a fail that rests on pulses which are not the meter's.
    pub(super) fn take_back(&mut self, items: &mut [ItemResult]) {
        if let Some(why) = self.swapped() {
            let by_pulses = [Item::Creep, Item::Start, Item::BasicError, Item::MeterConstant];
            undecide(items, &by_pulses, &why, false);
            self.findings.push(why);
        } else {
            let stray = self.stray();
            for item in [Item::Creep, Item::MeterConstant] {
                let spike = self.spike(item);
                // What was counted together with spikes passes nobody either; at creep they can only have been too many.
                let both = spike.is_some() && item == Item::MeterConstant;
                let Some(why) = spike.or_else(|| stray.clone()) else { continue };
                if undecide(items, &[item], &why, both) && !self.findings.contains(&why) {
                    self.findings.push(why);
                }
            }
        }
    }

    /// The seconds pulse on the input of the energy pulses: one a second, at whatever load.
    fn swapped(&self) -> Option<String> {
        let rising: Vec<Instant> =
            self.evidence.meter_edges.iter().filter(|edge| edge.rising).map(|edge| edge.at).collect();
        let even = |pair: &[Instant]| ((pair[1] - pair[0]).secs() / SECOND.secs() - 1.0).abs() < OFF;
        let intervals = rising.len().saturating_sub(1);
        let telling = intervals >= TELLING
            && rising.windows(2).filter(|pair| even(pair)).count() * 20 >= intervals * 19;
        if !telling {
            return None;
        }
        let (first, last) = (rising[0], rising[rising.len() - 1]);
        let powers = || self.evidence.track.since(first).iter().take_while(|sample| sample.taken < last);
        let loaded = || powers().map(|sample| sample.power.watts()).filter(|watts| *watts > 1.0);
        let (least, most) = (loaded().fold(f64::INFINITY, f64::min), loaded().fold(0.0, f64::max));
        (most > least * APART).then(|| {
            "the input of the energy pulses hears one pulse a second at every load: the seconds pulse sits on it. Swap the two plugs, and repeat".to_owned()
        })
    }

    /// A pulse that no output makes: an edge that was not seen, a spike, a bounce.
    fn stray(&self) -> Option<String> {
        let spoiled = self.evidence.attempts.values().flatten().filter_map(|attempt| match attempt {
            Attempt::Spoiled { from, to, .. } => Some((*from, *to)),
            _ => None,
        });
        let flaw = spoiled.into_iter().find_map(|(from, to)| {
            let edges = self.evidence.edges_between(from, to);
            unseen(edges).or_else(|| proof::odd_width(edges, from).map(|flaw| flaw.to_string()))
        })?;
        Some(format!("{NOT_ALL}: {flaw}"))
    }

    /// A pulse among those that an item counts which is far narrower than is usual at any load of this run, in windows that
    /// were kept or spoiled: the width of a meter's pulses may shrink with their interval, and no further.
    fn spike(&self, item: Item) -> Option<String> {
        let (from, to) = match item {
            Item::Creep => self.evidence.creep?,
            _ => self.register_at_rest().ok().map(|(start, _, end, _)| (start.taken, end.taken))?,
        };
        let windows = self.evidence.attempts.values().flatten().filter_map(|attempt| match attempt {
            Attempt::Reading(reading) => Some((reading.window.opened, reading.window.closed)),
            Attempt::Spoiled { from, to, .. } => Some((*from, *to)),
            Attempt::Silent { .. } => None,
        });
        let usual =
            windows.filter_map(|(from, to)| proof::usual_width(self.evidence.edges_between(from, to)));
        let usual = usual.min()?;
        let (edge, width) = proof::spike(self.evidence.edges_between(from, to), usual)?;
        Some(format!(
            "{NOT_ALL}: the pulse of edge number {edge} is {:.6} s wide, at no load of this run less than {:.6} s are usual",
            width.secs(),
            usual.secs()
        ))
    }
}

/// Two edges of one kind without the other between them, in words, where the counter tells both kinds.
fn unseen(edges: &[Edge]) -> Option<String> {
    let both = edges.iter().any(|edge| edge.rising) && edges.iter().any(|edge| !edge.rising);
    let pair = edges.windows(2).find(|pair| both && pair[0].rising == pair[1].rising)?;
    Some(format!("an edge was not seen behind edge number {}", pair[0].seq))
}

/// Turns a fail of these items into no decision, and a pass too where that rests on them; whether there was one.
fn undecide(items: &mut [ItemResult], of: &[Item], why: &str, passes: bool) -> bool {
    let mut any = false;
    let decided = |verdict| verdict == Verdict::Fail || passes && verdict == Verdict::Pass;
    for item in items.iter_mut().filter(|item| of.contains(&item.item) && decided(item.verdict)) {
        any = true;
        item.verdict = Verdict::Undecided;
        item.reason = format!("{}; but {why}", item.reason);
    }
    any
}
