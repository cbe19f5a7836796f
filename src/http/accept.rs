//! Which form of an answer the client asked for (RFC 9110 12.5.1).

/// Whether an Accept header wants JSON rather than plain text; plain text wins a draw.
pub(super) fn prefers_json(accept: &[u8]) -> bool {
    // Most clients want anything, and some do not say even that.
    if matches!(accept, b"" | b"*/*") {
        return false;
    }
    let (json, text) = (
        quality(accept, "application", "json"),
        quality(accept, "text", "plain"),
    );
    json > text
}

/// The weight that the header gives a media type, in thousandths.
fn quality(accept: &[u8], kind: &str, subtype: &str) -> u32 {
    let accept = String::from_utf8_lossy(accept).to_ascii_lowercase();
    // The most exact range decides: a range names the type, its kind, or anything.
    accept
        .split(',')
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let exactness = match parts.next()?.split_once('/')? {
                (k, s) if k == kind && s == subtype => 3,
                (k, "*") if k == kind => 2,
                ("*", "*") => 1,
                _ => return None,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
            Some((
                exactness,
                (weight.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u32,
            ))
        })
        .max_by_key(|(exactness, _)| *exactness)
        .map_or(0, |(_, weight)| weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_only_when_preferred() {
        for (accept, json) in [
            ("", false),
            ("*/*", false),
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/*", true),
            ("text/plain, application/json", false),
            ("text/plain;q=0.5, application/json", true),
            ("application/json;q=0.5, */*", false),
            ("application/json, */*;q=0.1", true),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            // The most exact range decides, not the one that weighs most.
            ("application/json;q=0.1, text/plain;q=0.5, */*", false),
            ("application/*, application/json;q=0", false),
            ("application/json;q=zzz", true),
            (",;=,/", false),
        ] {
            assert_eq!(prefers_json(accept.as_bytes()), json, "{accept}");
        }
    }
}
