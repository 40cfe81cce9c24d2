//! As much of PDF as an incremental update needs: the table of objects, plain dictionaries, the first page.

use std::ops::Range;

/// A PDF with a plain table of objects (ISO 32000-1 7.5.4).
pub(super) struct Document<'a> {
    bytes: &'a [u8],
    /// Where each object stands.
    offsets: Vec<Option<usize>>,
    trailer: &'a str,
    table: usize,
    /// One more than the highest number of an object.
    pub size: usize,
    /// The number of the catalogue.
    pub root: usize,
}

fn rfind(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).rposition(|w| w == needle)
}

/// The text from `at` on, as far as it is ASCII: dictionaries of an object may be followed by the bytes of a stream.
fn ascii(bytes: &[u8], at: usize) -> &str {
    let rest = bytes.get(at..).unwrap_or_default();
    let end = rest.iter().position(|b| !b.is_ascii()).unwrap_or(rest.len());
    str::from_utf8(&rest[..end]).unwrap_or_default()
}

impl<'a> Document<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, String> {
        if !bytes.starts_with(b"%PDF-") {
            return Err("it does not begin with %PDF-".into());
        }
        let start = rfind(bytes, b"startxref").ok_or("it has no startxref")?;
        let number = ascii(bytes, start + "startxref".len()).split_whitespace().next();
        let table: usize = number.and_then(|t| t.parse().ok()).ok_or("startxref names no place")?;
        let text = ascii(bytes, table);
        let (list, trailer) = text
            .strip_prefix("xref")
            .and_then(|t| t.split_once("trailer"))
            .ok_or("it has no plain table of objects (xref); a stream of references is not read")?;
        let trailer = trailer.trim_start();
        let trailer = &trailer[..value_end(trailer, 0)?];
        let mut offsets = vec![];
        let mut words = list.split_whitespace();
        let mut next = || words.next().map(|w| (w, w.parse::<usize>().ok()));
        while let Some((_, first)) = next() {
            let (Some(first), Some((_, Some(count)))) = (first, next()) else {
                return Err("its table of objects cannot be read".into());
            };
            for number in first..first.saturating_add(count) {
                let (Some((_, Some(offset))), Some(_), Some((kind, _))) = (next(), next(), next()) else {
                    return Err("its table of objects ends too early".into());
                };
                if offsets.len() <= number {
                    offsets.resize(number + 1, None);
                }
                offsets[number] = (kind == "n").then_some(offset);
            }
        }
        let size = value(trailer, "Size")?.trim().parse().map_err(|_| "its trailer has no Size")?;
        let root = reference(value(trailer, "Root")?)?;
        let earlier = entries(trailer)?.iter().any(|(key, _)| *key == "Prev");
        let mut document = Self { bytes, offsets, trailer, table, size, root };
        if earlier {
            // An update of ours or of others: only its newest objects are needed to say that it is already signed.
            document.offsets.resize(document.offsets.len().max(size), None);
        }
        Ok(document)
    }

    /// The dictionary of an object.
    pub fn dict(&self, number: usize) -> Result<&'a str, String> {
        let missing = || format!("object {number} is not where the table says");
        let at = self.offsets.get(number).copied().flatten().ok_or_else(missing)?;
        let body = ascii(self.bytes, at).strip_prefix(&format!("{number} 0 obj")).ok_or_else(missing)?;
        let body = body.trim_start();
        Ok(&body[..value_end(body, 0)?])
    }

    /// The number of the first page.
    pub fn first_page(&self) -> Result<usize, String> {
        let mut number = reference(value(self.dict(self.root)?, "Pages")?)?;
        for _ in 0..32 {
            let dict = self.dict(number)?;
            let Ok(kids) = value(dict, "Kids") else { return Ok(number) };
            number = reference(kids.trim().trim_start_matches('['))?;
        }
        Err("its pages lie deeper than 32 levels".into())
    }

    /// Writes the table of the new objects and the trailer that names the one before.
    pub fn finish(&self, out: &mut Vec<u8>, places: &mut [(usize, usize)], size: usize) {
        places.sort_unstable();
        let at = out.len();
        out.extend(b"xref\n");
        for (number, offset) in places {
            out.extend(format!("{number} 1\n{offset:010} 00000 n \n").bytes());
        }
        out.extend(b"trailer\n<<");
        for (key, range) in entries(self.trailer).unwrap_or_default() {
            match key {
                "Size" | "Prev" => {}
                _ => out.extend(format!("/{key} {} ", self.trailer[range].trim()).bytes()),
            }
        }
        out.extend(format!("/Size {size} /Prev {}>>\nstartxref\n{at}\n%%EOF\n", self.table).bytes());
    }
}

