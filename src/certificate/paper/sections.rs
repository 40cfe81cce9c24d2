//! The parts of a paper that gather texts of the record: meter, regulation, standards, budgets, decision, scope.

use super::{
    Budget, BudgetLine, CrossLine, Decision, Meter, Regulation, Row, Standard, Words, coverage, prior_words,
    words,
};
use crate::calibration::{self, CalibratedPoint, StandardKind};
use crate::certificate::cross_check::{Agreement, Said};
use crate::certificate::issue::Field;
use crate::certificate::number;
use crate::certificate::record::{Document, Record};
use crate::plan::Method;
use crate::uncertainty::{Component, Kind, Shape};
use crate::verdict::Rule;

pub(super) fn meter(record: &Record, corrected: &dyn Fn(Field, &str) -> String) -> Meter {
    let plate = &record.plan.nameplate;
    let class = record.plan.class.to_string();
    let currents = [
        ("Ist", plate.current.ist),
        ("Imin", plate.current.imin),
        ("Itr", plate.current.itr),
        ("Ib", plate.current.ib),
        ("In", plate.current.i_n),
    ];
    let currents = currents.into_iter().filter_map(|(name, current)| Some(format!("{name} {}", current?)));
    let currents: Vec<_> = currents.chain([format!("Imax {}", plate.current.imax)]).collect();
    Meter {
        name: Words::new("直流电能表（电动汽车充电桩内）", "DC energy meter in an EV charger"),
        maker: corrected(Field::Maker, &plate.maker),
        model: corrected(Field::Model, &plate.model),
        serial: corrected(Field::Serial, &plate.serial),
        charger: corrected(Field::Charger, &plate.charger),
        connector: corrected(Field::Connector, &plate.connector),
        class: if plate.class == class { class } else { format!("{class} ({})", plate.class) },
        ratings: format!("{}; {}; {}", plate.voltage_v, currents.join(", "), plate.current.connection),
        constant: plate.constant_imp_per_kwh.to_string(),
        register_step: format!("{} kWh", plate.register_resolution_kwh),
    }
}

pub(super) fn regulation(record: &Record) -> Regulation {
    let profile = &record.plan.profile;
    let approval = profile.approval.as_ref();
    Regulation {
        document: profile.document.clone(),
        title: Words::new(&profile.title_zh, &profile.title_en),
        profile: profile.id.clone(),
        kind: words::kind(record.plan.kind),
        approval: approval.map_or(String::new(), |a| format!("{}, {}, {}", a.laboratory, a.person, a.date)),
    }
}

pub(super) fn standards(record: &Record) -> Vec<Standard> {
    let standards = &record.plan.standards;
    [standards.reference(), standards.time_base()].map(standard).into()
}

fn standard(standard: &calibration::Standard) -> Standard {
    let points = standard.points();
    Standard {
        kind: match standard.kind() {
            StandardKind::Reference => Words::new("标准电能表", "reference meter"),
            StandardKind::Source => Words::new("虚负荷源", "source"),
            StandardKind::TimeBase => Words::new("时基", "time base"),
            StandardKind::TemperatureSensor => Words::new("温度传感器", "temperature sensor"),
        },
        model: standard.model().to_owned(),
        serial: standard.serial().to_owned(),
        range: range(&points),
        uncertainty: uncertainty(&points),
        certificate_no: standard.certificate_no().to_owned(),
        laboratory: standard.laboratory().to_owned(),
        calibrated_on: standard.calibrated_on(),
        due_on: standard.due_on(),
        simulated: standard.is_simulated(),
    }
}

