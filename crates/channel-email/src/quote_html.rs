//! What of an HTML mail is new. The tree is written as lines of text, with quoting elements as `> ` lines and the known
//! marks of mail programs as separators; then the rules for text decide (`quote`), and the answer goes back to the
//! elements as `data-fold`. So a language or a program has to be learnt only once.

use crate::html::is_hidden;
use crate::html_dom::{Data, Dom, NodeId, UNSEEN};
use crate::quote::{Folded, Span, SpanKind, Split, split_text};
use crate::quote_lines::{is_blank, is_unseen};

// Stands for a picture while lines are made.
const PICTURE: char = '\u{fffc}';

// Deeper quotes look the same.
const QUOTES_MAX: usize = 10;

#[derive(Default)]
struct Row {
    text: String,
    nodes: Vec<NodeId>,
    // Told by an element: part of a signature.
    signature: bool,
    // Made by us, so it is no text of the mail.
    made: bool,
}

impl Row {
    // More than the mark of a quote. Asked for each word, so it looks at no more than such a mark can be long.
    fn has_words(&self) -> bool {
        self.text.len() > QUOTES_MAX + 1 || self.text.chars().any(|c| !matches!(c, '>' | ' '))
    }
}

struct Writer<'a> {
    dom: &'a Dom,
    rows: Vec<Row>,
    // Quoting elements around.
    quotes: usize,
    signatures: usize,
    pre: usize,
    // White space that waits for the next word.
    space: bool,
}

/// Text of a tree and what of it is new; marks the folded elements in the tree.
pub(crate) fn split(dom: &mut Dom) -> (String, Split) {
    let mut writer = Writer { dom, rows: vec![Row::default()], quotes: 0, signatures: 0, pre: 0, space: false };
    writer.walk();
    let rows = writer.rows;
    let body: String = rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>().join("\n");
    let decided = split_text(&body);
    let mut kinds = row_kinds(&rows, &decided);
    sign(&rows, &mut kinds);
    let mut gathered = gather(&rows, &kinds);
    // A picture above the history is something new, but no text: whoever reads text only would get nothing.
    if is_blank(&gathered.1.reply) && !is_blank(&gathered.0) {
        kinds.fill(SpanKind::New);
        gathered = gather(&rows, &kinds);
    }
    mark(dom, &rows, &kinds);
    gathered
}

// Each row lies in one span, since spans are whole lines.
fn row_kinds(rows: &[Row], split: &Split) -> Vec<SpanKind> {
    let mut spans = split.spans.iter().peekable();
    let (mut at, mut last) = (0, SpanKind::New);
    rows.iter()
        .map(|row| {
            while spans.peek().is_some_and(|span| span.end <= at && span.end > span.start) {
                spans.next();
            }
            at += row.text.len() + 1;
            last = spans.peek().map_or(last, |span| span.kind);
            last
        })
        .collect()
}

// Signatures that the mail program marked, unless nothing else is there.
fn sign(rows: &[Row], kinds: &mut [SpanKind]) {
    let unmarked = rows
        .iter()
        .zip(kinds.iter())
        .any(|(row, kind)| *kind == SpanKind::New && !row.signature && !row.made && !is_blank(&row.text));
    if unmarked {
        let signed = rows.iter().zip(kinds.iter_mut()).filter(|(row, kind)| row.signature && **kind == SpanKind::New);
        signed.for_each(|(_, kind)| *kind = SpanKind::Signature);
    }
}

fn gather(rows: &[Row], kinds: &[SpanKind]) -> (String, Split) {
    let mut text = String::new();
    let mut spans: Vec<Span> = vec![];
    let mut blank = true;
    for (row, kind) in rows.iter().zip(kinds) {
        if row.made {
            continue;
        }
        let line: String = row.text.chars().filter(|c| *c != PICTURE && (*c == '\t' || !c.is_control())).collect();
        let line = line.trim_end_matches(is_unseen);
        let empty = is_blank(line);
        // Lay-out makes empty lines without end.
        if empty && (blank || text.is_empty()) {
            continue;
        }
        blank = empty;
        let start = text.len();
        text.push_str(line);
        text.push('\n');
        match spans.last_mut() {
            Some(last) if last.kind == *kind => last.end = text.len(),
            _ => spans.push(Span { kind: *kind, start, end: text.len() }),
        }
    }
    let folded = spans
        .iter()
        .filter(|span| span.kind != SpanKind::New)
        .map(|span| Folded { kind: span.kind, start: span.start, end: span.end, text: text[span.start..span.end].to_owned() })
        .collect();
    let split = Split { reply: crate::quote::joined(&text, &spans), folded, spans };
    (text, split)
}

