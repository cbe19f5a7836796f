//! Telling a router from a person who looks, and from what looks on a person's behalf.

use std::fmt;

use super::foreign::is_foreign;
use crate::base_url::BaseUrl;
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

/// Why a request changes nothing, and is shown the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Somebody else's page made it, with a password that the browser shows by itself.
    Foreign,
    /// It is fetched ahead of time, and perhaps never looked at.
    Ahead,
    /// A chat or the like shows what is behind a link.
    Preview,
    /// Somebody opened a secret path in a browser.
    Opened,
}

impl Look {
    /// What only looks, by its signs; `None` for everything that updates.
    ///
    /// An update client that was taken for a person would be told nothing and leave its name
    /// stale, so each sign is one that those clients do not give. What a person types into a
    /// browser looks only on a secret path: the others are those of services where it updates.
    pub fn of(request: &Request, url: &BaseUrl, is_secret_path: bool) -> Option<Self> {
        if (is_secret_path || !is_program(request)) && is_foreign(request, url) {
            return Some(Look::Foreign);
        }
        if is_ahead(request) {
            return Some(Look::Ahead);
        }
        let mut agent = request.header_text("User-Agent");
        if !agent.is_empty() {
            agent.to_mut().make_ascii_lowercase();
        }
        // Who follows a link has nothing but the link.
        let is_link = ["Authorization", "X-Api-User"]
            .iter()
            .all(|name| request.header(name).is_empty());
        if (is_link || is_secret_path) && is_previewer(&agent) {
            return Some(Look::Preview);
        }
        (is_secret_path && is_opened(request, &agent)).then_some(Look::Opened)
    }
}

/// In the log: why nothing has changed.
impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Look::Foreign => "somebody else's page asked for it, and nothing has changed",
            Look::Ahead => "a browser fetched it ahead of time, and nothing has changed",
            Look::Preview => "it is a preview of a link, and nothing has changed",
            Look::Opened => "a browser is asked first, and nothing has changed",
        })
    }
}

