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

/// What is added to upkeep's unit, as `systemctl edit` does it.
fn edit(machine: &Machine, text: &str) {
    let directory = "/etc/systemd/system/bowline-upkeep.service.d";
    machine.run(&format!("mkdir -p {directory}"));
    machine.write(&format!("{directory}/override.conf"), text);
    machine.run(&format!(
        "chmod 644 {directory}/override.conf; systemctl daemon-reload"
    ));
}

/// The blocks for systemd in the book's page.
fn described() -> Vec<&'static str> {
    let page = include_str!("../../docs/src/notify.md")
        .split("```ini\n")
        .skip(1);
    page.map(|text| text.split("```").next().unwrap()).collect()
}

/// A machine with a configuration that tells of changes, and its host's update URL.
fn telling(configuration: &str) -> Option<(Machine, String)> {
    let machine = set_up("--web nginx")?;
    let token = add(&machine, "home");
    certify(&machine, "nginx");
    machine.run("systemctl stop bowline-upkeep.timer");
    machine.run(&format!(
        "cat >>/etc/bowline/bowline.toml <<'end'\n\n{configuration}end"
    ));
    // It reads that with the next visit.
    machine.run("systemctl restart bowline.service");
    Some((
        machine,
        format!("https://update.example.org/{token}/home?myip=203.0.113."),
    ))
}

/// A change, and the round that tells of it.
fn change(machine: &Machine, home: &str, n: u32) {
    machine.run("sqlite3 /var/lib/bowline/bowline.db 'DELETE FROM outbox'");
    assert_eq!(
        visit(machine, &format!("{home}{n}"), ""),
        format!("good 203.0.113.{n}\n200")
    );
    machine.run("systemctl start bowline-upkeep.service");
}

/// Postfix's: `sendmail` leaves the mail to a program that has the group of the queue.
const SENDMAIL: &str = "#!/bin/sh\nexec /usr/sbin/postdrop -a /var/spool/mails/new\n";

#[test]
fn a_sendmail_that_needs_setgid_is_told_and_can_be_let() {
    let mail =
        "[notify.mail]\nsmtp = \"sendmail\"\nfrom = \"dns@example.org\"\nto = \"me@example.org\"\n";
    let Some((machine, home)) = telling(mail) else {
        return;
    };
    machine.write("/usr/sbin/sendmail", SENDMAIL);
    machine.run(
        "install -d -m 1730 -g mail /var/spool/mails; install -m 660 -g mail /dev/null /var/spool/mails/new; \
         install -m 2755 -g mail /usr/bin/tee /usr/sbin/postdrop",
    );
    let mails = || {
        machine
            .run("grep -c ^Subject: /var/spool/mails/new || true")
            .trim()
            .to_owned()
    };
    let said = machine.run("bowline notify test");
    assert!(said.contains("sent") && mails() == "1", "{said}");
    // As shipped.
    change(&machine, &home, 1);
    assert_eq!(mails(), "1");
    let said = machine.try_run("bowline status").1;
    assert!(said.contains("waiting (/usr/sbin/sendmail ended"), "{said}");
    let notify = found(&machine, "notify");
    assert_eq!(statuses(&notify), ["problem"], "{notify:?}");
    for word in [
        "/usr/sbin/postdrop is setuid or setgid",
        "smtp://127.0.0.1:25",
    ] {
        assert!(
            notify.iter().any(|(_, says)| says.contains(word)),
            "{notify:?}"
        );
    }
    // Too little, on systemd before 253.
    edit(
        &machine,
        "[Service]\nNoNewPrivileges=no\nProtectSystem=full\n",
    );
    change(&machine, &home, 2);
    let told = statuses(&found(&machine, "notify")) != ["problem"];
    assert_eq!(mails() == "2", told);
    // As described.
    let before: u32 = mails().parse().unwrap();
    edit(&machine, described().last().unwrap());
    change(&machine, &home, 3);
    assert_eq!(
        mails(),
        (before + 1).to_string(),
        "{}",
        machine.try_run("bowline status").1
    );
    assert_eq!(statuses(&found(&machine, "notify")), ["ok"]);
}

#[test]
fn a_command_that_writes_elsewhere_is_told_and_can_be_let() {
    let Some((machine, home)) = telling("[notify.command]\ncommand = [\"/usr/local/bin/tell\"]\n")
    else {
        return;
    };
    machine.write(
        "/usr/local/bin/tell",
        "#!/bin/sh\necho \"$BOWLINE_IPV4\" >>/srv/dyn/told\n",
    );
    machine.run("install -d -o bowline /srv/dyn; bowline notify test; rm /srv/dyn/told");
    change(&machine, &home, 1);
    assert!(!machine.try_run("test -e /srv/dyn/told").0);
    let said = machine.try_run("bowline status").1;
    assert!(said.contains("Read-only file system"), "{said}");
    let notify = found(&machine, "notify");
    assert_eq!(statuses(&notify), ["ok"]);
    assert!(
        notify
            .iter()
            .any(|(_, says)| says.contains("less in bowline-upkeep.service")),
        "{notify:?}"
    );
    edit(&machine, described().first().unwrap());
    change(&machine, &home, 2);
    assert_eq!(machine.run("cat /srv/dyn/told"), "203.0.113.2\n");
}

/// "OK" in the words of systemd-analyze is 1.0 to 4.9.
#[test]
fn as_shipped_the_units_are_well_closed() {
    let Some(machine) = set_up("--web nginx") else {
        return;
    };
    machine.run(
        "systemd-analyze security --no-pager --threshold=20 bowline.service bowline-upkeep.service",
    );
}
