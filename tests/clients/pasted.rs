//! What `--for DEVICE` prints is pasted where that can be run: into the files of update clients.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use crate::secure::{CLIENTS, Secure, Web};
use crate::site::search;
use crate::site::trial::succeed;
use crate::support::skip::installed;

/// Runs a program with a private CA that curl trusts; it is ended after a while.
pub(crate) fn with_ca(secure: &Secure, program: &str, arguments: &[&str]) -> (Output, String) {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("timeout")
        .args(["40", program])
        .args(arguments)
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .env("CURL_CA_BUNDLE", &secure.ca)
        .output()
        .unwrap();
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    (output, String::from_utf8_lossy(&said).into_owned())
}

/// A private file outside of what is searched for tokens.
fn written(directory: &tempfile::TempDir, name: &str, text: &str) -> String {
    let file = directory.path().join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file.to_str().unwrap().to_owned()
}

pub(crate) fn on_both(test: impl Fn(&Secure)) {
    for web in [Web::Apache, Web::Nginx] {
        let Some(secure) = Secure::start(web) else {
            return;
        };
        eprintln!("{web:?}");
        test(&secure);
    }
}

/// The word in a text that begins so.
pub(crate) fn word<'t>(text: &'t str, start: &str) -> &'t str {
    let all = || text.split(|c: char| c.is_whitespace() || "'\"".contains(c));
    let found = all().find(|word| word.starts_with(start));
    found.unwrap_or_else(|| panic!("{start} is not in {text}"))
}

/// Has a program run once with what is pasted into its file, and remember nothing.
fn once(secure: &Secure, device: &str, paste: &str) -> String {
    once_in(&tempfile::tempdir().unwrap(), secure, device, paste)
}

/// Likewise, with what it remembers in a directory.
fn once_in(directory: &tempfile::TempDir, secure: &Secure, device: &str, paste: &str) -> String {
    let own = directory.path().display();
    match device {
        "ddclient" => {
            // It takes no name without a dot for a server.
            let text = paste.replace("server=localhost", "server=127.0.0.1");
            let text = format!("ssl_ca_file={}\n{text}", secure.ca);
            let file = written(directory, "ddclient.conf", &text);
            let cache = format!("{own}/cache");
            let options = ["-daemon=0", "-foreground", "-verbose", "-noquiet"];
            let files = ["-file", &file, "-cache", &cache];
            with_ca(secure, device, &[options, files].concat()).1
        }
        _ => {
            let text = format!("ca-trust-file = \"{}\"\n{paste}", secure.ca);
            let file = written(directory, "inadyn.conf", &text);
            let cache = format!("--cache-dir={own}");
            let options = ["-1", "-n", "--no-pidfile", "-l", "debug"];
            let files = [&cache, "-f", file.as_str()];
            let (output, said) = with_ca(secure, device, &[&options[..], &files].concat());
            assert_eq!(output.status.code(), Some(0), "{said}");
            said
        }
    }
}

/// Makes what a client remembers a day and an hour older.
fn age(directory: &tempfile::TempDir, device: &str) {
    let day = Duration::from_secs(25 * 60 * 60);
    for entry in fs::read_dir(directory).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if device == "ddclient" && name == "cache" {
            let text = fs::read_to_string(&file).unwrap();
            let fields: Vec<String> = text
                .split(',')
                .map(|field| match field.split_once("time=") {
                    Some((which @ ("a" | "m"), at)) => {
                        let at: u64 = at.parse().unwrap();
                        format!("{which}time={}", at - day.as_secs())
                    }
                    _ => field.to_owned(),
                })
                .collect();
            fs::write(&file, fields.join(",")).unwrap();
        } else if device == "inadyn" && name.ends_with(".cache") {
            let then = SystemTime::now() - day;
            let opened = fs::File::options().write(true).open(&file).unwrap();
            opened.set_modified(then).unwrap();
        }
    }
}

