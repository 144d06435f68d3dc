//! Bytes with a charset's name become text. In: what a mail says about its bytes, and the bytes. Out: text, always, and
//! whether the name was unknown or something did not fit. Pure.

use std::borrow::Cow;

/// Text made of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The text.
    pub text: String,
    /// What the bytes were read as, such as `utf-8` or `windows-1252`.
    pub charset: String,
    /// The mail named a charset that nobody knows: the text is a guess.
    pub unknown: bool,
    /// Some bytes fit into no character and became replacement characters.
    pub damaged: bool,
}

/// Text of bytes whose mail names this charset (`None`: none). Never fails: what is unknown is read as UTF-8 when it
/// is that, else as windows-1252.
pub fn decode(label: Option<&str>, bytes: &[u8]) -> Decoded {
    let label = label.map(clean_label).filter(|label| !label.is_empty());
    let Some(label) = label else { return decode_unlabelled(bytes) };
    match label.as_str() {
        // "ASCII" with 8-bit bytes is a mail program that did not look: guess as if nothing was said.
        "us-ascii" | "ascii" | "ansi_x3.4-1968" | "ascii-8bit" | "8bit" | "7bit" | "binary" | "default" | "unknown-8bit" => {
            decode_unlabelled(bytes)
        }
        "utf-7" | "unicode-1-1-utf-7" | "utf7" | "x-unicode-2-0-utf-7" => {
            let (text, damaged) = utf7(bytes);
            Decoded { text, charset: "utf-7".to_owned(), unknown: false, damaged }
        }
        "iso-2022-kr" | "csiso2022kr" => undamaged("iso-2022-kr", encoding_rs::EUC_KR.decode(&shifted(bytes, Shift::Korean)).0),
        "hz-gb-2312" | "hz" => undamaged("hz-gb-2312", encoding_rs::GBK.decode(&shifted(bytes, Shift::Chinese)).0),
        "cp437" | "ibm437" | "437" | "cp-437" => undamaged("cp437", single_byte(CP437, bytes).into()),
        "cp850" | "ibm850" | "850" | "cp-850" => undamaged("cp850", single_byte(CP850, bytes).into()),
        _ => match encoding_of(&label) {
            Some(encoding) => decode_as(encoding, bytes),
            None => Decoded { unknown: true, ..decode_unlabelled(bytes) },
        },
    }
}

fn undamaged(charset: &str, text: Cow<'_, str>) -> Decoded {
    Decoded { text: text.into_owned(), charset: charset.to_owned(), unknown: false, damaged: false }
}

// The upper halves of two code pages that DOS left behind; Outlook still names them in winmail.dat.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
const CP850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

fn single_byte(upper: &str, bytes: &[u8]) -> String {
    let upper: Vec<char> = upper.chars().collect();
    bytes.iter().map(|byte| if byte.is_ascii() { *byte as char } else { upper[usize::from(*byte) - 128] }).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Shift {
    // RFC 1557: SO and SI around 7-bit pairs, a designator ESC $ ) C somewhere before.
    Korean,
    // RFC 1843: ~{ and ~} around 7-bit pairs, ~~ is a tilde.
    Chinese,
}

// The same text in the 8-bit form of its charset.
fn shifted(bytes: &[u8], by: Shift) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut high = false;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let skip = match by {
            Shift::Korean if rest.starts_with(b"\x1B$)C") => 4,
            Shift::Korean if matches!(rest[0], 0x0E | 0x0F) => {
                high = rest[0] == 0x0E;
                1
            }
            Shift::Chinese if rest.starts_with(b"~{") || rest.starts_with(b"~}") => {
                high = rest[1] == b'{';
                2
            }
            Shift::Chinese if rest.starts_with(b"~~") => {
                out.push(b'~');
                2
            }
            _ => {
                // A line end closes a forgotten shift.
                high &= !matches!(rest[0], b'\r' | b'\n');
                out.push(if high && rest[0] > b' ' { rest[0] | 0x80 } else { rest[0] });
                1
            }
        };
        at += skip;
    }
    out
}

