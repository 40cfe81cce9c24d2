//! What checking has shown, in two languages.

use super::paper::Paper;
use super::{Kind, Words};
use crate::certificate::chain::{Finding, Flaw};
use crate::certificate::issue::Status;
use crate::certificate::paper::words as printed;
use crate::certificate::sign::qr::Claims;

fn words(zh: impl Into<String>, en: impl Into<String>) -> Words {
    Words { zh: zh.into(), en: en.into() }
}

/// A kind of paper, by its word in record and QR code.
fn document(word: &str) -> Words {
    match word {
        "verification_certificate" => words("检定证书", "verification certificate"),
        "result_notice" => words("检定结果通知书", "notice of verification result"),
        "test_report" => words("检测报告（不是检定证书）", "test report, no verification certificate"),
        _ => words("文件种类不明", "a paper of a kind that nothing says"),
    }
}

/// What an authentic paper is, in one sentence: nobody may take a draft or a simulated run for a certificate.
fn authentic(kind: Kind, paper: &Paper) -> Words {
    let document = document(&paper.document);
    let Words { zh: verdict_zh, en: verdict_en } = verdict(&paper.verdict);
    let (mut zh, mut en) = match (kind, paper.status.as_str()) {
        (Kind::Withdrawn, _) => ("已撤销，不再有效".to_owned(), "WITHDRAWN, no longer valid".to_owned()),
        (Kind::Replaced, _) => {
            ("已被替代，不再有效".to_owned(), "REPLACED by a later paper, no longer valid".to_owned())
        }
        (_, "draft" | "checked") => (
            "真实的草稿：未签发，无法律效力".to_owned(),
            "AUTHENTIC DRAFT, not issued, of no legal value".to_owned(),
        ),
        (_, "issued") => (
            "真实：已签发，签名有效，内容未被改动".to_owned(),
            "AUTHENTIC, issued: the signatures hold and nothing was changed".to_owned(),
        ),
        (_, status) => (
            format!("真实：签名有效，内容未被改动；状态不明（{status}）"),
            format!(
                "AUTHENTIC: the signatures hold and nothing was changed; its state is not known ({status})"
            ),
        ),
    };
    zh += &["；", &document.zh, "，", &verdict_zh].concat();
    en += &["; ", &document.en, ", verdict ", &verdict_en].concat();
    if paper.simulated {
        zh.push_str("；模拟运行（SIMULATED），不涉及任何真实电能表");
        en.push_str("; SIMULATED: it says nothing of any real meter");
    }
    if paper.demo {
        zh.push_str("；演示密钥（DEMO），不可采信");
        en.push_str("; DEMO key, worth nothing as evidence");
    }
    words(zh, en)
}

/// The result in one sentence.
pub(super) fn headline(kind: Kind, files: &[String], paper: Option<&Paper>) -> Words {
    if let (Kind::Authentic | Kind::Withdrawn | Kind::Replaced, Some(paper)) = (kind, paper) {
        return authentic(kind, paper);
    }
    let list = files.join(", ");
    let of = |zh: &str, en: &str| {
        if files.is_empty() {
            words(zh, en)
        } else {
            words(format!("{zh}：{list}"), format!("{en}: {list}"))
        }
    };
    match kind {
        Kind::Authentic => {
            words("真实：签名有效，内容未被改动", "AUTHENTIC: the signatures hold and nothing was changed")
        }
        Kind::Withdrawn => words("已撤销，不再有效", "WITHDRAWN, no longer valid"),
        Kind::Replaced => words("已被替代，不再有效", "REPLACED by a later paper, no longer valid"),
        Kind::Altered => of("已被改动", "ALTERED"),
        Kind::Incomplete => {
            of("不完整：缺少文件或有多余文件", "INCOMPLETE: files are missing or do not belong to it")
        }
        Kind::ChainBroken => of("记录链断裂", "CHAIN BROKEN"),
        Kind::UnknownKey => {
            words("密钥未知：无法确认由谁签发", "UNKNOWN KEY: nobody at hand says who signed it")
        }
        Kind::Expired => words(
            "签名时证书不在有效期内",
            "EXPIRED: the certificate of the key did not hold when it was signed",
        ),
        Kind::Unsigned => words("未签名：任何人都可能改动过", "UNSIGNED: anybody may have changed it"),
    }
}