fn reference(text: &str) -> Result<usize, String> {
    let mut words = text.split_whitespace();
    let number = words.next().and_then(|w| w.parse().ok());
    match (number, words.next()) {
        (Some(number), Some("0")) => Ok(number),
        _ => Err(format!("`{}` is no reference to an object", text.trim())),
    }
}

/// The value of a key of a dictionary.
fn value<'a>(dict: &'a str, key: &str) -> Result<&'a str, String> {
    let found = entries(dict)?.into_iter().find(|(name, _)| *name == key);
    found.map(|(_, range)| &dict[range]).ok_or_else(|| format!("a dictionary has no {key}"))
}

/// The keys of a dictionary and where their values stand.
pub(super) fn entries(dict: &str) -> Result<Vec<(&str, Range<usize>)>, String> {
    let mut found = vec![];
    let bytes = dict.as_bytes();
    if !dict.starts_with("<<") {
        return Err("a dictionary does not begin with <<".into());
    }
    let mut at = 2;
    loop {
        at = skip_space(bytes, at);
        match bytes.get(at) {
            Some(b'>') => return Ok(found),
            Some(b'/') => {}
            _ => return Err("a dictionary has a key that is no name".into()),
        }
        let end = token_end(bytes, at + 1);
        let key = &dict[at + 1..end];
        // A value ends where the next name at this level begins; a reference is three words.
        let start = skip_space(bytes, end);
        let mut stop = value_end(dict, start)?;
        loop {
            let next = skip_space(bytes, stop);
            match bytes.get(next) {
                Some(b'/' | b'>') | None => break,
                Some(_) => stop = value_end(dict, next)?,
            }
        }
        found.push((key, start..stop));
        at = stop;
    }
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|b| b.is_ascii_whitespace() || *b == 0) {
        at += 1;
    }
    at
}

fn token_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|b| !b.is_ascii_whitespace() && !b"/<>[]()%\0".contains(b)) {
        at += 1;
    }
    at
}

/// Where the one value that begins at `at` ends.
fn value_end(text: &str, at: usize) -> Result<usize, String> {
    let bytes = text.as_bytes();
    let early = || "an object ends too early".to_owned();
    let mut at = at;
    let mut open = vec![];
    loop {
        at = skip_space(bytes, at);
        let rest = bytes.get(at..).unwrap_or_default();
        at = match rest {
            [] => return Err(early()),
            [b'<', b'<', ..] => {
                open.push(b">>".as_slice());
                at + 2
            }
            [b'[', ..] => {
                open.push(b"]".as_slice());
                at + 1
            }
            [b'>' | b']', ..] => {
                let close = open.pop().ok_or_else(early)?;
                if !rest.starts_with(close) {
                    return Err("the brackets of an object do not match".into());
                }
                at + close.len()
            }
            [b'<', ..] => 1 + at + rest.iter().position(|b| *b == b'>').ok_or_else(early)?,
            [b'(', ..] => at + string_end(rest).ok_or_else(early)?,
            [b'/', ..] => token_end(bytes, at + 1),
            [b'%', ..] => at + rest.iter().position(|b| *b == b'\n').ok_or_else(early)?,
            _ => match token_end(bytes, at) {
                end if end > at => end,
                _ => return Err(format!("`{}` has no place in an object", char::from(rest[0]))),
            },
        };
        if open.is_empty() {
            return Ok(at);
        }
    }
}

/// Length of a string in parentheses; they nest, and a backslash takes the meaning of the next byte.
fn string_end(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    loop {
        match bytes.get(at)? {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}
