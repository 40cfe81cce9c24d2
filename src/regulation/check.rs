//! Whether a profile makes sense: refusals by name.

use super::citation::{PRIOR, Scope};
use super::{
    ClassFigures, CurrentRange, CurrentTerm, Demand, Fault, Item, Kind, Profile, Provenance, Symbol,
};
use std::cmp::Ordering;

/// The only version of the file so far.
const SCHEMA: u32 = 1;

/// Who speaks, for messages.
struct Judge<'a> {
    origin: &'a str,
}

impl Judge<'_> {
    fn refuse(&self, place: impl Into<String>, seen: impl Into<String>, allowed: impl Into<String>) -> Fault {
        let (place, seen, allowed) = (place.into(), seen.into(), allowed.into());
        Fault::Sense { origin: self.origin.to_owned(), place, seen, allowed }
    }
}

/// How two ends stand where only Ist ≤ Imin ≤ Itr ≤ Imax is known.
fn order(a: CurrentTerm, b: CurrentTerm) -> Option<Ordering> {
    match a.symbol.cmp(&b.symbol) {
        Ordering::Equal => a.factor.partial_cmp(&b.factor),
        Ordering::Less => (a.factor <= b.factor).then_some(Ordering::Less),
        Ordering::Greater => (a.factor >= b.factor).then_some(Ordering::Greater),
    }
}

/// The largest figures of a regulation are the numerators of creep times, some 10⁸.
const FIGURE_MAX: f64 = 1e9;

impl Profile {
    /// Whether the profile makes sense; its own name stands for the file's in messages.
    pub fn check(&self) -> Result<(), Fault> {
        self.check_as(&self.id)
    }

    /// The same under the name of a file.
    pub(super) fn check_as(&self, origin: &str) -> Result<(), Fault> {
        let judge = Judge { origin };
        if self.schema != SCHEMA {
            return Err(judge.refuse("schema", self.schema.to_string(), "this program reads 1"));
        }
        let words = [
            ("id", &self.id),
            ("document", &self.document),
            ("title_zh", &self.title_zh),
            ("title_en", &self.title_en),
            ("scope", &self.scope),
        ];
        let approval = self.approval.iter();
        let signed = approval
            .flat_map(|by| [("approval: laboratory", &by.laboratory), ("approval: person", &by.person)]);
        for (place, text) in words.into_iter().chain(signed) {
            if text.trim().is_empty() {
                return Err(judge.refuse(place, "empty", "write it"));
            }
        }
        self.check_figures(&judge)?;
        self.check_classes(&judge)?;
        self.check_currents(&judge)?;
        self.check_sections(&judge)
    }

    /// Every figure: its clause is named and its number is one.
    fn check_figures(&self, judge: &Judge) -> Result<(), Fault> {
        for cited in self.cited(Scope { kind: None, class: None }) {
            if cited.clause.trim().is_empty() {
                return Err(judge.refuse(
                    cited.what,
                    "clause is empty",
                    "name the clause or table, or say `not seen`",
                ));
            }
            if cited.provenance == Provenance::House && !cited.what.starts_with(PRIOR) {
                let allowed =
                    "only [prior] may be; of a regulation's figure say read, secondary or unconfirmed";
                return Err(judge.refuse(cited.what, "said to be a choice of this house", allowed));
            }
            if cited.number.is_some_and(|number| number.is_finite() && number > FIGURE_MAX) {
                return Err(judge.refuse(cited.what, cited.value, "no figure of a regulation is so large"));
            }
            if cited.number.is_some_and(|number| !number.is_finite() || number <= 0.0) {
                return Err(judge.refuse(cited.what, cited.value, "it must be a finite number above zero"));
            }
        }
        let prior = self.prior.iter().flat_map(|prior| {
            [
                ("prior: mean_over_limit", prior.mean_over_limit.value, -10.0..=10.0),
                ("prior: sd_over_limit", prior.sd_over_limit.value, 0.01..=100.0),
            ]
        });
        for (place, seen, allowed) in prior {
            if !allowed.contains(&seen) {
                let allowed = format!("from {} to {}, in units of the limit", allowed.start(), allowed.end());
                return Err(judge.refuse(place, seen.to_string(), allowed));
            }
        }
        // An uncertainty beyond the limit tells pass from fail nowhere.
        if let Some(over) = self.bench.as_ref().map(|bench| bench.limit_over_uncertainty.value)
            && over < 1.0
        {
            return Err(judge.refuse(
                "bench: limit_over_uncertainty",
                over.to_string(),
                "1 or more: the expanded uncertainty must fit into the limit",
            ));
        }
        let readings = &self.basic_error.readings;
        if readings.value < 2 {
            return Err(judge.refuse(
                "basic_error: readings",
                readings.value.to_string(),
                "two or more, or there is no mean",
            ));
        }
        Ok(())
    }

