//! Telling a request that somebody else's page made: a browser shows a password to whoever has
//! it ask for it, and only the browser knows who that was.

use super::look::says;
use crate::base_url::BaseUrl;
use crate::http::Request;

/// Whether somebody else's page made it. The other hosts of a site are somebody else: names of
/// the zone belong to friends.
///
/// Browsers say it in Sec-Fetch-Site, over plain HTTP and older ones in Origin only, and of a
/// form or a script only. Update clients say neither.
pub(super) fn is_foreign(request: &Request, url: &BaseUrl) -> bool {
    let site = |word| says(request, "Sec-Fetch-Site", word);
    if site("cross-site") || site("same-site") {
        return true;
    }
    // Whoever opened it is known; Origin is null from our own page too where that tells nobody
    // where it was.
    if site("same-origin") || site("none") {
        return false;
    }
    let origin = request.header_text("Origin");
    match origin.trim().split_once("://") {
        Some((scheme, authority)) => !is_ours(scheme, authority, request, url),
        // A page that may not say where it is from. What no browser writes says nothing.
        None => origin.trim() == "null",
    }
}

/// Whether an origin is the host and port of the request, or those of our own URL: a proxy may
/// ask in another name.
fn is_ours(scheme: &str, authority: &str, request: &Request, url: &BaseUrl) -> bool {
    let origin = Origin::of(scheme, authority);
    let host = request.header_text("Host");
    let scheme_of = |https| if https { "https" } else { "http" };
    let of_request = Origin::of(scheme_of(request.https), host.trim());
    let of_url = Origin::of(scheme_of(url.is_https()), url.authority());
    !authority.is_empty() && (origin == of_request || origin == of_url)
}

/// Host and port, each as it is compared (RFC 6454 4).
#[derive(PartialEq, Eq)]
struct Origin {
    host: String,
    port: String,
}

impl Origin {
    /// Those of an authority; the port that is left out is the scheme's.
    fn of(scheme: &str, authority: &str) -> Self {
        let authority = authority.to_ascii_lowercase();
        // The colons in the brackets of an IPv6 address are no port's.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (authority.as_str(), ""),
        };
        Origin {
            host: host.to_owned(),
            port: match (port, scheme.eq_ignore_ascii_case("https")) {
                ("", true) => "443".to_owned(),
                ("", false) => "80".to_owned(),
                (port, _) => port.to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Meta;

    fn told(url: &str, variables: &[(&str, &str)]) -> bool {
        let meta = Meta::new(variables.iter().copied());
        is_foreign(&Request::new(meta, b""), &url.parse().unwrap())
    }

    #[test]
    fn where_a_browser_says_who_asked_that_counts() {
        for (site, origin, expected) in [
            ("cross-site", "", true),
            ("same-site", "", true),
            ("Cross-Site", "", true),
            ("none", "", false),
            ("same-origin", "", false),
            ("same-origin", "null", false),
            ("none", "chrome-extension://abcdef", false),
            ("cross-site", "https://u.example.org", true),
            ("none, cross-site", "", true),
            ("", "", false),
            ("", "null", true),
            ("something-new", "null", true),
        ] {
            let variables = [("HTTP_SEC_FETCH_SITE", site), ("HTTP_ORIGIN", origin)];
            let told = told("https://u.example.org", &variables);
            assert_eq!(told, expected, "{site:?} {origin:?}");
        }
    }

    #[test]
    fn an_origin_is_ours_by_host_and_port() {
        const URL: &str = "https://u.example.org";
        for (url, https, host, origin, foreign) in [
            (URL, "on", "u.example.org", "https://u.example.org", false),
            (
                URL,
                "on",
                "U.example.org:443",
                "https://u.example.ORG",
                false,
            ),
            (
                URL,
                "on",
                "u.example.org",
                "https://u.example.org:443",
                false,
            ),
            (URL, "on", "v.example.org", "https://v.example.org", false),
            (URL, "on", "v.example.org", "https://u.example.org", false),
            (URL, "", "10.0.0.1:8080", "https://u.example.org", false),
            (URL, "", "10.0.0.1:8080", "http://10.0.0.1:8080", false),
            (URL, "", "", "https://u.example.org", false),
            (URL, "on", "[2001:db8::1]", "https://[2001:db8::1]", false),
            ("http://u:8080/dyn", "", "u:8080", "http://u:8080", false),
            (URL, "on", "u.example.org", "https://w.example.org", true),
            (URL, "on", "u.example.org", "https://u.example.org.w", true),
            (URL, "on", "u.example.org", "https://wu.example.org", true),
            (URL, "on", "u.example.org", "http://u.example.org", true),
            (
                URL,
                "on",
                "u.example.org",
                "https://u.example.org:8443",
                true,
            ),
            (URL, "on", "[2001:db8::1]", "https://[2001:db8::2]", true),
            (URL, "on", "u.example.org", "https://u.example.org@w", true),
            (URL, "on", "", "https://", true),
            (URL, "on", "u.example.org", "file://", true),
            (URL, "on", "u.example.org", "chrome-extension://abc", true),
            (URL, "on", "u.example.org", " null ", true),
            // As libraries of programs have written it, by mistake.
            (URL, "on", "u.example.org", "", false),
            (URL, "on", "u.example.org", "undefined", false),
            (URL, "on", "u.example.org", "client", false),
        ] {
            let variables = [
                ("HTTPS", https),
                ("HTTP_HOST", host),
                ("HTTP_ORIGIN", origin),
            ];
            assert_eq!(told(url, &variables), foreign, "{url} {host} {origin}");
        }
    }
}