/// Whether a header field has that word in its list.
pub(super) fn says(request: &Request, name: &str, word: &str) -> bool {
    let mut parts = request.header(name).split(|octet| b",;".contains(octet));
    parts.any(|part| part.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether it shows a secret that no browser adds by itself. Somebody else's page that does has to
/// ask by OPTIONS before (the CORS preflight of Fetch), which is refused: so it is a program, such
/// as one that is made of web pages.
fn is_program(request: &Request) -> bool {
    request.authorization("bearer").is_some() || !request.header("X-Api-User").is_empty()
}

/// Whether a browser fetches it before anybody wants it, or has a preview of its own.
fn is_ahead(request: &Request) -> bool {
    ["prefetch", "prerender", "preview"]
        .iter()
        .any(|word| says(request, "Sec-Purpose", word) || says(request, "Purpose", word))
}

/// Whether it is opened in a browser. The button's own visit is a POST.
fn is_opened(request: &Request, agent: &str) -> bool {
    let says = |name, word| says(request, name, word);
    request.method == Method::Get
        && (says("Sec-Fetch-Mode", "navigate")
            // Browsers over plain HTTP.
            || says("Upgrade-Insecure-Requests", "1")
            // Old Safari over TLS. Java's library asks for text/html too, Lynx in scripts for
            // both, but neither is Mozilla/5.0; PowerShell and Tomato, which say Mozilla, ask
            // for none of these.
            || agent.starts_with("mozilla/5.0")
                && says("Accept", "text/html")
                && says("Accept", "application/xhtml+xml"))
}

/// Whether an agent, in lower case, fetches links to show what is behind them.
fn is_previewer(agent: &str) -> bool {
    PREVIEWERS.iter().any(|name| agent.contains(name)) || looks(agent)
}

/// Whether an agent says by a word that it looks for others. What has to do with the DNS or with
/// certificates may call itself a bot, and updates.
fn looks(agent: &str) -> bool {
    let mut words = agent.split(|c: char| !c.is_ascii_alphanumeric());
    !["dns", "acme", "certbot"]
        .iter()
        .any(|word| agent.contains(word))
        && words.any(|word| LOOKERS.iter().any(|end| word.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Meta;

    /// What a browser asks for when it opens a page.
    const PAGES: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    fn look(method: &str, headers: &[(&str, &str)], is_secret_path: bool) -> Option<Look> {
        let method = [("REQUEST_METHOD", method)];
        let meta = Meta::new(headers.iter().copied().chain(method));
        let url = "https://update.example.org".parse().unwrap();
        Look::of(&Request::new(meta, b""), &url, is_secret_path)
    }

    #[test]
    fn signs_on_a_secret_path_and_elsewhere() {
        use Look::{Ahead, Foreign, Opened, Preview};
        const BOT: &str = "Slackbot-LinkExpanding 1.0";
        for (method, name, value, secret, elsewhere) in [
            ("GET", "SEC_FETCH_MODE", "navigate", Some(Opened), None),
            ("POST", "SEC_FETCH_MODE", "navigate", None, None),
            ("GET", "SEC_FETCH_SITE", "none", None, None),
            (
                "GET",
                "SEC_FETCH_SITE",
                "cross-site",
                Some(Foreign),
                Some(Foreign),
            ),
            (
                "POST",
                "SEC_FETCH_SITE",
                "cross-site",
                Some(Foreign),
                Some(Foreign),
            ),
            (
                "POST",
                "SEC_FETCH_SITE",
                "same-site",
                Some(Foreign),
                Some(Foreign),
            ),
            ("POST", "SEC_FETCH_SITE", "same-origin", None, None),
            (
                "POST",
                "ORIGIN",
                "https://w.example.org",
                Some(Foreign),
                Some(Foreign),
            ),
            ("POST", "ORIGIN", "https://update.example.org", None, None),
            (
                "GET",
                "SEC_PURPOSE",
                "prefetch;prerender",
                Some(Ahead),
                Some(Ahead),
            ),
            ("GET", "PURPOSE", "Prefetch", Some(Ahead), Some(Ahead)),
            ("GET", "USER_AGENT", BOT, Some(Preview), Some(Preview)),
            ("GET", "UPGRADE_INSECURE_REQUESTS", "1", Some(Opened), None),
            ("POST", "UPGRADE_INSECURE_REQUESTS", "1", None, None),
            ("GET", "ACCEPT", PAGES, None, None),
        ] {
            let header = [(&*format!("HTTP_{name}"), value)];
            assert_eq!(
                look(method, &header, true),
                secret,
                "{method} {name} {value}"
            );
            assert_eq!(
                look(method, &header, false),
                elsewhere,
                "{method} {name} {value}"
            );
        }
        // No browser adds these by itself, but does the password; what is known without them is
        // the link.
        for (header, value, expected) in [
            ("HTTP_AUTHORIZATION", "Bearer x", None),
            ("HTTP_X_API_USER", "x", None),
            ("HTTP_AUTHORIZATION", "Basic eA==", Some(Foreign)),
            ("HTTP_AUTHORIZATION", "Bearer", Some(Foreign)),
            ("HTTP_X_API_KEY", "x", Some(Foreign)),
        ] {
            for sign in [
                ("HTTP_SEC_FETCH_SITE", "cross-site"),
                ("HTTP_ORIGIN", "file://"),
            ] {
                let headers = [(header, value), sign];
                assert_eq!(look("POST", &headers, false), expected, "{header} {value}");
                assert_eq!(look("POST", &headers, true), Some(Foreign));
            }
        }
        // Who follows a link shows no password; what a browser fetches ahead may show one.
        for (header, value) in [
            ("HTTP_AUTHORIZATION", "Basic eA=="),
            ("HTTP_X_API_USER", "x"),
        ] {
            let with = |sign| [(header, value), sign];
            assert_eq!(look("GET", &with(("HTTP_USER_AGENT", BOT)), false), None);
            let ahead = look("GET", &with(("HTTP_SEC_PURPOSE", "prefetch")), false);
            assert_eq!(ahead, Some(Ahead));
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
            for is_secret_path in [true, false] {
                let told = look("GET", &[("HTTP_USER_AGENT", agent)], is_secret_path);
                assert_eq!(told, Some(Look::Preview), "{agent}");
            }
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
            ("CertbotACMEClient/2.1.0 (certbot; Debian 12)", "*/*"),
            (
                "acme.sh/3.0.7 (https://github.com/acmesh-official/acme.sh)",
                "*/*",
            ),
            ("node", "*/*"),
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
            for (method, is_secret_path) in [("GET", true), ("GET", false), ("POST", false)] {
                let told = look(method, &headers, is_secret_path);
                assert_eq!(told, None, "{agent}, {accept}");
            }
        }
    }
}