    fn check_classes(&self, judge: &Judge) -> Result<(), Fault> {
        if self.classes.is_empty() {
            return Err(judge.refuse("class", "none", "at least one accuracy class"));
        }
        for (at, class) in self.classes.iter().enumerate() {
            let place = format!("class {}", class.name);
            if class.name.trim().is_empty() {
                return Err(judge.refuse("class: name", "empty", "the regulation's name of it"));
            }
            let is_taken = |name: &str| {
                self.classes[..at].iter().any(|other| other.name == name || other.has_alias(name))
            };
            let aliases = class.aliases.iter().flat_map(|aliases| aliases.value.iter());
            if let Some(name) = aliases.chain([&class.name]).find(|name| is_taken(name)) {
                return Err(judge.refuse(place, format!("`{name}` is already a class"), "each name once"));
            }
            self.check_limits(judge, class)?;
            // A figure rounded coarser than its smallest limit would round a failure away.
            let least = class.limits.iter().map(|row| row.percent).fold(f64::INFINITY, f64::min);
            if let Some(rounding) = class.rounding_percent.as_ref().filter(|r| r.value > least) {
                let seen = format!("rounding_percent is {}", rounding.value);
                return Err(judge.refuse(place, seen, format!("at most its smallest limit, {least} %")));
            }
        }
        let known = |name: &String| self.classes.iter().any(|class| class.name == *name);
        let wider = self.conditions.iter().filter_map(|conditions| conditions.wider_classes.as_ref());
        let named =
            self.naming.iter().flat_map(|row| &row.classes).chain(wider.flat_map(|wider| &wider.value));
        if let Some(name) = named.into_iter().find(|name| !known(name)) {
            let names: Vec<_> = self.classes.iter().map(|class| class.name.as_str()).collect();
            let seen = format!("there is no class `{name}`");
            return Err(judge.refuse("naming or conditions", seen, format!("allowed: {}", names.join(", "))));
        }
        Ok(())
    }

    /// From Imax downward, without gap or overlap.
    fn check_limits(&self, judge: &Judge, class: &ClassFigures) -> Result<(), Fault> {
        let place = format!("class {}", class.name);
        let Some(first) = class.limits.first() else {
            return Err(judge.refuse(place, "no limits", "at least one range ending with `I <= Imax`"));
        };
        if first.range.high != Symbol::Imax.into() || !first.range.high_belongs {
            let seen = format!("the first range is `{}`", first.range);
            return Err(judge.refuse(place, seen, "it must end with `I <= Imax`"));
        }
        for row in &class.limits {
            if matches!(order(row.range.low, row.range.high), Some(Ordering::Equal | Ordering::Greater)) {
                let seen = format!("`{}` does not run from a lower to a higher current", row.range);
                return Err(judge.refuse(place, seen, "write the lower current at the left"));
            }
        }
        for pair in class.limits.windows(2) {
            if let Some(seen) = seam(&pair[0].range, &pair[1].range) {
                let between = format!("{place}: between `{}` and `{}`", pair[0].range, pair[1].range);
                return Err(judge.refuse(between, seen, "the ranges must meet without gap or overlap"));
            }
        }
        let asks_start = Kind::ALL.into_iter().any(|kind| self.demand(kind, Item::Start) != Demand::No);
        let last = &class.limits[class.limits.len() - 1].range;
        if asks_start && (last.low != Symbol::Ist.into() || !last.low_belongs) {
            let seen = format!("the last range is `{last}`");
            return Err(judge.refuse(place, seen, "with a start test it must begin with `Ist <= I`"));
        }
        Ok(())
    }

