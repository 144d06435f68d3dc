//! A small writer of winmail.dat, and what our reader makes of what it writes.

use super::*;

fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
    let sum = data.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    [&[level][..], &id.to_le_bytes(), &(data.len() as u32).to_le_bytes(), data, &sum.to_le_bytes()].concat()
}

fn file_of(attributes: &[Vec<u8>]) -> Vec<u8> {
    [&SIGNATURE.to_le_bytes()[..], &[1, 0], &attribute(1, 0x0006_9007, &[0xE4, 4, 0, 0, 0, 0, 0, 0]), &attributes.concat()]
        .concat()
}

fn variable(kind: u16, id: u16, data: &[u8]) -> Vec<u8> {
    let mut out =
        [&kind.to_le_bytes()[..], &id.to_le_bytes(), &1u32.to_le_bytes(), &(data.len() as u32).to_le_bytes(), data].concat();
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn unicode(id: u16, text: &str) -> Vec<u8> {
    variable(0x1F, id, &text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<_>>())
}

fn props(level: u8, id: u32, all: &[Vec<u8>]) -> Vec<u8> {
    attribute(level, id, &[&(all.len() as u32).to_le_bytes()[..], &all.concat()].concat())
}

fn begin_file() -> Vec<u8> {
    attribute(2, 0x0006_9002, &[0; 14])
}

// RTF in the form that is not packed, and packed by a writer that only knows literals.
fn packed(rtf: &[u8], squeeze: bool) -> Vec<u8> {
    let body = match squeeze {
        false => rtf.to_vec(),
        true => {
            let mut out: Vec<u8> = rtf.chunks(8).flat_map(|eight| [&[0u8][..], eight].concat()).collect();
            if rtf.len().is_multiple_of(8) {
                out.push(1);
            } else if let Some(at) = out.len().checked_sub(rtf.len() % 8 + 1) {
                out[at] = 1 << (rtf.len() % 8);
            }
            // The reference to the place of writing ends the text.
            let end = (207 + rtf.len()) & 4095;
            out.extend([(end >> 4) as u8, ((end & 15) << 4) as u8]);
            out
        }
    };
    let kind: &[u8] = if squeeze { b"LZFu" } else { b"MELA" };
    [
        &(body.len() as u32 + 12).to_le_bytes()[..],
        &(rtf.len() as u32).to_le_bytes(),
        kind,
        &check(&body, squeeze).to_le_bytes(),
        &body,
    ]
    .concat()
}

// [MS-OXRTFCP] 2.1.3.2: CRC-32 without the usual inversions; what is not packed has none.
fn check(body: &[u8], squeeze: bool) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    };
    if squeeze { body.iter().fold(0, step) } else { 0 }
}

#[test]
fn files_with_long_short_and_missing_names() {
    let bytes = file_of(&[
        begin_file(),
        attribute(2, 0x0001_8010, b"LANGER~1.PDF\0"),
        attribute(2, 0x0006_800F, b"one"),
        props(
            2,
            0x0006_9005,
            &[unicode(0x3707, "Langer Name ü.pdf"), unicode(0x370E, "application/pdf"), unicode(0x3712, "<a@b>")],
        ),
        begin_file(),
        attribute(2, 0x0001_8010, b"gr\xFCn.txt\0"),
        attribute(2, 0x0006_800F, b"two"),
        begin_file(),
        attribute(2, 0x0006_800F, b"three"),
        begin_file(),
        props(2, 0x0006_9005, &[variable(0x102, 0x3701, b"four!"), variable(0x1E, 0x3704, b"dir\\four.bin\0")]),
    ]);
    let tnef = read(&bytes).unwrap();
    let files: Vec<(&str, &[u8])> = tnef.files.iter().map(|file| (file.name.as_str(), file.bytes.as_ref())).collect();
    assert_eq!(files, [("Langer Name ü.pdf", &b"one"[..]), ("grün.txt", b"two"), ("", b"three"), ("four.bin", b"four!")]);
    assert_eq!(tnef.files[0].mime.as_deref(), Some("application/pdf"));
    assert_eq!(tnef.files[0].content_id.as_deref(), Some("a@b"));
    assert_eq!(tnef.warnings, [""; 0]);
}

#[test]
fn bodies_as_html_as_text_and_only_as_rtf() {
    let html = file_of(&[props(
        1,
        0x0006_9003,
        &[variable(0x102, 0x1013, b"<p>gr\xFCn"), unicode(0x1000, "grün"), unicode(0x0037, "Betreff")],
    )]);
    let tnef = read(&html).unwrap();
    assert_eq!(
        (tnef.html.as_deref(), tnef.text.as_deref(), tnef.subject.as_deref()),
        (Some("<p>grün"), Some("grün"), Some("Betreff"))
    );
    for squeeze in [false, true] {
        for (rtf, html, text) in [
            (&br"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}hi}"[..], Some("<p>hi"), None),
            (br"{\rtf1\ansi\pard only \b rtf\par}", None, Some("only rtf")),
        ] {
            let bytes = file_of(&[props(1, 0x0006_9003, &[variable(0x102, 0x1009, &packed(rtf, squeeze))])]);
            let tnef = read(&bytes).unwrap();
            assert_eq!((tnef.html.as_deref(), tnef.text.as_deref()), (html, text), "{squeeze}");
        }
    }
    let old = file_of(&[attribute(1, 0x0002_800C, b"plain body\0")]);
    assert_eq!(read(&old).unwrap().text.as_deref(), Some("plain body"));
}

