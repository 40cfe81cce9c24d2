//! The small elements of which the rest is made: words in two languages, single words, numbers with their unit.

use super::Fault;
use super::xml::{Element, SPACE};
use crate::certificate::paper::Words;

/// In place of a text that the schema demands and nobody entered.
pub(super) fn not_entered() -> Words {
    Words::new("未填写", "not entered")
}

/// The same, where only one text is allowed.
const NOT_ENTERED: &str = "未填写 not entered";

/// Words in both languages; what is the same in both stands once and says no language.
pub(super) fn words(tag: &'static str, words: &Words) -> Element {
    let content = |text: &str| Element::text("dcc:content", text);
    let element = Element::new(tag);
    if words.zh == words.en {
        return element.with([content(&words.zh)]);
    }
    element.with([content(&words.zh).attribute("lang", "zh"), content(&words.en).attribute("lang", "en")])
}

/// A name of ours.
pub(super) fn name(zh: &str, en: &str) -> Element {
    words("dcc:name", &Words::new(zh, en))
}

/// A text from outside, or that it was not entered.
pub(super) fn entered(text: &str) -> Words {
    if is_blank(text) { not_entered() } else { Words::same(text) }
}

/// Whether a text is nothing but white space.
pub(super) fn is_blank(text: &str) -> bool {
    text.trim_matches(SPACE).is_empty()
}

/// A text of one language that the schema wants not empty and without white space at its ends (`notEmptyStringType`).
pub(super) fn token(tag: &'static str, text: &str) -> Element {
    Element::text(tag, if is_blank(text) { NOT_ENTERED } else { text.trim_matches(SPACE) })
}

/// The same where it may be left out.
pub(super) fn token_if(tag: &'static str, text: &str) -> Option<Element> {
    (!is_blank(text)).then(|| token(tag, text))
}

/// An identification: who gave it, what it is, its name.
pub(super) fn identification(issuer: &'static str, value: &str, zh: &str, en: &str) -> Element {
    Element::new("dcc:identification").with([
        Element::text("dcc:issuer", issuer),
        token("dcc:value", value),
        name(zh, en),
    ])
}

/// A quantity's head: its name, and what kind it is of.
pub(super) fn quantity(ref_type: &'static str, name: &Words) -> Element {
    Element::new("dcc:quantity").attribute("refType", ref_type).with([words("dcc:name", name)])
}

/// What is no number.
pub(super) fn no_quantity(said: &Words) -> Element {
    words("dcc:noQuantity", said)
}

/// A quantity that is words.
pub(super) fn said(ref_type: &'static str, zh: &str, en: &str, words: &Words) -> Element {
    quantity(ref_type, &Words::new(zh, en)).with([no_quantity(words)])
}

/// The same from one text; none where there is none.
pub(super) fn said_if(ref_type: &'static str, zh: &str, en: &str, text: &str) -> Option<Element> {
    (!text.is_empty()).then(|| said(ref_type, zh, en, &Words::same(text)))
}

/// One text for each line of a list: as many contents as lines, in their order.
pub(super) fn lines<'a>(
    ref_type: &'static str,
    zh: &str,
    en: &str,
    texts: impl Iterator<Item = &'a str>,
) -> Element {
    let contents = texts.map(|text| Element::text("dcc:content", text));
    quantity(ref_type, &Words::new(zh, en)).with([Element::new("dcc:noQuantity").with(contents)])
}

/// A list of single words without white space.
pub(super) fn chars<'a>(
    ref_type: &'static str,
    zh: &str,
    en: &str,
    texts: impl Iterator<Item = &'a str>,
) -> Element {
    let list = texts.map(str::to_owned).collect::<Vec<_>>().join(" ");
    quantity(ref_type, &Words::new(zh, en)).with([Element::text("dcc:charsXMLList", list)])
}

/// Value and unit of one number, as it was printed.
pub(super) fn real(value: &str, unit: &'static str) -> Result<Element, Fault> {
    Ok(Element::new("si:real")
        .with([Element::text("si:value", number(value)?), Element::text("si:unit", unit)]))
}

/// A quantity that is one number.
pub(super) fn one(
    ref_type: &'static str,
    zh: &str,
    en: &str,
    value: &str,
    unit: &'static str,
) -> Result<Element, Fault> {
    Ok(quantity(ref_type, &Words::new(zh, en)).with([real(value, unit)?]))
}

/// Values and unit of several numbers.
pub(super) fn list<'a>(values: impl Iterator<Item = &'a str>, unit: &'static str) -> Result<Element, Fault> {
    Ok(Element::new("si:realListXMLList")
        .with([Element::text("si:valueXMLList", numbers(values)?), Element::text("si:unitXMLList", unit)]))
}

/// Numbers with one space between two of them; what was not measured is `NaN`.
pub(super) fn numbers<'a>(values: impl Iterator<Item = &'a str>) -> Result<String, Fault> {
    let listed = values.map(|value| if value.is_empty() { Ok("NaN") } else { number(value) });
    Ok(listed.collect::<Result<Vec<_>, _>>()?.join(" "))
}

/// A text that is a number of D-SI (`decimalType`): sign, digits, point. It is passed on as it is, never written anew.
fn number(text: &str) -> Result<&str, Fault> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_digits(whole) && is_digits(part) {
        Ok(text)
    } else {
        Err(Fault::NoNumber { seen: text.to_owned() })
    }
}

/// The D-SI name of the unit of a row.
pub(super) fn unit(printed: &str) -> Result<&'static str, Fault> {
    Ok(match printed {
        "%" => PERCENT,
        "s" => r"\second",
        "s/d" => r"\second\day\tothe{-1}",
        "kWh" => KILOWATT_HOUR,
        // Counts: of pulses, of events.
        "imp" | "" => ONE,
        seen => return Err(Fault::NoUnit { seen: seen.to_owned() }),
    })
}

/// A count or a ratio.
pub(super) const ONE: &str = r"\one";
/// Percent.
pub(super) const PERCENT: &str = r"\percent";
/// Volt.
pub(super) const VOLT: &str = r"\volt";
/// Ampere.
pub(super) const AMPERE: &str = r"\ampere";
/// Kilowatt-hour: no SI unit, but one that D-SI parses.
pub(super) const KILOWATT_HOUR: &str = r"\kilo\watt\hour";
/// Degree Celsius.
pub(super) const DEGREE_CELSIUS: &str = r"\degreecelsius";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_passed_on_as_numbers() {
        for good in ["0", "-0.10", "+1.5", "750.000"] {
            assert_eq!(number(good).unwrap(), good);
        }
        for bad in ["", "-", ".", "1.", ".5", "1e3", "inf", "∞", "1 2", "> 99.99 %", "１"] {
            assert!(number(bad).unwrap_err().to_string().contains(bad), "{bad}");
        }
        assert_eq!(numbers(["1.0", "", "-2"].into_iter()).unwrap(), "1.0 NaN -2");
    }

    #[test]
    fn a_blank_text_is_said_to_be_not_entered() {
        let text = |text| String::from_utf8(token("a", text).canonical()).unwrap();
        assert_eq!((text(" \t"), text(" a b\n")), (format!("<a>{NOT_ENTERED}</a>"), "<a>a b</a>".into()));
        // An ideographic space is text.
        assert_eq!(text("\u{3000}"), "<a>\u{3000}</a>");
        assert!(token_if("a", "\r\n").is_none());
    }
}