    /// Limits and load points are written in the symbols the profile says it speaks of; maps are from elsewhere.
    fn check_currents(&self, judge: &Judge) -> Result<(), Fault> {
        let names: Vec<_> = self.symbols.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        for needed in [Symbol::Imin, Symbol::Imax] {
            if !self.symbols.contains(&needed) {
                return Err(judge.refuse("symbols", names, format!("{needed} must be among them")));
            }
        }
        if let Some(old) = self.symbols.iter().find(|symbol| !symbol.is_new_naming()) {
            return Err(judge.refuse(
                "symbols",
                old.to_string(),
                "allowed: Ist, Imin, Itr, Imax; map from the old ones",
            ));
        }
        let ranges = self.classes.iter().flat_map(|class| &class.limits);
        let ends = ranges.flat_map(|row| [row.range.low, row.range.high]);
        let points = self.load_points.iter().flat_map(|row| {
            let when = row.when.iter().flat_map(|when| [when.left, when.right]);
            when.chain([row.current])
        });
        let start = self.start.iter().map(|start| start.current.value);
        if let Some(term) = ends.chain(points).chain(start).find(|term| !self.speaks_of(term.symbol)) {
            let seen = format!("`{term}` is in none of the currents of this regulation");
            return Err(judge.refuse(
                "a limit, load point or test current",
                seen,
                format!("allowed: {names}"),
            ));
        }
        for class in &self.classes {
            let bad = |row: &&super::StartCurrent| {
                !matches!(row.term.symbol, Symbol::Itr | Symbol::Imin | Symbol::Imax)
            };
            if let Some(row) = class.start_current.iter().find(bad) {
                let place = format!("class {}: start_current", class.name);
                return Err(judge.refuse(
                    place,
                    row.term.to_string(),
                    "allowed: a multiple of Itr, Imin or Imax",
                ));
            }
        }
        for row in &self.naming {
            if !matches!(row.to, Symbol::Imin | Symbol::Itr) {
                return Err(judge.refuse("naming: to", row.to.to_string(), "allowed: Imin, Itr"));
            }
            if !matches!(row.from.symbol, Symbol::Ib | Symbol::In | Symbol::Imax) {
                return Err(judge.refuse(
                    "naming: from",
                    row.from.to_string(),
                    "allowed: a multiple of Ib, In or Imax",
                ));
            }
        }
        Ok(())
    }

    /// What is asked for has its section; without load points there is no basic error.
    fn check_sections(&self, judge: &Judge) -> Result<(), Fault> {
        for kind in Kind::ALL {
            let asks = |item| self.demand(kind, item) != Demand::No;
            let indication =
                self.clock.as_ref().is_some_and(|clock| clock.indication_seconds.of(kind).is_some());
            let daily = self.clock.as_ref().and_then(|clock| clock.daily_rate.as_ref());
            let tariff = self.tariff_registers.as_ref().is_some_and(|rule| {
                rule.difference_kwh.of(kind).is_some() || (kind == Kind::First && rule.run.is_some())
            });
            let sections = [
                (Item::BasicError, self.load_points.iter().any(|row| row.is_for(kind)), "[[load_point]]"),
                (Item::Creep, self.creep.is_some(), "[creep]"),
                (Item::Start, self.start.is_some(), "[start]"),
                (Item::MeterConstant, self.meter_constant.is_some(), "[meter_constant]"),
                (Item::ClockIndication, indication, "[clock.indication_seconds]"),
                (
                    Item::DailyRate,
                    daily.is_some_and(|rate| rate.limit_seconds.of(kind).is_some()),
                    "[clock.daily_rate]",
                ),
                (Item::TariffRegisters, tariff, "[tariff_registers]"),
            ];
            if let Some((item, _, section)) =
                sections.into_iter().find(|(item, there, _)| asks(*item) && !there)
            {
                let seen = format!("asked for at {kind} verification, without a figure");
                return Err(judge.refuse(format!("item {item}"), seen, format!("write {section} for it")));
            }
        }
        for house in [Item::Identity, Item::Seal, Item::DataOutput] {
            if self.demand.contains_key(&house) {
                let seen = "is an item of this house";
                return Err(judge.refuse(
                    format!("demand: {house}"),
                    seen,
                    "only items of the regulation's table",
                ));
            }
        }
        Ok(())
    }
}

