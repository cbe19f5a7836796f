//! What differs between a file as it is and as it would be written, in a few lines.

/// More lines than this are counted, not shown.
const SHOWN: usize = 8;

/// The lines that differ: `-` as it is, `+` as it would be.
pub(super) fn diff(is: &str, would_be: &str) -> Vec<String> {
    let old: Vec<&str> = is.lines().collect();
    let new: Vec<&str> = would_be.lines().collect();
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let same_end = old
        .iter()
        .skip(same_start)
        .rev()
        .zip(new.iter().skip(same_start).rev())
        .take_while(|(a, b)| a == b)
        .count();
    let middle = |lines: &[&str], sign: char| -> Vec<String> {
        let count = lines.len() - same_start - same_end;
        let inner = lines.iter().skip(same_start).take(count);
        let mut shown: Vec<String> = inner
            .take(SHOWN)
            .map(|line| format!("{sign} {line}"))
            .collect();
        if count > SHOWN {
            shown.push(format!("{sign} … {} more lines", count - SHOWN));
        }
        shown
    };
    let mut lines = middle(&old, '-');
    lines.extend(middle(&new, '+'));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown() {
        assert_eq!(diff("a\nb\nc\n", "a\nx\ny\nc\n"), ["- b", "+ x", "+ y"]);
        assert_eq!(diff("a\n", "a\na\n"), ["+ a"]);
        assert!(diff("a\n", "a\n").is_empty());
        let long = diff("", &"x\n".repeat(20));
        assert_eq!(
            (long.len(), long.last().unwrap().as_str()),
            (9, "+ … 12 more lines")
        );
    }
}
