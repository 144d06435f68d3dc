//! winmail.dat, the form in which Outlook and Exchange send what they take for rich mail ([MS-OXTNEF]). In: the bytes.
//! Out: the text, the HTML and the files inside. Pure; every length is checked against what is there before it is
//! believed, and a wrong checksum or a cut end is a warning: what was read stays.

use crate::charset;
use crate::mime::clean_name;
use crate::rtf::{self, Made};
use std::borrow::Cow;

/// Files beyond this many are not listed.
pub const FILES_MAX: usize = 1_000;
// Messages inside attachments.
const DEPTH_MAX: usize = 5;
const PROPERTIES_MAX: usize = 20_000;
const SIGNATURE: u32 = 0x223E_9F78;

/// What a winmail.dat holds.
#[derive(Clone, Debug, Default)]
pub struct Tnef<'a> {
    /// Subject.
    pub subject: Option<String>,
    /// The body as text, from the plain property or from RTF.
    pub text: Option<String>,
    /// The body as HTML, as it came.
    pub html: Option<String>,
    /// The body as RTF, unpacked.
    pub rtf: Option<Vec<u8>>,
    /// Files in order, those of messages inside included.
    pub files: Vec<TnefFile<'a>>,
    /// What was wrong: `checksum`, `cut`.
    pub warnings: Vec<&'static str>,
}

/// A file inside.
#[derive(Clone, Debug, Default)]
pub struct TnefFile<'a> {
    /// Name; empty when there is none.
    pub name: String,
    /// Media type, when given.
    pub mime: Option<String>,
    /// Content-ID, when given.
    pub content_id: Option<String>,
    /// The bytes.
    pub bytes: Cow<'a, [u8]>,
}

/// Reads a winmail.dat. `None`: it is none.
pub fn read(bytes: &[u8]) -> Option<Tnef<'_>> {
    read_at(bytes, 0)
}

fn read_at(bytes: &[u8], depth: usize) -> Option<Tnef<'_>> {
    let mut input = Input { rest: bytes };
    if input.u32()? != SIGNATURE {
        return None;
    }
    input.u16()?;
    let mut reading = Reading { depth, codepage: 1252, ..Reading::default() };
    loop {
        if input.rest.is_empty() {
            break;
        }
        // Some writers pad the end with zeros.
        if input.rest.iter().take(64).all(|byte| *byte == 0) {
            break;
        }
        let Some((level, id, data, sum)) = input.attribute() else {
            reading.tnef.warnings.push("cut");
            break;
        };
        if sum != data.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)))
            && !reading.tnef.warnings.contains(&"checksum")
        {
            reading.tnef.warnings.push("checksum");
        }
        if !matches!(level, 1 | 2) {
            reading.tnef.warnings.push("cut");
            break;
        }
        reading.attribute(id, data);
    }
    Some(reading.finish())
}

#[derive(Default)]
struct Reading<'a> {
    tnef: Tnef<'a>,
    depth: usize,
    codepage: u32,
    // The internet code page of PR_BODY_HTML, which may differ.
    html_codepage: Option<u32>,
    html: Option<Value<'a>>,
    body: Option<String>,
    rtf: Option<Value<'a>>,
    file: Option<File<'a>>,
}

#[derive(Default)]
struct File<'a> {
    title: Option<String>,
    transport_name: Option<String>,
    long_name: Option<String>,
    short_name: Option<String>,
    display_name: Option<String>,
    mime: Option<String>,
    content_id: Option<String>,
    data: Option<&'a [u8]>,
    property_data: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
}

impl<'a> Reading<'a> {
    fn attribute(&mut self, id: u32, data: &'a [u8]) {
        match id & 0xFFFF {
            // attOemCodepage: primary and secondary.
            0x9007 => {
                let mut input = Input { rest: data };
                self.codepage = input.u32().filter(|page| *page != 0).unwrap_or(1252);
            }
            0x8004 => self.tnef.subject = self.eight_bit(data),
            0x800C => self.body = self.eight_bit(data),
            0x9003 => self.message_properties(data),
            // attAttachRendData begins a file.
            0x9002 => {
                self.close_file();
                self.file = Some(File::default());
            }
            0x8010 => {
                let name = self.eight_bit(data);
                self.file().title = name;
            }
            0x9001 => {
                let name = self.eight_bit(data);
                self.file().transport_name = name;
            }
            0x800F => self.file().data = Some(data),
            0x9005 => self.file_properties(data),
            _ => {}
        }
    }

