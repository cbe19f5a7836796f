//! Telling a router from a person who looks, and from what looks on a person's behalf.

use crate::http::{Method, Request};

/// Agents that fetch a link to show a preview of it, by a part of their name; those that say
/// so by a word are known without.
const PREVIEWERS: [&str; 17] = [
    "bsky",
    "embedly",
    "facebookexternalhit",
    "google-pagerenderer",
    "iframely",
    "kakaotalk",
    "line-poker",
    "mastodon",
    "matrix",
    "misskey",
    "pinterest",
    "pleroma",
    "rocket.chat",
    "signal-desktop",
    "viber",
    "vkshare",
    "whatsapp",
];

/// How a word of the name of an agent ends that looks at pages for others: `YandexBot`,
/// `Mattermost-Bot`, `ZulipURLPreview`.
const LOOKERS: [&str; 4] = ["bot", "preview", "crawler", "spider"];

/// Whether a secret path was only looked at: opened in a browser, fetched ahead of
/// time, previewed, or reached from somebody else's page. Such a visit changes nothing.
///
/// An update client that was taken for a person would be told nothing and leave its name
/// stale, so each sign is one that those clients do not give.
pub fn is_person(request: &Request) -> bool {
    let says = |name: &str, word: &str| {
        let mut parts = request.header(name).split(|octet| b",;".contains(octet));
        parts.any(|part| part.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    };
    let mut agent = request.header_text("User-Agent");
    if !agent.is_empty() {
        agent.to_mut().make_ascii_lowercase();
    }
    // The button's own visit is a POST.
    let navigates = || {
        says("Sec-Fetch-Mode", "navigate")
            // Browsers over plain HTTP.
            || says("Upgrade-Insecure-Requests", "1")
            // Old Safari over TLS. Java's library asks for text/html too, Lynx in scripts for
            // both, but neither is Mozilla/5.0; PowerShell and Tomato, which say Mozilla, ask
            // for none of these.
            || agent.starts_with("mozilla/5.0")
                && says("Accept", "text/html")
                && says("Accept", "application/xhtml+xml")
    };
    ["prefetch", "prerender", "preview"]
        .iter()
        .any(|word| says("Sec-Purpose", word) || says("Purpose", word))
        || says("Sec-Fetch-Site", "cross-site")
        || (request.method == Method::Get && navigates())
        || PREVIEWERS.iter().any(|name| agent.contains(name))
        || looks(&agent)
}

/// Whether an agent says by a word that it looks for others. What has to do with the DNS may
/// call itself a bot, and updates.
fn looks(agent: &str) -> bool {
    let mut words = agent.split(|c: char| !c.is_ascii_alphanumeric());
    !agent.contains("dns") && words.any(|word| LOOKERS.iter().any(|end| word.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a browser asks for when it opens a page.
    const PAGES: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    fn told(method: &str, headers: &[(&str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, *value))
            .chain([("REQUEST_METHOD", method)])
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        is_person(&Request::new(headers.collect(), b""))
    }

    #[test]
    fn signs_of_a_person() {
        for (method, name, value, person) in [
            ("GET", "HTTP_SEC_FETCH_MODE", "navigate", true),
            ("POST", "HTTP_SEC_FETCH_MODE", "navigate", false),
            ("POST", "HTTP_SEC_FETCH_SITE", "cross-site", true),
            ("POST", "HTTP_SEC_FETCH_SITE", "same-origin", false),
            ("GET", "HTTP_SEC_PURPOSE", "prefetch;prerender", true),
            ("GET", "HTTP_PURPOSE", "Prefetch", true),
            ("GET", "HTTP_UPGRADE_INSECURE_REQUESTS", "1", true),
            ("POST", "HTTP_UPGRADE_INSECURE_REQUESTS", "1", false),
            ("GET", "HTTP_ACCEPT", PAGES, false),
        ] {
            assert_eq!(
                told(method, &[(name, value)]),
                person,
                "{method} {name} {value}"
            );
        }
    }

    #[test]
    fn previewers_by_their_names() {
        for agent in [
            "WhatsApp/2.23.20.0",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com)",
            "Mattermost-Bot/1.1",
            "Mozilla/5.0 (compatible; ZulipURLPreview/7.0; +https://zulip.example.com)",
            "Mozilla/5.0 (X11; Linux x86_64) Rocket.Chat/6.4",
            "Viber/13.3.0.4",
            "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots",
            "facebookexternalhit/1.1;line-poker/1.0",
            "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
            "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
            "kakaotalk-scrap/1.0; +https://devtalk.kakao.com/",
            "SummalyBot/5.0.3",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "Mozilla/5.0 Skype SkypeUriPreview Preview/0.5",
            "TelegramBot (like TwitterBot)",
            "http.rb/5.1.0 (Mastodon/4.2.0; +https://social.example.com/)",
            "Synapse (bot; +https://github.com/matrix-org/synapse)",
            "Baiduspider+(+http://www.baidu.com/search/spider.htm)",
            "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        ] {
            assert!(told("GET", &[("HTTP_USER_AGENT", agent)]), "{agent}");
        }
    }

    /// Whoever is taken for a person is told nothing and stays where it was.
    #[test]
    fn routers_are_no_persons() {
        let java = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";
        let lynx = "text/html, text/plain, text/sgml, application/xhtml+xml, */*;q=0.01";
        for (agent, accept) in [
            ("", ""),
            ("", "*/*"),
            ("curl/7.88.1", "*/*"),
            ("Wget/1.21.3", "*/*"),
            ("uclient-fetch", ""),
            ("bowline-client", "*/*"),
            ("ddclient/3.10.0", ""),
            (
                "inadyn/2.10.0 https://github.com/troglobit/inadyn/issues",
                "",
            ),
            ("Fritz!Box DDNS/1.0.1", ""),
            ("phpDynDNS/0.7", "*/*"),
            ("OPNsense-dyndns", "*/*"),
            ("MikroTik/7.x Fetch", ""),
            ("ez-update-3.0.11b8", ""),
            ("HomeAssistant/2024.1 aiohttp/3.9 Python/3.11", "*/*"),
            ("python-dyndnsc/0.6.1", "*/*"),
            ("python-requests/2.31", "*/*"),
            ("Go-http-client/1.1", ""),
            ("my-ddns-bot/1.0", "*/*"),
            ("Java/17.0.2", java),
            ("Lynx/2.9.0dev.12 libwww-FM/2.14", lynx),
            (
                "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)",
                "text/html",
            ),
            (
                "Mozilla/5.0 (Windows NT; Windows NT 10.0) WindowsPowerShell/5.1",
                "",
            ),
        ] {
            let headers = [("HTTP_USER_AGENT", agent), ("HTTP_ACCEPT", accept)];
            assert!(!told("GET", &headers), "{agent}, {accept}");
        }
    }
}
