//! Which part of a mail is new and what is folded away on screen: quoted history, forwarded mail, signature.
//!
//! In: a body. Out: spans that cover all of it, in order; nothing is deleted. When everything would be folded, nothing is.
//! Pure, never fails, and costs time in proportion to the length of the body (`quote_lines`).
//!
//! The rules, in the order in which they are asked:
//! 1. Where does somebody else's text begin: an attribution ("On .. wrote:"), a header block, a separator. When the quoted
//!    text after it has no `>`, it goes to the end.
//! 2. What is a signature: after `-- `, after a ruler when what follows looks like one, "Sent from my ..", a dashed name, a
//!    last paragraph that tells how to reach somebody.
//! 3. Which `>` lines are folded: those after the last line of the author, and those that an attribution introduces.
//!    Answers between quotes stay, with the quotes that they answer.

use crate::quote_lines::{
    Line, Separator, Sure, Work, attribution_ending, dashed_name, dated_sender, has_address, has_date, header_block, initials,
    is_blank, is_quoted, is_unseen, lines_of, looks_like_name, reaches, ruler, sent_from_device, separator,
};

/// Lines beyond this many are not looked at one by one; they belong to what came before them.
pub const LINES_MAX: usize = 60_000;

/// A signature has at most so many lines, disclaimer included ..
const SIGNATURE_LINES: usize = 40;
/// .. and bytes.
const SIGNATURE_BYTES: usize = 3_000;

/// What a piece of a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// Written for this mail.
    New,
    /// History that is quoted.
    Quote,
    /// A mail that is passed on.
    Forward,
    /// A signature, a device's or a mailing list's footer.
    Signature,
}

/// A piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Span {
    /// What it is.
    pub kind: SpanKind,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// A folded piece with its text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Folded {
    /// What it is.
    pub kind: SpanKind,
    /// First byte in the body.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// The text itself.
    pub text: String,
}

/// A body in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Split {
    /// What is new, without the empty lines around it. Never empty when the body is not.
    pub reply: String,
    /// What is folded, in order.
    pub folded: Vec<Folded>,
    /// All pieces in order; together they are the body.
    pub spans: Vec<Span>,
}

impl Split {
    /// The body without quoted and forwarded text, but with signatures.
    pub fn unquoted(&self, body: &str) -> String {
        join(body, self.spans.iter().filter(|span| matches!(span.kind, SpanKind::New | SpanKind::Signature)))
    }
}

/// Splits an HTML body. The spans are those of `html::Html::text`, which `html::read` gives together with safe HTML.
pub fn split_html(html: &str) -> Result<Split, crate::html::HtmlRefused> {
    crate::html::read(html).map(|html| html.split)
}

/// Splits a plain-text body.
pub fn split_text(text: &str) -> Split {
    split_counted(text).0
}

pub(crate) fn split_counted(text: &str) -> (Split, usize) {
    let lines = lines_of(text);
    let mut work = Work::default();
    let looked_at = &lines[..lines.len().min(LINES_MAX)];
    let mut kinds = Body::new(looked_at, &mut work).decide();
    kinds.resize(lines.len(), kinds.last().copied().unwrap_or(SpanKind::New));
    unhide(&lines, &mut kinds);
    (gather(text, &lines, &kinds), work.0)
}

