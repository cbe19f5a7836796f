//! What systemd lets the units do: a log of their own, mail and commands.

use serde_json::Value;

use crate::machine::Machine;
use crate::{add, address, certify, set_up, visit};

/// What doctor finds under a name: status, and what it says with its hint.
fn found(machine: &Machine, name: &str) -> Vec<(String, String)> {
    let (_, said) = machine.try_run("bowline --json doctor 2>/dev/null");
    let document: Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let checks = document["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["name"] == name)
        .map(|check| {
            let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
            (
                text("status"),
                format!("{}; {}", text("says"), text("hint")),
            )
        })
        .collect()
}

/// The statuses of what is found.
fn statuses(found: &[(String, String)]) -> Vec<&str> {
    found.iter().map(|(status, _)| status.as_str()).collect()
}

/// The file that is named to fail2ban and logrotate.
#[test]
fn responder_and_upkeep_write_a_log_of_their_own() {
    let Some(machine) = set_up("--web nginx") else {
        return;
    };
    let token = add(&machine, "home");
    certify(&machine, "nginx");
    let home = |n: u32| format!("https://update.example.org/{token}/home?myip=203.0.113.{n}");
    assert_eq!(visit(&machine, &home(1), ""), "good 203.0.113.1\n200");
    machine.run(
        "printf '\\n[log]\\ntarget = \"file:/var/log/bowline/bowline.log\"\\n' >>/etc/bowline/bowline.toml; \
         systemctl stop bowline-upkeep.timer",
    );
    assert_eq!(statuses(&found(&machine, "log-file")), ["problem"]);
    // As the package does it. The responder has run since before.
    machine.run("install -d -m 2750 -o bowline -g adm /var/log/bowline");
    let log = found(&machine, "log-file");
    assert_eq!(statuses(&log), ["ok", "problem"], "{log:?}");
    assert!(
        log.iter()
            .any(|(_, says)| says.contains("`systemctl restart bowline.service`")),
        "{log:?}"
    );
    machine.run("systemctl restart bowline.service");
    assert_eq!(visit(&machine, &home(2), ""), "good 203.0.113.2\n200");
    machine.run("systemctl stop knot");
    assert_eq!(visit(&machine, &home(3), ""), "dnserr\n503");
    machine.run("systemctl start knot; sleep 1; systemctl start bowline-upkeep.service");
    assert_eq!(address(&machine, "home"), "203.0.113.3");
    let lines = machine.run("cat /var/log/bowline/bowline.log");
    for line in [
        "bowline: update host=home.dyn.example.org",
        "bowline: upkeep host=home.dyn.example.org",
    ] {
        assert!(lines.contains(line), "{line}: {lines}");
    }
    let owners = machine.run("stat -c '%U %G %a' /var/log/bowline /var/log/bowline/bowline.log");
    assert_eq!(owners, "bowline adm 2750\nbowline adm 640\n");
    assert_eq!(statuses(&found(&machine, "log-file")), ["ok"]);
    // As logrotate does it.
    machine.run(
        "cd /var/log/bowline && setpriv --reuid bowline --regid adm --clear-groups sh -c \
         'mv bowline.log bowline.log.1 && install -m 640 /dev/null bowline.log'",
    );
    assert_eq!(visit(&machine, &home(4), ""), "good 203.0.113.4\n200");
    machine.run("grep 203.0.113.4 /var/log/bowline/bowline.log");

    // Elsewhere a shell can write, and the units cannot.
    machine.run(
        "touch /var/log/dyn.log && chown bowline /var/log/dyn.log && \
         sed -i s,/var/log/bowline/bowline.log,/var/log/dyn.log, /etc/bowline/bowline.toml",
    );
    let log = found(&machine, "log-file");
    assert_eq!(statuses(&log), ["ok", "problem", "problem"], "{log:?}");
    machine.run(
        "for unit in bowline bowline-upkeep; do d=/etc/systemd/system/$unit.service.d; mkdir -p $d; \
         printf '[Service]\\nReadWritePaths=/var/log\\n' >$d/log.conf; done; \
         systemctl daemon-reload; systemctl restart bowline.service",
    );
    let log = found(&machine, "log-file");
    assert_eq!(statuses(&log), ["ok"], "{log:?}");
    assert_eq!(visit(&machine, &home(5), ""), "good 203.0.113.5\n200");
    machine.run("grep 203.0.113.5 /var/log/dyn.log");
}

/// With CGI the web server's user writes, and upkeep as that one.
#[test]
fn with_cgi_upkeep_writes_the_log_of_the_web_server() {
    let Some(machine) = set_up("--web apache --gateway cgi") else {
        return;
    };
    let token = add(&machine, "home");
    certify(&machine, "apache2");
    machine.run(
        "printf '\\n[log]\\ntarget = \"file:/var/log/bowline/bowline.log\"\\n' >>/etc/bowline/bowline.toml; \
         systemctl stop bowline-upkeep.timer; install -d -m 2750 -o www-data -g adm /var/log/bowline",
    );
    assert_eq!(statuses(&found(&machine, "log-file")), ["ok"]);
    let home = format!("https://update.example.org/{token}/home?myip=203.0.113.7");
    machine.run("systemctl stop knot");
    assert_eq!(visit(&machine, &home, ""), "dnserr\n503");
    machine.run("systemctl start knot; sleep 1; systemctl start bowline-upkeep.service");
    let lines = machine.run("cat /var/log/bowline/bowline.log");
    for line in ["bowline: update host=home", "bowline: upkeep host=home"] {
        assert!(lines.contains(line), "{line}: {lines}");
    }
}
