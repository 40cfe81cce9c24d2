//! `register.csv`: one row for each change of a paper's state.

use super::{BOM, Cell, Fault, SCHEMA, bytes, completed, is_pulse_error, names, writer};
use crate::certificate::chain::Entry;
use crate::certificate::issue::{Issue, Role, Status};
use crate::certificate::number;
use crate::certificate::package::corrected;
use crate::certificate::paper::{cited, unconfirmed};
use crate::certificate::record::{Document, Measured, Record, Unit};
use crate::verdict::Verdict;
use jiff::{ToSpan, civil::Date};

/// What a row says besides the record.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// How far the paper has come with this row.
    pub status: Status,
    /// What the paper says; its signatures are the ones known with this row.
    pub issue: &'a Issue,
    /// The manifest of the paper's package.
    pub manifest: &'a Entry,
    /// SHA-256 of that manifest, in lower-case hexadecimal.
    pub manifest_sha256: &'a str,
}

/// A column: its name and what stands in it.
type Column = (&'static str, fn(&Row<'_>) -> Cell);

/// What a row is made from.
struct Row<'a> {
    record: &'a Record,
    seq: u64,
    certificate_no: &'a str,
    verdict: Verdict,
    document: Document,
    standing: &'a Standing<'a>,
}

impl Row<'_> {
    /// Errors by pulses with the number of their point.
    fn errors(&self) -> impl Iterator<Item = (usize, &Measured)> {
        let items = self.record.results.items.iter().enumerate();
        let errors = items.filter(|(_, item)| is_pulse_error(item) && item.bound().is_none());
        errors.filter_map(|(n, item)| {
            Some((n + 1, item.measured.as_ref().filter(|m| m.unit == Unit::Percent)?))
        })
    }

    /// The one nearest to its limit, or farthest beyond.
    fn worst(&self) -> Option<(usize, &Measured)> {
        let share = |m: &Measured| m.estimate.value.abs() / m.limit;
        self.errors().max_by(|(_, a), (_, b)| share(a).total_cmp(&share(b)))
    }

    fn failed(&self) -> String {
        let items = self.record.results.items.iter().enumerate();
        let failed = items.filter(|(_, item)| item.verdict == Verdict::Fail);
        failed.map(|(n, _)| (n + 1).to_string()).collect::<Vec<_>>().join(";")
    }

    /// Who has signed as this; nothing where nobody has.
    fn signed(&self, role: Role) -> Option<&str> {
        let mut signatures = self.standing.issue.signatures.iter();
        signatures.find(|signature| signature.role == role).map(|signature| signature.person.as_str())
    }

    /// SHA-256 of the file whose name ends so.
    fn print(&self, end: &str) -> Cell {
        let mut files = self.standing.manifest.files.iter();
        Cell::maybe(files.find(|(name, _)| name.ends_with(end)).map(|(_, print)| print))
    }
}

/// The word of files for a paper.
pub fn document_word(document: Document) -> &'static str {
    match document {
        Document::VerificationCertificate => "verification_certificate",
        Document::ResultNotice => "result_notice",
        Document::TestReport => "test_report",
    }
}

/// The word of files for a verdict.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Undecided => "undecided",
    }
}

/// The last day a certificate holds: the period of the class less a day. Only a certificate has one.
pub fn valid_until(record: &Record) -> Option<Date> {
    if record.document() != Some(Document::VerificationCertificate) {
        return None;
    }
    let years = record.plan.profile.validity_years(&record.plan.class)?;
    record.started.date().checked_add(i64::from(years).years()).and_then(|d| d.checked_sub(1.day())).ok()
}

