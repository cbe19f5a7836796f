//! Setting it up and taking it away, below a directory; wrong usage.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::client::{Client, SCRIPT, SHELLS, ready, said, site};
use crate::site::trial::succeed;
use crate::support::skip::installed;

/// Installs with a URL on standard input.
fn install(client: &Client, url: &str, more: &[&str]) -> (i32, String) {
    let mut command = client.command(&[&["install"], more].concat());
    let mut install = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = install.stdin.take().unwrap();
    // It may not want to read it all.
    let _ = input.write_all(format!("{url}\n").as_bytes());
    drop(input);
    said(&install.wait_with_output().unwrap())
}

#[test]
fn set_up_and_taken_away() {
    let Some((site, relay)) = site() else { return };
    let url = format!("http://localhost:{}/{}/home", relay.port, site.token);
    for (scheduler, files) in [
        (
            "systemd",
            &[
                "etc/systemd/system/bowline-client.service",
                "etc/systemd/system/bowline-client.timer",
            ][..],
        ),
        ("cron", &["etc/cron.d/bowline-client"]),
        (
            "openwrt",
            &["etc/crontabs/root", "etc/hotplug.d/iface/95-bowline-client"],
        ),
        ("launchd", &["Library/LaunchDaemons/bowline-client.plist"]),
        ("none", &[]),
    ] {
        let client = Client::new(SHELLS[0], "curl", "replaced");
        let at = |path: &str| client.root.path().join(path);
        fs::create_dir_all(at("etc/cron.d")).unwrap();
        fs::create_dir_all(at("etc/crontabs")).unwrap();
        fs::write(at("etc/crontabs/root"), "0 4 * * * somebody else\n").unwrap();
        let (status, text) = install(&client, &url, &["--with", scheduler]);
        assert_eq!(status, 0, "{scheduler}: {text}");
        assert!(text.contains("without https"), "{text}");
        assert!(!text.contains(&site.token), "{text}");
        assert_eq!(
            fs::read_to_string(client.urls()).unwrap(),
            format!("{url}\n")
        );
        let mode = fs::metadata(client.urls()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{scheduler}");
        for file in files {
            let text = fs::read_to_string(at(file)).unwrap();
            assert!(!text.contains(&site.token), "{file}");
            assert!(
                text.contains("bowline-client")
                    && !text.contains(client.root.path().to_str().unwrap()),
                "{file}: {text}"
            );
        }
        // Twice is as once, and without a URL the one there stays.
        assert_eq!(
            install(&client, "", &["--with", scheduler]).0,
            0,
            "{scheduler}"
        );
        assert_eq!(
            fs::read_to_string(client.urls()).unwrap(),
            format!("{url}\n")
        );
        let crontab = fs::read_to_string(at("etc/crontabs/root")).unwrap();
        assert_eq!(
            crontab.matches("bowline-client run").count(),
            usize::from(scheduler == "openwrt")
        );
        assert!(crontab.contains("somebody else"));
        // What was installed runs.
        let mut run = client.command(&["run"]);
        run.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        assert_eq!(
            said(&run.output().unwrap()),
            (0, String::new()),
            "{scheduler}"
        );
        let program = at("usr/local/bin/bowline-client");
        assert_eq!(fs::read(&program).unwrap(), fs::read(SCRIPT).unwrap());
        let (status, text) = client.run(&["uninstall"]);
        assert_eq!(status, 0, "{scheduler}: {text}");
        for file in files.iter().filter(|file| !file.ends_with("crontabs/root")) {
            assert!(!at(file).exists(), "{file}");
        }
        assert!(!program.exists() && !client.urls().exists() && !client.state().exists());
        assert_eq!(
            fs::read_to_string(at("etc/crontabs/root")).unwrap(),
            "0 4 * * * somebody else\n"
        );
    }
    assert_eq!(site.dig("home", "A"), "203.0.113.7");
}

#[test]
fn the_units_are_valid() {
    if !ready() || !installed("systemd-analyze") {
        return;
    }
    let client = Client::new(SHELLS[0], "curl", "replaced");
    let url = "https://update.example.org/AAAAAAAAAAAAAAAAAAAAAAAA/home";
    assert_eq!(install(&client, url, &["--with", "systemd"]).0, 0);
    let units = client.root.path().join("etc/systemd/system");
    let service = units.join("bowline-client.service");
    // The program is not where the unit says on this machine.
    let text = fs::read_to_string(&service).unwrap();
    fs::write(
        &service,
        text.replace("/usr/local/bin/bowline-client", "/bin/sh"),
    )
    .unwrap();
    let timer = units.join("bowline-client.timer");
    let said = succeed(
        "systemd-analyze",
        &["verify", service.to_str().unwrap(), timer.to_str().unwrap()],
    );
    assert!(!said.contains("bowline-client"), "{said}");
}

#[test]
fn only_for_one_family() {
    if !ready() {
        return;
    }
    let url = "https://update.example.org/AAAAAAAAAAAAAAAAAAAAAAAA/home";
    let client = Client::new(SHELLS[1], "curl", "replaced");
    assert_eq!(
        install(&client, url, &["--with", "none", "--only", "6"]).0,
        0
    );
    assert_eq!(
        fs::read_to_string(client.urls()).unwrap(),
        format!("{url} 6\n")
    );
}

#[test]
fn a_replaced_url_is_forgotten() {
    let Some((site, relay)) = site() else { return };
    for shell in SHELLS {
        let url = |token: &str| format!("http://localhost:{}/{token}/home", relay.port);
        let old = site.bowline(&["host", "rotate", "home"]);
        let client = Client::new(shell, "curl", "replaced");
        let old = url(old["token"].as_str().unwrap());
        assert_eq!(install(&client, &old, &["--with", "none"]).0, 0);
        assert_eq!(client.run(&["run"]).0, 0);
        let new = site.bowline(&["host", "rotate", "home"]);
        relay.move_client("203.0.113.8", "2001:db8::8");
        let (status, text) = client.run(&["run", "--verbose"]);
        assert_eq!(status, 6, "{text}");
        assert_eq!(client.run(&["status"]).0, 6);
        let known = client.known();
        let new = url(new["token"].as_str().unwrap());
        assert_eq!(install(&client, &new, &["--with", "none"]).0, 0);
        let (status, text) = client.run(&["status"]);
        assert_eq!(status, 1, "{text}");
        assert!(text.contains("nothing was asked yet"), "{text}");
        assert_eq!(client.run(&["run"]).0, 0);
        let (status, text) = client.run(&["status"]);
        assert_eq!((status, text.lines().count()), (0, 2), "{text}");
        assert!(!known.iter().any(|file| file.exists()), "{known:?}");
        assert_eq!(site.dig("home", "A"), "203.0.113.8");
        assert_eq!(site.dig("home", "AAAA"), "2001:db8::8");
        // One that was written into the file by hand is in force as well.
        fs::write(client.urls(), format!("{old}\n")).unwrap();
        let (status, text) = client.run(&["status"]);
        assert!(
            status == 1 && text.contains("nothing was asked yet"),
            "{text}"
        );
        relay.move_client("203.0.113.7", "2001:db8::7");
    }
}

#[test]
fn a_family_that_is_told_no_more_is_forgotten() {
    let Some((site, relay)) = site() else { return };
    let url = format!("http://localhost:{}/{}/home", relay.port, site.token);
    let client = Client::new(SHELLS[0], "curl", "replaced");
    assert_eq!(install(&client, &url, &["--with", "none"]).0, 0);
    assert_eq!(client.run(&["run"]).0, 0);
    let only = ["--with", "none", "--only", "6"];
    assert_eq!(install(&client, &url, &only).0, 0);
    let (status, text) = client.run(&["status"]);
    assert_eq!(status, 0, "{text}");
    assert!(!text.contains("IPv4"), "{text}");
    assert_eq!(client.known().len(), 1);
    relay.move_client("203.0.113.8", "2001:db8::8");
    assert_eq!(client.run(&["run"]).0, 0);
    assert_eq!(site.dig("home", "A"), "203.0.113.7");
    assert_eq!(site.dig("home", "AAAA"), "2001:db8::8");
}

#[test]
fn wrong_usage() {
    if !ready() {
        return;
    }
    let client = Client::new(SHELLS[0], "curl", "https://update.example.org/short/home");
    for (arguments, status, text) in [
        (&[][..], 2, "what is to be done?"),
        (&["walk"], 2, "what is walk?"),
        (&["run", "--fast"], 2, "what is --fast?"),
        (&["run", "--delay"], 2, "--delay needs seconds"),
        (&["install", "--with", "luck"], 2, "--with needs"),
        (&["status"], 1, "nothing was asked yet"),
        (&["run"], 1, "a line is no update URL"),
        (&["--help"], 0, "Exit status:"),
    ] {
        let (got, said) = client.run(arguments);
        assert_eq!(got, status, "{arguments:?}: {said}");
        assert!(said.contains(text), "{arguments:?}: {said}");
    }
    for url in [
        "https://update.example.org/",
        "ftp://update.example.org/AAAAAAAAAAAAAAAAAAAAAAAA/home",
        "https://me:pw@update.example.org/AAAAAAAAAAAAAAAAAAAAAAAA/home",
        "https://update.example.org/AAAAAAAAAAAAAAAAAAAAAAAA/home\"$(id)",
        "https://update.example.org/AAAAAAAAAAAAAAAAAAAAAAAA/home 4 6",
    ] {
        let client = Client::new(SHELLS[0], "curl", "");
        fs::remove_file(client.urls()).unwrap();
        let (status, text) = install(&client, url, &["--with", "none"]);
        assert_eq!(status, 1, "{url}: {text}");
        assert!(text.contains("no update URL"), "{url}: {text}");
        assert!(!client.urls().exists());
    }
}

#[test]
fn a_file_that_others_can_read_is_closed() {
    let Some((site, relay)) = site() else { return };
    let url = format!("http://localhost:{}/{}/home", relay.port, site.token);
    let client = Client::new(SHELLS[0], "curl", &url);
    fs::set_permissions(client.urls(), fs::Permissions::from_mode(0o644)).unwrap();
    let (status, text) = client.run(&["run", "--verbose"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("could be read by others"), "{text}");
    let mode = fs::metadata(client.urls()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// As an editor or `printf '%s'` leaves it.
#[test]
fn a_last_line_needs_no_newline() {
    let Some((site, relay)) = site() else { return };
    let url = format!("http://localhost:{}/{}/home", relay.port, site.token);
    for shell in SHELLS {
        let client = Client::new(shell, "curl", "replaced");
        let mut command = client.command(&["install", "--with", "none"]);
        let mut install = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut input = install.stdin.take().unwrap();
        input.write_all(url.as_bytes()).unwrap();
        drop(input);
        let (status, text) = said(&install.wait_with_output().unwrap());
        assert_eq!(status, 0, "{text}");
        assert_eq!(
            fs::read_to_string(client.urls()).unwrap(),
            format!("{url}\n")
        );
        fs::write(client.urls(), format!("{url} 4")).unwrap();
        assert_eq!(client.run(&["run"]).0, 0, "{shell:?}");
        let (status, text) = client.run(&["status"]);
        assert_eq!(status, 0, "{shell:?}: {text}");
        assert!(text.contains("203.0.113.7"), "{shell:?}: {text}");
    }
}

#[test]
fn nothing_of_a_source_installation_is_left() {
    let stage = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/install");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(script);
        command.args(arguments).env("DESTDIR", stage.path());
        command.env("PREFIX", "/opt/bowline");
        command.env("EXECUTABLE", env!("CARGO_BIN_EXE_bowline"));
        said(&command.output().unwrap())
    };
    assert_eq!(run(&["sideways"]).0, 2);
    assert_eq!(run(&["uninstall"]).0, 1);
    // Over one that is there, too.
    for _ in 0..2 {
        let (status, text) = run(&[]);
        assert_eq!(status, 0, "{text}");
    }
    let at = |path: &str| stage.path().join("opt/bowline").join(path);
    for path in [
        "bin/bowline",
        "share/man/man1/bowline-host.1",
        "share/bash-completion/completions/bowline",
        "share/bowline/bowline-client",
    ] {
        assert!(at(path).exists(), "{path}");
    }
    let unit = fs::read_to_string(at("lib/systemd/system/bowline.service")).unwrap();
    assert!(
        unit.contains("ExecStart=/opt/bowline/bin/bowline "),
        "{unit}"
    );
    let foreign = at("bin/other");
    fs::write(&foreign, "").unwrap();
    let (status, text) = run(&["uninstall"]);
    assert_eq!(status, 0, "{text}");
    let left = succeed("find", &[stage.path().to_str().unwrap(), "-type", "f"]);
    assert_eq!(left.trim(), foreign.to_str().unwrap());
}
