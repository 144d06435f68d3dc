//! Small files that are drawn, not copied: pictures and papers for attachments.

use super::DemoError;
use super::dice::Dice;
use crate::Desk;
use model::WorkspaceId;

/// A stored file.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFile {
    /// Key of its bytes.
    pub sha256: String,
    /// Media type.
    pub mime: &'static str,
    /// Size.
    pub bytes: i64,
}

/// The files that stories pick from.
#[derive(Debug, Clone, Default)]
pub struct Drawer {
    pictures: Vec<StoredFile>,
    papers: Vec<StoredFile>,
    texts: Vec<StoredFile>,
}

const PICTURE_COUNT: u64 = 8;

impl Drawer {
    /// Makes the files and puts their bytes into the blob store.
    pub async fn fill(desk: &Desk, workspace: WorkspaceId) -> Result<Self, DemoError> {
        let mut drawer = Self::default();
        for n in 0..PICTURE_COUNT {
            drawer.pictures.push(put(desk, workspace, &picture(n), "image/png").await?);
            let lines = [
                "Velo Nord GmbH",
                "Bikes, parts and a workshop",
                &format!("Document {}", 4_100 + n),
                "Thank you for riding with us.",
            ];
            drawer.papers.push(put(desk, workspace, &paper(&lines), "application/pdf").await?);
            let note = format!("Velo Nord\nChecklist {n}\n- brakes\n- gears\n- lights\n- tyres\n");
            drawer.texts.push(put(desk, workspace, note.as_bytes(), "text/plain").await?);
        }
        Ok(drawer)
    }

    /// One that fits the ending of a name.
    pub fn of_name(&self, name: &str, dice: &Dice) -> StoredFile {
        let kind = match name.rsplit('.').next() {
            Some("png") => &self.pictures,
            Some("pdf") => &self.papers,
            _ => &self.texts,
        };
        dice.pick(kind).clone()
    }
}

async fn put(desk: &Desk, workspace: WorkspaceId, bytes: &[u8], mime: &'static str) -> Result<StoredFile, DemoError> {
    let put = desk.blobs.put_bytes(workspace, bytes).await.map_err(|error| DemoError::Files(error.to_string()))?;
    Ok(StoredFile { sha256: put.sha256, mime, bytes: i64::try_from(bytes.len()).unwrap_or(0) })
}

/// A landscape with a bike: sky, hill, two wheels, a frame.
fn picture(n: u64) -> Vec<u8> {
    const WIDTH: i64 = 480;
    const HEIGHT: i64 = 320;
    let dice = Dice::new(n).of("picture", n);
    let (hue, hill) = (dice.between(0, 60), dice.between(170, 220));
    let wheels = [(150_i64, 230_i64), (320, 230)];
    let mut raw = Vec::new();
    for y in 0..HEIGHT {
        raw.push(0);
        for x in 0..WIDTH {
            let ground = hill + (x - 240) * (x - 200) / 2_400;
            let mut colour = if y > ground { [70 + hue, 130 + hue / 2, 70] } else { [150 + hue, 190 + y / 8, 235] };
            for (cx, cy) in wheels {
                let d = (x - cx) * (x - cx) + (y - cy) * (y - cy);
                if (48 * 48..=54 * 54).contains(&d) || d < 25 {
                    colour = [30, 34, 40];
                }
            }
            let along = |x0: i64, y0: i64, x1: i64, y1: i64| {
                let inside = x >= x0.min(x1) && x <= x0.max(x1) && y >= y0.min(y1) - 3 && y <= y0.max(y1) + 3;
                inside && ((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)).abs() <= 3 * (x1 - x0).abs().max((y1 - y0).abs())
            };
            if along(150, 230, 215, 150)
                || along(215, 150, 300, 150)
                || along(300, 150, 235, 230)
                || along(150, 230, 235, 230)
                || along(300, 150, 320, 230)
            {
                colour = [200 - hue, 60 + hue, 40];
            }
            raw.extend(colour.map(|c| u8::try_from(c.clamp(0, 255)).unwrap_or(0)));
        }
    }
    png(u32::try_from(WIDTH).unwrap_or(1), u32::try_from(HEIGHT).unwrap_or(1), &raw)
}