    fn file(&mut self) -> &mut File<'a> {
        self.file.get_or_insert_default()
    }

    fn eight_bit(&self, data: &[u8]) -> Option<String> {
        let data = data.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = charset::decode(Some(&rtf::code_page(self.codepage)), data).text;
        (!text.is_empty()).then_some(text)
    }

    fn message_properties(&mut self, data: &'a [u8]) {
        for property in properties(data) {
            match property.id {
                0x0037 => self.tnef.subject = property.value.text(self.codepage).or(self.tnef.subject.take()),
                0x1000 => self.body = property.value.text(self.codepage).or(self.body.take()),
                0x1009 => self.rtf = Some(property.value),
                0x1013 => self.html = Some(property.value),
                // PR_INTERNET_CPID
                0x3FDE => self.html_codepage = property.value.number(),
                _ => {}
            }
        }
    }

    fn file_properties(&mut self, data: &'a [u8]) {
        let codepage = self.codepage;
        let file = self.file();
        for property in properties(data) {
            let text = || property.value.text(codepage);
            match property.id {
                0x3701 => match property.value {
                    // The first 16 bytes name the interface of the object: a message, or a file of another program.
                    Value::Object(object) => {
                        let inner = object.get(16..).unwrap_or_default();
                        if inner.starts_with(&SIGNATURE.to_le_bytes()) {
                            file.message = Some(inner);
                        } else {
                            file.property_data = Some(inner);
                        }
                    }
                    Value::Binary(data) => file.property_data = Some(data),
                    _ => {}
                },
                0x3704 => file.short_name = text(),
                0x3707 => file.long_name = text(),
                0x3001 => file.display_name = text(),
                0x370E => file.mime = text(),
                0x3712 => file.content_id = text(),
                _ => {}
            }
        }
    }

    fn close_file(&mut self) {
        let Some(file) = self.file.take() else { return };
        if self.tnef.files.len() >= FILES_MAX {
            return;
        }
        let names = [file.long_name, file.transport_name, file.title, file.short_name, file.display_name];
        let name = names.iter().flatten().find_map(|name| clean_name(name)).unwrap_or_default();
        let inner = file.message.filter(|_| self.depth < DEPTH_MAX).and_then(|inner| read_at(inner, self.depth + 1));
        // A distribution list or a task has neither text nor files; it stays as it is, so that it is not lost.
        if let Some(inner) = inner.filter(|inner| inner.text.is_some() || inner.html.is_some() || !inner.files.is_empty()) {
            self.add_message(&name, inner);
            return;
        }
        // An object stands in the properties; what stands beside it is only its picture.
        let data = file.message.or(file.property_data).or(file.data);
        let Some(data) = data else { return };
        let content_id = file.content_id.map(|id| id.trim_matches(['<', '>', ' ']).to_owned()).filter(|id| !id.is_empty());
        self.tnef.files.push(TnefFile { name, mime: file.mime, content_id, bytes: Cow::Borrowed(data) });
    }

    // A message in an attachment: its body as a file under its name, then its files.
    fn add_message(&mut self, name: &str, inner: Tnef<'a>) {
        let title = inner.subject.as_deref().and_then(clean_name).unwrap_or_else(|| name.to_owned());
        let title = if title.is_empty() { "message".to_owned() } else { title };
        let body = match (inner.html, inner.text) {
            (Some(html), _) => Some(("html", "text/html; charset=utf-8", html)),
            (None, Some(text)) => Some(("txt", "text/plain; charset=utf-8", text)),
            (None, None) => None,
        };
        if let Some((ending, mime, text)) = body {
            let bytes = Cow::Owned(text.into_bytes());
            self.tnef.files.push(TnefFile {
                name: format!("{title}.{ending}"),
                mime: Some(mime.to_owned()),
                content_id: None,
                bytes,
            });
        }
        let room = FILES_MAX.saturating_sub(self.tnef.files.len());
        self.tnef.files.extend(inner.files.into_iter().take(room));
    }

    fn finish(mut self) -> Tnef<'a> {
        self.close_file();
        let html = match &self.html {
            Some(Value::Binary(bytes)) => {
                let label = self.html_codepage.map(rtf::code_page);
                let label =
                    label.or_else(|| crate::mime::charset_of_html(bytes)).unwrap_or_else(|| rtf::code_page(self.codepage));
                Some(charset::decode(Some(&label), bytes.strip_suffix(b"\0").unwrap_or(bytes)).text)
            }
            Some(value) => value.text(self.codepage),
            None => None,
        };
        let packed = match &self.rtf {
            Some(Value::Binary(packed)) => Some(*packed),
            _ => None,
        };
        self.tnef.rtf = packed.and_then(rtf::unpack);
        let made = self.tnef.rtf.as_deref().and_then(rtf::read);
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let (from_rtf_html, from_rtf_text) = match made {
            Some(Made::Html(html)) => (Some(html), None),
            Some(Made::Text(text)) => (None, Some(text)),
            None => (None, None),
        };
        self.tnef.html = filled(html).or(filled(from_rtf_html));
        self.tnef.text = filled(self.body).or(filled(from_rtf_text));
        self.tnef
    }
}

