//! How alike two short texts are: edits, Jaro-Winkler, and a key of sound. Pure and without a dictionary.

/// Texts longer than this are compared by their beginnings: names and street lines are shorter.
const CHARS_MAX: usize = 64;

/// Damerau-Levenshtein distance (a swap of neighbours is one edit), or `None` when it is above `max`.
pub fn edits(a: &str, b: &str, max: usize) -> Option<usize> {
    let (mut left, mut right) = (['\0'; CHARS_MAX], ['\0'; CHARS_MAX]);
    let (a, b) = (fill(a, &mut left), fill(b, &mut right));
    if a.len().abs_diff(b.len()) > max {
        return None;
    }
    let width = b.len() + 1;
    let (mut before, mut last, mut row) = ([0_usize; CHARS_MAX + 1], [0_usize; CHARS_MAX + 1], [0_usize; CHARS_MAX + 1]);
    for (at, cell) in last.iter_mut().enumerate().take(width) {
        *cell = at;
    }
    for i in 1..=a.len() {
        row[0] = i;
        let mut least = i;
        for j in 1..width {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row[j] = best;
            least = least.min(best);
        }
        if least > max {
            return None;
        }
        before = last;
        last = row;
    }
    Some(last[b.len()]).filter(|found| *found <= max)
}

fn fill<'a>(text: &str, into: &'a mut [char; CHARS_MAX]) -> &'a [char] {
    let mut count = 0;
    for (place, c) in into.iter_mut().zip(text.chars()) {
        *place = c;
        count += 1;
    }
    &into[..count]
}

/// Jaro-Winkler similarity, 0 to 1: kind to a common beginning and to letters in another order.
pub fn jaro_winkler(a: &str, b: &str) -> f64 {
    let (mut left, mut right) = (['\0'; CHARS_MAX], ['\0'; CHARS_MAX]);
    let (a, b) = (fill(a, &mut left), fill(b, &mut right));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let (mut taken_a, mut taken_b) = ([false; CHARS_MAX], [false; CHARS_MAX]);
    let mut matches = 0_usize;
    for i in 0..a.len() {
        let until = (i + window + 1).min(b.len());
        if let Some(j) = (i.saturating_sub(window)..until).find(|j| !taken_b[*j] && b[*j] == a[i]) {
            (taken_a[i], taken_b[j]) = (true, true);
            matches += 1;
        }
    }
    if matches == 0 {
        return 0.0;
    }
    let in_a = (0..a.len()).filter(|i| taken_a[*i]).map(|i| a[i]);
    let in_b = (0..b.len()).filter(|j| taken_b[*j]).map(|j| b[j]);
    let moved = in_a.zip(in_b).filter(|(x, y)| x != y).count() / 2;
    let m = matches as f64;
    let jaro = (m / a.len() as f64 + m / b.len() as f64 + (m - moved as f64) / m) / 3.0;
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
    jaro + prefix as f64 * 0.1 * (1.0 - jaro)
}

/// Letters that sound alike fall together and vowels after the first fall out: `smith` and `schmyth` differ, `catherine` and
/// `katharine` do not. Only a key for looking up, never a proof.
pub fn sound(text: &str) -> String {
    let mut out = String::new();
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).take(CHARS_MAX).collect();
    let mut last = '\0';
    for (at, c) in letters.iter().enumerate() {
        let next = letters.get(at + 1).copied().unwrap_or('\0');
        let code = match c {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' => {
                if at == 0 {
                    'a'
                } else {
                    last = '\0';
                    continue;
                }
            }
            'h' if at > 0 => continue,
            'p' if next == 'h' => 'f',
            'b' | 'p' => 'p',
            'f' | 'v' | 'w' => 'f',
            'c' if matches!(next, 'e' | 'i' | 'y') => 's',
            'c' | 'g' | 'j' | 'k' | 'q' => 'k',
            's' | 'x' | 'z' => 's',
            'd' | 't' => 't',
            'm' | 'n' => 'm',
            other => *other,
        };
        if code != last {
            out.push(code);
        }
        last = code;
    }
    out.truncate(out.char_indices().nth(5).map_or(out.len(), |(at, _)| at));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_swaps_as_one_and_stop_at_the_bound() {
        for (a, b, distance) in
            [("maria", "maria", 0), ("maria", "mraia", 1), ("smith", "smyth", 1), ("ann", "anna", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!((edits(a, b, 3), edits(b, a, 3)), (Some(distance), Some(distance)), "{a} {b}");
        }
        assert_eq!(edits("kitten", "sitting", 2), None);
        assert_eq!((edits("", "", 0), edits("", "abc", 2)), (Some(0), None));
        assert!(edits(&"x".repeat(500), &"x".repeat(500), 1).is_some(), "long texts are compared by their beginnings");
    }

    #[test]
    fn jaro_winkler_agrees_with_the_published_examples() {
        for (a, b, wanted) in [("martha", "marhta", 0.9611), ("dixon", "dicksonx", 0.8133), ("dwayne", "duane", 0.84)] {
            assert!((jaro_winkler(a, b) - wanted).abs() < 0.001, "{a} {b} {}", jaro_winkler(a, b));
        }
        assert_eq!((jaro_winkler("", "x"), jaro_winkler("abc", "xyz")), (0.0, 0.0));
    }

    #[test]
    fn what_sounds_alike_has_one_key() {
        for (a, b) in [("catherine", "katharine"), ("philip", "filip"), ("meier", "mayer"), ("novak", "nowak")] {
            assert_eq!(sound(a).chars().take(4).collect::<String>(), sound(b).chars().take(4).collect::<String>(), "{a} {b}");
        }
        assert_ne!(sound("smith"), sound("jones"));
    }
}
