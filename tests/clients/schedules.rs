//! What `--for cron` and `--for systemd` print, run as these run it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::pasted::{on_both, with_ca};
use crate::secure::CLIENTS;
use crate::site::search;
use crate::site::trial::run;

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
            // cron reads no file with a dot in its name.
            let called = match device {
                "cron" => format!("update-{device}_dyn_example_org"),
                _ => format!("update-{device}.dyn.example.org"),
            };
            let secret = format!("{etc}{called}.curl");
            let mode = fs::metadata(&secret).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let commands: Vec<String> = match device {
                "cron" => cron(&format!("{etc}cron.d/{called}")),
                _ => systemd(&format!("{etc}systemd/system/{called}"), &secret),
            };
            assert_eq!(commands.len(), 2);
            for command in commands {
                assert!(!command.contains(&token));
                // Over a proxy the server would see the proxy's address; nobody listens there.
                let command = format!("https_proxy=http://127.0.0.1:9 {command}");
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

#[test]
fn synology_runs_a_line_for_ipv6() {
    on_both(|secure| {
        for (host, more) in [("dsm", &[][..]), ("dsm6", &["--only", "ipv6"])] {
            let (paste, token) = secure.paste_with(host, "synology", more);
            let line = paste.lines().find(|line| line.contains("curl"));
            let (output, said) = with_ca(secure, "sh", &["-eu", "-c", line.unwrap()]);
            assert!(output.status.success() && said.is_empty(), "{said}");
            assert_eq!(secure.dns(host), ["", CLIENTS[1]]);
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
