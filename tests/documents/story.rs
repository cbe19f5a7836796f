//! The pages that can be followed on a private set-up are: each command runs, in order, and
//! prints what the page says it prints.

use std::fs;
use std::io::Write;
use std::process::Command;

use crate::page::{Page, root, steps};
use crate::site::Site;

/// A page, and the headings whose commands are run; none: all of them.
const FOLLOWED: [(&str, &[&str]); 11] = [
    ("README.md", &["Day to day", "Certificates at home"]),
    ("docs/src/http.md", &[]),
    ("docs/src/ipv6.md", &[]),
    ("docs/src/daily.md", &["Day to day", "Many at once"]),
    ("docs/src/owners.md", &[]),
    ("docs/src/notify.md", &[]),
    ("docs/src/backup.md", &[]),
    ("docs/src/changes.md", &[]),
    ("docs/src/moving/programs.md", &[]),
    ("docs/src/moving/services.md", &[]),
    ("docs/src/certificates.md", &[]),
];

#[test]
fn pages_are_followed() {
    for (name, headings) in FOLLOWED {
        let Some(site) = Site::start(&["--acme"]) else {
            return;
        };
        site.trust_loopback();
        follow(&site, &Page::read(&root().join(name)), headings);
    }
}

/// Whether a command is run here.
pub(crate) fn follows((name, heading): (&str, &str), command: &str) -> bool {
    let followed = |(page, headings): &(&str, &[&str])| {
        *page == name && (headings.is_empty() || headings.contains(&heading))
    };
    FOLLOWED.iter().any(followed) && is_private(command)
}

/// Whether it needs no more than a private set-up.
fn is_private(command: &str) -> bool {
    ["bowline ", "curl "]
        .iter()
        .any(|ours| command.starts_with(ours))
}

fn follow(site: &Site, page: &Page, headings: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    // What the page has as a file is there.
    for (_, text) in page.blocks("text") {
        if text.starts_with("name,") {
            fs::write(directory.path().join("hosts.csv"), text).unwrap();
        }
    }
    // What it has for bowline.toml that needs no other machine.
    for (_, text) in page.blocks("toml") {
        if text.starts_with("[notify.command]") {
            let file = fs::File::options().append(true).open(site.trial.config());
            file.unwrap().write_all(text.as_bytes()).unwrap();
        }
    }
    // What a page has somebody type in: a secret from elsewhere.
    let typed = directory.path().join("typed");
    fs::write(&typed, "1c4e65a0-5b04-4d5b-9a0e-d5f3a1a4c0de\n").unwrap();
    let programs = directory.path().join("bin");
    fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(&site.trial.executable, programs.join("bowline")).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let here = format!("http://127.0.0.1:{}", site.trial.http);
    let mut followed = 0;
    let blocks = page.blocks("console").into_iter();
    for (_, text) in
        blocks.filter(|(heading, _)| headings.is_empty() || headings.contains(&heading.as_str()))
    {
        for (command, output) in steps(&text) {
            if !is_private(&command) {
                continue;
            }
            if command.starts_with("bowline restore") {
                // On a fresh machine.
                fs::rename(site.trial.path("state"), directory.path().join("state")).unwrap();
                fs::remove_file(site.trial.config()).unwrap();
            }
            let line = command
                .replace("https://update.example.org", &here)
                .replace("TOKEN", &site.token)
                .replace("/root/", &format!("{}/", directory.path().display()))
                .replace("curl ", "curl -fsS ");
            let ran = Command::new("sh")
                .args(["-c", &line])
                .stdin(fs::File::open(&typed).unwrap())
                .current_dir(directory.path())
                .env("PATH", &path)
                .env("BOWLINE_CONFIG", site.trial.config())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&ran.stderr);
            assert!(ran.status.success(), "{}: {command}: {said}", page.name);
            if !output.is_empty() {
                let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
                assert_eq!(
                    printed.trim_end(),
                    output.trim_end(),
                    "{}: {command}",
                    page.name
                );
            }
            followed += 1;
        }
    }
    assert!(followed > 0, "{}: {followed}", page.name);
}