/// Text of bytes about which nothing is said: ISO-2022-JP by its escape sequences, UTF-8 when valid, else windows-1252.
pub fn decode_unlabelled(bytes: &[u8]) -> Decoded {
    if bytes.is_ascii() {
        if looks_like_iso_2022_jp(bytes) {
            let decoded = decode_as(encoding_rs::ISO_2022_JP, bytes);
            if !decoded.damaged {
                return decoded;
            }
        }
        // Checked just now, so this copies without looking at each byte again.
        let text = String::from_utf8_lossy(bytes).into_owned();
        return Decoded { text, charset: "us-ascii".to_owned(), unknown: false, damaged: false };
    }
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => decode_as(encoding, bytes),
        None if std::str::from_utf8(bytes).is_ok() => decode_as(encoding_rs::UTF_8, bytes),
        None => decode_as(encoding_rs::WINDOWS_1252, bytes),
    }
}

fn decode_as(encoding: &'static encoding_rs::Encoding, bytes: &[u8]) -> Decoded {
    let bytes = if encoding == encoding_rs::ISO_2022_JP { without_idle_escapes(bytes) } else { Cow::Borrowed(bytes) };
    let bytes = bytes.as_ref();
    // `decode` obeys a byte-order mark first, and takes it away.
    let (text, used, damaged) = encoding.decode(bytes);
    // Mail that says UTF-8 and is not: the sender's program passed latin-1 through.
    if damaged && used == encoding_rs::UTF_8 && !mostly_utf8(&text) {
        let (text, used, _) = encoding_rs::WINDOWS_1252.decode(bytes);
        return Decoded { text: text.into_owned(), charset: used.name().to_ascii_lowercase(), unknown: false, damaged: true };
    }
    Decoded { text: own(text), charset: used.name().to_ascii_lowercase(), unknown: false, damaged }
}

// Escapes that another one follows at once do nothing; the standard for browsers calls them an error, mail is full of them.
fn without_idle_escapes(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_escape = |three: &[u8]| matches!(three, [0x1B, b'$' | b'(', _, ..]);
    if !bytes.windows(6).any(|six| is_escape(six) && is_escape(&six[3..])) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if is_escape(&bytes[at..]) && bytes.get(at + 3..).is_some_and(is_escape) {
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    Cow::Owned(out)
}

fn own(text: Cow<'_, str>) -> String {
    text.into_owned()
}

// At least one real multi-byte character for each broken one: then it is UTF-8 that was cut or damaged somewhere.
fn mostly_utf8(text: &str) -> bool {
    let broken = text.chars().filter(|c| *c == '\u{FFFD}').count();
    let good = text.chars().filter(|c| !c.is_ascii() && *c != '\u{FFFD}').count();
    good >= broken
}

// RFC 1468: the text switches to JIS X 0208 by ESC $ B (or @) and back by ESC ( B (or J).
fn looks_like_iso_2022_jp(bytes: &[u8]) -> bool {
    bytes.contains(&0x1B) && bytes.windows(3).any(|three| matches!(three, [0x1B, b'$', b'B' | b'@'] | [0x1B, b'(', b'B' | b'J']))
}

fn clean_label(label: &str) -> String {
    label.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | ',')).to_ascii_lowercase()
}

// The web's list of names, plus what mail programs write besides.
fn encoding_of(label: &str) -> Option<&'static encoding_rs::Encoding> {
    let known = encoding_rs::Encoding::for_label(label.as_bytes());
    // `replacement` stands for names that browsers refuse: it would make one character of the whole text.
    if let Some(encoding) = known.filter(|encoding| *encoding != encoding_rs::REPLACEMENT) {
        return Some(encoding);
    }
    let digits = label.trim_start_matches(|c: char| !c.is_ascii_digit());
    let plain = match label {
        "utf" | "utf_8" | "utf-8utf-8" | "utf8mb4" | "utf-8;format=flowed" => "utf-8",
        "cp932" | "ms932" | "windows-932" | "cp943" | "shift-jisx0213" => "shift_jis",
        "cp936" | "ms936" | "windows-936" | "gb_2312" | "cn-gb" | "euc-cn" => "gbk",
        "cp949" | "ms949" | "ksc5601" | "uhc" | "ks_c_5601" => "euc-kr",
        "cp950" | "ms950" | "windows-950" | "cn-big5" => "big5",
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-ms" | "cp50220" | "cp50221" | "_iso-2022-jp$esc" => "iso-2022-jp",
        "latin-1" | "iso_8859_1" | "iso-8859-1-windows-3.1-latin-1" => "iso-8859-1",
        "latin-9" => "iso-8859-15",
        "mac" | "macroman" | "x-macroman" => "macintosh",
        _ if label.starts_with("win") || label.starts_with("cp125") || label.starts_with("ansi-125") => {
            return encoding_rs::Encoding::for_label(format!("windows-{digits}").as_bytes());
        }
        _ if label.starts_with("iso") && label.contains("8859") => {
            let number = label.split("8859").nth(1)?.trim_start_matches(['-', '_']);
            return encoding_rs::Encoding::for_label(format!("iso-8859-{number}").as_bytes());
        }
        _ => return None,
    };
    encoding_rs::Encoding::for_label(plain.as_bytes())
}

