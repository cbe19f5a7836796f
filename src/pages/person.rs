//! Telling a router from a person who looks, and from what looks on a person's behalf.

use crate::http::{Method, Request};

/// Agents that fetch a link to show a preview of it, by a part of their name.
const PREVIEWERS: [&str; 24] = [
    "applebot",
    "bingbot",
    "bingpreview",
    "bitlybot",
    "bsky",
    "discordbot",
    "duckduckbot",
    "embedly",
    "facebookexternalhit",
    "facebot",
    "googlebot",
    "google-pagerenderer",
    "iframely",
    "linkedinbot",
    "mastodon",
    "matrix",
    "pinterest",
    "redditbot",
    "signal-desktop",
    "skypeuripreview",
    "slackbot",
    "telegrambot",
    "twitterbot",
    "whatsapp",
];

/// Whether a secret path was only looked at: opened in a browser, fetched ahead of
/// time, previewed, or reached from somebody else's page. Such a visit changes nothing.
pub fn is_person(request: &Request) -> bool {
    let says = |name: &str, word: &str| {
        let mut parts = request.header(name).split(|octet| b",;".contains(octet));
        parts.any(|part| part.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    };
    let mut agent = request.header_text("User-Agent");
    if !agent.is_empty() {
        agent.to_mut().make_ascii_lowercase();
    }
    ["prefetch", "prerender", "preview"]
        .iter()
        .any(|word| says("Sec-Purpose", word) || says("Purpose", word))
        || says("Sec-Fetch-Site", "cross-site")
        || (request.method == Method::Get && says("Sec-Fetch-Mode", "navigate"))
        || PREVIEWERS.iter().any(|name| agent.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routers_are_no_persons() {
        for (method, name, value, person) in [
            ("GET", "HTTP_USER_AGENT", "curl/7.88.1", false),
            ("GET", "HTTP_USER_AGENT", "Fritz!Box DDNS/1.0.1", false),
            ("GET", "HTTP_USER_AGENT", "", false),
            ("GET", "HTTP_USER_AGENT", "WhatsApp/2.23.20.0", true),
            (
                "GET",
                "HTTP_USER_AGENT",
                "Slackbot-LinkExpanding 1.0 (+https://api.slack.com)",
                true,
            ),
            ("GET", "HTTP_SEC_FETCH_MODE", "navigate", true),
            ("POST", "HTTP_SEC_FETCH_MODE", "navigate", false),
            ("POST", "HTTP_SEC_FETCH_SITE", "cross-site", true),
            ("POST", "HTTP_SEC_FETCH_SITE", "same-origin", false),
            ("GET", "HTTP_SEC_PURPOSE", "prefetch;prerender", true),
            ("GET", "HTTP_PURPOSE", "Prefetch", true),
        ] {
            let variables = [("REQUEST_METHOD", method), (name, value)]
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
            let request = Request::new(variables.into(), b"");
            assert_eq!(is_person(&request), person, "{method} {name} {value}");
        }
    }
}
