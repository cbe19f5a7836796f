//! What clients make of a refusal: a temporary one never makes them give up.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::site::Site;
use crate::site::trial::run;
use crate::support::skip::installed;

/// What is wrong, the address that the client has, and the answer.
type Case = (fn(&str) -> String, &'static str, &'static str, &'static str);

/// Troubles that pass: the configuration as it is then.
const TEMPORARY: [Case; 4] = [
    (
        |config| config.replace("server = \"", "server = \"127.0.0.1:9\" # "),
        "203.0.113.2",
        "503",
        "dnserr",
    ),
    (
        |config| format!("{config}\n[limits]\nchanges = \"1/1h\"\n"),
        "203.0.113.2",
        "503",
        "911",
    ),
    (
        |config| format!("{config}\nnonsense"),
        "203.0.113.2",
        "503",
        "911",
    ),
    (str::to_owned, "192.168.100.10", "503", "badip"),
];

/// A site whose host has an address, and its configuration.
fn settled() -> Option<(Site, String)> {
    let site = Site::start(&[])?;
    site.trust_loopback();
    let basic = format!("me:{}", site.token);
    let (_, said) = site.visit("/nic/update?myip=203.0.113.1", &["-u", &basic]);
    assert_eq!(said, "good 203.0.113.1\n");
    let config = fs::read_to_string(site.trial.config()).unwrap();
    Some((site, config))
}

/// With a trouble in force, and checked to be what it is meant to be.
fn trouble(site: &Site, config: &str, (change, ip, status, word): Case) {
    fs::write(site.trial.config(), change(config)).unwrap();
    let basic = format!("me:{}", site.token);
    let path = format!("/nic/update?hostname=home.dyn.example.org&myip={ip}");
    let (found, said) = site.visit(&path, &["-u", &basic]);
    assert_eq!((found.as_str(), said.trim_end()), (status, word), "{ip}");
}

fn written(directory: &tempfile::TempDir, text: &str) -> String {
    let file = directory.path().join("conf");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Runs inadyn as a daemon, until it says `word` or ends: its exit code, and what it said.
fn inadyn(site: &Site, ip: &str, password: &str, word: &str) -> (Option<i32>, String) {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "custom bowline {{\nssl = false\nusername = home\npassword = {password}\n\
         hostname = home.dyn.example.org\nddns-server = \"127.0.0.1:{}\"\n\
         ddns-path = \"/nic/update?hostname=%h&myip=%i\"\ncheckip-command = \"echo {ip}\"\n}}\n",
        site.trial.http
    );
    let file = written(&directory, &text);
    let log = directory.path().join("log");
    let out = File::create(&log).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut daemon = Command::new("inadyn")
        .args(["-n", "--force", "--no-pidfile", "-l", "debug", "-f", &file])
        .arg(format!("--cache-dir={}", directory.path().display()))
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let said = fs::read_to_string(&log).unwrap();
        let code = daemon.try_wait().unwrap().map(|status| status.code());
        if code.is_some() || said.contains(word) {
            // It had time to give up, if it meant to.
            std::thread::sleep(Duration::from_secs(1));
            let code = daemon.try_wait().unwrap().map(|status| status.code());
            run("kill", &[&daemon.id().to_string()]);
            let _ = daemon.wait();
            return (code.flatten(), fs::read_to_string(&log).unwrap());
        }
        assert!(Instant::now() < end, "{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn inadyn_lives_on_unless_it_is_refused_for_good() {
    if !installed("inadyn") {
        return;
    }
    let Some((site, config)) = settled() else {
        return;
    };
    const RETRY: &str = "Will retry again in 600 sec";
    for case in TEMPORARY {
        trouble(&site, &config, case);
        let (code, said) = inadyn(&site, case.1, &site.token, RETRY);
        assert_eq!(code, None, "{case:?}: {said}");
    }
    fs::write(site.trial.config(), &config).unwrap();
    for (what, password) in [
        ("a wrong secret", "BBBBBBBBBBBBBBBBBBBBBBBB"),
        ("a dead host", &site.token),
    ] {
        if what == "a dead host" {
            site.bowline(&["host", "disable", "home"]);
        }
        let (code, said) = inadyn(&site, "203.0.113.66", password, RETRY);
        assert!(code.is_some_and(|code| code > 0), "{what}: {said}");
    }
}

#[test]
fn ddclient_curl_and_wget_come_back() {
    if !["ddclient", "wget"].into_iter().all(installed) {
        return;
    }
    let Some((site, config)) = settled() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache");
    let ddclient = |ip: &str| {
        let text = format!(
            "ssl=no\nuse=ip, ip={ip}\nmin-interval=1s\nmin-error-interval=1s\nprotocol=dyndns2\n\
             server=127.0.0.1:{}\nlogin=home\npassword='{}'\nhome.dyn.example.org\n",
            site.trial.http, site.token
        );
        let file = written(&directory, &text);
        std::thread::sleep(Duration::from_secs(2));
        let options = [
            "-daemon=0",
            "-foreground",
            "-verbose",
            "-noquiet",
            "-file",
            &file,
            "-cache",
        ];
        let output = run(
            "ddclient",
            &[&options[..], &[cache.to_str().unwrap()]].concat(),
        );
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    for (n, case) in (11..).zip(TEMPORARY) {
        trouble(&site, &config, case);
        let said = ddclient(case.1);
        assert!(!said.contains("SUCCESS"), "{case:?}: {said}");
        let url = format!(
            "http://home:{}@127.0.0.1:{}/nic/update?myip={}",
            site.token, site.trial.http, case.1
        );
        let code = |program: &str, arguments: &[&str]| run(program, arguments).status.code();
        assert_eq!(code("curl", &["-fsS", &url]), Some(22), "{case:?}");
        // Who has been challenged and then answered by 503 has nothing to doubt.
        let wget = ["-q", "-O", "-", "--tries=1", "--auth-no-challenge", &url];
        assert_eq!(code("wget", &wget), Some(8), "{case:?}");
        // It passes, and the same client goes on where it was.
        fs::write(site.trial.config(), &config).unwrap();
        let ip = format!("203.0.113.{n}");
        let said = ddclient(&ip);
        assert!(said.contains("SUCCESS"), "after {case:?}: {said}");
        assert_eq!(site.dig("home", "A"), ip);
    }
}