// RFC 2152. Text outside +...- is itself; inside, base64 of UTF-16. True: something did not fit.
fn utf7(bytes: &[u8]) -> (String, bool) {
    let mut out = String::with_capacity(bytes.len());
    let mut damaged = false;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        at += 1;
        if byte != b'+' {
            damaged |= !byte.is_ascii();
            out.push(if byte.is_ascii() { byte as char } else { char::REPLACEMENT_CHARACTER });
            continue;
        }
        if bytes.get(at) == Some(&b'-') {
            out.push('+');
            at += 1;
            continue;
        }
        let from = at;
        while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || matches!(bytes[at], b'+' | b'/')) {
            at += 1;
        }
        let coded = crate::headers::base64_lenient(&bytes[from..at]).unwrap_or_default();
        let units = coded.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        for unit in char::decode_utf16(units) {
            damaged |= unit.is_err();
            out.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if from == at {
            // A lone plus, as in "+ 5 %": no shift at all.
            out.push('+');
        } else if bytes.get(at) == Some(&b'-') {
            at += 1;
        }
    }
    (out, damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bytes_become_text() {
        let cases: [(Option<&str>, &[u8], &str, bool); 23] = [
            (Some("utf-8"), "grün".as_bytes(), "grün", false),
            (Some("UTF-8"), b"gr\xFCn", "grün", false),
            (Some("iso-8859-1"), b"\x80 gr\xFCn", "€ grün", false),
            (Some("X-UNKNOWN"), b"gr\xFCn", "grün", true),
            (Some("x-made-up"), "grün".as_bytes(), "grün", true),
            (Some("windows-1258"), b"Vi\xEA\xF2t Nam", "Viê\u{323}t Nam", false),
            (Some("cp1258"), b"\xD0", "Đ", false),
            (None, b"\x1B$BF|K\\8l\x1B(B", "日本語", false),
            (Some("us-ascii"), b"\x1B$BF|K\\8l\x1B(B", "日本語", false),
            (Some("iso-2022-jp"), b"\x1B$B%F\x1B(B\x1B$B%9\x1B(B", "テス", false),
            (None, b"gr\xFCn", "grün", false),
            (None, "\u{FEFF}grün".as_bytes(), "grün", false),
            (Some("utf-7"), b"Hi Mom -+Jjo--! 1 +- 1 + 2", "Hi Mom -☺-! 1 + 1 + 2", false),
            (Some("unicode-1-1-utf-7"), b"+ZeVnLIqe-", "日本語", false),
            (Some("utf-16le"), b"a\0b\0", "ab", false),
            (Some("ks_c_5601-1987"), b"\xC7\xD1\xB1\xDB", "한글", false),
            (Some("cp949"), b"\xC7\xD1\xB1\xDB", "한글", false),
            (Some("\"gb2312\""), b"\xD6\xD0\xCE\xC4", "中文", false),
            (Some("iso-2022-kr"), b"\x1B$)C\x0EGQ1[\x0F!", "한글!", false),
            (Some("hz-gb-2312"), b"~{VPND~} ~~", "中文 ~", false),
            (Some("cp850"), b"gr\x81n", "grün", false),
            (Some("iso-2022-cn"), b"plain", "plain", true),
            (Some("win-1251"), b"\xCF\xF0\xE8\xE2\xE5\xF2", "Привет", false),
        ];
        for (label, bytes, text, unknown) in cases {
            let decoded = decode(label, bytes);
            assert_eq!((decoded.text.as_str(), decoded.unknown), (text, unknown), "{label:?} {bytes:?}");
        }
    }

    #[test]
    fn a_lone_escape_is_not_japanese() {
        assert_eq!(decode(None, b"\x1B[1mbold\x1B[0m").text, "\x1B[1mbold\x1B[0m");
    }
}
