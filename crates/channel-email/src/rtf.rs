//! RTF as Outlook puts it into winmail.dat: unpacked (LZFu), and turned back into the HTML or the text that it was made of
//! ([MS-OXRTFCP], [MS-OXRTFEX]). In: bytes. Out: text, or nothing. Pure; every length is bounded before anything is
//! allocated.

use crate::charset;

/// Unpacked RTF beyond this is cut.
pub const RTF_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Text made of RTF beyond this is cut.
const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;
const GROUPS_MAX: usize = 1_000;

// What the window holds before the first byte: the words that most RTF begins with.
const WINDOW_START: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// Unpacks PR_RTF_COMPRESSED. `None`: it is not that.
pub fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| packed.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let size = (word(4)? as usize).min(RTF_BYTES_MAX);
    let body = packed.get(16..)?;
    match &packed[8..12] {
        b"MELA" => Some(body[..body.len().min(size)].to_vec()),
        b"LZFu" => Some(inflate(body, size)),
        _ => None,
    }
}

fn inflate(packed: &[u8], size: usize) -> Vec<u8> {
    let mut window = [0u8; 4096];
    window[..WINDOW_START.len()].copy_from_slice(WINDOW_START);
    let mut write = WINDOW_START.len();
    // Each two bytes of a reference give at most 17: the size that the header promises is checked against that.
    let mut out = Vec::with_capacity(size.min(packed.len().saturating_mul(9)));
    let mut bytes = packed.iter().copied();
    'all: while let Some(flags) = bytes.next() {
        for bit in 0..8 {
            if flags & (1 << bit) == 0 {
                let Some(byte) = bytes.next() else { break 'all };
                out.push(byte);
                window[write] = byte;
                write = (write + 1) & 4095;
            } else {
                let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else { break 'all };
                let offset = usize::from(high) << 4 | usize::from(low) >> 4;
                if offset == write {
                    break 'all;
                }
                for step in 0..usize::from(low & 15) + 2 {
                    let byte = window[(offset + step) & 4095];
                    out.push(byte);
                    window[write] = byte;
                    write = (write + 1) & 4095;
                }
            }
            if out.len() >= size {
                break 'all;
            }
        }
    }
    out.truncate(size);
    out
}

/// What an RTF was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// HTML.
    Html(String),
    /// Text; from RTF that was written as RTF, what people see of it.
    Text(String),
}

/// Turns RTF back. `None`: it is no RTF.
pub fn read(rtf: &[u8]) -> Option<Made> {
    let start = rtf.iter().position(|byte| *byte == b'{')?;
    let rtf = &rtf[start..];
    if !rtf.starts_with(b"{\\rtf") {
        return None;
    }
    let head = &rtf[..rtf.len().min(4_000)];
    let from_html = head.windows(10).any(|ten| ten == b"\\fromhtml1");
    let mut reader = Reader::new(rtf, from_html);
    reader.run();
    Some(if from_html { Made::Html(reader.out) } else { Made::Text(tidy(&reader.out)) })
}

// Paragraph ends leave blanks behind.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[derive(Clone, Copy)]
struct State {
    // Nothing of this group is shown.
    skip: bool,
    // Inside {\*\htmltag ..}: the text is HTML.
    html_tag: bool,
    // Between \htmlrtf and \htmlrtf0: only for RTF readers.
    rtf_only: bool,
    font_table: bool,
    font: u32,
    // Characters that stand behind \u for readers that know no Unicode.
    after_unicode: usize,
}

struct Reader<'a> {
    rtf: &'a [u8],
    at: usize,
    from_html: bool,
    out: String,
    state: State,
    stack: Vec<State>,
    // Groups beyond the limit are only counted.
    overflow: usize,
    codepage: u32,
    fonts: Vec<(u32, u32)>,
    defining: u32,
    // Bytes of one code page that wait for the rest of a character.
    bytes: Vec<u8>,
    high: Option<u16>,
    skip_chars: usize,
    starred: bool,
}

impl<'a> Reader<'a> {
    fn new(rtf: &'a [u8], from_html: bool) -> Self {
        let state = State { skip: false, html_tag: false, rtf_only: false, font_table: false, font: u32::MAX, after_unicode: 1 };
        Self {
            rtf,
            at: 0,
            from_html,
            out: String::with_capacity(rtf.len().min(TEXT_BYTES_MAX) / 2),
            state,
            stack: vec![],
            overflow: 0,
            codepage: 1252,
            fonts: vec![],
            defining: 0,
            bytes: vec![],
            high: None,
            skip_chars: 0,
            starred: false,
        }
    }

