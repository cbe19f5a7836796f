//! `init --apply` as it is documented, with each web server.

use crate::machine::Machine;
use crate::{CERTIFICATE, INIT, add, address, answers, certify, set_up, visit};

const UPDATE: &str = "https://update.example.org";

#[test]
fn the_responder_has_a_user_of_its_own_behind_apache() {
    a_responder_behind("apache", "apache2");
}

#[test]
fn the_responder_has_a_user_of_its_own_behind_nginx() {
    a_responder_behind("nginx", "nginx");
}

fn a_responder_behind(web: &str, service: &str) {
    let Some(machine) = set_up(&format!("--web {web}")) else {
        return;
    };
    let token = add(&machine, "home");
    // Before there is a certificate: plain HTTP is answered, and refuses the token.
    let plain = format!("http://update.example.org/{token}/home?myip=203.0.113.7");
    assert_eq!(visit(&machine, &plain, ""), "badauth\n403");
    certify(&machine, service);
    assert_eq!(visit(&machine, &plain, ""), "badauth\n403");
    let home = format!("{UPDATE}/{token}/home?myip=203.0.113.7");
    assert_eq!(visit(&machine, &home, ""), "good 203.0.113.7\n200");
    assert_eq!(address(&machine, "home"), "203.0.113.7");
    assert_eq!(visit(&machine, &home, ""), "nochg 203.0.113.7\n200");
    let basic = format!("{UPDATE}/nic/update?hostname=home.dyn.example.org&myip=203.0.113.8");
    let user = format!("--user me:{token}");
    assert_eq!(visit(&machine, &basic, &user), "good 203.0.113.8\n200");
    assert_eq!(address(&machine, "home"), "203.0.113.8");

    let shown = machine.run("stat -c '%U %G %a' /run/bowline/bowline.sock /run/bowline");
    assert_eq!(shown, "bowline www-data 660\nroot root 755\n");
    let users = machine.run("ps -o user= -C bowline");
    assert_eq!(users.trim(), "bowline");
    for closed in [
        "/etc/bowline/tsig.key",
        "/etc/bowline/lookup.key",
        "/var/lib/bowline/bowline.db",
    ] {
        let (read, said) = machine.try_run(&format!("runuser -u www-data -- cat {closed}"));
        assert!(
            !read && said.contains("Permission denied"),
            "{closed}: {said}"
        );
    }
    // The journal and the logs of the web server.
    let journal = machine.run("journalctl --no-pager -t bowline -o cat");
    assert!(journal.contains("result=good"), "{journal}");
    assert!(!journal.contains(&token), "{journal}");
    let (found, files) = machine.try_run(&format!(
        "grep -rl --binary-files=text {token} /var /run /etc"
    ));
    assert!(!found, "{files}");

    let again = machine.run(&format!("{INIT} --web {web}"));
    assert!(
        !again.contains(" new ") && !again.contains("updated"),
        "{again}"
    );
    for done in [
        "systemctl",
        "a2en",
        "ln -s",
        "configtest",
        "nginx -t",
        "certbot",
    ] {
        assert!(!again.contains(done), "{done}: {again}");
    }
}

#[test]
fn a_gateway_can_be_changed_and_changed_back() {
    let Some(machine) = set_up("--web apache") else {
        return;
    };
    let token = add(&machine, "home");
    certify(&machine, "apache2");
    // A file that its owner changed is read by the new user all the same.
    machine.run("echo '# mine' >>/etc/bowline/bowline.toml");
    let home = |n: u32| format!("{UPDATE}/{token}/home?myip=203.0.113.{n}");
    for (n, options, owner) in [
        (1, "--web apache", "bowline"),
        (2, "--web apache --gateway cgi", "www-data"),
        // Who says nothing about it changes nothing.
        (6, "--web apache", "www-data"),
        (3, "--web apache --gateway fastcgi", "bowline"),
        (4, "--web nginx --gateway cgi", "www-data"),
        (5, "--web nginx --gateway fastcgi", "bowline"),
    ] {
        if options.contains("nginx") {
            machine.run("systemctl disable -q --now apache2 2>/dev/null");
        }
        machine.run(&format!("{INIT} --apply {options}"));
        answers(&machine);
        assert_eq!(
            visit(&machine, &home(n), ""),
            format!("good 203.0.113.{n}\n200"),
            "{options}"
        );
        assert_eq!(address(&machine, "home"), format!("203.0.113.{n}"));
        let owners = machine.run("stat -c %U /var/lib/bowline /var/lib/bowline/*");
        assert!(owners.lines().all(|is| is == owner), "{options}: {owners}");
        machine.run("systemctl start bowline-upkeep.service");
        let (active, _) = machine.try_run("systemctl is-active bowline.socket");
        assert_eq!(active, owner == "bowline", "{options}");
    }
}

