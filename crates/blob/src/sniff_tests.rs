use super::*;
use proptest::prelude::*;

type Case<'a> = (&'a [u8], &'a str, Option<&'a str>, &'a str, bool);

fn mime(head: &[u8], name: &str, hint: Option<&str>) -> (String, bool) {
    let sniffed = sniff(head, name, hint);
    (sniffed.mime, sniffed.inline_safe)
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

#[test]
fn bytes_decide_and_not_the_name_or_the_sender() {
    let cases: [Case; 30] = [
        (PNG, "a.png", None, "image/png", true),
        (PNG, "a.html", Some("text/html"), "image/png", true),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "x", None, "image/jpeg", true),
        (b"GIF89a\x01\0\x01\0", "x.gif", None, "image/gif", true),
        (b"GIF89a/*\x01*/=1;<script>alert(1)</script>", "x.gif", None, "image/gif", true),
        (b"<html><body>hi", "photo.png", Some("image/png"), "text/html", false),
        (b"  \n\t<!DOCTYPE html><p>", "x.txt", Some("text/plain"), "text/html", false),
        (b"hello <ScRiPt>alert(1)</sCrIpT>", "note.txt", None, "text/html", false),
        (
            b"\xef\xbb\xbf<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            "x.png",
            Some("image/png"),
            "image/svg+xml",
            false,
        ),
        (b"<?xml version='1.0'?><note/>", "x.xml", None, "text/xml", false),
        (b"<?xml version='1.0'?><!-- c --><svg>", "x", None, "image/svg+xml", false),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "x.pdf", None, "application/pdf", false),
        (b"%PDF-1.4\nplain", "x.pdf", None, "application/pdf", false),
        (b"hello, world\n", "x.txt", None, "text/plain", true),
        (b"1 < 2 and <angle> brackets", "x.txt", None, "text/plain", true),
        (b"a;b;c\n1;2;3\n", "table.CSV", Some("application/vnd.ms-excel"), "text/csv", true),
        (b"alert(1)", "x.js", None, "text/javascript", false),
        (b"just words", "page.html", None, "text/html", false),
        (b"#!/bin/sh\nrm -rf /", "x.txt", None, "text/x-shellscript", false),
        (b"", "empty.txt", None, "text/plain", true),
        ("grüße aus köln".as_bytes(), "x", None, "text/plain", true),
        (b"gr\xfc\xdfe aus k\xf6ln, viele gr\xfc\xdfe", "latin1.txt", None, "text/plain", true),
        (b"\xff\xfeh\0i\0", "utf16.txt", None, "text/plain", true),
        (b"\xff\xfe<\0s\0c\0r\0i\0p\0t\0>\0", "utf16.txt", None, "text/html", false),
        (
            b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff",
            "photo.jpg",
            Some("image/jpeg"),
            "application/vnd.microsoft.portable-executable",
            false,
        ),
        (
            b"PK\x03\x04\x14\0\0\0\x08\0",
            "letter.docx",
            None,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            false,
        ),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "archive.zip", None, "application/zip", false),
        (b"\0\x01\x02\x03\x04\x05", "x.png", Some("image/png"), "application/octet-stream", false),
        (b"OggS\0\x02\0\0\0\0\0\0\0\0abcd\0\0\0\0efgh\x01\x13OpusHead", "voice.ogg", None, "audio/ogg", true),
        (b"ID3\x03\0\0\0\0\0\0", "song.mp3", None, "audio/mpeg", true),
    ];
    for (head, name, hint, expected, inline) in cases {
        assert_eq!(mime(head, name, hint), (expected.to_owned(), inline), "{name} {:?}", String::from_utf8_lossy(head));
    }
}

#[test]
fn a_character_cut_by_the_end_of_the_head_stays_text() {
    let mut text = "a".repeat(HEAD_BYTES - 1);
    text.push('ü');
    assert_eq!(mime(text.as_bytes(), "x", None), ("text/plain".to_owned(), true));
}

#[test]
fn a_voice_note_of_a_browser_is_sound() {
    let webm = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm";
    assert_eq!(mime(webm, "v.webm", Some("audio/webm;codecs=opus")).0, "audio/webm");
    assert_eq!(mime(webm, "v.webm", None).0, "video/webm");
}

proptest! {
    #[test]
    fn any_bytes_have_a_type_and_markup_is_never_shown(head in prop::collection::vec(any::<u8>(), 0..300), name in ".{0,20}", hint in prop::option::of(".{0,20}")) {
        let sniffed = sniff(&head, &name, hint.as_deref());
        prop_assert!(sniffed.mime.contains('/'));
        let page = [&b"<script>"[..], &head].concat();
        let page = sniff(&page, &name, hint.as_deref());
        prop_assert!(!page.inline_safe || !page.mime.starts_with("text/"), "{}", page.mime);
    }
}
