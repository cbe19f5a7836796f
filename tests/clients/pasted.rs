//! What `--for DEVICE` prints is pasted where that can be run, or sent as the device sends it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::secure::{CLIENTS, Secure, Web};
use crate::site::search;
use crate::site::trial::{run, succeed};
use crate::support::skip::installed;

/// Runs a program with a private CA that curl trusts; it is ended after a while.
fn with_ca(secure: &Secure, program: &str, arguments: &[&str]) -> (Output, String) {
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

fn on_both(test: impl Fn(&Secure)) {
    for web in [Web::Apache, Web::Nginx] {
        let Some(secure) = Secure::start(web) else {
            return;
        };
        eprintln!("{web:?}");
        test(&secure);
    }
}

/// The word in a text that begins so.
fn word<'t>(text: &'t str, start: &str) -> &'t str {
    let all = || text.split(|c: char| c.is_whitespace() || "'\"".contains(c));
    let found = all().find(|word| word.starts_with(start));
    found.unwrap_or_else(|| panic!("{start} is not in {text}"))
}

#[test]
fn ddclient_and_inadyn_run_with_what_is_pasted() {
    if !["ddclient", "inadyn"].into_iter().all(installed) {
        return;
    }
    succeed("perl", &["-MIO::Socket::SSL", "-e", "1"]);
    on_both(|secure| {
        let directory = tempfile::tempdir().unwrap();
        let (paste, ddclient) = secure.paste("ddclient", "ddclient");
        let ca = format!("ssl_ca_file={}\n", secure.ca);
        // It takes no name without a dot for a server.
        let address = secure.authority.replace("localhost", "127.0.0.1");
        let text = ca + &paste.replace(&secure.authority, &address);
        let file = written(&directory, "ddclient.conf", &text);
        let cache = directory.path().join("cache");
        let options = [
            "-daemon=0",
            "-foreground",
            "-verbose",
            "-noquiet",
            "-file",
            &file,
            "-cache",
        ];
        let (_, said) = with_ca(
            secure,
            "ddclient",
            &[&options[..], &[cache.to_str().unwrap()]].concat(),
        );
        assert!(said.contains("SUCCESS"), "{said}");
        assert_eq!(secure.dns("ddclient"), [CLIENTS[0], ""], "{said}");

        let (paste, inadyn) = secure.paste("inadyn", "inadyn");
        let ca = format!("ca-trust-file = \"{}\"\n", secure.ca);
        let file = written(&directory, "inadyn.conf", &(ca + &paste));
        let cache = format!("--cache-dir={}", directory.path().display());
        let options = [
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
        let (output, said) = with_ca(secure, "inadyn", &options);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(secure.dns("inadyn"), [CLIENTS[0], ""], "{said}");

        // UniFi hands the same words to inadyn.
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
        for token in [ddclient, inadyn, unifi] {
            search(secure.site.trial.dir.path(), &token, &mut 0);
        }
    });
}

#[test]
fn ddclient_and_inadyn_move_all_hosts_of_an_owner() {
    if !["ddclient", "inadyn"].into_iter().all(installed) {
        return;
    }
    on_both(|secure| {
        let directory = tempfile::tempdir().unwrap();
        let cache = directory.path().join("cache");
        for (device, hosts) in [("ddclient", ["dd1", "dd2"]), ("inadyn", ["in1", "in2"])] {
            secure.site.bowline(&["owner", "add", device]);
            for host in hosts {
                secure
                    .site
                    .bowline(&["host", "add", host, "--owner", device]);
            }
            let added = secure
                .site
                .bowline(&["owner", "rotate", device, "--for", device]);
            let paste = added["paste"].as_str().unwrap();
            let token = added["token"].as_str().unwrap();
            let said = match device {
                "ddclient" => {
                    // It takes no name without a dot for a server.
                    let address = secure.authority.replace("localhost", "127.0.0.1");
                    let text = paste.replace(&secure.authority, &address);
                    let text = format!("ssl_ca_file={}\n{text}", secure.ca);
                    let file = written(&directory, "ddclient.conf", &text);
                    let cache = cache.to_str().unwrap();
                    let options = ["-daemon=0", "-foreground", "-verbose", "-file", &file];
                    let options = [&options[..], &["-cache", cache]].concat();
                    with_ca(secure, "ddclient", &options).1
                }
                _ => {
                    let text = format!("ca-trust-file = \"{}\"\n{paste}", secure.ca);
                    let file = written(&directory, "inadyn.conf", &text);
                    let cache = format!("--cache-dir={}", directory.path().display());
                    let options = ["-1", "-n", "--force", "--no-pidfile", &cache, "-f", &file];
                    with_ca(secure, "inadyn", &options).1
                }
            };
            for host in hosts {
                assert_eq!(secure.dns(host), [CLIENTS[0], ""], "{host}: {said}");
            }
            search(secure.site.trial.dir.path(), token, &mut 0);
        }
    });
}

#[test]
fn cron_and_systemd_call_once_for_each_family() {
    on_both(|secure| {
        for device in ["cron", "systemd"] {
            let (paste, token) = secure.paste(device, device);
            let directory = tempfile::tempdir().unwrap();
            // curl runs as nobody.
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
            let root = directory.path().to_str().unwrap();
            let etc = format!("{root}/etc/");
            for below in ["etc/cron.d", "etc/systemd/system"] {
                fs::create_dir_all(directory.path().join(below)).unwrap();
            }
            let script: String = paste
                .replace("/etc/", &etc)
                .lines()
                .filter(|line| !line.starts_with("systemctl "))
                .map(|line| format!("{line}\n"))
                .collect();
            let (output, said) = with_ca(secure, "sh", &["-eu", "-c", &script]);
            assert!(
                output.status.success() && said.is_empty(),
                "{said}\n{script}"
            );
            let secret = format!("{etc}update-{device}.curl");
            let mode = fs::metadata(&secret).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let commands: Vec<String> = match device {
                "cron" => cron(&format!("{etc}cron.d/update-{device}")),
                _ => systemd(&format!("{etc}systemd/system/update-{device}"), &secret),
            };
            assert_eq!(commands.len(), 2);
            for command in commands {
                assert!(!command.contains(&token));
                let (output, said) = with_ca(secure, "sh", &["-c", &command]);
                assert!(
                    output.status.success() && said.is_empty(),
                    "{command}: {said}"
                );
            }
            assert_eq!(secure.dns(device), CLIENTS);
            search(secure.site.trial.dir.path(), &token, &mut 0);
        }
    });
}

/// The commands in a file for cron, as the user that it names would run them.
fn cron(file: &str) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let commands = text.lines().map(|line| {
        let fields: Vec<&str> = line.splitn(7, ' ').collect();
        let [minute, "*", "*", "*", "*", "nobody", command] = fields[..] else {
            panic!("{line}");
        };
        assert!(
            minute.parse::<u8>().unwrap() < 60 && !command.contains('%'),
            "{line}"
        );
        format!("setpriv --reuid=nobody --clear-groups {command}")
    });
    commands.collect()
}

