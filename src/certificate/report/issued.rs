//! What a paper says besides its record: institution, signatures, what it replaces, its place in the chain, its seal.

use super::Paper;
use crate::certificate::issue::{Issue, Status};
use crate::certificate::paper::words;
use crate::certificate::record::Document;

/// The section of the issue.
pub(super) fn issued(paper: &mut Paper, issue: &Issue, document: Document) {
    let laboratory = &issue.laboratory;
    paper.heading("出具 Issue");
    let names = [&laboratory.name_zh, &laboratory.name_en].map(String::as_str);
    paper.field("机构 institution", names.join(" ").trim());
    paper.field("授权证书号 authorisation", &laboratory.authorisation_no);
    let standard = [
        &laboratory.standard_name,
        &laboratory.standard_certificate_no,
        &laboratory.standard_range,
        &laboratory.standard_uncertainty,
    ];
    let standard: Vec<_> = standard.into_iter().filter(|text| !text.trim().is_empty()).cloned().collect();
    let until = laboratory.standard_valid_until.map_or(String::new(), |until| format!(", until {until}"));
    paper.field("计量标准 measurement standard", &(standard.join("; ") + &until));
    let state = match issue.status {
        Status::Draft => "草稿 draft",
        Status::Checked => "已核验 checked",
        Status::Issued => "已出具 issued",
        Status::Amended => "已更正 amended",
        Status::Withdrawn => "已撤回 withdrawn",
    };
    paper.field("状态 state", state);
    if let Some(at) = issue.issued_at {
        paper.field("出具时间 issued", &at.to_string());
    }
    for signature in &issue.signatures {
        let role = words::role(signature.role, document);
        paper.field(
            &format!("{} {}", role.zh, signature.role),
            &format!("{}, {}, entry {}", signature.person, signature.at, signature.seq),
        );
    }
    if let Some(amendment) = &issue.amends {
        paper.field("替代 replaces", &amendment.replaces);
        paper.field("更正原因 reason", &amendment.reason);
        for correction in &amendment.corrections {
            // Corrected by an earlier amendment already: the replaced paper says the same.
            if correction.from != correction.to {
                let (from, to) = (&correction.from, &correction.to);
                paper.entry(&format!("{}: \"{from}\" → \"{to}\"", correction.field));
            }
        }
    }
    let link = &issue.link;
    paper.field("存证链 chain", &format!("{}, entry {}, after {}", link.device, link.seq, link.prev));
    match &issue.seal {
        Some(seal) => {
            let (algorithm, key_id, protection) = (&seal.algorithm, &seal.key_id, &seal.protection);
            let words = format!(
                "{algorithm}, key {key_id} (kept in a {protection}); {}, issued by {}",
                seal.subject, seal.issuer
            );
            paper.field("密封 seal", &words);
        }
        None => paper.field("密封 seal", "none: the device had no valid key 无有效密钥，未密封"),
    }
}
