//! `administrativeData`: who, what, when, and what is stated of the whole.

use super::statements::statements;
use super::text::{entered, identification, is_blank, name, said_if, token, token_if, words};
use super::xml::Element;
use crate::certificate::issue::{Issue, Laboratory, Role};
use crate::certificate::paper::words::role;
use crate::certificate::paper::{Meter, Paper, Words};

pub(super) fn administrative_data(paper: &Paper) -> Element {
    Element::new("dcc:administrativeData").with([
        Element::new("dcc:dccSoftware").with([software(paper)]),
        ref_types(),
        core_data(paper),
        items(&paper.meter),
        laboratory(&paper.issue),
        persons(&paper.issue),
        customer(paper),
        statements(paper),
    ])
}

/// This program, as it made the paper and as it measured.
pub(super) fn software(paper: &Paper) -> Element {
    let (program, version) = paper.program.rsplit_once(' ').unwrap_or((&paper.program, ""));
    Element::new("dcc:software").with([
        words("dcc:name", &Words::same(program)),
        Element::text("dcc:release", release(version)),
        Element::text("dcc:type", "application"),
        words("dcc:description", &Words::same(&paper.program)),
    ])
}

/// A version as PTB's schematron wants it, a letter and up to four numbers: `v0.1.0`. What follows them stands in the
/// description.
fn release(version: &str) -> String {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let numbers = version[..end].split('.').take_while(|n| (1..=3).contains(&n.len())).take(4);
    let numbers = numbers.collect::<Vec<_>>().join(".");
    format!("v{}", if numbers.is_empty() { "0" } else { &numbers })
}

/// Where the words in `refType` are explained.
fn ref_types() -> Element {
    let definition = |named: Element, namespace: &str, link: &str| {
        Element::new("dcc:refTypeDefinition").with([
            named,
            Element::text("dcc:namespace", namespace),
            Element::text("dcc:link", link),
        ])
    };
    let ptb = "https://digilab.ptb.de/dkd/refType/vocab";
    Element::new("dcc:refTypeDefinitions").with([
        definition(name("通用术语", "basic terms"), "basic", ptb),
        definition(name("通用结构", "general structures"), "gp", ptb),
        definition(name("本程序的术语", "terms of this program"), "phantomload", "reports/dcc.md"),
    ])
}

fn core_data(paper: &Paper) -> Element {
    let issue = &paper.issue;
    let entry = format!("{}/{}", issue.link.device, issue.link.seq);
    let amended = issue.amends.as_ref().map(|amends| {
        // Substituted: the same contents in a new form.
        let change = if amends.corrections.is_empty() { "substituted" } else { "amended" };
        Element::new("dcc:reportAmendedSubstituted").with([
            Element::text("dcc:typeOfChange", change),
            token("dcc:replacedUniqueIdentifier", &amends.replaces),
        ])
    });
    let date = |tag, date: jiff::civil::Date| Element::text(tag, date.to_string());
    Element::new("dcc:coreData")
        .with([
            Element::text("dcc:countryCodeISO3166_1", "CN"),
            Element::text("dcc:usedLangCodeISO639_1", "zh"),
            Element::text("dcc:usedLangCodeISO639_1", "en"),
            Element::text("dcc:mandatoryLangCodeISO639_1", "zh"),
            token("dcc:uniqueIdentifier", &issue.certificate_no),
            Element::new("dcc:identifications").with([
                identification(
                    "calibrationLaboratory",
                    &paper.record_no,
                    "原始记录号",
                    "original record no.",
                ),
                identification("other", &entry, "设备记录链条目", "entry in the device's chain"),
            ]),
            date("dcc:beginPerformanceDate", paper.performed_from.date()),
            date("dcc:endPerformanceDate", paper.performed_to.date()),
            // The tester is carried to the charger.
            Element::text("dcc:performanceLocation", "customer"),
        ])
        .with(issue.issued_at.map(|at| date("dcc:issueDate", at.date())))
        .with(amended)
}

