//! A message of the XL-9600 bench: a name, `key:value;` lines, an end; GBK on the wire, CR LF between lines.
//!
//! Source: "secondary development protocol V1.0" of the maker (Shenzhen Xinglong) by way of a public client that cites it
//! (facts: instruments, section 1). Provenance: secondary, unconfirmed.

use encoding_rs::GBK;
use std::fmt;

/// Ends every message.
const END: &str = "<End>";
/// The name of an answer that is a refusal.
const REFUSAL: &str = "错误应答";
/// The key of its reason.
const REASON: &str = "错误";

/// A command or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Between the angle brackets of the first line.
    pub name: String,
    /// Keys and values in their order.
    pub items: Vec<(String, String)>,
}

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMessage {
    /// Bytes that are no GBK.
    #[error("bytes that are no GBK text")]
    NotText,
    /// No name in angle brackets at the beginning.
    #[error("no `<name>` at the beginning of `{seen}`")]
    NoName {
        /// How it begins.
        seen: String,
    },
    /// The end is missing: a datagram that was cut.
    #[error("no `<End>` after `{seen}`: the message is cut")]
    Cut {
        /// What came.
        seen: String,
    },
}

impl Message {
    /// A command without items.
    pub fn bare(name: &str) -> Self {
        Self { name: name.into(), items: vec![] }
    }

    /// The bytes on the wire.
    pub fn emit(&self) -> Vec<u8> {
        let mut text = format!("<{}>\r\n", self.name);
        for (key, value) in &self.items {
            text += &[key, ":", value, ";\r\n"].concat();
        }
        text += END;
        text += "\r\n";
        GBK.encode(&text).0.into_owned()
    }

    /// From one whole datagram.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoMessage> {
        let (text, damaged) = GBK.decode_without_bom_handling(bytes);
        if damaged {
            return Err(NoMessage::NotText);
        }
        let seen = || text.chars().take(60).collect::<String>();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let name = lines
            .next()
            .and_then(|line| line.strip_prefix('<')?.strip_suffix('>'))
            .filter(|name| !name.is_empty() && *name != "End")
            .ok_or_else(|| NoMessage::NoName { seen: seen() })?;
        let mut items = vec![];
        for line in lines {
            if line.eq_ignore_ascii_case(END) {
                return Ok(Self { name: name.to_owned(), items });
            }
            let (key, value) = line.split_once(':').unwrap_or((line, ""));
            items.push((key.trim().to_owned(), value.trim_end_matches([';', '；']).trim().to_owned()));
        }
        Err(NoMessage::Cut { seen: seen() })
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.items.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// The reason, where it is a refusal.
    pub fn refusal(&self) -> Option<String> {
        (self.name == REFUSAL || self.get(REASON).is_some())
            .then(|| self.get(REASON).map_or_else(|| self.to_string(), str::to_owned))
    }

    /// Whether it answers `command`.
    pub fn answers(&self, command: &str) -> bool {
        self.name.strip_suffix("应答") == Some(command)
    }
}

impl fmt::Display for Message {
    /// In one line: `<源输出> 电压检定点:100%; …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.name)?;
        self.items.iter().try_for_each(|(key, value)| write!(f, " {key}:{value};"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_example_is_what_goes_over_the_wire() {
        // `<源停止>` CR LF `<End>` CR LF in GBK.
        let bytes = b"<\xD4\xB4\xCD\xA3\xD6\xB9>\r\n<End>\r\n";
        assert_eq!(Message::bare("源停止").emit(), bytes);
        assert_eq!(Message::parse(bytes), Ok(Message::bare("源停止")));
    }

    #[test]
    fn an_answer_survives_its_bytes_and_a_refusal_has_its_reason() {
        let answer = Message {
            name: "误差读取应答".into(),
            items: vec![("均值".into(), "0.012".into()), ("原始值".into(), "0.011,0.013".into())],
        };
        assert_eq!(Message::parse(&answer.emit()), Ok(answer.clone()));
        assert!(answer.answers("误差读取") && !answer.answers("源停止") && answer.refusal().is_none());
        let refusal =
            Message { name: "错误应答".into(), items: vec![("错误".into(), "电压超限".into())] };
        assert_eq!(refusal.refusal().as_deref(), Some("电压超限"));
    }

    #[test]
    fn what_is_cut_or_foreign_is_no_message() {
        let whole = Message::bare("源停止应答").emit();
        for length in 0..whole.len() - 2 {
            assert!(Message::parse(&whole[..length]).is_err(), "{length} bytes");
        }
        for bytes in [b"+0,No error\n".as_slice(), b"<>\r\n<End>\r\n", b"<End>\r\n", b"\xFF\xFF"] {
            assert!(Message::parse(bytes).is_err());
        }
    }
}