/// A finding in a chain.
pub(super) fn flaw(finding: &Finding) -> Words {
    let (zh, en) = match &finding.flaw {
        Flaw::Unreadable { what } => (format!("无法读取：{what}"), format!("cannot be read: {what}")),
        Flaw::Torn => (
            "末行不完整（写入时断电）".to_owned(),
            "the last line is not complete: the power failed while it was written".to_owned(),
        ),
        Flaw::Removed { from, to } if from == to => {
            (format!("此前缺少第 {from} 条"), format!("entry {from} before it was removed"))
        }
        Flaw::Removed { from, to } => (
            format!("此前缺少第 {from} 至 {to} 条"),
            format!("entries {from} to {to} before it were removed"),
        ),
        Flaw::Swapped => (
            "次序颠倒：前面有序号更大的记录".to_owned(),
            "swapped: it stands behind an entry with a higher number".to_owned(),
        ),
        Flaw::Forked { other_line } => (
            format!("分叉：与第 {other_line} 行序号相同"),
            format!("forked: line {other_line} has the same number"),
        ),
        Flaw::Changed { before: 0 } => (
            "它不是链的第一条：所指的前一条不在此处".to_owned(),
            "it names an entry before it, and there is none".to_owned(),
        ),
        Flaw::Changed { before } => (
            format!("第 {before} 条被改动或替换：与本条所记的前一条不符"),
            format!("entry {before} was changed or replaced: it is not the one that this entry names"),
        ),
        Flaw::OtherDevice { device } => {
            (format!("属于另一台设备 {device}"), format!("it is of another device, {device}"))
        }
        Flaw::BadSignature { what } => (format!("签名无效：{what}"), what.clone()),
        Flaw::OtherKey { key_id, in_use } => (
            format!("由密钥 {key_id} 签名，而使用中的密钥是 {in_use}：没有由后者签名的更换记录"),
            format!(
                "it is signed by the key {key_id}, where {in_use} is in use: no change of key that {in_use} has signed leads to it"
            ),
        ),
        Flaw::NotSigned { kind } => (
            format!("{kind} 记录未签名，而设备此前已有密钥"),
            format!("an entry of kind {kind} is not signed, though the device had signed before"),
        ),
        Flaw::NoTime { seen } => (format!("时间 {seen} 无法识别"), format!("its time, `{seen}`, is none")),
        Flaw::BackInTime { before, clock_set: false } => (
            format!("时间早于第 {before} 条，且没有校时记录"),
            format!(
                "its time is earlier than that of entry {before}, and nothing says that the clock was set"
            ),
        ),
        Flaw::BackInTime { before, clock_set: true } => (
            format!("时间早于第 {before} 条：此处校准过时钟"),
            format!("its time is earlier than that of entry {before}: the clock was set here"),
        ),
        Flaw::UnknownKey { key_id } => (
            format!("没有已知机构为密钥 {key_id} 担保"),
            format!("no authority at hand answers for the key {key_id}"),
        ),
        Flaw::OutOfTime { what } => (format!("签名时证书不在有效期内：{what}"), what.clone()),
        Flaw::Unsigned { count, held: true } => (
            format!("自此有 {count} 条未签名，由后面已签名的记录保证"),
            format!("{count} entries without a signature from here on; a later signed one holds them"),
        ),
        Flaw::Unsigned { count, held: false } => (
            format!("自此有 {count} 条未签名"),
            format!("{count} entries without a signature from here on, and none signed after them"),
        ),
        Flaw::Cut { seq, from } => (
            format!("尾部被截去：{from} 记有第 {seq} 条，链中没有"),
            format!("the tail was cut off: {from} knows entry {seq}, the chain does not reach it"),
        ),
        Flaw::Contradicted { seq, from } => (
            format!("第 {seq} 条与 {from} 所记不符"),
            format!("entry {seq} is not the one that {from} knows"),
        ),
    };
    match (finding.line, finding.seq) {
        (0, _) => words(zh, en),
        (line, 0) => words(format!("第 {line} 行：{zh}"), format!("line {line}: {en}")),
        (line, seq) => {
            words(format!("第 {line} 行（第 {seq} 条）：{zh}"), format!("line {line}, entry {seq}: {en}"))
        }
    }
}

/// A verdict.
fn verdict(word: &str) -> Words {
    match word {
        "pass" => words("合格", "pass"),
        "fail" => words("不合格", "fail"),
        "undecided" => words("未判定", "undecided"),
        other => words(format!("结论不明（{other}）"), other),
    }
}

/// A state of a paper, by its word in record and QR code.
fn status(word: &str) -> Words {
    let all = [Status::Draft, Status::Checked, Status::Issued, Status::Amended, Status::Withdrawn];
    match all.into_iter().find(|status| status.to_string() == word).map(printed::status) {
        Some(known) => words(known.zh, known.en),
        None => words(format!("状态不明（{word}）"), word),
    }
}

/// What a QR code says.
pub(super) fn claims(claims: &Claims) -> Words {
    let Words { zh, en } = verdict(&claims.verdict);
    let simulated =
        if claims.simulated { ["；模拟装置，无效", "; SIMULATED, of no value"] } else { ["", ""] };
    let until = match &claims.valid_until {
        Some(until) => [format!("；有效期至 {until}"), format!(", valid until {until}")],
        None => [String::new(), String::new()],
    };
    let Claims { certificate_no, device, item, time, seq, .. } = claims;
    let (document, status) = (document(&claims.document), status(&claims.status));
    words(
        format!(
            "编号 {certificate_no}（{}，{}）；器具 {item}；结论 {zh}；时间 {time}{}；检定装置 {device}，链第 {seq} 条{}",
            document.zh, status.zh, until[0], simulated[0]
        ),
        format!(
            "no. {certificate_no} ({}, {}); item {item}; verdict {en}; at {time}{}; tester {device}, entry {seq} of its chain{}",
            document.en, status.en, until[1], simulated[1]
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::sign::qr;

    #[test]
    fn a_qr_code_is_read_out_in_words_and_in_none_of_the_files_own() {
        let of = |document: &str, status: &str, verdict: &str| {
            let [document, status, verdict] = [document, status, verdict].map(str::to_owned);
            claims(&Claims { verdict, document, status, ..qr::tests::claims() })
        };
        let said = of("verification_certificate", "issued", "undecided");
        assert!(said.zh.contains("（检定证书，已签发）") && said.zh.contains("结论 未判定"), "{}", said.zh);
        assert!(said.en.contains("(verification certificate, issued)"), "{}", said.en);
        for status in ["draft", "checked", "issued", "amended", "withdrawn"] {
            for document in ["verification_certificate", "result_notice", "test_report"] {
                for verdict in ["pass", "fail", "undecided"] {
                    let zh = of(document, status, verdict).zh;
                    let raw = [document, status, verdict].into_iter().find(|word| zh.contains(word));
                    assert_eq!(raw, None, "{zh}");
                }
            }
        }
    }
}