#[test]
fn ddclient_and_inadyn_tell_the_families_that_a_host_has() {
    if !["ddclient", "inadyn"].into_iter().all(installed) {
        return;
    }
    succeed("perl", &["-MIO::Socket::SSL", "-e", "1"]);
    let [ipv4, ipv6] = CLIENTS;
    on_both(|secure| {
        for device in ["ddclient", "inadyn"] {
            for (host, more, expected) in [
                ("both", &[][..], [ipv4, ipv6]),
                ("old", &["--only", "ipv4"], [ipv4, ""]),
                ("new", &["--only", "ipv6"], ["", ipv6]),
            ] {
                let host = format!("{host}-{device}");
                let (paste, token) = secure.paste_with(&host, device, more);
                let said = once(secure, device, &paste);
                assert_eq!(secure.dns(&host), expected, "{host}: {said}");
                assert!(!said.contains("badip"), "{host}: {said}");
                search(secure.site.trial.dir.path(), &token, &mut 0);
            }
        }
    });
}

#[test]
fn ddclient_and_inadyn_visit_once_a_day_while_nothing_changes() {
    if !["ddclient", "inadyn"].into_iter().all(installed) {
        return;
    }
    let Some(secure) = Secure::start(Web::Nginx) else {
        return;
    };
    let elsewhere = ["203.0.113.99", "2001:db8::99"];
    for device in ["ddclient", "inadyn"] {
        let host = format!("daily-{device}");
        let (paste, _) = secure.paste(&host, device);
        let directory = tempfile::tempdir().unwrap();
        let said = once_in(&directory, &secure, device, &paste);
        assert_eq!(secure.dns(&host), CLIENTS, "{said}");
        let [ipv4, ipv6] = elsewhere;
        let moved = ["host", "set", &host, "--ipv4", ipv4, "--ipv6", ipv6];
        secure.site.bowline(&moved);
        assert_eq!(secure.dns(&host), elsewhere);

        // It remembers what it said, and has nothing to say.
        let said = once_in(&directory, &secure, device, &paste);
        assert_eq!(secure.dns(&host), elsewhere, "{said}");

        age(&directory, device);
        let said = once_in(&directory, &secure, device, &paste);
        assert_eq!(secure.dns(&host), CLIENTS, "{said}");
    }
}

#[test]
fn unifi_hands_what_is_typed_to_inadyn() {
    if !installed("inadyn") {
        return;
    }
    on_both(|secure| {
        let directory = tempfile::tempdir().unwrap();
        let cache = format!("--cache-dir={}", directory.path().display());
        let (paste, unifi) = secure.paste("unifi", "unifi");
        let server = word(&paste, &secure.authority);
        let (server, path) = server.split_once('/').unwrap();
        let text = format!(
            "ca-trust-file = \"{}\"\ncustom unifi {{\nhostname = unifi.dyn.example.org\n\
             username = unifi.dyn.example.org\npassword = \"{unifi}\"\nddns-server = \"{server}\"\n\
             ddns-path = \"/{path}\"\nssl = true\ncheckip-command = \"echo 203.0.113.9\"\n}}\n",
            secure.ca
        );
        let file = written(&directory, "unifi.conf", &text);
        let options = [
            "-1",
            "-C",
            "-n",
            "--force",
            "--no-pidfile",
            &cache,
            "-f",
            &file,
        ];
        let (_, said) = with_ca(secure, "inadyn", &options);
        assert_eq!(secure.dns("unifi"), ["203.0.113.9", ""], "{said}");
        search(secure.site.trial.dir.path(), &unifi, &mut 0);
    });
}

#[test]
fn ddclient_and_inadyn_move_all_hosts_of_an_owner() {
    if !["ddclient", "inadyn"].into_iter().all(installed) {
        return;
    }
    on_both(|secure| {
        // ddclient asks for as many at once as it is told to, and 20 are the most.
        for (device, count) in [("ddclient", 21), ("inadyn", 2)] {
            secure.site.bowline(&["owner", "add", device]);
            let hosts: Vec<String> = (0..count).map(|n| format!("{device}{n}")).collect();
            for host in &hosts {
                secure
                    .site
                    .bowline(&["host", "add", host, "--owner", device]);
            }
            let added = secure
                .site
                .bowline(&["owner", "rotate", device, "--for", device]);
            let paste = added["paste"].as_str().unwrap();
            let token = added["token"].as_str().unwrap();
            let said = once(secure, device, paste);
            for host in &hosts {
                assert_eq!(secure.dns(host), CLIENTS, "{host}: {said}");
            }
            search(secure.site.trial.dir.path(), token, &mut 0);
        }
    });
}
