//! What a paper says besides its record: who makes it, who signs it, what it replaces, where its entry stands in the chain.

use super::paper::Language;
use crate::time::Stamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The institution, as `laboratory.toml` of the data folder states it. What is empty is said to be not entered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Laboratory {
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Street and town.
    pub address: String,
    /// Postal code.
    pub postcode: String,
    /// Telephone.
    pub phone: String,
    /// Fax.
    pub fax: String,
    /// Electronic mail.
    pub email: String,
    /// The number of its authorisation (授权证书号).
    pub authorisation_no: String,
    /// The number of the certificate of its measurement standard (计量标准考核证书号).
    pub standard_certificate_no: String,
    /// Until when that holds.
    pub standard_valid_until: Option<Date>,
    /// In which language its papers are printed.
    pub language: Language,
}

/// The three persons of a certificate, in the order in which they sign (印证管理办法 art. 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 检定.
    Verifier,
    /// 核验.
    Checker,
    /// 批准.
    Approver,
}

impl Role {
    /// In the order of signing.
    pub const ALL: [Self; 3] = [Self::Verifier, Self::Checker, Self::Approver];
}

impl fmt::Display for Role {
    /// The word of files and commands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Verifier => "verifier",
            Self::Checker => "checker",
            Self::Approver => "approver",
        })
    }
}

/// A person who has signed with a PIN; the entry in the chain is the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// As what.
    pub role: Role,
    /// The person's name.
    pub person: String,
    /// When.
    pub at: Stamp,
    /// The entry of the chain.
    pub seq: u64,
}

/// How far a paper has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Made by the device; nobody has signed.
    Draft,
    /// Verified and checked, not approved.
    Checked,
    /// All three have signed.
    Issued,
    /// Replaced by a later paper.
    Amended,
    /// Taken back.
    Withdrawn,
}

impl fmt::Display for Status {
    /// The word of files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Draft => "draft",
            Self::Checked => "checked",
            Self::Issued => "issued",
            Self::Amended => "amended",
            Self::Withdrawn => "withdrawn",
        })
    }
}

/// What of a paper may be corrected afterwards: what a person wrote down. Nothing that was measured, nothing that a
/// verdict depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Who asked for it.
    Customer,
    /// Where it was done.
    Site,
    /// The meter's maker.
    Maker,
    /// The meter's type.
    Model,
    /// The meter's serial number.
    Serial,
    /// The charger.
    Charger,
    /// The connector.
    Connector,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Customer, Self::Site, Self::Maker, Self::Model, Self::Serial, Self::Charger, Self::Connector];
}

impl fmt::Display for Field {
    /// The word of files and commands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Customer => "customer",
            Self::Site => "site",
            Self::Maker => "maker",
            Self::Model => "model",
            Self::Serial => "serial",
            Self::Charger => "charger",
            Self::Connector => "connector",
        })
    }
}

/// One corrected text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Which.
    pub field: Field,
    /// What the replaced paper says.
    pub from: String,
    /// What this one says.
    pub to: String,
}

/// That this paper replaces an earlier one (ISO/IEC 17025:2017 7.8.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// The number of the replaced paper.
    pub replaces: String,
    /// Why.
    pub reason: String,
    /// What was changed; empty where only the form was made anew.
    pub corrections: Vec<Correction>,
}

/// The entry of the chain that a paper belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The device whose chain it is.
    pub device: String,
    /// The entry's number.
    pub seq: u64,
    /// SHA-256 of the entry before it, in lower-case hexadecimal.
    pub prev: String,
}

/// The key that seals the paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The algorithm's name, such as `ES256`.
    pub algorithm: String,
    /// The first 8 bytes of SHA-256 of the device certificate, in lower-case hexadecimal.
    pub key_id: String,
    /// How the key is kept, such as `file`.
    pub protection: String,
    /// Subject of the device certificate.
    pub subject: String,
    /// Who issued the device certificate.
    pub issuer: String,
}

/// All that a paper says besides its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// The institution.
    pub laboratory: Laboratory,
    /// Draft or issued.
    pub status: Status,
    /// The paper's own number: the record's, or another where it replaces an earlier paper.
    pub certificate_no: String,
    /// Who has signed.
    pub signatures: Vec<Signature>,
    /// When it was issued.
    pub issued_at: Option<Stamp>,
    /// What it replaces.
    pub amends: Option<Amendment>,
    /// Where it stands in the chain.
    pub link: Link,
    /// Who seals it; none where the device has no key.
    pub seal: Option<Seal>,
}