/// A PNG of raw RGB rows (each with its leading filter byte). Runs of equal rows are what makes it small: the bytes are
/// stored by fixed Huffman codes with matches to the row above.
fn png(width: u32, height: u32, raw: &[u8]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = Vec::new();
    head.extend(width.to_be_bytes());
    head.extend(height.to_be_bytes());
    head.extend([8, 2, 0, 0, 0]);
    chunk(&mut out, b"IHDR", &head);
    let mut body = vec![0x78, 0x01];
    body.extend(deflate(raw, width as usize * 3 + 1));
    body.extend(adler(raw).to_be_bytes());
    chunk(&mut out, b"IDAT", &body);
    chunk(&mut out, b"IEND", &[]);
    out
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    out.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    let start = out.len();
    out.extend(kind);
    out.extend(data);
    let sum = crc(&out[start..]);
    out.extend(sum.to_be_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |s, _| if s & 1 == 1 { 0xEDB8_8320 ^ (s >> 1) } else { s >> 1 })
    })
}

fn adler(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

struct Bits {
    out: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.held |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push((self.held & 255) as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }
    /// Huffman codes stand with their highest bit first.
    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }
    fn literal(&mut self, value: u32) {
        match value {
            0..=143 => self.code(0x30 + value, 8),
            144..=255 => self.code(0x190 + value - 144, 9),
            256..=279 => self.code(value - 256, 7),
            _ => self.code(0xC0 + value - 280, 8),
        }
    }
    /// 258 bytes as they stood one pixel or one row before.
    fn longest_match(&mut self, distance: usize) {
        const BASE: [usize; 30] = [
            1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
            8193, 12289, 16385, 24577,
        ];
        self.literal(285);
        let code = BASE.iter().rposition(|base| *base <= distance).unwrap_or(0);
        self.code(code as u32, 5);
        let extra = if code < 4 { 0 } else { (code as u32 - 2) / 2 };
        self.put((distance - BASE[code]) as u32, extra);
    }
}

/// One block of fixed codes.
fn deflate(raw: &[u8], row: usize) -> Vec<u8> {
    let mut bits = Bits { out: Vec::new(), held: 0, count: 0 };
    bits.put(1, 1);
    bits.put(1, 2);
    let mut at = 0;
    while at < raw.len() {
        let repeats =
            |distance: usize| at >= distance && at + 258 <= raw.len() && (at..at + 258).all(|i| raw[i] == raw[i - distance]);
        if let Some(distance) = [row, 3].into_iter().find(|distance| repeats(*distance)) {
            bits.longest_match(distance);
            at += 258;
        } else {
            bits.literal(u32::from(raw[at]));
            at += 1;
        }
    }
    bits.literal(256);
    bits.put(0, 7);
    bits.out
}

/// A PDF of one page with a few lines.
fn paper(lines: &[&str]) -> Vec<u8> {
    let mut text = String::from("BT /F1 18 Tf 60 760 Td 26 TL\n");
    for line in lines {
        text.push_str(&format!("({line}) Tj T*\n"));
    }
    text.push_str("ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", n + 1));
    }
    let start = out.len();
    out.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for place in places {
        out.push_str(&format!("{place:010} 00000 n \n"));
    }
    out.push_str(&format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1));
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        assert_eq!(crc(b"IEND"), 0xAE42_6082);
        assert_eq!(adler(b"Wikipedia"), 0x11E6_0398);
    }

    #[test]
    fn pictures_are_small_and_differ() {
        let (one, two) = (picture(1), picture(2));
        assert!(one.starts_with(b"\x89PNG") && one.len() < 120_000, "{} bytes", one.len());
        assert_ne!(one, two);
        assert!(paper(&["x"]).starts_with(b"%PDF-1.4"));
    }
}
