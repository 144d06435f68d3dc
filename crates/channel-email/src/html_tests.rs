use super::*;
use crate::quote::SpanKind;

fn safe(html: &str) -> String {
    read(html).unwrap().safe
}

// What stands in tags; text may say what it likes.
fn tags(html: &str) -> String {
    html.split('<').skip(1).map(|tag| tag.split_once('>').map_or(tag, |(tag, _)| tag)).map(|tag| format!("<{tag} ")).collect()
}

#[test]
fn nothing_runs_loads_or_leaves_the_frame() {
    for hostile in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<a href=\" java\nscript:alert(1)\">x</a>",
        "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
        "<form action=\"https://evil.test\"><input name=password><button>Sign in</button></form>",
        "<iframe src=\"https://evil.test\"></iframe>",
        "<object data=\"https://evil.test\"></object><embed src=\"https://evil.test\">",
        "<link rel=stylesheet href=\"https://evil.test/x.css\">",
        "<meta http-equiv=refresh content=\"0;url=https://evil.test\">",
        "<base href=\"https://evil.test/\">",
        "<style>@import 'https://evil.test/x.css'; body { display: none }</style>",
        "<div style=\"position:fixed;top:0;left:0;width:100%\">x</div>",
        "<div style=\"background-image:url(https://evil.test/x.png)\">x</div>",
        "<div style=\"background:u\\72l(https://evil.test/x.png)\">x</div>",
        "<div style=\"margin-top:-500px\">x</div>",
        "<div style=\"list-style:url(https://evil.test/x.png)\">x</div>",
        "<div style=\"color:expression(alert(1))\">x</div>",
        "<table background=\"https://evil.test/x.png\"><tr><td background=\"https://evil.test/y.png\">x</td></tr></table>",
        "<img src=\"blob:https://evil.test/x\"><img src=\"cid evil.test\">",
        "<img srcset=\"https://evil.test/x.png 2x\"><picture><source srcset=\"https://evil.test/x.png\"></picture>",
        "<video src=\"https://evil.test/x\" poster=\"https://evil.test/y\"></video><audio src=\"https://evil.test/x\"></audio>",
        "<input type=image src=\"https://evil.test/x.png\">",
        "<div id=\"root\" class=\"app\" onclick=\"alert(1)\">x</div>",
        "<body onload=alert(1) background=\"https://evil.test/x.png\">x</body>",
        "<img src=\"data:image/svg+xml;base64,PHN2Zz4=\">",
        "<a href=\"https://ok.test\" onclick=\"alert(1)\" ping=\"https://evil.test\" target=_self>x</a>",
        "<textarea><img src=x onerror=alert(1)></textarea>",
        "<title><img src=x onerror=alert(1)></title>",
        "<xmp><img src=x onerror=alert(1)></xmp>",
        "<template><img src=x onerror=alert(1)></template>",
        "<p data-fold=\"quote\" data-remote-src=\"https://evil.test\">x</p>",
    ] {
        let safe = tags(&safe(hostile).to_lowercase());
        for never in [
            "<script",
            "onerror",
            "onclick",
            "onload",
            "javascript:",
            "<iframe",
            "<form",
            "<input",
            "<style",
            "evil.test",
            "position",
            "url(",
            "<svg",
            "<meta",
            "<link",
            "<base",
            " src=",
            " id=",
            " class=",
            "background-image",
            "data-fold",
            "ping=",
        ] {
            assert!(!safe.contains(never), "{never:?} is in {safe:?}, made of {hostile:?}");
        }
    }
}

#[test]
fn pictures_wait_to_be_asked_for() {
    let html = read("<p>Hi <img src=\"https://shop.test/a.png\" width=10 alt=\"A\"><img src='cid:part1.abc%40shop'><img src=\"//shop.test/b.png\"><img src=\"data:image/png;base64,AAAA\"><img src=\"file:///etc/passwd\"></p>").unwrap();
    assert_eq!((html.remote_images, html.cids.as_slice()), (3, &["part1.abc@shop".to_owned()][..]));
    assert!(
        html.safe.contains("data-remote-src=\"https://shop.test/a.png\"")
            && html.safe.contains("alt=\"A\"")
            && html.safe.contains("width=\"10\""),
        "{}",
        html.safe
    );
    assert!(html.safe.contains("data-remote-src=\"https://shop.test/b.png\""), "{}", html.safe);
    assert!(html.safe.contains("<img src=\"cid:part1.abc@shop\">"), "{}", html.safe);
    assert!(!html.safe.contains("passwd") && html.safe.matches(" src=").count() == 1, "{}", html.safe);
}

