//! The programs themselves.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::site::trial::{run, succeed};
use crate::site::{Site, search};
use crate::support::skip::installed;

/// A private file of the client's, outside of what is searched for the token.
fn written(directory: &tempfile::TempDir, text: &str) -> String {
    let file = directory.path().join("conf");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn wget_answers_the_challenge() {
    if !installed("wget") {
        return;
    }
    let Some(site) = Site::start(&[]) else { return };
    site.trust_loopback();
    let url = format!(
        "http://me:{}@127.0.0.1:{}/nic/update?hostname=home.dyn.example.org&myip=203.0.113.7",
        site.token, site.trial.http
    );
    assert_eq!(
        succeed("wget", &["-q", "-O", "-", &url]),
        "good 203.0.113.7\n"
    );
    assert_eq!(site.dig("home", "A"), "203.0.113.7");
    let wrong = url.replace(&site.token, "BBBBBBBBBBBBBBBBBBBBBBBB");
    assert_eq!(
        run("wget", &["-q", "-O", "-", &wrong]).status.code(),
        Some(6)
    );
    // Its first half is no failed attempt.
    let log = fs::read_to_string(site.trial.path("state/bowline.log")).unwrap();
    assert_eq!(log.matches("reason=\"wrong secret\"").count(), 1, "{log}");
    assert!(log.contains("reason=\"no credential\""), "{log}");
}

#[test]
fn ddclient() {
    if !installed("ddclient") {
        return;
    }
    let Some(site) = Site::start(&[]) else { return };
    site.trust_loopback();
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache").to_str().unwrap().to_owned();
    let update = |ip: &str, password: &str, more: &str| {
        let more = more.replace("TOKEN", &site.token);
        let text = format!(
            "ssl=no\nuse=ip, ip={ip}\nserver=127.0.0.1:{}\nlogin=home\n\
             password='{password}'\n{more} home.dyn.example.org\n",
            site.trial.http
        );
        let file = written(&directory, &text);
        let arguments = [
            "-daemon=0",
            "-foreground",
            "-file",
            &file,
            "-cache",
            &cache,
            "-verbose",
            "-noquiet",
            "-force",
        ];
        let output = run("ddclient", &arguments);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    for (ip, more, kind) in [
        ("203.0.113.7", "protocol=dyndns2", "A"),
        ("203.0.113.9", "protocol=dyndns2, script=/TOKEN/home", "A"),
        ("2001:db8::7", "protocol=dyndns2", "AAAA"),
    ] {
        let said = update(ip, &site.token, more);
        assert!(said.contains("SUCCESS"), "{more}: {said}");
        assert_eq!(site.dig("home", kind), ip, "{more}: {said}");
    }
    let said = update(
        "203.0.113.66",
        "BBBBBBBBBBBBBBBBBBBBBBBB",
        "protocol=dyndns2",
    );
    assert!(said.contains("FAILED"), "{said}");
    assert_eq!(site.dig("home", "A"), "203.0.113.9");
    search(site.trial.dir.path(), &site.token, &mut 0);
}

#[test]
fn inadyn() {
    if !installed("inadyn") {
        return;
    }
    let Some(site) = Site::start(&[]) else { return };
    site.trust_loopback();
    let directory = tempfile::tempdir().unwrap();
    let cache = format!("--cache-dir={}", directory.path().display());
    let update = |ip: &str, password: &str, path: &str| {
        let text = format!(
            "allow-ipv6 = true\niterations = 1\ncustom bowline {{\n  ssl = false\n  username = home\n  \
             password = {password}\n  hostname = home.dyn.example.org\n  \
             ddns-server = \"127.0.0.1:{}\"\n  ddns-path = \"{path}\"\n  \
             checkip-command = \"echo {ip}\"\n}}\n",
            site.trial.http
        );
        let file = written(&directory, &text);
        let arguments = [
            "-1",
            "-n",
            "--force",
            "--no-pidfile",
            "-l",
            "debug",
            &cache,
            "-f",
            &file,
        ];
        let output = run("timeout", &[&["20", "inadyn"], &arguments[..]].concat());
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    for (ip, path, kind) in [
        ("203.0.113.7", "/nic/update?hostname=%h&myip=%i", "A"),
        ("2001:db8::7", "/nic/update?hostname=%h&myip=%i", "AAAA"),
        ("203.0.113.8", "/%p/home?myip=%i", "A"),
        ("203.0.113.9", "/update?domains=%h&token=%p&ip=%i", "A"),
    ] {
        let (code, said) = update(ip, &site.token, path);
        assert_eq!(code, Some(0), "{path}: {said}");
        assert_eq!(site.dig("home", kind), ip, "{path}: {said}");
    }
    let (code, said) = update(
        "203.0.113.66",
        "BBBBBBBBBBBBBBBBBBBBBBBB",
        "/nic/update?myip=%i",
    );
    assert_ne!(code, Some(0), "{said}");
    assert_eq!(site.dig("home", "A"), "203.0.113.9");
}
