//! The update URL as a client sees it, asked for with curl; and whether the web server's
//! logs and status pages show the paths of requests.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::report::Report;
use super::unreachable::{self, Trouble};
use super::{formats, logs};
use crate::config::Config;
use crate::health;
use crate::setup::{Place, WebServer, apache, namesake, nginx};

/// Longer than any answer takes.
const SECONDS: &str = "12";
/// A log line may come a moment after the answer.
const LOG_PAUSE: Duration = Duration::from_millis(300);
/// Certificates are renewed thirty days before their end.
const RENEWAL: i64 = 14;
/// A name that no server has, so that its default host answers.
const NO_HOST: &str = "Host: bowline-probe.invalid";
/// The checks whose problems bowline at its URL has too.
const EXPLAIN: [&str; 17] = [
    "configuration",
    "state-directory",
    "keys-readable",
    "locks",
    "disk-space",
    "registry-owner",
    "registry-integrity",
    "registry-version",
    "lookup-key",
    "key-file",
    "key-copy",
    "policy-script",
    "server-udp",
    "server-tcp",
    "zone",
    "key",
    "acl",
];

/// An answer as curl tells it.
struct Answer {
    code: String,
    local: String,
    body: String,
    /// `-v`: the certificate among other things.
    story: String,
}

/// Asks the web server what a client would.
pub fn examine(config: &Config, place: &Place, report: &mut Report) {
    formats::examine(place, report);
    let url = config.url.as_str().trim_end_matches('/');
    let ask = || curl(&format!("{url}/healthz"), &[]);
    let health = match ask() {
        // It may be about something that was mended just now.
        Ok(answer) if answer.code == "503" && !report.has_any(&EXPLAIN) => {
            sleep(health::FRESH + LOG_PAUSE);
            ask()
        }
        answer => answer,
    };
    let health = match health {
        Ok(answer) => answer,
        Err(trouble) => return unreachable::tell(config, place, &trouble, report),
    };
    let says = health.body.trim();
    match (health.code.as_str(), says) {
        ("200", "ok") => report.ok("url", format_args!("{url}/healthz says ok")),
        ("503", "registry" | "name server" | "configuration" | "911") => trouble(url, says, report),
        (code, _) => strange(config, code, place, report),
    }
    certificate(config, &health, report);
    if (health.code.as_str(), says) == ("200", "ok") {
        address(url, report);
    }
    paths(config, place, url, report);
    report.explained("log-paths", "log-format");
    // Another site's logs, then.
    report.explained("log-paths", "url");
    status_page(url, place, report);
}

/// Something else answers: the web server itself, or another site of it.
fn strange(config: &Config, code: &str, place: &Place, report: &mut Report) {
    let url = config.url.as_str().trim_end_matches('/');
    let says = format!("{url}/healthz answers {code}, and not as bowline does");
    if code.starts_with('5') {
        let hint = "is the responder's socket there (`systemctl status bowline.socket`)? see the web server's \
                    error log";
        return report.problem("url", says, hint);
    }
    if let Some(way) = another_site(config, place) {
        return report.problem("url", says, way);
    }
    let (apache, nginx) = match place.private {
        true => (
            format!("`{} -S`", apache::private(place)),
            format!("`{} -T`", nginx::private(place)),
        ),
        false => ("`apache2ctl -S`".to_owned(), "`nginx -T`".to_owned()),
    };
    let sites = [(place.apache_site(), apache), (place.nginx_site(), nginx)];
    let there = sites.into_iter().filter(|(site, _)| site.exists());
    let commands: Vec<String> = there.map(|(_, command)| command).collect();
    let shows = match commands.as_slice() {
        [] => "the web server's configuration".to_owned(),
        commands => commands.join(" or "),
    };
    report.problem(
        "url",
        says,
        format_args!(
            "another virtual host answers for this name; {shows} shows which: is the site of bowline enabled \
             and the server reloaded, and has no other one this name too, or an address of its own, which \
             goes before `*:443`?"
        ),
    );
}

/// What to do where a site of the same name takes the visits.
fn another_site(config: &Config, place: &Place) -> Option<String> {
    let host = config.url.host();
    let named = config.url.authority().rsplit_once(':');
    let named = named.and_then(|(_, port)| port.parse().ok());
    let ports = [80, 443, named.unwrap_or(80)];
    let note = |web| namesake::note(place, web, host, &ports);
    note(WebServer::Apache).or_else(|| note(WebServer::Nginx))
}

/// bowline itself says that it is in trouble.
fn trouble(url: &str, says: &str, report: &mut Report) {
    let what = match says {
        "911" => "configuration, keys or registry",
        one => one,
    };
    let says = format!("{url}/healthz says that the {what} cannot be used");
    match report.has_any(&EXPLAIN) {
        false => report.problem(
            "url",
            says,
            "as the user that the web server runs it as bowline may have fewer rights than here, or an older \
             configuration: `systemctl reload bowline`; see its log",

        ),
        true => report.unknown("url", says, "first see to the problems above"),
    }
}

/// How long the certificate is still good.
fn certificate(config: &Config, health: &Answer, report: &mut Report) {
    if !config.url.is_https() {
        return report.unknown(
            "url-certificate",
            "the URL has no https: whoever is on the way reads the tokens",
            "use https, except for a trial",
        );
    }
    let end = health.story.lines().find_map(|line| {
        let (_, date) = line.split_once("expire date: ")?;
        jiff::fmt::strtime::parse("%b %d %H:%M:%S %Y GMT", date.trim())
            .ok()?
            .to_datetime()
            .ok()?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
    });
    let Some(end) = end else {
        return report.ok_but(
            "url-certificate",
            "it is valid; curl does not tell until when",
            "see `certbot certificates`",
        );
    };
    let days = (end.timestamp().as_second() - jiff::Timestamp::now().as_second()) / 86_400;
    match days < RENEWAL {
        false => report.ok(
            "url-certificate",
            format_args!("it is valid for {days} days"),
        ),
        true => report.problem(
            "url-certificate",
            format_args!("it is valid for {days} days only, and was not renewed"),
            "see `certbot renew`, and that its timer runs",
        ),
    }
}