// Nothing is folded when nothing would be left: first signatures come back, then everything.
fn unhide(lines: &[Line<'_>], kinds: &mut [SpanKind]) {
    let empty = |kinds: &[SpanKind]| !lines.iter().zip(kinds).any(|(line, kind)| *kind == SpanKind::New && !is_blank(line.text));
    if !empty(kinds) {
        return;
    }
    kinds.iter_mut().filter(|kind| **kind == SpanKind::Signature).for_each(|kind| *kind = SpanKind::New);
    if empty(kinds) {
        kinds.fill(SpanKind::New);
    }
}

fn gather(text: &str, lines: &[Line<'_>], kinds: &[SpanKind]) -> Split {
    let mut spans: Vec<Span> = vec![];
    for (line, kind) in lines.iter().zip(kinds) {
        match spans.last_mut() {
            Some(last) if last.kind == *kind => last.end = line.end,
            _ => spans.push(Span { kind: *kind, start: line.start, end: line.end }),
        }
    }
    let folded = spans.iter().filter(|span| span.kind != SpanKind::New).map(|span| Folded {
        kind: span.kind,
        start: span.start,
        end: span.end,
        text: text[span.start..span.end].to_owned(),
    });
    Split { reply: joined(text, &spans), folded: folded.collect(), spans }
}

/// The new pieces of a text put together.
pub(crate) fn joined(text: &str, spans: &[Span]) -> String {
    join(text, spans.iter().filter(|span| span.kind == SpanKind::New))
}

// Puts pieces together, without the empty lines around each; between two of them one empty line, unless there was none.
fn join<'a>(text: &str, spans: impl Iterator<Item = &'a Span>) -> String {
    let mut out = String::new();
    let mut before = 0;
    for span in spans {
        let piece = &text[span.start..span.end];
        let kept = piece.trim_end_matches(is_unseen);
        if kept.is_empty() {
            continue;
        }
        // Leading empty lines go, the indentation of the first line stays.
        let first = kept.len() - kept.trim_start_matches(is_unseen).len();
        let line = kept[..first].rfind('\n').map_or(0, |at| at + 1);
        let kept_from = span.start + line;
        let gap = lines_of(&text[before..kept_from]).iter().skip(1).any(|line| is_blank(line.text));
        if !out.is_empty() {
            out.push_str(if gap { "\n\n" } else { "\n" });
        }
        out.push_str(kept[line..].trim_start_matches(['\u{1427}', '\u{feff}', '\u{200b}']));
        before = span.start + kept.len();
    }
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Blank,
    Text,
    Quote,
    // Line of an attribution, header block or separator.
    Intro,
}

#[derive(Clone, Copy, Debug)]
struct Intro {
    start: usize,
    end: usize,
    sure: Sure,
    // Header blocks and separators stand over whole mails.
    block: bool,
    forward: bool,
}

struct Body<'a> {
    lines: &'a [Line<'a>],
    classes: Vec<Class>,
    intros: Vec<Intro>,
    kinds: Vec<SpanKind>,
    devices: Vec<bool>,
}

