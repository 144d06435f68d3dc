//! The subject of a mail without the marks that answers and forwards put before it.

use model::fold::fold;

const MARKS: &[&str] = &[
    "re", "fw", "fwd", "aw", "wg", "sv", "antw", "vs", "vb", "odp", "rv", "res", "enc", "tr", "rif", "i", "pd", "ynt", "ilt",
    "回复", "答复", "转发",
];

/// The subject as it is compared: marks off, folded, blanks evened out; `None` when nothing is left.
pub fn bare(subject: &str) -> Option<String> {
    let folded = fold(subject);
    let mut rest = folded.trim();
    while let Some(shorter) = without_mark(rest) {
        rest = shorter;
    }
    let even = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    (!even.is_empty()).then_some(even)
}

/// `re:`, `Re[2]:`, `AW (3):`, `RE :` and the full-width colon.
fn without_mark(text: &str) -> Option<&str> {
    let at = text.find([':', '：'])?;
    let (mark, rest) = text.split_at(at);
    let mark = mark.trim();
    let word = mark.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | '^' | ' ' | '*'));
    let rest = rest.trim_start_matches([':', '：']).trim_start();
    MARKS.iter().any(|known| fold(known) == word).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_off_in_any_number_and_spelling() {
        let plain = bare("Invoice for May");
        assert!(plain.is_some());
        for subject in [
            "Re: Invoice for May",
            "RE: re: Fwd: Invoice  for May",
            "Re[2]: Invoice for May",
            "Re (3): invoice for may ",
            "AW: WG: Invoice for May",
            "SV: Invoice for May",
            "Antw: Invoice for May",
            "FW : Invoice for May",
            "回复：Invoice for May",
        ] {
            assert_eq!(bare(subject), plain, "{subject}");
        }
        for other in ["Invoice for June", "Re: Invoice: May", "Reinvoice for May", "Order: Invoice for May"] {
            assert_ne!(bare(other), plain, "{other}");
        }
        for nothing in ["", "Re:", " Re: Fwd: "] {
            assert_eq!(bare(nothing), None, "{nothing}");
        }
    }
}
