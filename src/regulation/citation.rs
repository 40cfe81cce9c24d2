//! All figures of a profile in one list, in words, with clause and provenance; and which of them nobody has confirmed.

use super::{
    Class, ClassFigures, CreepDwell, CurrentTerm, Demand, Figure, Item, Kind, Profile, Provenance, Rule,
    StartMethod,
};

/// Begins the name of each figure of the prior, which alone may be a choice of this house.
pub(super) const PRIOR: &str = "prior: ";

/// A figure in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Cited {
    /// What it is.
    pub what: String,
    /// The figure with its unit.
    pub value: String,
    /// The clause or table it stands in.
    pub clause: String,
    /// How well it is known.
    pub provenance: Provenance,
    /// What else is to be known.
    pub note: Option<String>,
    /// The bare number, if it is one.
    pub(super) number: Option<f64>,
}

/// What can stand in a figure.
trait Shown {
    fn shown(&self) -> String;
    fn number(&self) -> Option<f64> {
        None
    }
}

impl Shown for f64 {
    fn shown(&self) -> String {
        self.to_string()
    }
    fn number(&self) -> Option<f64> {
        Some(*self)
    }
}

impl Shown for u32 {
    fn shown(&self) -> String {
        self.to_string()
    }
    fn number(&self) -> Option<f64> {
        Some(f64::from(*self))
    }
}

impl Shown for CurrentTerm {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for Rule {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for Vec<String> {
    fn shown(&self) -> String {
        self.join(", ")
    }
}

impl Shown for Vec<StartMethod> {
    fn shown(&self) -> String {
        self.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// Gathers figures.
struct List(Vec<Cited>);

impl List {
    fn add<T: Shown>(&mut self, what: impl Into<String>, unit: &str, figure: &Figure<T>) {
        let value = format!("{} {unit}", figure.value.shown()).trim_end().to_owned();
        let Figure { clause, provenance, note, .. } = figure;
        self.push(what.into(), value, figure.value.number(), (clause, *provenance, note.as_ref()));
    }

    fn add_if<T: Shown>(&mut self, what: &str, unit: &str, figure: Option<&Figure<T>>) {
        if let Some(figure) = figure {
            self.add(what, unit, figure);
        }
    }

    fn push(
        &mut self,
        what: String,
        value: String,
        number: Option<f64>,
        (clause, provenance, note): (&str, Provenance, Option<&String>),
    ) {
        self.0.push(Cited {
            what,
            value,
            clause: clause.to_owned(),
            provenance,
            note: note.cloned(),
            number,
        });
    }
}

/// Which figures are meant; `None` is all.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub kind: Option<Kind>,
    pub class: Option<&'a str>,
}

impl Scope<'_> {
    fn kinds(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.kind.is_none_or(|wanted| wanted == *kind))
    }

    fn has_class(self, name: &str) -> bool {
        self.class.is_none_or(|wanted| wanted == name)
    }
}

impl Profile {
    /// The figures a verification of this kind and class leans on, in words.
    ///
    /// What depends on the nameplate (the map of namings, the starting current by connection) is named for every
    /// nameplate the class can have.
    pub fn figures(&self, kind: Kind, class: &Class) -> Vec<Cited> {
        self.cited(Scope { kind: Some(kind), class: Some(class.name()) })
    }

    /// What a verification of this kind and class leans on and nobody has confirmed: what, value, clause.
    pub fn unconfirmed_figures(&self, kind: Kind, class: &Class) -> Vec<String> {
        let figures = self.figures(kind, class).into_iter();
        let unconfirmed = figures.filter(|cited| cited.provenance == Provenance::Unconfirmed);
        unconfirmed.map(|cited| format!("{}: {} ({})", cited.what, cited.value, cited.clause)).collect()
    }

    /// Whether a certificate may be issued: nothing unconfirmed, or a laboratory answers for it.
    pub fn may_certify(&self, kind: Kind, class: &Class) -> bool {
        self.approval.is_some() || self.unconfirmed_figures(kind, class).is_empty()
    }

