//! Words in both languages.

use crate::certificate::issue::{Role, Status};
use crate::certificate::record::Document;
use crate::regulation::{Item, Kind};
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// In which language a paper is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Chinese and English side by side.
    #[default]
    Both,
    /// Chinese.
    Chinese,
    /// English.
    English,
}

/// The same words in Chinese and English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Words {
    /// Words of ours.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// A text that is the same in both: a name, a number, or what only exists in one language.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { zh: text.clone(), en: text }
    }

    /// As one text; what is the same in both languages stands once.
    pub fn print(&self, language: Language) -> String {
        match language {
            Language::Chinese => self.zh.clone(),
            Language::English => self.en.clone(),
            Language::Both if self.zh == self.en => self.zh.clone(),
            Language::Both => format!("{} {}", self.zh, self.en),
        }
    }
}

/// The title of a paper.
pub fn document(document: Document) -> Words {
    match document {
        Document::VerificationCertificate => Words::new("检定证书", "Verification certificate"),
        Document::ResultNotice => Words::new("检定结果通知书", "Notice of verification result"),
        Document::TestReport => Words::new("检测报告", "Test report"),
    }
}

/// A verdict.
pub fn verdict(verdict: Verdict) -> Words {
    match verdict {
        Verdict::Pass => Words::new("合格", "pass"),
        Verdict::Fail => Words::new("不合格", "fail"),
        Verdict::Undecided => Words::new("未判定", "undecided"),
    }
}

/// The occasion.
pub fn kind(kind: Kind) -> Words {
    match kind {
        Kind::First => Words::new("首次检定", "first verification"),
        Kind::Subsequent => Words::new("后续检定", "subsequent verification"),
        Kind::InService => Words::new("使用中检查", "in-service inspection"),
    }
}

/// How far a paper has come.
pub fn status(status: Status) -> Words {
    match status {
        Status::Draft => Words::new("草稿", "draft"),
        Status::Checked => Words::new("已核验", "checked"),
        Status::Issued => Words::new("已签发", "issued"),
        Status::Amended => Words::new("已更改", "amended"),
        Status::Withdrawn => Words::new("已撤销", "withdrawn"),
    }
}

/// What is done: a report tells of a test, not of a verification.
pub fn act(document: Document) -> Words {
    match document {
        Document::TestReport => Words::new("检测", "test"),
        _ => Words::new("检定", "verification"),
    }
}

/// What the number of a paper is called.
pub fn number(document: Document) -> Words {
    match document {
        Document::VerificationCertificate => Words::new("证书编号", "Certificate No."),
        Document::ResultNotice => Words::new("通知书编号", "Notice No."),
        Document::TestReport => Words::new("报告编号", "Report No."),
    }
}

/// A person's part.
pub fn role(role: Role, document: Document) -> Words {
    match role {
        Role::Verifier if document == Document::TestReport => Words::new("检测员", "tested by"),
        Role::Verifier => Words::new("检定员", "verified by"),
        Role::Checker => Words::new("核验员", "checked by"),
        Role::Approver => Words::new("批准人", "approved by"),
    }
}

/// An item of verification.
pub fn item(item: Item) -> Words {
    let (zh, en) = match item {
        Item::Identity => ("身份核对", "identity"),
        Item::Appearance => ("外观及功能", "appearance and function"),
        Item::Withstand => ("耐压试验", "withstand voltage"),
        Item::Creep => ("潜动", "creep"),
        Item::Start => ("起动", "starting current"),
        Item::BasicError => ("基本误差", "intrinsic error"),
        Item::MeterConstant => ("仪表常数", "meter constant"),
        Item::ClockIndication => ("时钟示值误差", "clock indication"),
        Item::DailyRate => ("日计时误差", "daily rate"),
        Item::TariffRegisters => ("费率计度器", "tariff registers"),
        Item::Seal => ("开盖记录", "cover openings"),
        Item::DataOutput => ("数据接口", "data output"),
    };
    Words::new(zh, en)
}