#[test]
fn a_message_in_an_attachment_gives_its_text_and_its_files() {
    let inner = file_of(&[
        attribute(1, 0x0001_8004, b"Inner subject\0"),
        attribute(1, 0x0002_800C, b"inner text\0"),
        begin_file(),
        attribute(2, 0x0001_8010, b"deep.txt\0"),
        attribute(2, 0x0006_800F, b"deep"),
    ]);
    let object = [&[7u8; 16][..], &inner].concat();
    let bytes =
        file_of(&[begin_file(), props(2, 0x0006_9005, &[variable(0x0D, 0x3701, &object), unicode(0x3001, "Shown name")])]);
    let tnef = read(&bytes).unwrap();
    let files: Vec<(&str, &[u8])> = tnef.files.iter().map(|file| (file.name.as_str(), file.bytes.as_ref())).collect();
    assert_eq!(files, [("Inner subject.txt", &b"inner text"[..]), ("deep.txt", b"deep")]);
    let list = file_of(&[attribute(1, 0x0001_8004, b"A list\0")]);
    let object = [&[7u8; 16][..], &list].concat();
    let bytes = file_of(&[begin_file(), props(2, 0x0006_9005, &[variable(0x0D, 0x3701, &object), unicode(0x3001, "list")])]);
    let tnef = read(&bytes).unwrap();
    assert_eq!((tnef.files[0].name.as_str(), tnef.files[0].bytes.as_ref()), ("list", &list[..]));
}

#[test]
fn damage_is_a_warning_and_what_was_read_stays() {
    let good = file_of(&[begin_file(), attribute(2, 0x0001_8010, b"a.txt\0"), attribute(2, 0x0006_800F, b"content")]);
    let mut wrong_sum = good.clone();
    let last = wrong_sum.len() - 1;
    wrong_sum[last] ^= 0xFF;
    let tnef = read(&wrong_sum).unwrap();
    assert_eq!((tnef.files[0].bytes.as_ref(), tnef.warnings), (&b"content"[..], vec!["checksum"]));
    let tnef = read(&good[..good.len() - 5]).unwrap();
    assert_eq!((tnef.files[0].name.as_str(), tnef.files[0].bytes.as_ref()), ("a.txt", &b"cont"[..]));
    assert!(read(b"no winmail").is_none());
    assert!(read(b"").is_none());
    for cut in 0..good.len() {
        let _ = read(&good[..cut]);
    }
}

#[test]
fn lengths_that_lie_allocate_nothing() {
    for lie in [u32::MAX, 0x7FFF_FFFF, 0x1000_0000] {
        let huge = [&lie.to_le_bytes()[..], &[0x02, 0x01, 0x13, 0x10], &lie.to_le_bytes(), &lie.to_le_bytes(), b"abc"].concat();
        let bytes = file_of(&[attribute(1, 0x0006_9003, &huge)]);
        assert!(read(&bytes).is_some());
        let mut attribute_lies = file_of(&[attribute(1, 0x0006_9003, b"abcd")]);
        let at = attribute_lies.len() - 10;
        attribute_lies[at..at + 4].copy_from_slice(&lie.to_le_bytes());
        assert_eq!(read(&attribute_lies).unwrap().warnings, ["cut"]);
    }
}

// Samples of this writer lie in fixtures/tnef, where tnefparse read them, too (tests/tnef.rs).
#[test]
#[expect(clippy::disallowed_methods, reason = "writes the samples anew")]
fn the_samples_are_what_this_writer_writes() {
    let html_rtf = br"{\rtf1\ansi\ansicpg1252\fromhtml1{\*\htmltag64 <p>}gr\'fcn{\*\htmltag72 </p>}}";
    let plain_rtf = br"{\rtf1\ansi\ansicpg1252\pard only \b rtf\b0\par}";
    let file =
        |name: &[u8], bytes: &[u8]| [begin_file(), attribute(2, 0x0001_8010, name), attribute(2, 0x0006_800F, bytes)].concat();
    let long = props(2, 0x0006_9005, &[unicode(0x3707, "A long name \u{fc}.pdf"), unicode(0x370E, "application/pdf")]);
    let body = |all: &[Vec<u8>]| file_of(&[props(1, 0x0006_9003, all)]);
    let mut wrong_sum = file_of(&[file(b"sum.txt\0", b"content")]);
    let last = wrong_sum.len() - 1;
    wrong_sum[last] ^= 0xFF;
    let samples = [
        ("files", file_of(&[file(b"ALONGN~1.PDF\0", b"one"), long, file(b"two.txt\0", b"two")])),
        ("html", body(&[variable(0x102, 0x1013, b"<p>gr\xFCn</p>"), unicode(0x1000, "gr\u{fc}n")])),
        ("rtf-of-html", body(&[variable(0x102, 0x1009, &packed(html_rtf, true))])),
        ("rtf-only", body(&[variable(0x102, 0x1009, &packed(plain_rtf, true))])),
        ("rtf-unpacked", body(&[variable(0x102, 0x1009, &packed(plain_rtf, false))])),
        ("wrong-checksum", wrong_sum),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tnef");
    for (name, bytes) in samples {
        let path = folder.join(format!("{name}.tnef"));
        if std::env::var("CONTINUO_UPDATE_SNAPSHOTS").is_ok() {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
}