fn items(meter: &Meter) -> Element {
    let identifications = Element::new("dcc:identifications")
        .with([identification("manufacturer", &meter.serial, "出厂编号", "serial number")])
        .with(
            (!is_blank(&meter.charger)).then(|| identification("owner", &meter.charger, "充电桩", "charger")),
        )
        .with(
            (!is_blank(&meter.connector))
                .then(|| identification("owner", &meter.connector, "充电接口", "connector")),
        );
    let quantities = [
        said_if("phantomload_accuracyClass", "准确度等级", "accuracy class", &meter.class),
        said_if("phantomload_ratings", "额定电压与电流", "rated voltage and currents", &meter.ratings),
        said_if("phantomload_constant", "脉冲常数", "pulse constant", &meter.constant),
        said_if("phantomload_registerStep", "计度器分辨力", "step of the register", &meter.register_step),
    ];
    let quantities = quantities.into_iter().flatten().map(|quantity| quantity.renamed("dcc:itemQuantity"));
    Element::new("dcc:items").with([Element::new("dcc:item").with([
        words("dcc:name", &meter.name),
        Element::new("dcc:manufacturer").with([words("dcc:name", &entered(&meter.maker))]),
        token("dcc:model", &meter.model),
        identifications,
        Element::new("dcc:itemQuantities").with(quantities),
    ])])
}

fn laboratory(issue: &Issue) -> Element {
    let laboratory = &issue.laboratory;
    let is_sealed = issue.seal.is_some().to_string();
    Element::new("dcc:calibrationLaboratory")
        .with(token_if("dcc:calibrationLaboratoryCode", &laboratory.authorisation_no))
        .with([
            Element::new("dcc:contact")
                .with([words("dcc:name", &laboratory_name(laboratory))])
                .with(token_if("dcc:eMail", &laboratory.email))
                .with(token_if("dcc:phone", &laboratory.phone))
                .with(token_if("dcc:fax", &laboratory.fax))
                .with([Element::new("dcc:location")
                    .with(token_if("dcc:postCode", &laboratory.postcode))
                    .with([words("dcc:further", &entered(&laboratory.address))])]),
            Element::text("dcc:cryptElectronicSeal", is_sealed),
            Element::text("dcc:cryptElectronicSignature", "false"),
            Element::text("dcc:cryptElectronicTimeStamp", "false"),
        ])
}

/// In the language in which it was entered where only one was.
fn laboratory_name(laboratory: &Laboratory) -> Words {
    match (is_blank(&laboratory.name_zh), is_blank(&laboratory.name_en)) {
        (true, _) => entered(&laboratory.name_en),
        (false, true) => Words::same(&laboratory.name_zh),
        (false, false) => Words::new(&laboratory.name_zh, &laboratory.name_en),
    }
}

/// The three persons, each with their entry in the chain or that they have not signed. Their evidence is that entry; in
/// this document the device's key seals alone.
fn persons(issue: &Issue) -> Element {
    let person = |of: Role| {
        let part = role(of);
        let signature = issue.signatures.iter().find(|signature| signature.role == of);
        let (who, how) = signature.map_or_else(
            || {
                let nobody = Words::new("未签字", "not signed");
                (nobody.clone(), nobody)
            },
            |s| {
                let (at, seq) = (s.at, s.seq);
                let how = Words::new(
                    format!("{at} 以口令签字，见设备记录链第 {seq} 条"),
                    format!("signed with a PIN at {at}, entry {seq} of the device's chain"),
                );
                (entered(&s.person), how)
            },
        );
        Element::new("dcc:respPerson").with([
            Element::new("dcc:person").with([words("dcc:name", &who)]),
            words(
                "dcc:description",
                &Words::new(format!("{}：{}", part.zh, how.zh), format!("{}: {}", part.en, how.en)),
            ),
            Element::text("dcc:role", format!("{} {}", part.zh, part.en)),
            Element::text("dcc:mainSigner", (of == Role::Approver && signature.is_some()).to_string()),
            Element::text("dcc:cryptElectronicSeal", "false"),
            Element::text("dcc:cryptElectronicSignature", "false"),
            Element::text("dcc:cryptElectronicTimeStamp", "false"),
        ])
    };
    Element::new("dcc:respPersons").with(Role::ALL.map(person))
}

/// Who asked for it. Of their address nothing is known; the place of the meter is all there is.
fn customer(paper: &Paper) -> Element {
    let site = entered(&paper.site);
    let place = Words::new(format!("检定地点：{}", site.zh), format!("place of verification: {}", site.en));
    Element::new("dcc:customer").with([
        words("dcc:name", &entered(&paper.customer)),
        Element::new("dcc:location").with([words("dcc:further", &place)]),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_the_form_that_the_schematron_wants() {
        for (version, printed) in [
            ("0.1.0", "v0.1.0"),
            ("1.2.3-rc.1", "v1.2.3"),
            ("1.2.3.4.5", "v1.2.3.4"),
            ("2026.1", "v0"),
            ("", "v0"),
            ("1..2", "v1"),
            ("git", "v0"),
        ] {
            assert_eq!(release(version), printed, "{version}");
        }
    }
}
