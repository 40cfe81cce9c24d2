//! The record that the meter signed of the run's transaction: checked over its exact bytes, held against the register
//! at rest, the pulses and the reference. A pure function of the raw data and the frozen nameplate.

use super::cross_check::{Stretch, said};
use super::{Judge, to_f64, undecided};
use crate::certificate::cross_check::{Agreement, CrossCheck, Pair, Said, Way};
use crate::certificate::record::ItemResult;
use crate::certificate::sign::{hex, sha256};
use crate::certificate::signed_record::{Answer, Looked, SignedRecord};
use crate::meter::ocmf::{self, Checked, Key};
use crate::meter::{Query, Reading, Value};
use crate::plan::Work;
use crate::quantity::Energy;
use crate::regulation::Item;
use crate::time::Instant;
use crate::uncertainty::Component;
use crate::verdict::Verdict;

/// What stands in the place of the record of a meter that signs nothing.
const SIGNS_NOTHING: &str = "none: the meter signs no records by this protocol";

impl Judge<'_> {
    /// Whether the meter was to sign a record in this run.
    fn signs(&self) -> bool {
        self.step(|w| matches!(w, Work::SignedRecord { .. })).is_some()
    }

    /// The key on the nameplate, or why there is none.
    fn meter_key(&self) -> Result<Option<Key>, String> {
        let output = self.plan.nameplate.data_output.as_ref();
        let text = output.and_then(|output| output.public_key.as_deref());
        text.map(Key::from_text).transpose().map_err(|fault| fault.to_string())
    }

    /// The record's bytes, checked; or why there is none.
    fn checked(&self) -> Result<(&[u8], Checked), String> {
        if !self.signs() {
            return Err(SIGNS_NOTHING.to_owned());
        }
        let evidence = self.evidence.signed.as_ref();
        let Some(bytes) = evidence.and_then(|signed| signed.bytes.as_deref()) else {
            let why = evidence.and_then(|signed| signed.why_none.clone());
            return Err(format!("none: {}", why.unwrap_or_else(|| "the run has not come so far".to_owned())));
        };
        let key = self.meter_key().ok().flatten();
        Ok((bytes, ocmf::check(bytes, key.as_ref())))
    }

    /// The energy of the record against the reference's over the same stretch.
    pub(super) fn by_signed(&self, stretch: &Stretch) -> Result<Said, String> {
        let (_, checked) = self.checked()?;
        if !Answer::of(&checked.authenticity).may_be_the_meters() {
            return Err(checked.authenticity.to_string());
        }
        let imported = checked.record.as_ref().ok_or("it is no record")?.imported()?;
        if !stretch.from_rest {
            return Err(
                "the register was not read at rest: what passed beside the transaction is not known".into()
            );
        }
        let energy = Energy::try_from_kilowatt_hours(to_f64(imported.energy_kwh));
        let energy = energy.map_err(|fault| fault.to_string())?;
        let step = self.register_step(imported.energy_kwh);
        let part = step / stretch.reference.kilowatt_hours() * 100.0;
        let mut budget =
            vec![Component::triangular("step of the signed readings", part, format!("{step} kWh"))];
        let (begun, ended) = self.transaction().ok_or("the meter did not say when it began and ended it")?;
        let beside = [(stretch.from, begun), (stretch.to, ended)].map(|(one, other)| self.passed(one, other));
        let beside = beside.into_iter().collect::<Option<Vec<_>>>();
        let beside = beside.ok_or("the reference gave no energy between register and transaction")?;
        let open: f64 = beside.iter().map(|energy| energy.joules()).sum();
        budget.push(Component::rectangular(
            "register and transaction at other moments",
            open / stretch.reference.joules() * 100.0,
            "what the reference counted between them",
        ));
        said(energy, stretch.reference, budget)
    }

    /// When the transaction began and ended.
    fn transaction(&self) -> Option<(Instant, Instant)> {
        let signed = self.evidence.signed.as_ref()?;
        Some((signed.begun?.at, signed.ended?.at))
    }

    /// What the reference counted between two moments, whichever was first.
    fn passed(&self, one: Instant, other: Instant) -> Option<Energy> {
        let (from, to) = (one.min(other), one.max(other));
        if from == to {
            return Some(Energy::ZERO);
        }
        self.evidence.energy(self.plan, from, to, None).map(Energy::abs)
    }

    /// What came of the meter's transaction; none where it signs nothing, or before anything was ordered.
    pub(super) fn signed_record(&self) -> Option<SignedRecord> {
        let evidence = self.evidence.signed.as_ref().filter(|_| self.signs())?;
        let looked = self.checked().ok().map(|(bytes, checked)| {
            let key = self.meter_key().ok().flatten().map(|key| key.to_string());
            let mut looked = Looked::new(&checked, hex(&sha256(bytes)), key, evidence.waited);
            if let Err(why) = self.meter_key() {
                looked.deviations.push(format!("key on the nameplate: {why}"));
            }
            if looked.result.may_be_the_meters()
                && let Some(record) = &checked.record
            {
                looked.against.extend(self.another_meter(record));
                self.against_register(record, &mut looked);
            }
            looked
        });
        Some(SignedRecord {
            transaction: evidence.id.clone(),
            begun: evidence.begun.map(|moment| moment.at),
            ended: evidence.ended.map(|moment| moment.at),
            why_none: evidence.why_none.clone().filter(|_| looked.is_none()),
            looked,
        })
    }

    /// Whether the record names another meter than the one that was asked.
    fn another_meter(&self, record: &ocmf::Record) -> Option<String> {
        let own = record.field("MS")?;
        let told = self.answer(|w| *w == Work::Identify, Query::MeterNumber).and_then(|answer| match &answer
            .reading
        {
            Reading::Value(Value::Text(number)) => Some(number.as_str()),
            _ => None,
        });
        let asked = told.unwrap_or(&self.plan.nameplate.serial);
        let plain = |text: &str| text.trim().trim_start_matches('0').to_ascii_uppercase();
        (plain(own) != plain(asked))
            .then(|| format!("the signed record is of meter {own}, asked was meter {asked}"))
    }

    /// The signed readings against those of the same register at rest.
    fn against_register(&self, record: &ocmf::Record, looked: &mut Looked) {
        let imported = match record.imported() {
            Ok(imported) => imported,
            Err(why) => return looked.deviations.push(format!("energy: {why}")),
        };
        if !imported.is_of_transaction()
            && let Ok((_, before, _, after)) = self.register_at_rest()
        {
            let apart = imported.between(before, after);
            looked.against.extend(apart.map(|deviation| format!("signed record: {deviation}")));
        }
        looked.against.extend(self.crossing().as_ref().and_then(contradiction));
    }

    /// What an inspector has to know of the signed record, among the findings.
    pub(super) fn tell_signed(&mut self, signed: Option<&SignedRecord>) {
        let Some(signed) = signed else { return };
        if let Some(why) = &signed.why_none {
            self.findings.push(format!("signed record: none: {why}"));
        }
        let Some(looked) = &signed.looked else { return };
        self.findings.extend(looked.against.iter().cloned());
        if matches!(looked.result, Answer::KeyUnknown | Answer::Unsupported) {
            self.findings.push(format!("signed record: {}", looked.words));
        }
        let deviations = looked.deviations.iter();
        self.findings.extend(deviations.map(|what| format!("signed record: deviation: {what}")));
    }
}

