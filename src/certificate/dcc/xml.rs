//! XML in its canonical form (Canonical XML 1.1, W3C 2008): written so from the first byte, it can be signed without
//! being read again.
//!
//! No XML declaration, UTF-8, line feeds; name spaces before other attributes, each sorted; every element with its end
//! tag. In text `&`, `<`, `>` and CR are escaped, in attributes `&`, `<`, `"`, TAB, LF and CR (section 2.3 of Canonical
//! XML 1.0, which 1.1 keeps).

use std::fmt::Write;

/// An element with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    inside: Inside,
}

/// An element holds elements or a text, never both: so a line feed after each element changes no text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Inside {
    Text(String),
    Elements(Vec<Element>),
}

impl Element {
    /// With elements inside, none as yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: vec![], inside: Inside::Elements(vec![]) }
    }

    /// With a text inside.
    pub fn text(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, attributes: vec![], inside: Inside::Text(text.into()) }
    }

    /// One attribute more. Names are ours: without a prefix but for `xmlns:…`.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// One or more elements more, or none. Whatever text stood inside is gone.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = Self>) -> Self {
        match &mut self.inside {
            Inside::Elements(elements) => elements.extend(more),
            Inside::Text(_) => self.inside = Inside::Elements(more.into_iter().collect()),
        }
        self
    }

    /// The same under another name.
    #[must_use]
    pub fn renamed(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Whether nothing stands inside.
    pub fn is_empty(&self) -> bool {
        match &self.inside {
            Inside::Text(text) => text.is_empty(),
            Inside::Elements(elements) => elements.is_empty(),
        }
    }

    /// The canonical bytes.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = String::new();
        self.write(&mut out);
        out.into_bytes()
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        let mut attributes: Vec<_> = self.attributes.iter().collect();
        attributes.sort_by_key(|(name, _)| (!name.starts_with("xmlns"), *name));
        for (name, value) in attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(value, &['&', '<', '"', '\t', '\n', '\r'], out);
            out.push('"');
        }
        out.push('>');
        match &self.inside {
            Inside::Text(text) => escape(text, &['&', '<', '>', '\r'], out),
            Inside::Elements(elements) => {
                if !elements.is_empty() {
                    out.push('\n');
                }
                for element in elements {
                    element.write(out);
                    out.push('\n');
                }
            }
        }
        out.push_str("</");
        out.push_str(self.name);
        out.push('>');
    }
}

fn escape(text: &str, escaped: &[char], out: &mut String) {
    for c in text.chars() {
        match c {
            '&' if escaped.contains(&c) => out.push_str("&amp;"),
            '<' if escaped.contains(&c) => out.push_str("&lt;"),
            '>' if escaped.contains(&c) => out.push_str("&gt;"),
            '"' if escaped.contains(&c) => out.push_str("&quot;"),
            // Writing into a text does not fail.
            c if escaped.contains(&c) => drop(write!(out, "&#x{:X};", u32::from(c))),
            c => out.push(allowed(c)),
        }
    }
}

/// XML 1.0 has no way to write most control characters, not even escaped (production 2, `Char`): they become U+FFFD, as
/// a reader would show them.
fn allowed(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => c,
        '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// What is white space in XML; others, such as the ideographic space, are text.
pub const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

#[cfg(test)]
mod tests {
    use super::*;

    fn written(element: &Element) -> String {
        String::from_utf8(element.canonical()).unwrap()
    }

    #[test]
    fn attributes_are_sorted_with_name_spaces_first_and_no_element_closes_itself() {
        let element = Element::new("a").attribute("z", "1").attribute("b", "2").attribute("xmlns:q", "urn:q");
        assert_eq!(written(&element), r#"<a xmlns:q="urn:q" b="2" z="1"></a>"#);
        assert_eq!(
            written(&element.with([Element::text("c", "")])),
            "<a xmlns:q=\"urn:q\" b=\"2\" z=\"1\">\n<c></c>\n</a>"
        );
    }

    #[test]
    fn text_and_attributes_escape_what_each_must_and_nothing_else() {
        let all = "&<>\"'\t\n\r中\u{1F600}";
        assert_eq!(written(&Element::text("a", all)), "<a>&amp;&lt;&gt;\"'\t\n&#xD;中\u{1F600}</a>");
        assert_eq!(
            written(&Element::text("a", "").attribute("b", all)),
            "<a b=\"&amp;&lt;>&quot;'&#x9;&#xA;&#xD;中\u{1F600}\"></a>"
        );
    }

    #[test]
    fn what_xml_cannot_say_is_shown_as_lost() {
        assert_eq!(
            written(&Element::text("a", "\0\u{1B}\u{FFFE}\u{7F}")),
            "<a>\u{FFFD}\u{FFFD}\u{FFFD}\u{7F}</a>"
        );
    }
}