#[test]
fn what_a_mail_looks_like_is_kept() {
    let html = safe(
        "<div style=\"color:#c00;position:absolute;font-size:12pt\"><b>Hi</b> <font color=red>you</font><table border=1 cellpadding=2><tr><td colspan=2 align=right>1</td></tr></table><a href=\"https://shop.test/?a=1&amp;b=2\">shop</a></div>",
    );
    for part in [
        "color:#c00",
        "font-size:12pt",
        "<b>Hi</b>",
        "color=\"red\"",
        "colspan=\"2\"",
        "href=\"https://shop.test/?a=1&amp;b=2\"",
        "rel=\"noopener noreferrer nofollow\"",
        "target=\"_blank\"",
    ] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
}

#[test]
fn folded_elements_are_marked_and_text_is_read_in_lines() {
    let html = read("<html><head><title>t</title></head><body><p>Thank&nbsp;you!</p>See you,<br>Jo<div class=gmail_signature>Jo Doe<br>Shop</div><div class=\"gmail_quote\"><div>On Wed, Nov 2, 2016 at 12:34 PM Ann &lt;<a href=\"mailto:ann@shop.test\">ann@shop.test</a>&gt; wrote:<br></div><blockquote class=gmail_quote>Is it <b>fine</b>?</blockquote></div></body></html>").unwrap();
    assert_eq!(html.split.reply, "Thank\u{a0}you!\n\nSee you,\nJo");
    let kinds: Vec<SpanKind> = html.split.spans.iter().map(|span| span.kind).collect();
    assert_eq!(kinds, [SpanKind::New, SpanKind::Signature, SpanKind::Quote]);
    assert_eq!(html.split.folded[1].text.trim(), "On Wed, Nov 2, 2016 at 12:34 PM Ann <ann@shop.test> wrote:\n> Is it fine?");
    assert!(
        html.safe.contains("<div data-fold=\"signature\">Jo Doe") && html.safe.contains("<div data-fold=\"quote\"><div>On Wed"),
        "{}",
        html.safe
    );
    assert_eq!(html.safe.matches("data-fold").count(), 2, "{}", html.safe);
}

#[test]
fn text_without_an_element_of_its_own_is_folded_too() {
    let html = read("Thank you!<br><br>-----Original Message-----<br>From: Ann<br>Sent: Monday<br>To: Jo<br>Subject: x<br><br>Old <b>text</b>").unwrap();
    assert_eq!(html.split.reply, "Thank you!");
    assert!(
        html.safe.starts_with("Thank you!<br><br><span data-fold=\"quote\">-----Original Message-----</span>"),
        "{}",
        html.safe
    );
    assert!(html.safe.contains("<b data-fold=\"quote\">text</b>"), "{}", html.safe);
}

#[test]
fn marks_of_programs_tell_history_in_any_language() {
    for mark in [
        "<div id=\"divRplyFwdMsg\">Xyz: Ann</div><div>Old</div>",
        "<div id=\"appendonsend\"></div><hr><div>Xyz: Ann</div><div>Old</div>",
        "<div class=\"yahoo_quoted\"><div>Xyz</div><div>Old</div></div>",
        "<div class=\"protonmail_quote\">Xyz<br>Old</div>",
        "<div name=\"quote\">Xyz<br>Old</div>",
        "<div class=\"moz-cite-prefix\">Am 02.11.2016 um 12:34 schrieb Ann:</div><blockquote type=\"cite\">Old</blockquote>",
    ] {
        let html = read(&format!("<div>Thank you!</div>{mark}")).unwrap();
        assert_eq!(html.split.reply, "Thank you!", "{mark}");
        // Nothing above the mark: all of it is shown.
        let alone = read(mark).unwrap();
        assert_eq!(alone.split.reply.is_empty(), alone.text.is_empty(), "{mark}");
    }
    // The editor's indentation is no quote.
    let indented = "<div>See:</div><blockquote style=\"margin:0 0 0 40px;border:none;padding:0px\">the rest</blockquote>";
    assert_eq!(read(indented).unwrap().split.reply, "See:\nthe rest");
}