    /// Every figure in the scope.
    pub(super) fn cited(&self, scope: Scope<'_>) -> Vec<Cited> {
        let mut list = List(Vec::new());
        let asks = |item| match scope.kind {
            None => true,
            Some(kind) => self.demand(kind, item) != Demand::No,
        };
        for (item, row) in &self.demand {
            for kind in scope.kinds() {
                let what = format!("item {item} at {kind} verification");
                let cite = (row.clause.as_str(), row.provenance, row.note.as_ref());
                list.push(what, row.of(kind).to_string(), None, cite);
            }
        }
        for class in self.classes.iter().filter(|class| scope.has_class(&class.name)) {
            class_figures(class, asks(Item::Start), &mut list);
        }
        for row in self.naming.iter().filter(|row| row.classes.iter().any(|name| scope.has_class(name))) {
            let what = format!("{}, {}, class {}", row.to, row.connection, row.classes.join(", "));
            let cite = (row.clause.as_str(), row.provenance, row.note.as_ref());
            list.push(what, row.from.to_string(), None, cite);
        }
        if asks(Item::BasicError) {
            self.basic_error_figures(scope, &mut list);
        }
        if let Some(creep) = self.creep.as_ref().filter(|_| asks(Item::Creep)) {
            list.add("creep: test voltage", "Unom", &creep.voltage_factor);
            list.add("creep: most pulses", "", &creep.max_pulses);
            match &creep.dwell {
                CreepDwell::Imin { numerator, elements } => {
                    list.add("creep: numerator of the time", "", numerator);
                    list.add("creep: number of elements", "", elements);
                }
                CreepDwell::Imax { numerators, elements } => {
                    for row in numerators.iter().filter(|row| scope.has_class(&row.class)) {
                        let cite = (row.clause.as_str(), row.provenance, row.note.as_ref());
                        let what = format!("creep: numerator of the time, class {}", row.class);
                        list.push(what, row.value.to_string(), Some(row.value), cite);
                    }
                    list.add("creep: number of elements", "", elements);
                }
            }
        }
        if let Some(start) = self.start.as_ref().filter(|_| asks(Item::Start)) {
            list.add("start: current", "", &start.current);
            list.add("start: methods", "", &start.methods);
            list.add("start: readings", "", &start.readings);
            list.add("start: consecutive pulses", "", &start.pulses);
        }
        if let Some(rule) = self.meter_constant.as_ref().filter(|_| asks(Item::MeterConstant)) {
            list.add("constant: share of the base limit", "", &rule.share_of_limit);
            list.add("constant: factor of the least energy", "", &rule.energy_factor);
        }
        self.clock_figures(scope, asks(Item::ClockIndication), asks(Item::DailyRate), &mut list);
        if let Some(rule) = self.tariff_registers.as_ref().filter(|_| asks(Item::TariffRegisters)) {
            for kind in scope.kinds() {
                let what = format!("tariff registers: difference at {kind} verification");
                list.add_if(&what, "kWh", rule.difference_kwh.of(kind));
            }
            if let Some(run) = rule.run.as_ref().filter(|_| scope.kinds().any(|kind| kind == Kind::First)) {
                list.add("tariff registers: least advance of each", "steps", &run.least_steps);
                list.add("tariff registers: least switches", "", &run.least_switches);
                list.add("tariff registers: difference for each beyond the first", "steps", &run.limit_steps);
            }
        }
        self.common_figures(scope, &mut list);
        list.0
    }

    fn basic_error_figures(&self, scope: Scope<'_>, list: &mut List) {
        for row in self.load_points.iter().filter(|row| scope.kinds().any(|kind| row.is_for(kind))) {
            let when = row.when.map(|when| format!(" when {when}")).unwrap_or_default();
            let cite = (row.clause.as_str(), row.provenance, row.note.as_ref());
            list.push("load point".to_owned(), format!("{}{when}", row.current), None, cite);
        }
        list.add("basic error: least length of a reading", "s", &self.basic_error.min_seconds);
        list.add("basic error: readings", "", &self.basic_error.readings);
        list.add("basic error: resolution over limit", "", &self.basic_error.resolution_share);
        let increment = self.basic_error.increment_kwh.as_ref();
        list.add_if("basic error: least increment of energy", "kWh", increment);
    }

    fn clock_figures(&self, scope: Scope<'_>, indication: bool, rate: bool, list: &mut List) {
        let Some(clock) = &self.clock else { return };
        if indication {
            for kind in scope.kinds() {
                let what = format!("clock: indication at {kind} verification");
                list.add_if(&what, "s", clock.indication_seconds.of(kind));
            }
            list.add_if("clock: rounding interval", "s", clock.rounding_seconds.as_ref());
        }
        if let Some(daily) = clock.daily_rate.as_ref().filter(|_| rate) {
            for kind in scope.kinds() {
                let what = format!("daily rate at {kind} verification");
                list.add_if(&what, "s/d", daily.limit_seconds.of(kind));
            }
            list.add("daily rate: readings", "", &daily.readings);
            list.add("daily rate: length of a reading", "s", &daily.reading_seconds);
            list.add("daily rate: rounding interval", "s/d", &daily.rounding_seconds);
        }
    }

