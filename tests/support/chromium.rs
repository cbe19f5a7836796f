//! Chromium, told what to do by the protocol of its own tools over a pair of pipes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// One window; killed when dropped.
pub struct Chromium {
    to: File,
    from: BufReader<File>,
    process: Child,
    session: String,
    asked: u64,
    _directory: TempDir,
}

impl Chromium {
    /// Opens an empty window.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let (to, from) = (path("to"), path("from"));
        let made = Command::new("mkfifo").args([&to, &from]).status();
        assert!(made.unwrap().success());
        // It reads commands from descriptor 3 and answers on 4. `timeout` ends what a test
        // that was killed leaves behind.
        let script = "exec timeout 120 chromium \"$@\" 3<\"$to\" 4>\"$from\"";
        let process = Command::new("sh")
            .args(["-c", script, "sh", "--headless", "--no-sandbox"])
            .args(["--disable-gpu", "--disable-dev-shm-usage"])
            .arg("--remote-debugging-pipe")
            .arg(format!("--user-data-dir={}", path("profile")))
            .env("to", &to)
            .env("from", &from)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut chromium = Chromium {
            to: File::options().write(true).open(to).unwrap(),
            from: BufReader::new(File::open(from).unwrap()),
            process,
            session: String::new(),
            asked: 0,
            _directory: directory,
        };
        let window = chromium.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let window = json!({ "targetId": window["targetId"], "flatten": true });
        let attached = chromium.ask("Target.attachToTarget", window);
        chromium.session = attached["sessionId"].as_str().unwrap().to_owned();
        chromium
    }

    /// Opens a URL as if somebody had typed it.
    pub fn open(&mut self, url: &str) {
        self.ask("Page.navigate", json!({ "url": url }));
    }

    /// Clicks what a selector finds, as a person does.
    pub fn click(&mut self, selector: &str) {
        let script = format!("document.querySelector({}).click()", json!(selector));
        let click = json!({ "expression": script, "userGesture": true });
        self.ask("Runtime.evaluate", click);
    }

    /// Where the window is, and the text that it shows.
    pub fn shown(&mut self) -> String {
        let script = "location + ' ' + (document.body ? document.body.innerText : '')";
        let shown = self.ask("Runtime.evaluate", json!({ "expression": script }));
        shown["result"]["value"].as_str().unwrap_or("").to_owned()
    }

    /// A command and its answer; what it tells unasked is left out.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let mut command = json!({ "id": self.asked, "method": method, "params": params });
        if !self.session.is_empty() {
            command["sessionId"] = json!(self.session);
        }
        self.to
            .write_all(format!("{command}\0").as_bytes())
            .unwrap();
        loop {
            let mut message = Vec::new();
            let length = self.from.read_until(0, &mut message).unwrap();
            assert!(length > 0, "Chromium went at {method}");
            message.pop();
            let mut message: Value = serde_json::from_slice(&message).unwrap();
            if message["id"] == json!(self.asked) {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].take();
            }
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // `timeout` passes it on to Chromium; a kill would leave that behind.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.process.wait();
    }
}