#[test]
fn hidden_elements_are_no_text() {
    assert_eq!(to_text("a\u{1}\u{7f}&#8;b\u{fffc}").trim_end(), "ab");
    assert_eq!(to_text("<div style=\"display:none\">Preview</div><p>One</p><p>Two<br>Three</p><ul><li>a<li>b</ul><pre>x\n  y</pre><table><tr><td>1</td><td>2</td></tr></table>").trim_end(), "One\n\nTwo\nThree\n\n- a\n- b\nx\n  y\n1 2");
}

#[test]
fn html_that_asks_too_much_is_refused_and_still_gives_text() {
    let cases = [
        ("<div>".repeat(100_000) + "deep", HtmlRefused::TooDeep),
        (
            format!("<p>{}{}", (0..200).map(|n| format!("<font size={n}>")).collect::<String>(), "</p><p>x".repeat(20_000)),
            HtmlRefused::TooMany,
        ),
        (format!("<a {}>x</a>", (0..20_000).map(|n| format!("a{n} ")).collect::<String>()), HtmlRefused::TooMany),
        ("x ".repeat(HTML_MAX), HtmlRefused::TooLarge),
        ("<p>x".repeat(150_000), HtmlRefused::TooMany),
    ];
    for (html, wanted) in cases {
        assert_eq!(read(&html).map(|html| html.text.len()), Err(wanted));
        assert!(to_text(&html).contains('x') || to_text(&html).contains("deep"));
    }
    assert_eq!(to_text(&("<div>".repeat(300) + "<style>p{}</style>a &amp; b<br>c")), "a & b c");
}

#[test]
fn a_picture_alone_does_not_empty_the_text() {
    let html = read("<img src=cid:photo><blockquote type=cite>Can you send a picture?</blockquote>").unwrap();
    assert_eq!(html.split.reply, "> Can you send a picture?");
    assert!(html.safe.contains("cid:photo"));
}

// Rows that are looked at again for each word or paragraph would make these take minutes, also without optimisation.
#[test]
fn long_rows_are_not_read_again_for_each_word() {
    let length = 300_000;
    for html in [
        "&gt; ".repeat(length / 2),
        "&gt;".repeat(length) + &"<p></p>".repeat(20_000),
        "> ".repeat(length),
        "<b>&gt;</b>".repeat(20_000),
    ] {
        assert!(read(&html).unwrap().text.contains('>'));
    }
}

#[test]
fn broken_html_never_panics() {
    let base = "<table><tr><td style='color:rgb(1,2,3)'>&amp;&nbsp;<blockquote type=cite>q</blockquote><a href=http://x.test>l</a><img src=cid:a><pre>\n a</pre><template><p>t</template></table><!-- c --><p class=MsoNormal>ü€😀";
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let pieces = [
        "<",
        ">",
        "</table>",
        "<table>",
        "<b>",
        "</b>",
        "<a>",
        "<p>",
        "&#0;",
        "\"",
        "'",
        "<svg><p>",
        "<select><option>",
        "<template>",
        "\u{feff}",
        "</p>",
        "<frameset>",
        "<body>",
        "</html>x",
    ];
    for _ in 0..1_500 {
        let mut html: Vec<char> = base.chars().collect();
        for _ in 0..1 + next(6) {
            let at = next(html.len());
            match next(3) {
                0 => drop(html.remove(at)),
                1 => html.splice(at..at, pieces[next(pieces.len())].chars()).for_each(drop),
                _ => html.swap(at, at / 2),
            }
        }
        let html: String = html.into_iter().collect();
        if let Ok(read) = read(&html) {
            assert!(!tags(&read.safe).replace(" src=\"cid:", "").contains(" src=") && !read.safe.contains("<script"), "{html:?}");
            // Safe HTML read again is the same: nothing in it turns into something else.
            assert_eq!(clean(&read.safe), read.safe.trim_start_matches('\u{feff}'), "{html:?}");
        }
    }
}