/// The commands of a unit that systemd has no objection to.
fn systemd(unit: &str, secret: &str) -> Vec<String> {
    let (service, timer) = (format!("{unit}.service"), format!("{unit}.timer"));
    let verified = run("systemd-analyze", &["verify", "--man=no", &service, &timer]);
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(
        verified.status.success() && !said.contains("update-"),
        "{said}"
    );
    let text = fs::read_to_string(&service).unwrap();
    assert!(
        text.contains(&format!("LoadCredential=curl:{secret}\n")),
        "{text}"
    );
    let commands = text
        .lines()
        .filter_map(|line| line.strip_prefix("ExecStart="));
    let commands = commands.map(|command| {
        let command = command.trim_start_matches('-');
        command.replace("${CREDENTIALS_DIRECTORY}/curl", secret)
    });
    commands.collect()
}

#[test]
fn what_devices_make_of_their_url() {
    on_both(|secure| {
        let https = format!("https://{}", secure.authority);
        // What the device puts into its URL, how it asks, and what is there then. (With HTTP/1.0
        // curl offers no protocol by ALPN that Apache has.)
        for (device, values, more, a, aaaa) in [
            (
                "fritzbox",
                &[("<ipaddr>", "203.0.113.1"), ("<ip6addr>", "2001:db8::1")][..],
                &[
                    "--no-alpn",
                    "--http1.0",
                    "-u",
                    "fritzbox.dyn.example.org:unused",
                ][..],
                "203.0.113.1",
                "2001:db8::1",
            ),
            (
                "fritzbox",
                &[("<ipaddr>", "203.0.113.2")],
                &["--no-alpn", "--http1.0", "-u", "x:unused"],
                "203.0.113.2",
                "2001:db8::1",
            ),
            (
                "openwrt",
                &[("[PASSWORD]", "TOKEN"), ("[IP]", "203.0.113.3")],
                &[],
                "203.0.113.3",
                "",
            ),
            (
                "openwrt",
                &[("[PASSWORD]", "TOKEN"), ("[IP]", "2001:db8::3")],
                &[],
                "203.0.113.3",
                "2001:db8::3",
            ),
            (
                "opnsense",
                &[("__MYIP__", "2001%3Adb8%3A%3A4")],
                &["-u", "x:unused"],
                "",
                "2001:db8::4",
            ),
            (
                "pfsense",
                &[("%IP%", "203.0.113.5")],
                &[],
                "203.0.113.5",
                "",
            ),
            (
                "synology",
                &[
                    ("__HOSTNAME__", "synology.dyn.example.org"),
                    ("__MYIP__", "203.0.113.6"),
                    ("__USERNAME__", "x"),
                    ("__PASSWORD__", "TOKEN"),
                ],
                &[],
                "203.0.113.6",
                "",
            ),
            ("mikrotik", &[], &["-4"], CLIENTS[0], ""),
            ("mikrotik", &[], &["-6"], CLIENTS[0], CLIENTS[1]),
        ] {
            let shown = secure.site.bowline(&["host", "list"]);
            let is_there = shown.to_string().contains(&format!("\"{device}.dyn"));
            let (paste, token) = match is_there {
                false => secure.paste(device, device),
                true => {
                    let rotated = secure
                        .site
                        .bowline(&["host", "rotate", device, "--for", device]);
                    let text = |key: &str| rotated[key].as_str().unwrap().to_owned();
                    (text("paste"), text("token"))
                }
            };
            let template = word(&paste, &https);
            let put = |text: &str, (place, value): &(&str, &str)| {
                assert!(text.contains(place), "{device}: {text}");
                text.replace(place, &value.replace("TOKEN", &token))
            };
            let url = values
                .iter()
                .fold(template.to_owned(), |text, value| put(&text, value));
            let (output, said) = with_ca(secure, "curl", &[&["-sSfg", &url], more].concat());
            assert!(output.status.success(), "{device} {url}: {said}");
            assert!(said.starts_with("good "), "{device}: {said}");
            if device == "pfsense" {
                let pattern = paste
                    .lines()
                    .find_map(|line| line.strip_prefix("Result Match"));
                let pattern = pattern.unwrap().trim().replace("%IP%", values[0].1);
                assert!(
                    pattern.split('|').any(|answer| answer == said.trim_end()),
                    "{pattern}"
                );
            }
            assert_eq!(secure.dns(device), [a, aaaa], "{device}");
            if device == "openwrt" {
                openwrt(&paste);
                let ca = format!("--ca-certificate={}", secure.ca);
                let (output, said) = with_ca(secure, "wget", &["-q", "-O", "-", &ca, &url]);
                assert!(
                    output.status.success() && said.starts_with("nochg "),
                    "{said}"
                );
            }
            search(secure.site.trial.dir.path(), &token, &mut 0);
        }
    });
}

/// The syntax of OpenWrt's configuration: sections with names of their own, and options.
fn openwrt(text: &str) {
    let mut sections = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, key, value] = words[..] else {
            panic!("{line}");
        };
        let value = value
            .strip_prefix('\'')
            .and_then(|value| value.strip_suffix('\''))
            .unwrap();
        assert!(!value.contains('\''), "{line}");
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match kind {
            "config" => {
                assert!(
                    key == "service" && plain(value) && !sections.contains(&value),
                    "{line}"
                );
                sections.push(value);
            }
            "option" => assert!(
                line.starts_with('\t') && plain(key) && !sections.is_empty(),
                "{line}"
            ),
            _ => panic!("{line}"),
        }
    }
    assert_eq!(sections, ["update_openwrt_ipv4", "update_openwrt_ipv6"]);
}