impl<'a> Body<'a> {
    fn new(lines: &'a [Line<'a>], work: &mut Work) -> Self {
        let fenced = fences(lines);
        let mut classes: Vec<Class> = lines
            .iter()
            .zip(&fenced)
            .map(|(line, fenced)| match () {
                () if is_blank(line.text) => Class::Blank,
                () if !fenced && is_quoted(line.text) => Class::Quote,
                () => Class::Text,
            })
            .collect();
        mark_initials(lines, &mut classes);
        let intros = find_intros(lines, &mut classes, &fenced, work);
        mark_leftovers(lines, &mut classes);
        mark_bars(lines, &mut classes, &intros);
        let devices =
            lines.iter().zip(&classes).map(|(line, class)| *class == Class::Text && sent_from_device(line.text, work)).collect();
        Self { lines, classes, intros, kinds: vec![SpanKind::New; lines.len()], devices }
    }

    fn decide(mut self) -> Vec<SpanKind> {
        let cut = self.cut_to_the_end();
        self.signatures(cut);
        self.quotes(cut);
        self.blanks();
        self.kinds
    }

    fn written(&self, at: usize) -> bool {
        self.classes[at] == Class::Text && self.kinds[at] == SpanKind::New
    }

    fn next_class(&self, from: usize) -> Option<Class> {
        self.classes[from..].iter().copied().find(|class| *class != Class::Blank)
    }

    // The first intro that is followed by unmarked text: from there on it is all somebody else's.
    fn cut_to_the_end(&mut self) -> usize {
        let mut written = false;
        let mut at = 0;
        let intros = std::mem::take(&mut self.intros);
        let mut kept = vec![];
        for intro in intros {
            written |= (at..intro.start).any(|line| self.classes[line] == Class::Text);
            at = at.max(intro.end);
            let next = self.next_class(intro.end);
            let marked = next == Some(Class::Quote);
            if written && !marked && intro.sure == Sure::Yes {
                let kind = if intro.forward { SpanKind::Forward } else { SpanKind::Quote };
                self.kinds[intro.start..].fill(kind);
                self.intros = kept;
                return intro.start;
            }
            if !written && !marked && intro.block {
                // A mail that was passed on without a word: it is all there is.
                self.classes[intro.start..intro.end].fill(Class::Text);
                written = true;
                continue;
            }
            kept.push(intro);
        }
        self.intros = kept;
        self.lines.len()
    }

    fn quotes(&mut self, cut: usize) {
        for intro in &self.intros {
            self.kinds[intro.start..intro.end].fill(SpanKind::Quote);
        }
        let is_written: Vec<bool> = (0..cut).map(|at| self.written(at)).collect();
        let Some(last_written) = is_written.iter().rposition(|written| *written) else {
            // Only quotes, at most with a signature: `unhide` shows them.
            (0..cut).filter(|at| self.classes[*at] == Class::Quote).for_each(|at| self.kinds[at] = SpanKind::Quote);
            return;
        };
        let first_written = is_written.iter().position(|written| *written).unwrap_or(last_written);
        let runs = self.runs(cut);
        // Answers between quotes: the quotes are what is answered, so they stay.
        let between = runs.windows(2).any(|pair| (pair[0].1..pair[1].0).any(|at| is_written[at]));
        for (start, end) in runs {
            let before = (0..start).rev().find(|at| self.classes[*at] != Class::Blank);
            let introduced = before.is_some_and(|at| self.classes[at] == Class::Intro);
            let trailing = start > last_written;
            let tall =
                (start..end).filter(|at| !is_blank(self.lines[*at].text.trim_start_matches(['>', ' ', '\t']))).count() >= 3;
            // Quoted by the author, and the whole mail once more after it.
            let chosen = !introduced && start > first_written && self.next_class(end) == Some(Class::Intro);
            let folded = match () {
                () if trailing => introduced || !(chosen || self.is_cited(start)),
                () if between => false,
                () if introduced => true,
                () => end <= first_written && tall,
            };
            if folded {
                self.kinds[start..end].fill(SpanKind::Quote);
            }
        }
    }

    // "The log says:" before quoted lines that nobody is named for: the author shows something.
    fn is_cited(&self, start: usize) -> bool {
        let before = (0..start).rev().find(|at| self.classes[*at] != Class::Blank);
        before.is_some_and(|at| {
            let text = self.lines[at].text.trim();
            let names = has_address(text) || has_date(text);
            self.written(at) && start - at <= 2 && text.ends_with([':', '：']) && text.split_whitespace().count() >= 3 && !names
        })
    }

    // Quoted lines in one piece: only empty lines, attributions and folded lines between them.
    fn runs(&self, cut: usize) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = vec![];
        let mut clean = false;
        for at in 0..cut {
            match self.classes[at] {
                Class::Quote => {
                    match runs.last_mut() {
                        Some(run) if clean => run.1 = at + 1,
                        _ => runs.push((at, at + 1)),
                    }
                    clean = true;
                }
                Class::Intro => clean = false,
                Class::Text if self.kinds[at] == SpanKind::New => clean = false,
                Class::Text | Class::Blank => {}
            }
        }
        runs
    }

    fn signatures(&mut self, cut: usize) {
        // Stretches of the author's own lines, each up to a quote, an attribution or the end.
        let mut at = 0;
        while at < cut {
            let own = |class: Class| matches!(class, Class::Text | Class::Blank);
            if !own(self.classes[at]) {
                at += 1;
                continue;
            }
            let end = (at..cut).find(|line| !own(self.classes[*line])).unwrap_or(cut);
            self.sign_stretch(at, end);
            at = end;
        }
    }

    fn sign_stretch(&mut self, start: usize, end: usize) {
        let mut end = end;
        if let Some(at) = self.ruled_signature(start, end) {
            self.kinds[at..end].fill(SpanKind::Signature);
            end = at;
        }
        self.device_lines(start, end);
        // "-Name", or a last paragraph with telephone and site.
        let Some(paragraph) = self.last_paragraph(start, end) else { return };
        let first = self.lines[paragraph].text;
        let alone = paragraph == start || is_blank(self.lines[paragraph - 1].text);
        let rest: Vec<&str> =
            self.lines[paragraph + 1..end].iter().map(|line| line.text).filter(|text| !is_blank(text)).collect();
        let before = (start..paragraph).any(|at| self.written(at)) || start > 0;
        let telling = rest.iter().filter(|text| reaches(text)).count();
        let named = dashed_name(first) && rest.iter().all(|text| reaches(text));
        // "My address is:" asks for what follows to be read.
        let told = (start..paragraph)
            .rev()
            .find(|at| self.written(*at))
            .is_some_and(|at| self.lines[at].text.trim().ends_with([':', '：']));
        let card =
            !told && looks_like_name(first, 2) && telling >= 2 && rest.len() <= 8 && rest.iter().all(|text| card_line(text));
        let device = looks_like_name(first, 2) && self.devices.get(paragraph + 1) == Some(&true);
        if alone && before && (named || card || device) {
            self.kinds[paragraph..end].fill(SpanKind::Signature);
            return;
        }
        // The contact line of a dashed name may stand after an empty line.
        if rest.is_empty()
            && reaches(first)
            && first.len() <= 60
            && let Some(up) = self.last_paragraph(start, paragraph)
            && dashed_name(self.lines[up].text)
            && self.lines[up + 1..paragraph].iter().all(|line| is_blank(line.text))
        {
            self.kinds[up..end].fill(SpanKind::Signature);
        }
    }

    // The first ruler of a stretch after which only a signature stands. A signature has few lines, so only rulers near
    // the end are asked.
    fn ruled_signature(&self, start: usize, end: usize) -> Option<usize> {
        let fenced = fences(&self.lines[start..end]);
        let (mut after, mut rulers, mut found) = (0, true, None);
        for at in (start..end).rev().filter(|at| self.classes[*at] == Class::Text) {
            let line = self.lines[at].text;
            if let Some((mark, count)) = ruler(line).filter(|_| !fenced[at - start]) {
                let short = line.trim().chars().count();
                let usual = (mark == '-' && count == 2 && short == 2) || (matches!(mark, '—' | '–') && short <= 2);
                let signed = usual && signature_after(&self.lines[at + 1..end]);
                if (rulers && count >= 2) || signed || self.ruled_off(start, at, end) {
                    found = Some(at);
                }
            } else {
                rulers = false;
            }
            after += 1;
            if !rulers && after > SIGNATURE_LINES {
                break;
            }
        }
        found
    }

    // First line of the last paragraph between two lines, past empty and already folded lines.
    fn last_paragraph(&self, start: usize, end: usize) -> Option<usize> {
        let last = (start..end).rev().find(|at| self.written(*at))?;
        let first = (start..last).rev().find(|at| !self.written(*at)).map_or(start, |at| at + 1);
        Some(first)
    }

    fn device_lines(&mut self, start: usize, end: usize) {
        for at in start..end {
            if !self.devices[at] {
                continue;
            }
            let open = |line: usize| line < start || line >= end || self.classes[line] == Class::Blank || self.devices[line];
            if at == start || open(at - 1) || open(at + 1) {
                self.kinds[at] = SpanKind::Signature;
            }
        }
    }

    // Is what follows a ruler the end of a mail (a signature, a list's footer, only more rulers)?
    fn ruled_off(&self, start: usize, at: usize, end: usize) -> bool {
        let after = &self.lines[at + 1..end];
        let written: Vec<&str> = after.iter().map(|line| line.text.trim()).filter(|text| !is_blank(text)).collect();
        let before = (start..at).any(|line| self.written(line));
        if !before && start == 0 {
            return false;
        }
        let (_, count) = ruler(self.lines[at].text).unwrap_or((' ', 0));
        // A heading underlined, or a table.
        let above = at.checked_sub(1).map_or("", |line| self.lines[line].text);
        let heading = !is_blank(above)
            && at > start
            && above.trim().chars().count().abs_diff(self.lines[at].text.trim().chars().count()) <= 3;
        let sections = written.iter().any(|text| ruler(text).is_some());
        let asks = written.iter().any(|text| text.ends_with('?') || text.chars().count() > 160);
        let prose = written.iter().filter(|text| text.chars().count() > 66 && !reaches(text)).count();
        count >= 3 && !heading && !sections && !asks && written.len() <= 15 && prose <= 2
    }

    // Empty lines belong to the folded piece after them, or to the one before them.
    fn blanks(&mut self) {
        let folded = |kind: SpanKind| kind != SpanKind::New;
        for at in (0..self.kinds.len()).rev() {
            if self.classes[at] != Class::Blank || folded(self.kinds[at]) {
                continue;
            }
            let next = self.kinds.get(at + 1).copied();
            if let Some(kind) = next.filter(|kind| folded(*kind)) {
                self.kinds[at] = kind;
            }
        }
        let mut before = SpanKind::New;
        for at in 0..self.kinds.len() {
            if self.classes[at] == Class::Blank && self.kinds[at] == SpanKind::New && folded(before) {
                self.kinds[at] = before;
            }
            before = self.kinds[at];
        }
    }
}

