//! The script as the server offers it.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::client::{SCRIPT, said, site};
use crate::site::trial::{run, succeed};

#[test]
fn offered_where_the_operator_wants_it() {
    let Some((site, relay)) = site() else { return };
    // Off, it is a path like any other.
    let unknown = site.visit("/client.shx", &[]);
    assert_eq!(site.visit("/client.sh", &[]), unknown);
    let config = fs::read_to_string(site.trial.config()).unwrap();
    let config = config.replace("[client]", "[client]\nscript = true");
    fs::write(site.trial.config(), config).unwrap();

    let (status, script) = site.visit("/client.sh", &[]);
    assert_eq!(status, "200");
    assert_eq!(script, fs::read_to_string(SCRIPT).unwrap());
    let url = format!("http://127.0.0.1:{}/client.sh", site.trial.http);
    let head = succeed("curl", &["-sSI", &url]);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("Cache-Control: no-cache\r\n"), "{head}");
    assert!(
        head.contains(&format!("Content-Length: {}\r\n", script.len())),
        "{head}"
    );
    let tag = head
        .lines()
        .find_map(|line| line.strip_prefix("ETag: "))
        .unwrap()
        .trim();
    for (known, status) in [
        (tag.to_owned(), "304"),
        (format!("W/{tag}"), "304"),
        (format!("\"else\", {tag}"), "304"),
        ("\"else\"".to_owned(), "200"),
    ] {
        let field = format!("If-None-Match: {known}");
        let (got, body) = site.visit("/client.sh", &["-H", &field]);
        assert_eq!(got, status, "{known}");
        assert_eq!(body.is_empty(), status == "304", "{known}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(
            site.visit("/client.sh", &["-X", method]).0,
            "405",
            "{method}"
        );
    }

    // The one line of the documentation.
    let root = tempfile::tempdir().unwrap();
    let line = format!(
        "curl -fsS {url} >bowline-client && read -r url && \
         printf '%s\\n' \"$url\" | sh bowline-client install --with none"
    );
    let mut shell = Command::new("sh")
        .args(["-c", &line])
        .current_dir(root.path())
        .env("BOWLINE_CLIENT_ROOT", root.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let update = format!("http://localhost:{}/{}/home\n", relay.port, site.token);
    shell
        .stdin
        .take()
        .unwrap()
        .write_all(update.as_bytes())
        .unwrap();
    let (status, text) = said(&shell.wait_with_output().unwrap());
    assert_eq!(status, 0, "{text}");
    let program = root.path().join("usr/local/bin/bowline-client");
    let root = format!("BOWLINE_CLIENT_ROOT={}", root.path().display());
    assert!(
        run("env", &[&root, program.to_str().unwrap(), "run"])
            .status
            .success()
    );
    assert_eq!(site.dig("home", "A"), "203.0.113.7");
}
