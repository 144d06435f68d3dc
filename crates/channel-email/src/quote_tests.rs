use super::*;

fn reply(text: &str) -> String {
    split_text(text).reply
}

#[test]
fn a_body_is_covered_by_its_spans_in_order() {
    let body = "Hello\r\n\r\nOn 5 May 2020, at 10:00, Ann wrote:\r\n> Hi\r\n-- \r\nJo";
    let split = split_text(body);
    let together: String = split.spans.iter().map(|span| &body[span.start..span.end]).collect();
    assert_eq!(together, body);
    let kinds: Vec<SpanKind> = split.spans.iter().map(|span| span.kind).collect();
    assert_eq!(kinds, [SpanKind::New, SpanKind::Quote, SpanKind::Signature]);
    assert_eq!(split.reply, "Hello");
    assert_eq!(split.folded[1].text, "-- \r\nJo");
}

#[test]
fn nothing_is_folded_when_nothing_would_be_left() {
    for body in [
        "> only a quote\n> of two lines",
        "-- \nJo Doe",
        "Sent from my iPhone",
        "On 5 May 2020, at 10:00, Ann <a@b.test> wrote:\n> Hi",
        "",
        "\n \n",
    ] {
        assert_eq!(reply(body), body.trim(), "{body:?}");
    }
    // A signature alone is shown, the history under it stays folded.
    let split = split_text("Sent from my iPhone\n\nOn 5 May 2020, at 10:00, Ann <a@b.test> wrote:\n> Hi");
    assert_eq!((split.reply.as_str(), split.folded.len()), ("Sent from my iPhone", 1));
}