    fn common_figures(&self, scope: Scope<'_>, list: &mut List) {
        list.add("decision rule", "", &self.rule);
        if let Some(prior) = &self.prior {
            let mean = &prior.mean_over_limit;
            let cite = (mean.clause.as_str(), mean.provenance, mean.note.as_ref());
            // A mean may be zero or below it; its own bounds are checked where it is read.
            list.push(format!("{PRIOR}mean over limit"), mean.value.to_string(), None, cite);
            list.add(format!("{PRIOR}standard deviation over limit"), "", &prior.sd_over_limit);
        }
        if let Some(conditions) = &self.conditions {
            list.add("conditions: voltage ±", "%", &conditions.voltage_tolerance_percent);
            list.add("conditions: temperature", "°C", &conditions.temperature_c);
            list.add("conditions: temperature ±", "K", &conditions.temperature_tolerance_k);
            let wider = conditions.wider_classes.as_ref();
            if scope
                .class
                .is_none_or(|class| wider.is_some_and(|all| all.value.iter().any(|one| one == class)))
            {
                list.add_if("conditions: wider temperature ±", "K", conditions.wider_tolerance_k.as_ref());
                list.add_if("conditions: classes of the wider temperature", "", wider);
                let share = conditions.wider_uncertainty_share.as_ref();
                list.add_if("conditions: temperature uncertainty over limit", "", share);
            }
            list.add_if("conditions: flux density", "mT", conditions.flux_density_mt.as_ref());
        }
        if let Some(bench) = &self.bench {
            list.add("tester: limit over uncertainty", "", &bench.limit_over_uncertainty);
            list.add_if("tester: clock ±", "s", bench.clock_seconds.as_ref());
            list.add_if("tester: clock's daily rate ±", "s/d", bench.clock_daily_seconds.as_ref());
        }
    }
}

fn class_figures(class: &ClassFigures, start: bool, list: &mut List) {
    let name = &class.name;
    if let Some(aliases) = &class.aliases {
        list.add(format!("class {name}: other names"), "", aliases);
    }
    for row in &class.limits {
        let scale = match row.scale {
            super::Scale::None => "",
            super::Scale::IminOverI => " times Imin/I",
        };
        let cite = (row.clause.as_str(), row.provenance, row.note.as_ref());
        let what = format!("class {name}: limit at {}", row.range);
        list.push(what, format!("{} %{scale}", row.percent), Some(row.percent), cite);
    }
    for row in class.start_current.iter().filter(|_| start) {
        let cite = (row.clause.as_str(), row.provenance, row.note.as_ref());
        let what = format!("class {name}: Ist, {}", row.connection);
        list.push(what, row.term.to_string(), None, cite);
    }
    list.add_if(&format!("class {name}: rounding interval"), "%", class.rounding_percent.as_ref());
    list.add_if(&format!("class {name}: validity"), "years", class.validity_years.as_ref());
    list.add_if(&format!("class {name}: warm-up"), "min", class.warm_up_minutes.as_ref());
    list.add_if(&format!("class {name}: class of the tester"), "%", class.bench_class_percent.as_ref());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulation::Approval;

    #[test]
    fn a_regulation_that_was_read_may_certify() {
        let profile = Profile::builtin("jjg596-2026").unwrap();
        for class in ["A", "B", "C", "D", "E"] {
            let class = profile.class(class).unwrap();
            for kind in Kind::ALL {
                assert_eq!(profile.unconfirmed_figures(kind, &class), Vec::<String>::new());
                assert!(profile.may_certify(kind, &class));
            }
        }
    }

    #[test]
    fn unconfirmed_figures_stand_in_the_way_until_a_laboratory_answers_for_them() {
        for (id, class) in [("dc-meter", "1"), ("jjg1149-2022", "2")] {
            let mut profile = Profile::builtin(id).unwrap();
            let class = profile.class(class).unwrap();
            assert!(!profile.may_certify(Kind::First, &class));
            let date = jiff::civil::date(2026, 8, 1);
            profile.approval = Some(Approval {
                laboratory: "L".to_owned(),
                person: "P".to_owned(),
                date,
                validity_years: None,
            });
            assert!(profile.may_certify(Kind::First, &class));
            assert!(!profile.unconfirmed_figures(Kind::First, &class).is_empty(), "still said on paper");
        }
    }

    #[test]
    fn only_what_is_used_is_named() {
        let profile = Profile::builtin("dc-meter").unwrap();
        let class = profile.class("1").unwrap();
        let first = profile.unconfirmed_figures(Kind::First, &class);
        let limit = "class 1: limit at Itr <= I <= Imax: 1 % (JJG 842-2017, clause not seen)";
        assert!(first.iter().any(|text| text == limit), "{first:#?}");
        assert!(first.iter().any(|text| text.starts_with("creep: test voltage: 1.1 Unom")), "{first:#?}");
        assert!(!first.iter().any(|text| text.contains("class 2: ") || text.contains("in-service")));
        let later = profile.unconfirmed_figures(Kind::InService, &class);
        assert!(!later.iter().any(|text| text.starts_with("creep:") || text.contains("Ist, ")), "{later:#?}");
    }

    #[test]
    fn a_charger_of_class_2_leans_on_a_confirmed_limit() {
        let profile = Profile::builtin("jjg1149-2022").unwrap();
        let provenance = |class: &str| {
            let figures = profile.figures(Kind::First, &profile.class(class).unwrap());
            figures.iter().find(|cited| cited.what.contains("limit at")).map(|cited| cited.provenance)
        };
        assert_eq!(provenance("2"), Some(Provenance::Secondary));
        assert_eq!(provenance("1"), Some(Provenance::Unconfirmed));
    }
}