/// Whether bowline sees the address of its client, and not a proxy's.
fn address(url: &str, report: &mut Report) {
    let Ok(answer) = curl(&format!("{url}/ip"), &[]) else {
        return;
    };
    let ip = |text: &str| text.trim().parse::<IpAddr>().ok();
    match (ip(&answer.body), ip(&answer.local)) {
        (Some(seen), Some(local)) if seen.is_loopback() && !local.is_loopback() => report.problem(
            "url-address",
            format_args!("{url}/ip says {seen}, although it was asked from {local}"),
            "a proxy stands in front: name it in trusted_proxies of [client] in bowline.toml",
        ),
        (Some(seen), _) => report.ok("url-address", format_args!("{url}/ip says {seen}")),
        (None, _) => report.problem(
            "url-address",
            format_args!("{url}/ip answers {} and no address", answer.code),
            "see the log of bowline: a trusted proxy has to name the client",
        ),
    }
}

/// Asks for a path nobody else asks for, too short for a token, and looks for it in the logs.
fn paths(config: &Config, place: &Place, url: &str, report: &mut Report) {
    let mut octets = [0; 5];
    if getrandom::fill(&mut octets).is_err() {
        return;
    }
    let mark: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let path = |kind: &str| format!("{url}/{kind}{mark}");
    let referer = format!("Referer: {}", path("from"));
    // Whatever they answer.
    let _ = curl(&path("site"), &["-H", &referer]);
    let _ = curl(&path("none"), &["-H", NO_HOST]);
    sleep(LOG_PAUSE);
    let (mut site, mut default, mut read) = (Vec::new(), Vec::new(), 0);
    for log in logs::logs(config, place) {
        let Ok(text) = logs::tail(&log) else {
            continue;
        };
        read += 1;
        let has = |word: String| text.windows(word.len()).any(|part| part == word.as_bytes());
        if has(format!("site{mark}")) || has(format!("from{mark}")) {
            site.push(log.display().to_string());
        }
        if has(format!("none{mark}")) {
            default.push(log.display().to_string());
        }
    }
    if read == 0 {
        return report.unknown(
            "log-paths",
            "whether logs show the paths of visits: none was found",
            "visit the update URL and look for its path in the web server's logs",
        );
    }
    match site.is_empty() {
        true => report.ok(
            "log-paths",
            format_args!("a path that was visited is in none of {read} logs"),
        ),
        false => report.problem(
            "log-paths",
            format_args!(
                "a path or referer that was visited is in {}",
                site.join(", ")
            ),
            "let the web server's site log no path, query or referer, as the shipped files do; \
             then `bowline host rotate` the hosts that visited",
        ),
    }
    if !default.is_empty() {
        report.unknown(
            "default-host",
            format_args!(
                "whether clients without a Host header show tokens in {}",
                default.join(", ")
            ),
            "the default virtual host logs paths: disable it, or log no path there either",
        );
    }
}

/// A status page shows the requests that are running, of all hosts of a server.
fn status_page(url: &str, place: &Place, report: &mut Report) {
    let origin = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let mut origins = vec![origin.clone()];
    if let Some(host) = origin.strip_prefix("https://") {
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        origins.push(format!("http://{host}"));
    }
    if !place.private {
        // Debian's Apache shows it to this machine only, and to whoever has a login here.
        origins.push("http://127.0.0.1".to_owned());
    }
    for origin in origins {
        for (who, more) in [("", &[][..]), (" without its name", &["-H", NO_HOST][..])] {
            let Ok(answer) = curl(&format!("{origin}/server-status"), more) else {
                continue;
            };
            if answer.code == "200" && answer.body.contains("<th>Request</th>") {
                return report.problem(
                    "server-status",
                    format_args!("{origin}/server-status{who} shows whole request lines"),
                    "set ExtendedStatus Off after every other, or disable mod_status: `a2dismod status`",
                );
            }
        }
    }
    report.ok("server-status", "no page shows the requests of others");
}

/// One GET, by no proxy and no configuration of whoever runs this.
fn curl(url: &str, more: &[&str]) -> Result<Answer, Trouble> {
    let output = Command::new("curl")
        .args([
            "-q",
            "-sS",
            "-v",
            "--noproxy",
            "*",
            "--proto",
            "=http,https",
        ])
        .args(["--max-time", SECONDS, "-A", "bowline-doctor"])
        .args(["-w", "\n%{http_code} %{local_ip}"])
        .args(more)
        .args(["--", url])
        .env_remove("SSLKEYLOGFILE")
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => Trouble::NoCurl,
            _ => Trouble::Exit(0, error.to_string()),
        })?;
    let story = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        let mut says = story.lines().filter_map(|line| line.strip_prefix("curl: "));
        let says = says.next_back().unwrap_or("curl failed").to_owned();
        return Err(Trouble::Exit(output.status.code().unwrap_or(0), says));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let (body, last) = text.rsplit_once('\n').unwrap_or_default();
    let (code, local) = last.split_once(' ').unwrap_or((last, ""));
    Ok(Answer {
        code: code.to_owned(),
        local: local.to_owned(),
        body: body.to_owned(),
        story,
    })
}