    fn run(&mut self) {
        while let Some(&byte) = self.rtf.get(self.at) {
            if self.out.len() > TEXT_BYTES_MAX {
                break;
            }
            self.at += 1;
            match byte {
                b'{' => {
                    self.flush();
                    self.skip_chars = 0;
                    self.starred = false;
                    if self.stack.len() < GROUPS_MAX { self.stack.push(self.state) } else { self.overflow += 1 }
                }
                b'}' => {
                    self.flush();
                    self.skip_chars = 0;
                    self.starred = false;
                    if self.overflow > 0 {
                        self.overflow -= 1;
                    } else {
                        match self.stack.pop() {
                            Some(state) => self.state = state,
                            None => break,
                        }
                        if self.stack.is_empty() {
                            break;
                        }
                    }
                }
                b'\\' => self.control(),
                b'\r' | b'\n' | 0 => {}
                byte => self.byte(byte),
            }
        }
        self.flush();
    }

    fn shows(&self) -> bool {
        !self.state.skip && !self.state.font_table && !self.state.rtf_only && self.overflow == 0
    }

    fn byte(&mut self, byte: u8) {
        if self.skip_chars > 0 {
            self.skip_chars -= 1;
        } else if self.shows() {
            self.bytes.push(byte);
        }
    }

    fn text(&mut self, text: &str) {
        self.flush();
        if self.shows() {
            self.out.push_str(text);
        }
    }

    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            let font = self.fonts.iter().find(|(font, _)| *font == self.state.font).map(|(_, page)| *page);
            // HTML tags are written in the document's code page, whatever font is on.
            let page = font.filter(|page| *page != 0 && !self.state.html_tag).unwrap_or(self.codepage);
            let bytes = std::mem::take(&mut self.bytes);
            self.out.push_str(&charset::decode(Some(&code_page(page)), &bytes).text);
        }
        if self.high.take().is_some() {
            self.out.push(char::REPLACEMENT_CHARACTER);
        }
    }

    fn control(&mut self) {
        let Some(&first) = self.rtf.get(self.at) else { return };
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            self.symbol(first);
            return;
        }
        let from = self.at;
        while self.rtf.get(self.at).is_some_and(u8::is_ascii_alphabetic) && self.at - from < 40 {
            self.at += 1;
        }
        let word = String::from_utf8_lossy(&self.rtf[from..self.at]).into_owned();
        let digits = self.at;
        if self.rtf.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        while self.rtf.get(self.at).is_some_and(u8::is_ascii_digit) && self.at - digits < 11 {
            self.at += 1;
        }
        let number = std::str::from_utf8(&self.rtf[digits..self.at]).ok().and_then(|text| text.parse::<i64>().ok());
        if self.rtf.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        let starred = std::mem::take(&mut self.starred);
        self.word(&word, number, starred);
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'\'' => {
                let hex = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
                if let (Some(high), Some(low)) = (hex(self.rtf.get(self.at)), hex(self.rtf.get(self.at + 1))) {
                    self.at += 2;
                    self.byte((high * 16 + low) as u8);
                }
            }
            b'*' => self.starred = true,
            b'~' if self.from_html => self.text("&nbsp;"),
            b'~' => self.text("\u{A0}"),
            b'_' => self.text("-"),
            b'-' if self.from_html => self.text("&shy;"),
            b'\r' | b'\n' => self.text("\n"),
            b'{' | b'}' | b'\\' => self.byte(symbol),
            _ => {}
        }
    }

    fn word(&mut self, word: &str, number: Option<i64>, starred: bool) {
        let value = || u32::try_from(number.unwrap_or(0)).unwrap_or(0);
        match word {
            "htmltag" => {
                self.flush();
                self.state.html_tag = true;
                self.state.rtf_only = false;
                return;
            }
            "htmlrtf" => {
                self.flush();
                // What is for RTF readers only never closes an HTML tag.
                self.state.rtf_only = self.from_html && number != Some(0);
                return;
            }
            _ if starred => {
                // A destination that nobody here knows.
                self.flush();
                self.state.skip = true;
                return;
            }
            _ => {}
        }
        match word {
            "ansicpg" => self.codepage = value(),
            "mac" => self.codepage = 10_000,
            "pc" => self.codepage = 437,
            "pca" => self.codepage = 850,
            "fonttbl" => self.state.font_table = true,
            "f" if self.state.font_table => self.defining = value(),
            "fcharset" if self.state.font_table && self.fonts.len() < 1_000 => {
                self.fonts.push((self.defining, page_of_font(value())))
            }
            "f" => {
                self.flush();
                self.state.font = value();
            }
            "uc" => self.state.after_unicode = value().min(20) as usize,
            "u" => {
                if !self.bytes.is_empty() {
                    self.flush();
                }
                self.unicode(number.unwrap_or(0));
                self.skip_chars = self.state.after_unicode;
            }
            "colortbl" | "stylesheet" | "info" | "pict" | "object" | "header" | "footer" | "footnote" | "listtable"
            | "listoverridetable" | "rsidtbl" | "generator" | "themedata" | "datastore" | "latentstyles" | "xmlnstbl"
            | "fldinst" => {
                self.flush();
                self.state.skip = true;
            }
            "bin" => self.at = self.at.saturating_add(value() as usize).min(self.rtf.len()),
            // In HTML a tag of its own says where lines end; this only keeps the source readable.
            "par" | "line" | "sect" | "page" | "row" if self.from_html => self.text("\r\n"),
            "par" | "line" | "sect" | "page" | "row" => self.text("\n"),
            "tab" | "cell" => self.text("\t"),
            "lquote" => self.special("\u{2018}"),
            "rquote" => self.special("\u{2019}"),
            "ldblquote" => self.special("\u{201C}"),
            "rdblquote" => self.special("\u{201D}"),
            "bullet" => self.special("\u{2022}"),
            "endash" => self.special("\u{2013}"),
            "emdash" => self.special("\u{2014}"),
            _ => {}
        }
    }

    fn special(&mut self, text: &str) {
        if self.skip_chars > 0 {
            self.skip_chars -= 1;
        } else {
            self.text(text);
        }
    }

    // \u holds UTF-16, as a signed number; a pair comes as two words.
    fn unicode(&mut self, number: i64) {
        if !self.shows() {
            return;
        }
        let unit = (number & 0xFFFF) as u16;
        let units: Vec<u16> = self.high.take().into_iter().chain([unit]).collect();
        match char::decode_utf16(units.iter().copied()).collect::<Result<String, _>>() {
            Ok(text) => self.out.push_str(&text),
            Err(_) if (0xD800..0xDC00).contains(&unit) => self.high = Some(unit),
            Err(_) => self.out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

fn page_of_font(charset: u32) -> u32 {
    match charset {
        77 => 10_000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        // 0 = ANSI, 1 = default, 2 = symbol: the document's own.
        _ => 0,
    }
}

/// The name of a Windows code page.
pub fn code_page(number: u32) -> String {
    match number {
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        437 | 850 => format!("cp{number}"),
        10_000 => "macintosh".to_owned(),
        20_127 => "us-ascii".to_owned(),
        20_866 => "koi8-r".to_owned(),
        21_866 => "koi8-u".to_owned(),
        28_591..=28_606 => format!("iso-8859-{}", number - 28_590),
        50_220..=50_222 => "iso-2022-jp".to_owned(),
        65_000 => "utf-7".to_owned(),
        65_001 => "utf-8".to_owned(),
        0 => "windows-1252".to_owned(),
        number => format!("windows-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_unpacks() {
        // [MS-OXRTFCP] 3.1: "{\rtf1\ansi\ansicpg1252\pard hello world}\r\n".
        let packed =
            b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125B2\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
        assert_eq!(unpack(packed).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(unpack(b"\x2d\0\0\0\x02\0\0\0MELA\0\0\0\0abc").unwrap(), b"ab");
        assert_eq!(unpack(b"\x2d\0\0\0\x02\0\0\0XXXX\0\0\0\0abc"), None);
        assert_eq!(unpack(b"short"), None);
    }

    #[test]
    fn a_promise_of_four_gigabytes_allocates_nothing_of_the_kind() {
        let packed = [&b"\xff\xff\xff\xff\xff\xff\xff\xffLZFu\0\0\0\0"[..], &[0xFF; 100]].concat();
        assert!(unpack(&packed).unwrap().len() < 2_000);
    }

    #[test]
    fn rtf_that_was_html_is_html_again() {
        let rtf = br"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 Arial CYR;}}
{\colortbl;\red0;}{\*\generator x;}{\*\htmltag19 <html>}{\*\htmltag64}\htmlrtf {\htmlrtf0 {\*\htmltag64 <p class=x>}gr\'fcn {\f1\'cf\'f0} \u8364? \{ok\}{\*\htmltag84 <b>}\htmlrtf \b\htmlrtf0 fat{\*\htmltag92 </b>}\htmlrtf\b0\htmlrtf0{\*\htmltag72 </p>}\htmlrtf }\htmlrtf0{\*\mhtmltag92 <no>}}";
        assert_eq!(
            read(rtf),
            Some(Made::Html("<html><p class=x>gr\u{fc}n \u{41f}\u{440} \u{20ac} {ok}<b>fat</b></p>".to_owned()))
        );
    }

    #[test]
    fn rtf_that_was_written_as_rtf_is_text() {
        let rtf = br"{\rtf1\ansi\ansicpg1251\deff0{\fonttbl{\f0 Arial;}}{\info{\author me}}\pard\f0 \'cf\'f0\'e8\line second\par\uc1\u-10179?\u-8704?\par}ignored";
        assert_eq!(read(rtf), Some(Made::Text("При\nsecond\n😀".to_owned())));
        assert_eq!(read(b"no rtf"), None);
        assert_eq!(read(b"{\\rtf1"), Some(Made::Text(String::new())));
    }

    #[test]
    fn a_hundred_thousand_groups_are_no_work() {
        let deep = format!("{{\\rtf1 {}x", "{".repeat(100_000));
        assert!(read(deep.as_bytes()).is_some());
    }
}