/// What is wrong where an upper and a lower range should meet.
fn seam(upper: &CurrentRange, lower: &CurrentRange) -> Option<String> {
    let (above, below) = (upper.low, lower.high);
    match order(above, below) {
        Some(Ordering::Equal) => match (upper.low_belongs, lower.high_belongs) {
            (true, true) => Some(format!("the current {above} belongs to both")),
            (false, false) => Some(format!("the current {above} belongs to neither")),
            _ => None,
        },
        Some(Ordering::Less) => Some(format!("the currents from {above} to {below} belong to both")),
        Some(Ordering::Greater) => Some(format!("the currents from {below} to {above} belong to neither")),
        None => Some(format!("nobody knows which of {above} and {below} is higher")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AC: &str = include_str!("../../assets/regulations/jjg596-2026.toml");

    /// The complaint about the AC profile with one text replaced, once.
    fn refused(from: &str, to: &str) -> String {
        assert!(AC.contains(from), "{from}");
        Profile::from_toml("test.toml", &AC.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_named() {
        let fault = refused("document =", "dokument =");
        assert!(
            fault.contains("test.toml is no regulation profile")
                && fault.contains("unknown field `dokument`"),
            "{fault}"
        );
        assert!(refused("percent = 2.0", "prozent = 2.0").contains("unknown field `prozent`"));
        assert!(refused("[creep]", "[creep]\nhurry = true").contains("unknown field `hurry`"));
        assert!(refused("[demand.creep]", "[demand.crawl]").contains("unknown variant `crawl`"));
    }

    #[test]
    fn a_figure_without_provenance_or_clause_is_refused_by_name() {
        let fault = refused("clause = \"7.3.2.5\", provenance = \"read\"", "clause = \"7.3.2.5\"");
        assert!(fault.contains("missing field `provenance`") && fault.contains("min_seconds"), "{fault}");
        let fault = refused("clause = \"Table 1\"", "clause = \"\"");
        assert!(
            fault.starts_with("test.toml: class A: limit at Itr <= I <= Imax: clause is empty"),
            "{fault}"
        );
    }

    #[test]
    fn an_overlap_names_class_and_ranges() {
        let fault = refused("Imin < I < Itr", "Imin < I <= Itr");
        assert_eq!(
            fault,
            "test.toml: class A: between `Itr <= I <= Imax` and `Imin < I <= Itr`: the current Itr belongs to both; the ranges must meet without gap or overlap"
        );
        assert!(
            refused("Itr <= I <= Imax", "Imin <= I <= Imax")
                .contains("currents from Imin to Itr belong to both")
        );
    }

    #[test]
    fn a_gap_names_class_and_ranges() {
        let fault = refused("Itr <= I <= Imax", "Itr < I <= Imax");
        assert!(
            fault.contains(
                "class A: between `Itr < I <= Imax` and `Imin < I < Itr`: the current Itr belongs to neither"
            ),
            "{fault}"
        );
        assert!(
            refused("Imin < I < Itr", "Imin < I < 0.5 Itr").contains("from 0.5 Itr to Itr belong to neither")
        );
    }

    #[test]
    fn limits_begin_at_imax_and_end_at_ist() {
        assert!(refused("Itr <= I <= Imax", "Itr <= I < Imax").contains("it must end with `I <= Imax`"));
        assert!(refused("Ist <= I <= Imin", "Ist < I <= Imin").contains("it must begin with `Ist <= I`"));
        assert!(
            refused("Imin < I < Itr", "Itr < I < Imin").contains("does not run from a lower to a higher")
        );
    }

    #[test]
    fn figures_are_finite_and_positive() {
        for bad in ["-2.0", "nan", "inf", "0.0"] {
            let fault = refused("percent = 2.0", &format!("percent = {bad}"));
            assert!(
                fault.contains("class A: limit at Itr <= I <= Imax") && fault.contains("above zero"),
                "{fault}"
            );
        }
        assert!(refused("readings = { value = 2", "readings = { value = 1").contains("two or more"));
    }

    #[test]
    fn a_rule_or_a_prior_out_of_bounds_is_refused_with_what_is_allowed() {
        let fault = refused("value = \"rounded\"", "value = \"guarded 4 U\"");
        assert!(
            fault.contains("`guarded 4 U` is no decision rule") && fault.contains("at most 3"),
            "{fault}"
        );
        for (from, to, words) in [
            (
                "mean_over_limit = { value = 0",
                "mean_over_limit = { value = nan",
                "prior: mean_over_limit: NaN; from -10 to 10",
            ),
            (
                "mean_over_limit = { value = 0",
                "mean_over_limit = { value = -11",
                "prior: mean_over_limit: -11",
            ),
            ("sd_over_limit = { value = 0.5", "sd_over_limit = { value = 0.001", "0.001; from 0.01 to 100"),
            ("sd_over_limit = { value = 0.5", "sd_over_limit = { value = 0", "above zero"),
        ] {
            let fault = refused(from, to);
            assert!(fault.contains(words), "{fault}");
        }
        let fault = refused("limit_over_uncertainty = { value = 3", "limit_over_uncertainty = { value = 0.9");
        assert!(fault.contains("limit_over_uncertainty: 0.9; 1 or more"), "{fault}");
        let fault = refused(
            "clause = \"Table 1\", provenance = \"read\"",
            "clause = \"Table 1\", provenance = \"house\"",
        );
        assert!(
            fault.contains("limit at Itr <= I <= Imax") && fault.contains("only [prior] may be"),
            "{fault}"
        );
    }

    #[test]
    fn a_current_the_regulation_does_not_speak_of_is_refused() {
        assert!(
            refused("current = \"10 Itr\"", "current = \"Ib\"").contains("`Ib` is in none of the currents")
        );
        assert!(refused("current = \"10 Itr\"", "current = \"10 Iref\"").contains("`10 Iref` is no current"));
    }

    #[test]
    fn what_is_asked_for_has_its_section() {
        let at = AC.find("[meter_constant]").unwrap();
        let end = at + AC[at..].find("\n\n").unwrap();
        let text = format!("{}{}", &AC[..at], &AC[end..]);
        let fault = Profile::from_toml("test.toml", &text).unwrap_err().to_string();
        assert_eq!(
            fault,
            "test.toml: item meter_constant: asked for at first verification, without a figure; write [meter_constant] for it"
        );
    }

    #[test]
    fn an_approval_names_laboratory_person_and_day() {
        let approved = |person: &str, date: &str| {
            let text = format!("{AC}\n[approval]\nlaboratory = 'L'\nperson = '{person}'\ndate = '{date}'\n");
            Profile::from_toml("test.toml", &text)
        };
        assert!(approved("P", "2026-08-01").is_ok_and(|profile| profile.approval.is_some()));
        assert!(approved(" ", "2026-08-01").unwrap_err().to_string().contains("approval: person: empty"));
        assert!(approved("P", "last August").is_err());
    }

    #[test]
    fn a_class_named_twice_or_not_at_all_is_refused() {
        assert!(refused("value = [\"1\"]", "value = [\"2\"]").contains("class B: `2` is already a class"));
        assert!(
            refused("classes = [\"A\", \"B\"]", "classes = [\"A\", \"F\"]")
                .contains("there is no class `F`; allowed: A, B, C, D, E")
        );
    }
}
