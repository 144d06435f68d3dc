use super::*;
use crate::mime;

fn sorted(mail: &str) -> Content {
    read(mail.as_bytes(), &mime::read(mail.as_bytes()).unwrap())
}

fn multi(kind: &str, parts: &[&str]) -> String {
    let inner: String = parts.iter().map(|part| format!("--=_{kind}\n{part}\n")).collect();
    format!("Content-Type: multipart/{kind}; boundary=\"=_{kind}\"\n\n{inner}--=_{kind}--\n")
}

fn names(content: &Content) -> Vec<&str> {
    content.files.iter().map(|file| file.name.as_str()).collect()
}

const PLAIN: &str = "Content-Type: text/plain\n\nplain";
const HTML: &str = "Content-Type: text/html\n\n<p>rich</p>";
const PNG: &str = "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=";

#[test]
fn bodies_are_joined_and_files_are_listed() {
    let content =
        sorted(&multi("mixed", &[PLAIN, PNG, "\nafter the picture", "Content-Disposition: attachment; filename=a.txt\n\nfile"]));
    assert_eq!(content.text, "plain\nafter the picture");
    assert_eq!((content.html, content.text_is_of_html), (None, false));
    let files: Vec<(&str, &str, u64)> = content.files.iter().map(|f| (f.name.as_str(), f.mime.as_str(), f.bytes)).collect();
    assert_eq!(files, [("image-1.png", "image/png", 8), ("a.txt", "text/plain", 4)]);
}

#[test]
fn of_alternatives_each_reader_gets_its_own() {
    let content = sorted(&multi("alternative", &[PLAIN, HTML]));
    assert_eq!((content.text.as_str(), content.html.as_deref()), ("plain", Some("<p>rich</p>")));
    let footer = "Content-Type: text/plain\n\nlist footer";
    let content = sorted(&multi("mixed", &[&multi("alternative", &[PLAIN, HTML]), footer]));
    assert_eq!(content.text, "plain\nlist footer");
    assert_eq!(content.html.as_deref(), Some("<p>rich</p><div>list footer</div>"));
    let content = sorted(&multi("alternative", &[HTML]));
    assert_eq!((content.text.as_str(), content.text_is_of_html), ("", true));
    let content = sorted(&multi("alternative", &["\none", "\ntwo"]));
    assert_eq!(content.text, "one\ntwo");
}

#[test]
fn c23_an_inline_picture_without_id_or_name_is_a_file() {
    let nameless = "Content-Type: image/png\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=";
    let content = sorted(&multi("related", &[HTML, nameless]));
    assert_eq!(names(&content), ["image-1.png"]);
    assert_eq!(content.files[0].content_id, None);
}

#[test]
fn a_picture_named_by_its_place_gets_an_id() {
    let html = "Content-Type: text/html\n\n<img src=\"http://x.test/a.png\">";
    let image = "Content-Type: image/png\nContent-Location: http://x.test/a.png\n\nx";
    let content = sorted(&multi("related", &[html, image]));
    assert_eq!(content.html.as_deref(), Some("<img src=\"cid:place-2\">"));
    assert_eq!(content.files[0].content_id.as_deref(), Some("place-2"));
}

#[test]
fn messages_calendars_seals_and_pieces() {
    let message = "Content-Type: message/rfc822\n\nSubject: old: one\n\nbody";
    let invite = "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VEVENT\nSUMMARY:fit\nEND:VEVENT";
    let content = sorted(&multi("mixed", &[PLAIN, message, invite]));
    assert_eq!(names(&content), ["old: one.eml", "invite.ics"]);
    assert_eq!(content.calendar[0].summary.as_deref(), Some("fit"));
    assert_eq!(content.calendar[0].method.as_deref(), Some("REQUEST"));

    let signed = multi("signed", &[PLAIN, "Content-Type: application/pgp-signature\n\nxyz"]);
    let content = sorted(&signed);
    assert_eq!(
        (content.text.as_str(), names(&content), content.seals.clone()),
        ("plain", vec!["signature.asc"], vec![Seal::PgpSigned])
    );
    let smime = signed.replace("boundary", "protocol=\"application/pkcs7-signature\"; boundary").replace("pgp-s", "pkcs7-s");
    assert_eq!((sorted(&smime).seals, names(&sorted(&smime))), (vec![Seal::SmimeSigned], vec!["smime.p7s"]));
    let encrypted = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nx";
    assert_eq!((sorted(encrypted).seals, names(&sorted(encrypted))), (vec![Seal::SmimeEncrypted], vec!["smime.p7m"]));
    assert_eq!(sorted("\n-----BEGIN PGP MESSAGE-----\nx").seals, [Seal::PgpEncrypted]);

    let content = sorted("Content-Type: message/partial; number=2; total=3; id=x\n\npiece");
    assert_eq!((names(&content), content.warnings[0].code.as_str()), (vec!["part 2 of 3.eml"], "partial"));
}

#[test]
fn every_listed_file_can_be_opened() {
    let mail = multi(
        "mixed",
        &[
            PLAIN,
            PNG,
            "Content-Disposition: attachment; filename=q.txt\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A4=\n!",
        ],
    );
    let content = sorted(&mail);
    let bytes: Vec<Vec<u8>> = content.files.iter().map(|f| open(mail.as_bytes(), &f.reference).unwrap().into_owned()).collect();
    assert_eq!(bytes, [b"\x89PNG\r\n\x1a\n".to_vec(), "ä!".as_bytes().to_vec()]);
    for reference in ["", "-", "1-2", "1-2x", "2-1p", "0-99999999p", "a-bp", "0-5p/0", "0-5p/x", "ü"] {
        assert_eq!(open(mail.as_bytes(), reference), None, "{reference}");
    }
}

#[test]
fn an_unknown_charset_is_a_warning() {
    let content = sorted("Content-Type: text/plain; charset=X-MADE-UP\n\nok");
    assert_eq!((content.text.as_str(), content.warnings[0].code.as_str()), ("ok", "unknown_charset"));
}