/// Apache runs its CGI programs as www-data, whoever owns the keys.
#[test]
fn a_user_that_no_visit_would_run_as_is_refused() {
    let Some(machine) = set_up("--web apache --gateway cgi") else {
        return;
    };
    machine.run("useradd --system ddns");
    let before = machine.run("cat /etc/bowline/written.sha256");
    let other = format!("{INIT} --web apache --gateway cgi --user ddns --apply");
    let (done, said) = machine.try_run(&other);
    assert!(!done && said.contains("runs bowline as www-data"), "{said}");
    assert!(said.contains("--gateway fastcgi"), "{said}");
    assert_eq!(machine.run("cat /etc/bowline/written.sha256"), before);
    // With suEXEC it may be.
    machine.run(&other.replace("--web apache", "--web none"));
    // Where it is not, doctor says so, whatever else there is.
    machine.run(&format!("{CERTIFICATE} && systemctl reload apache2 && echo 127.0.0.1 update.example.org >>/etc/hosts"));
    machine.wait("curl -sSk https://update.example.org/healthz | grep 911");
    let (_, said) = machine.try_run(
        "systemctl stop bowline-upkeep.timer bowline-upkeep.service; rm /var/lib/bowline/locks/upkeep; \
         CURL_CA_BUNDLE=/etc/letsencrypt/live/update.example.org/fullchain.pem bowline doctor",
    );
    for line in ["problem      upkeep ", "problem      url  "] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn the_last_zone_takes_units_and_sites_along() {
    for (web, site) in [
        (
            "nginx",
            [
                "rm /etc/nginx/sites-enabled/bowline && systemctl reload nginx",
                "rm -f /etc/nginx/sites-available/bowline /etc/nginx/sites-available/bowline-tls",
            ],
        ),
        (
            "apache",
            [
                "a2dissite bowline bowline-le-ssl && systemctl reload apache2",
                "rm -f /etc/apache2/sites-available/bowline.conf /etc/apache2/sites-available/bowline-le-ssl.conf",
            ],
        ),
    ] {
        let Some(machine) = set_up(&format!("--web {web}")) else {
            return;
        };
        if web == "apache" {
            // As certbot does it.
            machine.run(
                "cd /etc/apache2/sites-available && sed s/:80/:81/ bowline.conf >bowline-le-ssl.conf && \
                 a2ensite -q bowline-le-ssl",
            );
        }
        // The zone is signed, and nobody here tells whether its parent has a DS.
        let (done, said) = machine.try_run("bowline zone remove dyn.example.org --apply");
        assert!(!done && said.contains("would be bogus"), "{said}");
        assert!(said.contains("without --apply"), "{said}");
        let unsign = format!("{INIT} --no-dnssec --web {web}");
        let (done, said) = machine.try_run(&format!("{unsign} --apply"));
        assert!(!done && said.contains("must stay signed"), "{said}");
        machine.run("grep -q 'dnssec-signing: on' /etc/knot/bowline.d/50-dyn.example.org.conf");
        let said = machine.run(&format!("{unsign} --dry-run"));
        assert!(said.contains("# take the DS of dyn.example.org"), "{said}");
        machine.run("bowline zone show dyn.example.org; test -e /etc/knot/bowline.d/50-dyn.example.org.conf");
        let said = machine.run("bowline zone remove dyn.example.org");
        let units = [
            "systemctl disable --now bowline.socket bowline.service bowline-upkeep.timer",
            "rm -f /etc/systemd/system/bowline.socket",
        ];
        for command in units.into_iter().chain(site) {
            assert!(said.contains(command), "{command}: {said}");
            let line = said.lines().find(|line| line.contains(command)).unwrap();
            machine.run(line.trim());
        }
        assert!(!machine.try_run("systemctl cat bowline.socket").0);
        let left = machine.run("find /etc/apache2 /etc/nginx -name '*bowline*'");
        assert_eq!(left, "", "{web}");
    }
}

/// Cron, and the services' own scripts.
#[test]
fn without_systemd_there_is_cron_and_cgi() {
    for web in ["apache", "nginx"] {
        let Some(machine) = Machine::start_without_systemd() else {
            return;
        };
        machine.run(&format!("mkdir -p /etc/cron.d; {INIT} --apply --web {web}"));
        let token = add(&machine, "home");
        machine.run("test ! -e /etc/systemd/system/bowline-upkeep.timer");
        machine.wait("curl -fsS http://127.0.0.1/healthz -H 'Host: update.example.org'");
        let plain = format!("http://update.example.org/{token}/home?myip=203.0.113.7");
        assert_eq!(visit(&machine, &plain, ""), "badauth\n403", "{web}");
        machine.run("bowline host set home --plain-http");
        assert_eq!(
            visit(&machine, &plain, ""),
            "good 203.0.113.7\n200",
            "{web}"
        );
        assert_eq!(address(&machine, "home"), "203.0.113.7");

        // The line in cron's file, as cron runs it; where systemd runs, it does nothing.
        let line = machine.run("grep -o 'test ! -d .*' /etc/cron.d/bowline");
        let cron = format!("runuser -u www-data -- sh -c '{}' || true", line.trim());
        let last = || {
            let status = machine.run("bowline --json status 2>/dev/null || true");
            let status: serde_json::Value = serde_json::from_str(&status).unwrap();
            status["last_upkeep"].clone()
        };
        machine.run(&format!(
            "mkdir -p /run/systemd/system; {cron}; rmdir /run/systemd/system"
        ));
        assert!(last().is_null(), "{web}");
        machine.run(&cron);
        assert!(last().is_string(), "{web}: {}", last());
        let again = machine.run(&format!("{INIT} --web {web}"));
        assert!(
            !again.contains(" new ") && !again.contains("updated"),
            "{again}"
        );
    }
}