fn card_line(text: &str) -> bool {
    let text = text.trim();
    text.chars().count() <= 80
        && !text.ends_with(['?', '!', ':'])
        && (reaches(text) || !text.ends_with('.') || text.chars().count() <= 40)
}

fn signature_after(lines: &[Line<'_>]) -> bool {
    let written = lines.iter().filter(|line| !is_blank(line.text));
    let (count, bytes) = written.fold((0, 0), |(count, bytes), line| (count + 1, bytes + line.text.len()));
    count <= SIGNATURE_LINES && bytes <= SIGNATURE_BYTES
}

// Lines of code between ``` are never taken for anything.
fn fences(lines: &[Line<'_>]) -> Vec<bool> {
    let is_fence = |line: &Line<'_>| line.text.trim_start().starts_with("```");
    let count = lines.iter().filter(|line| is_fence(line)).count();
    let (mut seen, mut open) = (0, false);
    lines
        .iter()
        .map(|line| {
            if is_fence(line) {
                seen += 1;
                // A fence that is never closed is none.
                open = seen % 2 == 1 && seen < count;
                return true;
            }
            open
        })
        .collect()
}

// `AB> text` twice or more with the same initials.
fn mark_initials(lines: &[Line<'_>], classes: &mut [Class]) {
    let mut counts = std::collections::HashMap::new();
    lines.iter().filter_map(|line| initials(line.text)).for_each(|prefix| *counts.entry(prefix).or_insert(0usize) += 1);
    for (line, class) in lines.iter().zip(classes) {
        if *class == Class::Text && initials(line.text).is_some_and(|prefix| counts[prefix] >= 2) {
            *class = Class::Quote;
        }
    }
}

// `| text` after an attribution is a quote too.
fn mark_bars(lines: &[Line<'_>], classes: &mut [Class], intros: &[Intro]) {
    for intro in intros {
        let Some(first) = (intro.end..lines.len()).find(|at| classes[*at] != Class::Blank) else { continue };
        for at in first..lines.len() {
            if classes[at] == Class::Blank {
                continue;
            }
            if classes[at] != Class::Text || !lines[at].text.starts_with('|') {
                break;
            }
            classes[at] = Class::Quote;
        }
    }
}

// A quoted line that was too long and was broken: its rest has no mark but belongs to the quote.
fn mark_leftovers(lines: &[Line<'_>], classes: &mut [Class]) {
    for at in 1..lines.len().saturating_sub(1) {
        if classes[at] != Class::Text || classes[at - 1] != Class::Quote || classes[at + 1] != Class::Quote {
            continue;
        }
        let (before, text) = (lines[at - 1].text, lines[at].text.trim());
        let link = text.starts_with("http") || text.starts_with("(http") || text.starts_with("<http");
        let open = before.matches(['(', '<']).count()
            > before
                .matches([')', '>'])
                .count()
                .saturating_sub(before.chars().take_while(|c| matches!(c, '>' | ' ')).filter(|c| *c == '>').count());
        let long = before.chars().count() >= 70 && !text.starts_with(|c: char| c.is_uppercase()) && text.chars().count() <= 40;
        let token = !text.contains(' ') && before.contains("http");
        if link || (open && text.contains([')', '>'])) || (open && token) || long {
            classes[at] = Class::Quote;
        }
    }
}

fn find_intros(lines: &[Line<'_>], classes: &mut [Class], fenced: &[bool], work: &mut Work) -> Vec<Intro> {
    let mut intros: Vec<Intro> = vec![];
    let mut at = 0;
    while at < lines.len() {
        if classes[at] == Class::Blank || fenced[at] {
            at += 1;
            continue;
        }
        if let Some(intro) = intro_at(lines, classes, at, work) {
            classes[intro.start..intro.end].fill(Class::Intro);
            at = intro.end;
            match intros.last_mut() {
                // Several in a row (a ruler, a separator, its header block) are one.
                Some(last) if (last.end..intro.start).all(|line| classes[line] == Class::Blank) => {
                    last.end = intro.end;
                    last.block |= intro.block;
                    last.forward |= intro.forward;
                    last.sure = last.sure.max(intro.sure);
                }
                _ => intros.push(intro),
            }
            continue;
        }
        at += 1;
    }
    intros
}

fn intro_at(lines: &[Line<'_>], classes: &[Class], at: usize, work: &mut Work) -> Option<Intro> {
    let followed =
        |end: usize, wanted: Class| classes[end..].iter().copied().find(|class| *class != Class::Blank) == Some(wanted);
    if classes[at] == Class::Quote {
        // The end of an attribution that looks like a quote.
        let (start, sure) = attribution_ending(lines, at, work)?;
        let good = start < at && classes[start] == Class::Text && sure == Sure::Yes;
        return good.then_some(Intro { start, end: at + 1, sure, block: false, forward: false });
    }
    if classes[at] != Class::Text {
        return None;
    }
    if let Some(kind) = separator(lines[at].text, work) {
        let next = (at + 1..lines.len().min(at + 5)).find(|line| classes[*line] != Class::Blank);
        let end = next.and_then(|next| header_block(lines, next, true, work)).unwrap_or(at + 1);
        return Some(Intro { start: at, end, sure: Sure::Yes, block: true, forward: kind == Separator::Forwarded });
    }
    // A ruler right over a header block belongs to it.
    if ruler(lines[at].text).is_some_and(|(_, count)| count >= 3) {
        let next = (at + 1..lines.len().min(at + 4)).find(|line| classes[*line] != Class::Blank)?;
        let end = header_block(lines, next, true, work)?;
        return Some(Intro { start: at, end, sure: Sure::Yes, block: true, forward: false });
    }
    if let Some(end) = header_block(lines, at, false, work) {
        return Some(Intro { start: at, end, sure: Sure::Yes, block: true, forward: false });
    }
    if let Some(end) = dated_sender(lines, at, work) {
        // The verb may stand in the next line.
        let wrapped = (at + 1..lines.len().min(at + 3))
            .take_while(|line| classes[*line] == Class::Text)
            .find(|line| attribution_ending(lines, *line, work).is_some_and(|(start, sure)| start == at && sure == Sure::Yes));
        let end = wrapped.map_or(end, |line| line + 1);
        return Some(Intro { start: at, end, sure: Sure::Yes, block: false, forward: false });
    }
    let (start, sure) = attribution_ending(lines, at, work)?;
    // What is wrapped must not reach back into another intro.
    let free = (start..=at).all(|line| matches!(classes[line], Class::Text | Class::Blank));
    let good = free && (sure == Sure::Yes || followed(at + 1, Class::Quote));
    good.then_some(Intro { start, end: at + 1, sure, block: false, forward: false })
}

#[cfg(test)]
#[path = "quote_tests.rs"]
mod tests;