struct Property<'a> {
    id: u16,
    value: Value<'a>,
}

// The first value of a property; more are of no use here.
#[derive(Clone, Copy)]
enum Value<'a> {
    Number(u32),
    EightBit(&'a [u8]),
    Unicode(&'a [u8]),
    Binary(&'a [u8]),
    Object(&'a [u8]),
    Other,
}

impl Value<'_> {
    fn text(&self, codepage: u32) -> Option<String> {
        let text = match self {
            Self::EightBit(bytes) => charset::decode(Some(&rtf::code_page(codepage)), bytes).text,
            Self::Unicode(bytes) => {
                let units = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]));
                char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
            _ => return None,
        };
        let text = text.split('\0').next().unwrap_or_default();
        (!text.is_empty()).then(|| text.to_owned())
    }
    fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

fn properties(data: &[u8]) -> Vec<Property<'_>> {
    let mut input = Input { rest: data };
    let count = input.u32().unwrap_or(0) as usize;
    let mut out = Vec::new();
    for _ in 0..count.min(PROPERTIES_MAX) {
        match input.property() {
            Some(property) => out.push(property),
            None => break,
        }
    }
    out
}

struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }
    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_le_bytes([b[0], b[1]]))
    }
    fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    fn attribute(&mut self) -> Option<(u8, u32, &'a [u8], u16)> {
        let level = self.u8()?;
        let id = self.u32()?;
        let len = self.u32()? as usize;
        let data = match self.rest.len() < len {
            // A cut file: what is there of the last attribute is still a file's bytes.
            true if !self.rest.is_empty() && id & 0xFFFF == 0x800F => {
                let rest = self.rest;
                self.rest = &[];
                return Some((level, id, rest, 0));
            }
            true => return None,
            false => self.take(len)?,
        };
        let sum = self.u16().unwrap_or(0);
        Some((level, id, data, sum))
    }

    fn property(&mut self) -> Option<Property<'a>> {
        let kind = self.u16()?;
        let id = self.u16()?;
        // A named property brings its name along.
        let id = if id >= 0x8000 {
            self.take(16)?;
            if self.u32()? == 0 {
                self.take(4)?;
            } else {
                let len = self.u32()? as usize;
                self.take(padded(len)?)?;
            }
            0
        } else {
            id
        };
        let multiple = kind & 0x1000 != 0;
        let kind = kind & !0x1000;
        let value = match kind {
            0x1E | 0x1F | 0x0D | 0x102 => {
                let count = self.u32()? as usize;
                let mut first = Value::Other;
                for at in 0..count.min(PROPERTIES_MAX) {
                    let len = self.u32()? as usize;
                    let data = &self.take(padded(len)?.min(self.rest.len()))?;
                    let data = data.get(..len).unwrap_or(data);
                    if at == 0 {
                        first = match kind {
                            0x1E => Value::EightBit(data),
                            0x1F => Value::Unicode(data),
                            0x0D => Value::Object(data),
                            _ => Value::Binary(data),
                        };
                    }
                }
                first
            }
            _ => {
                let size: usize = match kind {
                    0x02 | 0x03 | 0x04 | 0x0A | 0x0B => 4,
                    0x05 | 0x06 | 0x07 | 0x14 | 0x40 => 8,
                    0x48 => 16,
                    0x00 | 0x01 => 0,
                    _ => return None,
                };
                let count = if multiple { self.u32()? as usize } else { 1 };
                let data = self.take(size.checked_mul(count)?)?;
                match data.first_chunk::<4>() {
                    Some(four) if kind == 0x03 => Value::Number(u32::from_le_bytes(*four)),
                    _ => Value::Other,
                }
            }
        };
        Some(Property { id, value })
    }
}

// Values are padded to four bytes.
fn padded(len: usize) -> Option<usize> {
    len.checked_next_multiple_of(4)
}

#[cfg(test)]
#[path = "tnef_tests.rs"]
mod tests;