// Puts `data-fold` on the highest elements of which everything is folded in one way.
fn mark(dom: &mut Dom, rows: &[Row], kinds: &[SpanKind]) {
    const UNKNOWN: u8 = 0;
    const MIXED: u8 = 255;
    let code = |kind: SpanKind| match kind {
        SpanKind::New => 1,
        SpanKind::Quote => 2,
        SpanKind::Forward => 3,
        SpanKind::Signature => 4,
    };
    let mut states = vec![UNKNOWN; dom.nodes.len()];
    for (row, kind) in rows.iter().zip(kinds) {
        for node in &row.nodes {
            let new = code(*kind);
            states[*node] = if states[*node] == UNKNOWN || states[*node] == new { new } else { MIXED };
        }
    }
    let mut order = vec![0];
    let mut next = 0;
    while next < order.len() {
        order.extend(dom.nodes[order[next]].children.iter().copied());
        next += 1;
    }
    for id in order.iter().rev() {
        if let Some(parent) = dom.nodes[*id].parent {
            let (own, above) = (states[*id], states[parent]);
            states[parent] = match (own, above) {
                (UNKNOWN, above) => above,
                (own, UNKNOWN) => own,
                (own, above) if own == above => own,
                _ => MIXED,
            };
        }
    }
    for id in order {
        let word = match states[id] {
            2 => "quote",
            3 => "forward",
            4 => "signature",
            _ => "",
        };
        if let Data::Element { attrs, .. } = &mut dom.nodes[id].data {
            // What the mail itself says about folding counts nothing.
            attrs.retain(|(name, _)| name != "data-fold");
        }
        let Some(parent) = dom.nodes[id].parent else { continue };
        if word.is_empty() || states[parent] == states[id] {
            continue;
        }
        let fold = ("data-fold".to_owned(), word.to_owned());
        match &mut dom.nodes[id].data {
            Data::Element { attrs, .. } => attrs.push(fold),
            Data::Text(text) => {
                // A text cannot carry the mark, so it gets an element around it.
                let text = Data::Text(std::mem::take(text));
                let inner = dom.add(text, id);
                dom.nodes[id].data = Data::Element { name: "span".to_owned(), attrs: vec![fold] };
                dom.nodes[id].children.push(inner);
            }
            Data::Nothing => {}
        }
    }
}

const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "tr",
    "ul",
];

impl Writer<'_> {
    fn walk(&mut self) {
        enum Step {
            Enter(NodeId),
            Leave(NodeId),
        }
        let mut open = vec![Step::Enter(0)];
        while let Some(step) = open.pop() {
            match step {
                Step::Leave(id) => self.leave(id),
                Step::Enter(id) => {
                    let name = self.dom.name(id);
                    if UNSEEN.contains(&name) || (!name.is_empty() && is_hidden(self.dom, id)) {
                        continue;
                    }
                    self.enter(id);
                    open.push(Step::Leave(id));
                    open.extend(self.dom.nodes[id].children.iter().rev().map(|child| Step::Enter(*child)));
                }
            }
        }
    }

    fn enter(&mut self, id: NodeId) {
        match &self.dom.nodes[id].data {
            Data::Nothing => return,
            Data::Text(text) => return self.text(id, text),
            Data::Element { .. } => {}
        }
        let name = self.dom.name(id);
        if BLOCKS.contains(&name) {
            self.end_row();
        }
        if begins_history(self.dom, id) {
            self.make("-----Original Message-----");
        }
        match name {
            "br" => self.new_row(),
            "hr" => {
                // Drawn by the mail itself, but as a line of our own.
                self.row().text.push_str("________________________");
                self.row().nodes.push(id);
                self.new_row();
                if let Some(row) = self.rows.iter_mut().rev().nth(1) {
                    row.made = true;
                }
            }
            "img" => self.picture(id),
            "td" | "th" => self.space = true,
            "li" => self.word(id, "- "),
            "pre" => self.pre += 1,
            "p" if !self.dom.has_class(id, |class| class.starts_with("Mso")) => self.blank_row(),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.blank_row(),
            _ => {}
        }
        if is_quote(self.dom, id) {
            self.quotes += 1;
        }
        if is_signature(self.dom, id) {
            self.signatures += 1;
        }
    }

    fn leave(&mut self, id: NodeId) {
        let name = self.dom.name(id);
        if name.is_empty() {
            return;
        }
        if BLOCKS.contains(&name) {
            self.end_row();
        }
        if is_quote(self.dom, id) {
            self.quotes -= 1;
        }
        if is_signature(self.dom, id) {
            self.signatures -= 1;
        }
        match name {
            "pre" => self.pre -= 1,
            "p" if !self.dom.has_class(id, |class| class.starts_with("Mso")) => self.blank_row(),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.blank_row(),
            _ => {}
        }
    }

    fn row(&mut self) -> &mut Row {
        if self.rows.is_empty() {
            self.rows.push(Row::default());
        }
        let last = self.rows.len() - 1;
        let (quotes, signature) = (self.quotes, self.signatures > 0);
        let row = &mut self.rows[last];
        row.signature |= signature;
        if row.text.is_empty() && quotes > 0 {
            row.text = format!("{} ", ">".repeat(quotes.min(QUOTES_MAX)));
        }
        row
    }

    // Is there nothing yet in the row but the mark of a quote?
    fn fresh(&self) -> bool {
        self.rows.last().is_none_or(|row| !row.has_words())
    }

    fn new_row(&mut self) {
        self.row();
        self.rows.push(Row::default());
        self.space = false;
    }

    fn end_row(&mut self) {
        if self.rows.last().is_some_and(|row| !row.text.is_empty()) {
            self.new_row();
        }
        self.space = false;
    }

    // An empty row between paragraphs.
    fn blank_row(&mut self) {
        let before = self.rows.len().checked_sub(2).and_then(|at| self.rows.get(at));
        let filled = before.is_some_and(Row::has_words);
        if filled && self.fresh() {
            self.new_row();
        }
    }

    fn make(&mut self, text: &str) {
        self.end_row();
        self.rows.push(Row { text: text.to_owned(), made: true, ..Row::default() });
        self.rows.push(Row::default());
    }

    fn word(&mut self, id: NodeId, text: &str) {
        let fresh = self.fresh();
        let space = std::mem::take(&mut self.space) && !fresh;
        let row = self.row();
        if space && !row.text.ends_with(' ') {
            row.text.push(' ');
        }
        row.text.push_str(text);
        row.nodes.push(id);
    }

    fn picture(&mut self, id: NodeId) {
        let small = |name| {
            self.dom.attr(id, name).and_then(|size| size.trim_end_matches("px").parse::<u32>().ok()).is_some_and(|size| size <= 3)
        };
        if small("width") || small("height") {
            self.row().nodes.push(id);
            return;
        }
        // A picture that is a letter.
        let sign = self
            .dom
            .attr(id, "alt")
            .filter(|alt| alt.chars().count() <= 8 && !alt.is_empty() && !alt.is_ascii())
            .map(str::to_owned);
        match sign {
            Some(sign) => self.word(id, &sign),
            None => self.word(id, &PICTURE.to_string()),
        }
    }

    fn text(&mut self, id: NodeId, text: &str) {
        if self.pre > 0 {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.new_row();
                }
                let line = line.trim_end_matches('\r');
                let row = self.row();
                row.text.push_str(line);
                row.nodes.push(id);
            }
            return;
        }
        // A no-break space is a space that counts.
        let collapses = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
        let mut first = true;
        for word in text.split(collapses) {
            if !first {
                self.space = true;
            }
            first = false;
            if !word.is_empty() {
                self.word(id, word);
            }
        }
    }
}

