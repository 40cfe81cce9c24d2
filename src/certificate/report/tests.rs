//! Tests of the papers.

use super::*;
use crate::certificate::record::ItemResult;
use crate::certificate::sample;

#[test]
#[expect(clippy::useless_vec, reason = "so many records are too large for the stack")]
fn no_line_is_wider_than_the_page() {
    let mut long = sample::real(0.3);
    long.plan.entries.customer = "某某充电运营有限公司".repeat(20);
    long.plan.entries.site = "x".repeat(300);
    long.results.findings.push("a\u{c}form feed \u{1b}[2J and 检定".repeat(30));
    if let Some(ItemResult { point: Some(point), .. }) =
        long.results.items.iter_mut().find(|i| i.point.is_some())
    {
        point.term = "a very long name of a load point ".repeat(4);
    }
    for record in vec![
        sample::completed(0.3),
        sample::silent_at_start(),
        sample::approved(2.0),
        sample::faulted(),
        long,
    ] {
        let text = text(&record);
        for line in text.lines() {
            assert!(page::width(line.trim_start_matches('\u{c}')) <= COLUMNS, "{line}");
        }
        let codes = |c: char| c.is_control() && c != '\n' && c != '\u{c}';
        assert!(!text.contains(codes));
        assert_eq!(text.matches('\u{c}').count() + 1, text.matches("page ").count());
    }
}

#[test]
fn a_simulated_paper_says_so_at_the_head_and_foot_of_every_page() {
    let text = text(&sample::completed(0.3));
    for page in text.split('\u{c}') {
        let lines: Vec<_> = page.lines().collect();
        assert!(
            lines.first().unwrap().contains("SIMULATED") && lines.last().unwrap().contains("SIMULATED"),
            "{page}"
        );
        assert!(page.contains("SIM-2026-000001"), "{page}");
    }
    assert!(!super::text(&sample::real(0.3)).contains("SIMULATED"));
}

#[test]
fn a_test_report_lists_the_unconfirmed_figures() {
    let record = sample::completed(0.3);
    let text = text(&record).replace('\n', " ");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("检测报告 Test report") && words.contains("合格 PASS"));
    assert!(!record.why_no_certificate().is_empty());
    let why = record.why_no_certificate();
    let figures = why.iter().filter(|why| why.starts_with("unconfirmed figure:")).count();
    assert_eq!(words.matches("unconfirmed figure:").count(), figures);
    assert!(figures + 1 == why.len() && words.contains("no period of validity is known"), "{why:?}");
    assert!(words.contains("the meter was tested, not connector, display or payment"));
}

#[test]
fn the_title_follows_the_document() {
    for (record, title, verdict) in [
        (sample::approved(0.3), "检定证书 Verification certificate", "合格 PASS"),
        (sample::approved(2.0), "检定结果通知书 Notice of verification result", "不合格 FAIL"),
    ] {
        let text = text(&record);
        assert!(text.lines().next().unwrap().contains(title), "{text}");
        assert!(
            text.contains(verdict)
                && text.contains("PL-2026-000001")
                && !text.contains("Why this is a test report")
        );
    }
}

#[test]
fn a_run_that_was_not_completed_has_no_verdict_and_no_certificate() {
    for (record, title, why) in [
        (sample::aborted(), "ABORTED", "stopped by the operator"),
        (sample::faulted(), "BENCH FAULT", "reference: no answer in 2.0 s"),
    ] {
        let text = text(&record);
        assert!(
            text.contains(title) && text.contains(why) && text.contains("No verdict, no certificate"),
            "{text}"
        );
        assert!(text.contains("SIM-R-2026-000001") && text.contains("Results so far"));
        for word in ["PASS", "FAIL", "Test report", "Verification certificate", "证书编号"] {
            assert!(!text.contains(word), "{word} in\n{text}");
        }
    }
}

#[test]
fn paper_and_results_file_say_the_same_numbers() {
    let record = sample::completed(-0.3);
    let text = text(&record);
    let csv = String::from_utf8(crate::certificate::csv::results_csv(&record).unwrap()).unwrap();
    for item in record.results.items.iter().filter_map(|i| i.measured.as_ref()) {
        let value = number::value(item);
        assert!(text.contains(&value) && csv.contains(&value), "{value}");
    }
}

#[test]
fn the_paper_names_rule_prior_and_risks_beside_each_number() {
    let record = sample::approved(0.99);
    let text = text(&record);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "判定 Decision",
        "修约值判定. U ≤ MPE",
        "Rounded value against the limit",
        "standard deviation 0.5 x limit",
        "no survey of meters stands behind it (a choice of this house",
        "false accept 误收",
    ] {
        assert!(words.contains(said), "{said}\n{text}");
    }
    let at_limit = record.results.items.iter().position(|i| i.item == Item::BasicError).unwrap();
    let measured = record.results.items[at_limit].measured.as_ref().unwrap();
    let (risk, global) = (measured.specific_risk(Verdict::Pass).unwrap(), measured.global.unwrap());
    assert!(risk > 0.001 && global.consumer > 0.0 && global.producer >= 0.0, "{risk} {global:?}");
    let row = format!("{:>3}  basic error       PASS", at_limit + 1);
    let row = text.lines().rfind(|line| line.starts_with(&row)).unwrap();
    assert!(row.contains(&number::probability(risk)) && row.contains("FAIL"), "{row}");
    assert!(!super::text(&sample::aborted()).contains("false accept"));
}

#[test]
fn a_conditional_answer_keeps_its_name_on_paper() {
    let mut record = sample::completed(0.3);
    record.plan.profile.rule.value = crate::regulation::Rule::NonBinary { r: 1.0 };
    let item = record.results.items.iter_mut().find(|i| i.item == Item::BasicError).unwrap();
    item.verdict = Verdict::Undecided;
    item.measured.as_mut().unwrap().zone = Some(crate::verdict::Zone::ConditionalPass);
    assert!(text(&record).contains("basic error       conditional pass"), "{}", text(&record));
    record.plan.profile.prior = None;
    assert!(text(&record).contains("none stated, so no global risk"));
}
