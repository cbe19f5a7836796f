//! Another site of the same web server with the URL's name: of the two, the one that is read
//! first has all that comes for it.

use std::fs;
use std::path::{Path, PathBuf};

use super::gateway::WebServer;
use super::place::Place;

/// A site of that name that ours would hide, were it enabled; `ports` are those of ours.
pub(super) fn hidden(place: &Place, web: WebServer, host: &str, ports: &[u16]) -> Option<PathBuf> {
    let (_, sites, ours) = directories(place, web);
    let ours = sites.join(ours);
    if place.private || ours.is_symlink() {
        return None;
    }
    let mut behind = files(&sites, web).into_iter().filter(|file| *file > ours);
    behind.find(|file| is_one(file, web, host, ports))
}

/// What there is to know about one that hides ours, and how it goes.
pub(super) fn note(place: &Place, web: WebServer, host: &str, ports: &[u16]) -> Option<String> {
    let mut first = read_first(place, web).into_iter();
    let file = first.find(|file| is_one(file, web, host, ports))?;
    let path = file.display();
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let is_site = file.parent()?.ends_with("sites-enabled");
    let way = match web {
        WebServer::Apache if is_site => format!("`a2dissite {name}`"),
        WebServer::Apache => format!("`a2disconf {name}`"),
        WebServer::Nginx if is_site => format!("`rm {path}`"),
        WebServer::Nginx => format!("`mv {path} {path}.off`"),
    };
    Some(format!(
        "{path} has the name {host} too and is read before bowline's site, so visits go there: \
         {way} and a reload end that"
    ))
}

/// The files that Debian's server reads before our site, in its order.
fn read_first(place: &Place, web: WebServer) -> Vec<PathBuf> {
    if place.private {
        return Vec::new();
    }
    let (before, sites, ours) = directories(place, web);
    let ours = sites.join(ours);
    let mut first = files(&before, web);
    first.extend(files(&sites, web).into_iter().filter(|file| *file < ours));
    first
}

/// What is read before all sites, the sites, and ours among them.
fn directories(place: &Place, web: WebServer) -> (PathBuf, PathBuf, &'static str) {
    let (dir, before, ours) = match web {
        WebServer::Apache => (&place.apache_dir, "conf-enabled", "bowline.conf"),
        WebServer::Nginx => (&place.nginx_dir, "conf.d", "bowline"),
    };
    (dir.join(before), dir.join("sites-enabled"), ours)
}

/// The files of a directory that are read, in order: those that end in `.conf`, but of
/// nginx's sites all.
fn files(directory: &Path, web: WebServer) -> Vec<PathBuf> {
    let all = web == WebServer::Nginx && directory.ends_with("sites-enabled");
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| all || path.extension().is_some_and(|ending| ending == "conf"))
        .collect();
    files.sort();
    files
}

/// Whether a file has a site of that name.
fn is_one(file: &Path, web: WebServer, host: &str, ports: &[u16]) -> bool {
    fs::read_to_string(file).is_ok_and(|text| takes(&text, web, host, ports))
}

/// Whether a text has a site of that name at one of those ports, and it is not bowline's own,
/// as certbot copies it.
fn takes(text: &str, web: WebServer, host: &str, ports: &[u16]) -> bool {
    let (names, listens) = match web {
        WebServer::Apache => (&["servername", "serveralias"][..], "<virtualhost"),
        WebServer::Nginx => (&["server_name"][..], "listen"),
    };
    let (mut named, mut at) = (false, Vec::new());
    for line in text.lines().map(str::trim_start) {
        if line.starts_with('#') {
            continue;
        }
        if line.contains("bowline") {
            return false;
        }
        let words = line.split(|c: char| c.is_whitespace() || ";>{}\"".contains(c));
        let mut words = words.filter(|word| !word.is_empty()).peekable();
        // nginx lets a whole block stand on one line.
        words.next_if(|word| *word == "server");
        let directive = words.next().unwrap_or_default().to_ascii_lowercase();
        if names.contains(&directive.as_str()) {
            named |= words.any(|word| is_name(word, host));
        } else if directive == listens {
            // Apache has several there, nginx one and what else is to be said about it.
            at.extend(words.next().map(port));
            at.extend(words.filter(|_| web == WebServer::Apache).map(port));
        }
    }
    let ours = |port: &Option<u16>| port.is_none_or(|port| ports.contains(&port));
    named && (at.is_empty() || at.iter().any(ours))
}

/// Whether a word is that name; Apache takes a scheme and a port with it.
fn is_name(word: &str, host: &str) -> bool {
    let word = word.rsplit_once("//").map_or(word, |(_, rest)| rest);
    let word = word.split(':').next().unwrap_or_default();
    word.trim_end_matches('.').eq_ignore_ascii_case(host)
}

/// The port of `*:80`, `[::]:80` or `80`; none where there is only an address.
fn port(word: &str) -> Option<u16> {
    word.rsplit(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_with_the_name() {
        let host = "update.example.org";
        for (web, text, expected) in [
            (
                WebServer::Apache,
                "<VirtualHost *:80>\nServerName update.example.org\n",
                true,
            ),
            (
                WebServer::Apache,
                "<VirtualHost *:443>\n  serveralias a.example Update.example.org.\n",
                true,
            ),
            (
                WebServer::Apache,
                "ServerName https://update.example.org:443\n",
                true,
            ),
            (
                WebServer::Apache,
                "<VirtualHost *:8080>\nServerName update.example.org\n",
                false,
            ),
            (
                WebServer::Apache,
                "<VirtualHost *:8080 *>\nServerName update.example.org\n",
                true,
            ),
            (
                WebServer::Apache,
                "<VirtualHost *:80>\n# ServerName update.example.org\n",
                false,
            ),
            (
                WebServer::Apache,
                "<VirtualHost *:80>\nServerName xupdate.example.org\n",
                false,
            ),
            (
                WebServer::Apache,
                "ServerName update.example.org\nProxyPass / unix:/run/bowline/bowline.sock|x\n",
                false,
            ),
            (
                WebServer::Nginx,
                "server {\n  listen [::]:80;\n  server_name a.example update.example.org;\n}\n",
                true,
            ),
            (
                WebServer::Nginx,
                "server {\n  server_name update.example.org;\n}\n",
                true,
            ),
            (
                WebServer::Nginx,
                "server {\n  listen 8080 default_server;\n  server_name update.example.org;\n}\n",
                false,
            ),
            (
                WebServer::Nginx,
                "server { server_name update.example.org; }\n",
                true,
            ),
            (
                WebServer::Nginx,
                "server {\n  server_name .example.org;\n}\n",
                false,
            ),
        ] {
            assert_eq!(takes(text, web, host, &[80, 443]), expected, "{text}");
        }
    }
}
