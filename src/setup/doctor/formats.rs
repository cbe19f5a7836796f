//! Whether the sites that run bowline have log formats that would show a path.

use std::fs;

use super::logs::sites;
use super::report::Report;
use crate::setup::Place;

/// What hands requests to a program, in Apache's words and in nginx's; for fcgiwrap, which
/// runs all CGI programs there are, the name of the program.
const RUNS: [&str; 6] = [
    "scriptalias",
    "proxypass",
    "fastcgi_pass",
    "fastcgi_param script_filename",
    "fcgidwrapper",
    "sethandler",
];
/// What shows the path, the query or the page that one came from: Apache's, then nginx's.
/// `$request` has others that begin like it and show nothing.
const SHOWS: [&str; 9] = [
    "%r",
    "%>r",
    "%U",
    "%q",
    "{referer}",
    "$request_uri",
    "$uri",
    "$args",
    "$http_referer",
];

/// Looks at the log formats of each site that runs bowline.
pub(super) fn examine(place: &Place, report: &mut Report) {
    let mut ours = 0;
    let read = |site| fs::read_to_string(site).unwrap_or_default();
    // A format may be defined in another file than the one that names it.
    let formats: Vec<(String, String)> = sites(place)
        .into_iter()
        .flat_map(|site| formats(&read(site)))
        .collect();
    for site in sites(place) {
        let text = read(site.clone());
        if !runs_bowline(&text) {
            continue;
        }
        ours += 1;
        match shown(&text, &formats).first() {
            None => report.ok(
                "log-format",
                format_args!("{} logs no path", site.display()),
            ),
            Some(line) => report.problem(
                "log-format",
                format_args!("{}: {line}", site.display()),
                "log no path, query or referer of this site, as the shipped file does; \
                 then `bowline host rotate` the hosts that visited",
            ),
        }
    }
    if ours == 0 {
        report.unknown(
            "log-format",
            "no site of a web server here runs bowline",
            "see that the one that does logs no path, query or referer",
        );
    }
}

/// Whether a site hands requests to us.
fn runs_bowline(text: &str) -> bool {
    directives(text).any(|(name, rest)| {
        let line = format!("{name} {}", rest.to_ascii_lowercase());
        RUNS.iter().any(|run| line.starts_with(run)) && rest.contains("bowline")
    })
}

/// The lines by which a site's logs show paths.
fn shown(text: &str, formats: &[(String, String)]) -> Vec<String> {
    let mut shown = Vec::new();
    let mut logs = 0;
    for (name, rest) in directives(text) {
        let (file, format) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let nowhere = file == "off" || file == "/dev/null";
        match name.as_str() {
            "customlog" | "access_log" => {
                logs += 1;
                if !nowhere && shows(formats, format) {
                    shown.push(format!("{name} {rest} shows paths"));
                }
            }
            "error_log" if !nowhere => {
                shown.push(format!("nginx adds the request line to {name} {rest}"));
            }
            _ => {}
        }
    }
    if logs == 0 {
        let why = "it has no access log of its own, and that of the whole server shows paths";
        shown.push(why.to_owned());
    }
    shown
}

/// The formats that have a name, each with it.
fn formats(text: &str) -> Vec<(String, String)> {
    directives(text)
        .filter_map(|(name, rest)| match name.as_str() {
            // Apache has the name last, nginx first.
            "logformat" => rest
                .rsplit_once(char::is_whitespace)
                .map(|(format, id)| (id, format)),
            "log_format" => rest.split_once(char::is_whitespace),
            _ => None,
        })
        .map(|(id, format)| (id.to_owned(), format.to_owned()))
        .collect()
}

/// Whether a format, or the one of that name, shows a path. A name from elsewhere counts
/// as one that does: all the usual ones do, and so does none.
fn shows(formats: &[(String, String)], format: &str) -> bool {
    let format = format.trim();
    let word = format.split_whitespace().next().unwrap_or_default();
    let format = match formats.iter().find(|(id, _)| id == word) {
        Some((_, format)) => format.as_str(),
        None if format.contains(['%', '$']) => format,
        None => return true,
    };
    let other_case = format.replace("{Referer}", "{referer}");
    let request = format.split("$request").skip(1);
    let request = request.into_iter().any(|rest| !rest.starts_with(['_']));
    request || SHOWS.iter().any(|part| other_case.contains(part))
}

/// Directives in lower case with what follows them.
fn directives(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.lines().filter_map(|line| {
        let line = line.trim().trim_end_matches(';');
        let (name, rest) = line.split_once(char::is_whitespace)?;
        (!name.starts_with('#')).then(|| (name.to_ascii_lowercase(), rest.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::users::Owners;
    use crate::setup::{Gateway, Site, nginx};
    use std::path::Path;

    #[test]
    fn a_site_for_fcgiwrap_is_looked_at() {
        let place = Place::new(Path::new("/etc/bowline/bowline.toml"), None).unwrap();
        let site = Site {
            place: &place,
            owners: &Owners::new("root").unwrap(),
            url: &"https://update.example.org".parse().unwrap(),
            http: None,
            gateway: Gateway::Cgi,
            executable: Path::new("/usr/bin/bowline"),
        };
        for file in nginx::files(&site).unwrap() {
            let text = file.content.text().unwrap();
            assert!(text.contains("fcgiwrap.socket") && runs_bowline(text));
            let combined = text.replace("access.log bowline", "access.log combined");
            assert_eq!(shown(&combined, &formats(text)).len(), 1, "{combined}");
        }
    }

    #[test]
    fn formats_that_show_paths() {
        let apache = include_str!("../../../apache/bowline.conf");
        let nginx = include_str!("../../../nginx/bowline.conf");
        let tls = include_str!("../../../nginx/bowline.tls.conf");
        for (site, from, to, shows) in [
            (apache, "", "", false),
            (nginx, "", "", false),
            (tls, "", "", false),
            (apache, "%m %>s", "\\\"%r\\\" %>s", true),
            (apache, "%B", "%{Referer}i", true),
            (
                apache,
                "access.log\" bowline",
                "access.log\" combined",
                true,
            ),
            (nginx, "$request_method", "$request", true),
            (nginx, "access.log bowline", "access.log", true),
            (nginx, "/dev/null emerg", "/var/log/nginx/error.log", true),
            (apache, "CustomLog", "# CustomLog", true),
        ] {
            let text = site.replace(if from.is_empty() { "\0" } else { from }, to);
            assert!(from.is_empty() || text != site, "{from}");
            assert!(runs_bowline(&text));
            let all = [formats(&text), formats(nginx)].concat();
            assert_eq!(
                !shown(&text, &all).is_empty(),
                shows,
                "{from} {to}: {:?}",
                shown(&text, &all)
            );
        }
    }
}
