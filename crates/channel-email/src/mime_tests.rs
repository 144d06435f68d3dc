use super::*;

fn shape(mail: &str) -> Vec<String> {
    let mail = mail.as_bytes();
    let line = |part: &Part| {
        let body = if part.is_container { "".into() } else { String::from_utf8_lossy(&part.bytes(mail)).into_owned() };
        format!("{}{} {:?}", "  ".repeat(part.depth), part.mime, body)
    };
    read(mail).unwrap().iter().map(line).collect()
}

#[test]
fn boundaries_that_are_prefixes_of_each_other_or_never_end() {
    let mail = "Content-Type: multipart/mixed; boundary=ab\n\npreamble\n--ab\nContent-Type: multipart/alternative; boundary=abc\n\n--abc\n\none\n--abc \n\ntwo\n--ab\n\nthree\n--ab-\nnot the end\n--ab--\nepilogue\n--ab\n\nstill there";
    assert_eq!(
        shape(mail),
        [
            "multipart/mixed \"\"",
            "  multipart/alternative \"\"",
            "    text/plain \"one\"",
            "    text/plain \"two\"",
            "  text/plain \"three\\n--ab-\\nnot the end\"",
            "  text/plain \"still there\""
        ]
    );
    let open =
        "Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\n\r\none\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>two";
    assert_eq!(shape(open), ["multipart/mixed \"\"", "  text/plain \"one\"", "  text/html \"<p>two\""]);
    assert_eq!(shape("Content-Type: multipart/mixed; boundary=x\n\nno part at all"), ["multipart/mixed \"no part at all\""]);
    assert_eq!(
        shape("Content-Type: multipart/mixed\n\n--x\n\nno boundary named"),
        ["multipart/mixed \"--x\\n\\nno boundary named\""]
    );
}

#[test]
fn odd_transfer_encodings() {
    for (encoding, body, text) in [
        ("base64", "SGVsbG8=", "Hello"),
        ("BASE64 ", "SGVs bG8", "Hello"),
        ("base64", "Dear all, this is no base64 (really).\n", "Dear all, this is no base64 (really).\n"),
        (
            "base64",
            "SGVsbG8=\n__________\nlist: http://list.test/, (unsubscribe)",
            "Hello\n__________\nlist: http://list.test/, (unsubscribe)",
        ),
        ("base64", "ecO2dMOkCg== ignored", "yötä\nignored"),
        ("base64", "SGVs\nbG8=\nSGVsbG8=", "HelloHello"),
        ("quoted-printable", "a=3Db=\nc =20\nd", "a=bc  \nd"),
        ("Quoted Printable", "=C3=A4 =ZZ", "ä =ZZ"),
        ("7-bit", "x=3D", "x=3D"),
        ("", "x", "x"),
        ("plain", "x", "x"),
        ("8bits", "x", "x"),
        ("7bit;", "x", "x"),
        ("x-uuencode", "begin 644 a.txt\n%2&5L;&\\\n`\nend\n", "Hello"),
        ("x-uuencode", "not encoded", "not encoded"),
    ] {
        let mail = format!("Content-Transfer-Encoding: {encoding}\n\n{body}");
        let parts = read(mail.as_bytes()).unwrap();
        assert_eq!(String::from_utf8_lossy(&parts[0].bytes(mail.as_bytes())), text, "{encoding}");
    }
}

#[test]
fn file_names_in_every_way() {
    for (header, name) in [
        ("attachment; filename=a.pdf", Some("a.pdf")),
        ("attachment; filename=\"my file.pdf\"", Some("my file.pdf")),
        ("attachment; filename=my file.pdf; size=3", Some("my file.pdf")),
        ("attachment; filename=\"=?utf-8?B?w6QucGRm?=\"", Some("ä.pdf")),
        ("attachment; filename*=utf-8''%C3%A4.pdf", Some("ä.pdf")),
        ("attachment; filename*=UTF-8''%C3%A4.pdf; filename=\"a.pdf\"", Some("ä.pdf")),
        ("attachment; filename*0=\"long \"; filename*1=\"name.pdf\"", Some("long name.pdf")),
        ("attachment; filename*0*=iso-8859-1'de'%E4; filename*1*=%F6; filename*2=.pdf", Some("äö.pdf")),
        // Broken: no charset, a charset that nobody knows, percent signs that are none.
        ("attachment; filename*=%E4.pdf", Some("ä.pdf")),
        ("attachment; filename*=made-up''%E4.pdf", Some("ä.pdf")),
        ("attachment; filename*=utf-8''50%.pdf", Some("50%.pdf")),
        ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
        ("attachment; filename=\"C:\\files\\x.doc\"", Some("x.doc")),
        ("attachment; filename=\"say \\\"hi\\\".txt\"", Some("say \"hi\".txt")),
        ("attachment; filename=\"fdp\u{202E}exe.pdf\"", Some("fdpexe.pdf")),
        ("attachment; filename=\"..\"", None),
        ("attachment; filename=", None),
        ("attachment", None),
    ] {
        let mail = format!("Content-Disposition: {header}\n\nx");
        assert_eq!(read(mail.as_bytes()).unwrap()[0].name.as_deref(), name, "{header}");
    }
}

#[test]
fn broken_content_types() {
    for (header, mime) in [
        ("text/html; charset=utf-8", "text/html"),
        ("TEXT/HTML", "text/html"),
        ("text / html", "text/html"),
        ("text", "text/plain"),
        ("html", "text/html"),
        ("image/", "text/plain"),
        ("multipart; boundary=x", "multipart/mixed"),
        ("text/plain (a comment; with=signs); charset=utf-8", "text/plain"),
        ("", "text/plain"),
    ] {
        assert_eq!(content_type(Some(header), false).0, mime, "{header}");
    }
    assert_eq!(parameters("multipart/mixed; boundary=\"(x\"").1, [("boundary".to_owned(), "(x".to_owned())]);
    assert_eq!(parameters("multipart/mixed; boundary=(x").1, [("boundary".to_owned(), "(x".to_owned())]);
}

fn nested(levels: usize) -> Vec<u8> {
    let mut mail = b"Subject: deep\n".to_vec();
    for level in 0..levels {
        mail.extend_from_slice(format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n").as_bytes());
    }
    mail.extend_from_slice(b"\nthe end\n");
    mail
}

#[test]
fn ten_thousand_levels_are_refused_and_fifty_are_read() {
    assert_eq!(read(&nested(10_000)).unwrap_err(), Limit::Depth);
    let mail = nested(50);
    let parts = read(&mail).unwrap();
    assert_eq!(parts.len(), 51);
    assert_eq!(parts[50].text(&mail).text, "the end\n");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is looked at")]
fn floods_of_boundaries_end_in_time() {
    let started = std::time::Instant::now();
    let mut mail = b"Content-Type: multipart/mixed; boundary=x\n\n".to_vec();
    mail.extend(b"--x\n".repeat(1_000_000));
    assert_eq!(read(&mail).unwrap_err(), Limit::Parts);
    let mut mail = nested(99);
    mail.extend(b"--y\n".repeat(1_000_000));
    assert_eq!(read(&mail).unwrap_err(), Limit::Work);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn an_empty_first_line_of_a_part_ends_its_headers() {
    let mail = "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nSubject: this is text\n--x--\n";
    assert_eq!(shape(mail)[1], "  text/plain \"Subject: this is text\"");
}