/// From the least to the greatest calibrated point of each quantity that the certificate has.
fn range(points: &[CalibratedPoint]) -> String {
    let span = |of: &dyn Fn(&CalibratedPoint) -> Option<f64>, unit: &str| {
        let values: Vec<f64> = points.iter().filter_map(of).collect();
        let low = values.iter().copied().reduce(f64::min)?;
        let high = values.iter().copied().reduce(f64::max)?;
        let low = if low < high { format!("{}–", number::plain(low)) } else { String::new() };
        Some(format!("{low}{} {unit}", number::plain(high)))
    };
    let spans = [
        span(&|p| Some(p.voltage?.volts()), "V"),
        span(&|p| Some(p.current?.amperes()), "A"),
        span(&|p| Some(p.temperature?.degrees_celsius()), "°C"),
    ];
    spans.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// U of the certificate, least to greatest where it differs.
fn uncertainty(points: &[CalibratedPoint]) -> String {
    let least = points.iter().min_by(|a, b| a.expanded.total_cmp(&b.expanded));
    let greatest = points.iter().max_by(|a, b| a.expanded.total_cmp(&b.expanded));
    let Some((least, greatest)) = least.zip(greatest) else { return String::new() };
    let (low, high) = (number::uncertainty(least.expanded), number::uncertainty(greatest.expanded));
    let low = if low == high { String::new() } else { format!("{low}–") };
    format!("U = {low}{high} {}, k = {}", greatest.unit, number::coverage_factor(greatest.k))
}

pub(super) fn method(record: &Record) -> Words {
    let (zh, en) = match record.plan.capability.method {
        Method::PowerTime => ("标准功率–时间法", "reference power and time"),
        Method::StandardMeter => ("标准电能表法", "reference meter"),
    };
    Words::new(
        format!("虚负荷法，{zh}：电压与电流由两个独立电源供给，以脉冲计数"),
        format!("phantom load, {en}: voltage and current from two separate sources, pulses counted"),
    )
}

pub(super) fn budgets(record: &Record, rows: &[Row]) -> Vec<Budget> {
    let items = record.results.items.iter().zip(rows).filter(|(_, row)| row.is_error);
    let budgets = items.filter_map(|(item, row)| {
        let measured = item.measured.as_ref()?;
        Some(Budget {
            no: row.no,
            point: row.point.clone(),
            lines: measured.budget.iter().map(budget_line).collect(),
            combined: number::significant(measured.estimate.u, 3),
            dof: dof(measured.estimate.dof),
            k: row.k.clone(),
            expanded: row.uncertainty.clone(),
        })
    });
    budgets.collect()
}

fn budget_line(component: &Component) -> BudgetLine {
    BudgetLine {
        label: component.label.clone(),
        kind: match component.kind {
            Kind::A => "A".into(),
            Kind::B => "B".into(),
        },
        shape: match component.shape {
            Shape::Normal => "normal".into(),
            Shape::Rectangular => "rectangular".into(),
            Shape::Triangular => "triangular".into(),
        },
        u: number::significant(component.u, 3),
        dof: dof(component.dof),
        evidence: component.evidence.clone(),
        shared: component.shared.is_some(),
    }
}

/// Degrees of freedom, cut to a whole number as the coverage factor takes them.
fn dof(dof: Option<f64>) -> String {
    dof.filter(|dof| *dof < 1e4).map_or("∞".into(), |dof| number::fixed(dof.floor(), 0))
}

pub(super) fn decision(record: &Record) -> Decision {
    let joint = record.results.joint_conformity;
    Decision {
        name: match Rule::of(&record.plan.profile) {
            Rule::RoundedIfCapable { .. } => Words::new("修约值判定", "rounded value against the limit"),
            Rule::Simple => Words::new("简单接受", "simple acceptance"),
            Rule::Guarded { .. } => Words::new("保护带接受", "guarded acceptance"),
            Rule::NonBinary { .. } => Words::new("非二元判定", "non-binary rule"),
        },
        rule: record.results.decision_rule.clone(),
        prior: prior_words(record),
        stopping: record.results.stopping_rule.clone(),
        joint: joint.map_or(String::new(), number::probability),
        coverage: coverage(),
    }
}

pub(super) fn cross_check(record: &Record) -> Vec<CrossLine> {
    let Some(check) = &record.results.cross_check else { return vec![] };
    let signed = |value: f64| {
        let sign = if value > 0.0 { "+" } else { "" };
        format!("{sign}{}", number::error_percent(value))
    };
    let witnesses = check.witnesses.iter().map(|witness| match &witness.said {
        Said::Energy { energy_j, deviation, .. } => CrossLine {
            way: witness.way.to_string(),
            numbers: Some([
                number::significant(energy_j.kilowatt_hours(), 6),
                signed(deviation.value),
                number::uncertainty(deviation.expanded),
            ]),
            words: String::new(),
        },
        Said::Nothing { why } => {
            CrossLine { way: witness.way.to_string(), numbers: None, words: why.clone() }
        }
    });
    let pairs = check.pairs.iter().map(|pair| {
        let outcome = match pair.agreement {
            Agreement::Agree => "agree",
            Agreement::TooCoarse => "too coarse to tell",
            Agreement::Disagree => "DISAGREE",
        };
        let cause = pair.cause.as_ref().map_or(String::new(), |cause| format!(": {cause}"));
        let allowed = number::plain(pair.allowed);
        CrossLine {
            way: format!("{} - {}", pair.ways[0], pair.ways[1]),
            numbers: Some([String::new(), signed(pair.difference), number::uncertainty(pair.expanded)]),
            words: format!("{outcome}, allowed {allowed} %{cause}"),
        }
    });
    witnesses.chain(pairs).collect()
}

pub(super) fn scope(record: &Record) -> Vec<Words> {
    let mut scope = vec![
        Words::new(
            "虚负荷法：仅检定电能表，不含枪头、显示及付费金额。",
            "Phantom load: the meter was tested, not connector, display or payment.",
        ),
        Words::new("结果仅对被检电能表在检定时有效。", "The results are of this meter at this time only."),
    ];
    if record.document() != Some(Document::TestReport) {
        scope.push(Words::new(
            "未经三人签字并盖章无效。",
            "Valid only with three signatures and the institution's seal.",
        ));
    }
    if record.simulated {
        scope.push(Words::new("模拟：未检测任何真实电能表。", "SIMULATED: no real meter was tested."));
    }
    scope
}