fn is_quote(dom: &Dom, id: NodeId) -> bool {
    if dom.name(id) != "blockquote" {
        return false;
    }
    // The button "more indent" of an editor makes one without a border.
    let style = dom.attr(id, "style").unwrap_or_default().to_ascii_lowercase().replace(' ', "");
    let indent = style.contains("border:none") || style.contains("border:0") || style.contains("border:medium");
    !indent || dom.attr(id, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("cite"))
}

// Marks that mail programs put where the answered mail begins.
fn begins_history(dom: &Dom, id: NodeId) -> bool {
    let marked = dom.attr(id, "id").is_some_and(|mark| {
        let mark = mark.trim_start_matches("x_");
        [
            "divRplyFwdMsg",
            "appendonsend",
            "OLK_SRC_BODY_SECTION",
            "stopSpelling",
            "zwchr",
            "isReplyContent",
            "mail-editor-reference-message-container",
        ]
        .contains(&mark)
            || ["AOLMsgPart", "yahoo_quoted", "reply-intro", "divtagdefaultwrapper-reply"]
                .iter()
                .any(|start| mark.starts_with(start))
    });
    let classed = dom.has_class(id, |class| {
        [
            "yahoo_quoted",
            "protonmail_quote",
            "tutanota_quote",
            "zmail_extra",
            "OutlookMessageHeader",
            "ms-outlook-mobile-reference-message",
            "front-blockquote",
            "moz-email-headers-table",
        ]
        .contains(&class)
    });
    // GMX and WEB.DE; Windows Mail and Outlook draw a line over the header block.
    let named = dom.attr(id, "name").is_some_and(|name| name == "quote");
    marked || classed || named
}

fn is_signature(dom: &Dom, id: NodeId) -> bool {
    let classed = dom.has_class(id, |class| {
        [
            "gmail_signature",
            "moz-signature",
            "ms-outlook-mobile-signature",
            "protonmail_signature_block",
            "zm_signature",
            "tutanota_signature",
        ]
        .contains(&class)
    });
    let marked = dom.attr(id, "id").is_some_and(|mark| {
        [
            "Signature",
            "x_Signature",
            "ymail_android_signature",
            "ms-outlook-mobile-signature",
            "AppleMailSignature",
            "lineBreakAtBeginningOfSignature",
        ]
        .contains(&mark)
    });
    classed
        || marked
        || dom.attr(id, "data-smartmail").is_some_and(|mark| mark == "gmail_signature")
        || dom.attr(id, "data-signatureblock").is_some_and(|mark| mark == "true")
}