/// The data output's result with what the signed record does to it.
pub(super) fn with_signed(mut items: Vec<ItemResult>, signed: Option<&SignedRecord>) -> Vec<ItemResult> {
    let Some(signed) = signed else { return items };
    let against = signed.looked.as_ref().map(|looked| looked.against.join("; ")).unwrap_or_default();
    if items.is_empty() && !against.is_empty() {
        items.push(undecided(Item::DataOutput, against));
        return items;
    }
    for item in &mut items {
        if against.is_empty() {
            let words = signed.looked.as_ref().map(|looked| looked.words.as_str());
            let words = words.or(signed.why_none.as_deref()).unwrap_or("none");
            item.reason = format!("{}; signed record: {words}", item.reason);
        } else {
            item.verdict = Verdict::Undecided;
            item.reason = format!("{}; but {against}", item.reason);
        }
    }
    items
}

/// Where the record tells of another energy than the register that it is of.
fn contradiction(check: &CrossCheck) -> Option<String> {
    let own = |pair: &&Pair| pair.ways == [Way::Register, Way::SignedRecord];
    let pair = check.pairs.iter().find(own).filter(|pair| pair.agreement == Agreement::Disagree)?;
    Some(format!(
        "the signed energy contradicts the register: {:+.3} % apart, U = {:.3} %",
        -pair.difference, pair.expanded
    ))
}
