//! What a paper says besides its record: institution, signatures, what it replaces, its place in the chain, its seal.

use super::Paper;
use crate::certificate::issue::{Issue, Role, Status};

/// The section of the issue.
pub(super) fn issued(paper: &mut Paper, issue: &Issue) {
    let laboratory = &issue.laboratory;
    paper.heading("出具 Issue");
    let names = [&laboratory.name_zh, &laboratory.name_en].map(String::as_str);
    paper.field("检定机构 institution", names.join(" ").trim());
    paper.field("授权证书号 authorisation", &laboratory.authorisation_no);
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
        let label = match signature.role {
            Role::Verifier => "检定员 verifier",
            Role::Checker => "核验员 checker",
            Role::Approver => "批准人 approver",
        };
        paper.field(label, &format!("{}, {}, entry {}", signature.person, signature.at, signature.seq));
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