/// The columns. The first 48 are those of the schema, in its order.
const COLUMNS: [Column; 59] = [
    ("schema_version", |_| Cell::plain(SCHEMA)),
    ("seq", |r| Cell::plain(r.seq)),
    ("certificate_no", |r| Cell::text(r.certificate_no)),
    ("record_no", |r| Cell::text(&r.record.record_no)),
    ("doc_type", |r| Cell::plain(document_word(r.document))),
    ("status", |r| Cell::plain(r.standing.status)),
    ("verdict", |r| Cell::plain(verdict_word(r.verdict))),
    ("accuracy_class", |r| Cell::text(r.record.plan.class.name())),
    ("failed_points", |r| Cell::plain(r.failed())),
    ("regulation", |r| Cell::text(cited(&r.record.plan.profile).en)),
    ("decision_rule", |r| Cell::text(&r.record.results.decision_rule)),
    ("load_method", |_| Cell::plain("virtual")),
    ("performed_from", |r| Cell::plain(r.record.started)),
    ("performed_to", |r| Cell::plain(r.record.ended())),
    ("issued_at", |r| Cell::maybe(r.standing.issue.issued_at)),
    ("valid_until", |r| Cell::maybe(valid_until(r.record))),
    ("dut_name", |_| Cell::plain("energy meter in an EV charger")),
    ("dut_manufacturer", |r| Cell::text(&r.record.plan.nameplate.maker)),
    ("dut_model", |r| Cell::text(&r.record.plan.nameplate.model)),
    ("dut_serial", |r| Cell::text(&r.record.plan.nameplate.serial)),
    ("connector", |r| Cell::text(&r.record.plan.nameplate.connector)),
    ("customer", |r| Cell::text(&r.record.plan.entries.customer)),
    ("site", |r| Cell::text(&r.record.plan.entries.site)),
    ("latitude_deg", |_| Cell::Empty),
    ("longitude_deg", |_| Cell::Empty),
    ("lab_name", |r| {
        let laboratory = &r.standing.issue.laboratory;
        let name = if laboratory.name_zh.is_empty() { &laboratory.name_en } else { &laboratory.name_zh };
        Cell::text(name)
    }),
    ("lab_authorisation_no", |r| Cell::text(&r.standing.issue.laboratory.authorisation_no)),
    // Whoever worked the tester, until a verifier has signed.
    ("verifier", |r| Cell::text(r.signed(Role::Verifier).unwrap_or(&r.record.plan.entries.operator))),
    ("checker", |r| Cell::text(r.signed(Role::Checker).unwrap_or_default())),
    ("approver", |r| Cell::text(r.signed(Role::Approver).unwrap_or_default())),
    ("tester_model", |r| Cell::text(&r.record.program.name)),
    // The device number, as chain, key, DCC and QR code have it; the reference standard's own stands at the end.
    ("tester_serial", |r| Cell::text(&r.standing.manifest.device)),
    ("tester_certificate_no", |r| Cell::text(r.record.plan.standards.reference().certificate_no())),
    ("tester_valid_until", |r| Cell::plain(r.record.plan.standards.reference().due_on())),
    ("firmware_version", |r| Cell::text(format!("{} {}", r.record.program.name, r.record.program.version))),
    ("points", |r| Cell::plain(r.record.results.items.len())),
    ("worst_point_no", |r| Cell::maybe(r.worst().map(|(no, _)| no))),
    ("worst_error_percent", |r| Cell::maybe(r.worst().map(|(_, m)| number::value(m)))),
    ("worst_limit_percent", |r| {
        Cell::maybe(r.worst().map(|(_, m)| number::limit(m.limit, m.rounded.scale())))
    }),
    ("max_expanded_uncertainty_percent", |r| {
        let largest = r.errors().map(|(_, m)| m.estimate.expanded).max_by(f64::total_cmp);
        Cell::maybe(largest.map(number::uncertainty))
    }),
    ("clock_sync", |r| Cell::plain(&r.standing.manifest.clock.source)),
    ("replaces", |r| Cell::maybe(r.standing.issue.amends.as_ref().map(|amendment| &amendment.replaces))),
    ("prev_sha256", |r| Cell::plain(&r.standing.manifest.prev)),
    ("manifest_sha256", |r| Cell::plain(r.standing.manifest_sha256)),
    ("results_csv_sha256", |r| r.print("_results.csv")),
    ("pdf_sha256", |r| r.print(".pdf")),
    ("dcc_sha256", |r| r.print(".dcc.xml")),
    ("key_id", |r| Cell::plain(&r.standing.manifest.key_id)),
    // Ours, after the schema's own.
    ("simulated", |r| Cell::plain(r.record.simulated)),
    ("kind", |r| Cell::plain(r.record.plan.kind)),
    ("charger", |r| Cell::text(&r.record.plan.nameplate.charger)),
    ("regulation_id", |r| Cell::text(&r.record.plan.profile.id)),
    ("time_base_certificate_no", |r| Cell::text(r.record.plan.standards.time_base().certificate_no())),
    ("time_base_valid_until", |r| Cell::plain(r.record.plan.standards.time_base().due_on())),
    ("record_json_sha256", |r| r.print("record.json")),
    ("report_txt_sha256", |r| r.print("_report.txt")),
    ("reference_model", |r| Cell::text(r.record.plan.standards.reference().model())),
    ("reference_serial", |r| Cell::text(r.record.plan.standards.reference().serial())),
    ("regulation_note", |r| unconfirmed(&r.record.plan).map_or(Cell::Empty, |said| Cell::text(said.en))),
];

/// The names of the columns.
pub const REGISTER_HEADER: [&str; COLUMNS.len()] = names(&COLUMNS);

/// The begin of the file: byte-order mark and header row.
pub fn register_header() -> Result<Vec<u8>, Fault> {
    let mut writer = writer();
    let written = writer.write_record(REGISTER_HEADER);
    written.map_err(|e| Fault::Writer { record_no: "(header)".into(), what: e.to_string() })?;
    Ok([BOM, &bytes(writer, "(header)")?].concat())
}

/// The row of a completed run's paper, with its line end, in the words of the paper: corrected where it was amended.
/// `seq` counts the rows of the register, without a gap.
pub fn register_row(record: &Record, seq: u64, standing: &Standing<'_>) -> Result<Vec<u8>, Fault> {
    let record = &corrected(record, standing.issue);
    let (certificate_no, verdict, document) = completed(record)?;
    let row = Row { record, seq, certificate_no, verdict, document, standing };
    let mut writer = writer();
    let written = writer.write_record(COLUMNS.map(|(_, cell)| cell(&row).written()));
    written.map_err(|e| Fault::Writer { record_no: record.record_no.clone(), what: e.to_string() })?;
    bytes(writer, &record.record_no)
}
