//! Each web server with each gateway, set up by `init --apply`: a visit moves the name.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use serde_json::Value;

use crate::support::skip::installed;
use crate::trial::{Trial, run, succeed, wait_until};

/// What `init` started in the background.
const PID_FILES: [&str; 4] = [
    "apache/run/apache2.pid",
    "nginx/run/nginx.pid",
    "bowline.pid",
    "fcgiwrap.pid",
];

/// A set-up that runs, ended with the test.
struct Running(Trial);

impl Running {
    fn start(more: &[&str]) -> Self {
        let mut trial = Trial::new();
        // The web server runs it as somebody else, who must reach it.
        fs::set_permissions(trial.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let executable = trial.dir.path().join("bowline");
        let copy = [env!("CARGO_BIN_EXE_bowline"), executable.to_str().unwrap()];
        succeed("install", &[&["-m755"], &copy[..]].concat());
        trial.executable = executable;
        let running = Running(trial);
        running.0.init(&[&["--apply"], more].concat()).unwrap();
        running
    }

    /// The token of a new host.
    fn add(&self, name: &str) -> String {
        let arguments = ["host", "add", name].map(str::to_owned);
        let report: Value = serde_json::from_str(&self.0.verb(&arguments).unwrap()).unwrap();
        report["token"].as_str().unwrap().to_owned()
    }

    /// What a visit hears.
    fn visit(&self, path: &str, more: &[&str]) -> String {
        let url = format!("http://127.0.0.1:{}{path}", self.0.http);
        succeed("curl", &[&["-sS", "--path-as-is", &url], more].concat())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for file in PID_FILES {
            let pid = fs::read_to_string(self.0.path(file)).unwrap_or_default();
            if !pid.trim().is_empty() {
                // fcgiwrap leaves its children behind, and makes another one for each that ends.
                let children = run("pgrep", &["-P", pid.trim()]).stdout;
                run("kill", &[pid.trim()]);
                let process = Path::new("/proc").join(pid.trim());
                wait_until(|| !process.exists());
                let children = String::from_utf8_lossy(&children);
                children
                    .lines()
                    .for_each(|child| drop(run("kill", &[child])));
            }
        }
    }
}

/// No file but those that are meant to has the token.
fn no_token_in_files(running: &Running, token: &str) {
    let directory = running.0.dir.path().to_str().unwrap();
    let found = run("grep", &["-rl", "--binary-files=text", token, directory]);
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

#[test]
fn every_way_is_set_up_and_run_again_changes_nothing() {
    let programs = ["knotd", "apache2", "nginx", "fcgiwrap", "curl"];
    if !programs.iter().all(|program| installed(program)) {
        return;
    }
    for (web, gateway) in [
        ("nginx", "fastcgi"),
        ("nginx", "cgi"),
        ("apache", "fastcgi"),
        ("apache", "cgi"),
    ] {
        let (web, gateway) = (format!("--web={web}"), format!("--gateway={gateway}"));
        let options = [web.as_str(), gateway.as_str()];
        let running = Running::start(&options);
        let token = running.add("home");
        wait_until(|| running.visit("/healthz", &[]) == "ok\n");
        let home = format!("/{token}/home?myip=203.0.113.7");
        assert_eq!(
            running.visit(&home, &[]),
            "good 203.0.113.7\n",
            "{options:?}"
        );
        assert_eq!(
            running.0.dig(&["home.dyn.example.org", "A"]),
            "203.0.113.7\n"
        );
        assert_eq!(running.visit(&home, &[]), "nochg 203.0.113.7\n");
        // The secret as a password, as routers send it.
        let user = format!("anybody:{token}");
        let update = "/nic/update?hostname=home.dyn.example.org&myip=203.0.113.8";
        let answer = running.visit(update, &["--user", &user]);
        assert_eq!(answer, "good 203.0.113.8\n", "{options:?}");
        assert_eq!(
            running.0.dig(&["home.dyn.example.org", "A"]),
            "203.0.113.8\n"
        );
        let wrong = running.visit(update, &["--user", "anybody:nothing"]);
        assert_eq!(wrong, "badauth\n", "{options:?}");

        let again: Value = serde_json::from_str(&running.0.init(&options).unwrap()).unwrap();
        for (path, file) in again["files"].as_object().unwrap() {
            assert_eq!(file["state"], "unchanged", "{options:?} {path}");
        }
        let next = again["next"].to_string();
        for done in ["nginx -e", "apache2 -f", "setsid", "knotd -d"] {
            assert!(!next.contains(done), "{options:?} {next}");
        }
        no_token_in_files(&running, &token);
    }
}

#[test]
fn a_responder_hears_of_a_new_zone() {
    if !installed("knotd") || !installed("nginx") || !installed("curl") {
        return;
    }
    let running = Running::start(&["--web=nginx", "--gateway=fastcgi"]);
    let add = ["zone", "add", "d2.example.org"].map(str::to_owned);
    let report: Value = serde_json::from_str(&running.0.verb(&add).unwrap()).unwrap();
    let next = report["next"].as_array().unwrap().iter();
    let ours = |command: &&str| !command.starts_with('#') && !command.contains("zone show");
    let commands: Vec<&str> = next.filter_map(Value::as_str).filter(ours).collect();
    assert!(
        commands
            .iter()
            .any(|command| command.starts_with("kill -HUP"))
    );
    for command in commands {
        succeed("sh", &["-c", command]);
    }
    let arguments = ["host", "add", "home", "--zone", "d2.example.org"].map(str::to_owned);
    let host: Value = serde_json::from_str(&running.0.verb(&arguments).unwrap()).unwrap();
    let home = format!("/{}/home?myip=203.0.113.9", host["token"].as_str().unwrap());
    wait_until(|| running.visit(&home, &[]).contains("203.0.113.9"));
    assert_eq!(
        running.0.dig(&["home.d2.example.org", "A"]),
        "203.0.113.9\n"
    );
}

/// nginx reads what is written for every kind of URL.
#[test]
fn every_variant_is_valid_for_nginx() {
    if !installed("nginx") {
        return;
    }
    for (url, http) in [
        ("https://update.example.org", Some("127.0.0.1:8080")),
        ("https://update.example.org/dyn", Some("[::1]:8080")),
        ("http://127.0.0.1:8080", Some("127.0.0.1:8080")),
        ("https://update.example.org", None),
        ("http://update.example.org", None),
        ("https://update.example.org:8443", None),
        ("http://[2001:db8::1]:8080", None),
    ] {
        for gateway in ["cgi", "fastcgi"] {
            let trial = Trial::new();
            let mut arguments = trial.arguments();
            arguments.retain(|argument| !argument.starts_with("--http="));
            arguments
                .iter_mut()
                .filter(|argument| argument.starts_with("--url="))
                .for_each(|argument| *argument = format!("--url={url}"));
            arguments.extend(http.map(|address| format!("--http={address}")));
            arguments.extend(["--web=nginx".to_owned(), format!("--gateway={gateway}")]);
            let report = trial.verb(&arguments).unwrap();
            assert!(!report.contains("certbot") || report.contains("--deploy-hook 'nginx -e "));
            let conf = trial.path("nginx/nginx.conf");
            let said = succeed("nginx", &["-t", "-c", conf.to_str().unwrap()]);
            assert!(
                said.contains("test is successful"),
                "{url} {http:?}: {said}"
            );
        }
    }
}

/// Where nothing takes lines for syslog, they are in a file: nobody keeps a responder's standard
/// error.
#[test]
fn what_a_responder_logs_is_in_a_file_where_there_is_no_syslog() {
    if !installed("knotd") || !installed("nginx") || !installed("curl") {
        return;
    }
    let running = Running::start(&["--web=nginx", "--gateway=fastcgi"]);
    let log = running.0.path("state/bowline.log");
    let status = ["status"].map(str::to_owned);
    let token = running.add("home");
    wait_until(|| running.visit("/healthz", &[]) == "ok\n");
    let home = format!("/{token}/home?myip=203.0.113.7");
    assert_eq!(running.visit(&home, &[]), "good 203.0.113.7\n");
    let status: Value = serde_json::from_str(&running.0.verb(&status).unwrap()).unwrap();
    if Path::new("/dev/log").exists() {
        assert_eq!(status["log"], "syslog");
        assert!(!log.exists());
        return;
    }
    assert_eq!(status["log"], log.display().to_string());
    let lines = fs::read_to_string(&log).unwrap();
    let line = "update host=home.dyn.example.org ipv4=203.0.113.7 result=good";
    assert!(lines.contains(line), "{lines}");
    let (is, state) = (log.metadata().unwrap(), running.0.path("state"));
    assert_eq!(is.permissions().mode() & 0o7777, 0o640);
    assert_eq!(is.uid(), state.metadata().unwrap().uid());
    no_token_in_files(&running, &token);
    // It is said, and a file that is there already says otherwise where it does.
    let options = ["--web=nginx", "--gateway=fastcgi"];
    let notes = |running: &Running| {
        let report = running.0.init(&options).unwrap();
        serde_json::from_str::<Value>(&report).unwrap()["notes"].to_string()
    };
    let said = notes(&running);
    assert!(
        said.contains(&format!("the log is {}", log.display())),
        "{said}"
    );
    let config = running.0.read("bowline.toml");
    let auto = config.replace(&format!("file:{}", log.display()), "auto");
    assert_ne!(auto, config);
    fs::write(running.0.config(), auto).unwrap();
    let said = notes(&running);
    let advice = format!("[log] target = \\\"file:{}\\\"", log.display());
    assert!(said.contains(&advice), "{said}");
    let by_cgi = Trial::new();
    by_cgi.init(&["--web=nginx", "--gateway=cgi"]).unwrap();
    assert!(!by_cgi.read("bowline.toml").contains("[log]"));
}
