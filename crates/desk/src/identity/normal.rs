//! Normal forms of addresses: what `match_key` holds. The original stays beside it for sending (domain.md 5.2, 5.3).

use channel::ContactPointClaim;
use model::ContactPointKind;
use store::contact_point::PointKey;

/// Longest key; longer ones are cut to their hash, since an index key may not be of any length.
const KEY_BYTES_MAX: usize = 255;

/// The key of a claim, or `None` when it names nothing that can be compared (a withheld number, an empty address).
pub fn key_of(claim: &ContactPointClaim) -> Option<PointKey> {
    let value = model::fold::clean(&claim.value);
    let value = value.trim();
    let match_key = match claim.kind {
        ContactPointKind::Email => email(value)?,
        ContactPointKind::Phone => phone(value)?,
        _ if value.is_empty() => return None,
        _ => value.to_owned(),
    };
    let match_key = if match_key.len() > KEY_BYTES_MAX { channel::content_key(match_key.as_bytes()) } else { match_key };
    Some(PointKey { kind: claim.kind, scope: model::fold::clean(&claim.scope), match_key })
}

/// Lower case, no trailing dot; only gmail.com = googlemail.com drops dots and +tag.
pub fn email(address: &str) -> Option<String> {
    let lower = address.to_lowercase();
    let (local, domain) = lower.rsplit_once('@')?;
    let domain = domain.trim_end_matches('.');
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',');
    if local.is_empty() || domain.is_empty() || lower.chars().any(bad) {
        return None;
    }
    if matches!(domain, "gmail.com" | "googlemail.com") {
        let plain: String = local.split('+').next().unwrap_or(local).chars().filter(|c| *c != '.').collect();
        return (!plain.is_empty()).then(|| format!("{plain}@gmail.com"));
    }
    Some(format!("{local}@{domain}"))
}

/// International digits with `+`. A number without country code keeps its digits and so equals only itself: the country of
/// the inbox decides about those once phone channels exist.
pub fn phone(number: &str) -> Option<String> {
    let lower = number.trim().to_lowercase();
    if matches!(lower.as_str(), "" | "anonymous" | "restricted" | "unavailable" | "unknown" | "private") {
        return None;
    }
    let digits: String = lower.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 3 || digits.len() > 20 {
        return None;
    }
    match lower.strip_prefix("00") {
        Some(_) => Some(format!("+{}", digits.strip_prefix("00").unwrap_or(&digits))),
        None if lower.starts_with('+') => Some(format!("+{digits}")),
        None => Some(digits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_fold_as_their_provider_does() {
        assert_eq!(email(" Ada.Novak@Example.COM. ").as_deref(), None, "spaces are trimmed by the caller");
        assert_eq!(email("Ada.Novak+x@Example.COM.").as_deref(), Some("ada.novak+x@example.com"));
        assert_eq!(email("A.da+shop@googlemail.com").as_deref(), Some("ada@gmail.com"));
        for wrong in ["", "@", "ada", "ada@", "@x.test", "a b@x.test", "<a@x.test>"] {
            assert_eq!(email(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_keep_their_country() {
        assert_eq!(phone("+1 (555) 010-0142").as_deref(), Some("+15550100142"));
        assert_eq!(phone("0044 (0)20 7946 0000").as_deref(), Some("+442079460000"));
        assert_eq!(phone("555 0142").as_deref(), Some("5550142"));
        for withheld in ["", "Anonymous", "private", "+", "12"] {
            assert_eq!(phone(withheld), None, "{withheld}");
        }
    }
}
