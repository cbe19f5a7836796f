//! Files that a server has not read yet, whoever wrote them: `init` goes on where it stopped.

use crate::machine::Machine;
use crate::{CERTIFICATE, INIT, add, answers, set_up, visit};

#[test]
fn what_stopped_a_run_is_mended_and_the_next_one_does_the_rest() {
    for (web, service, options, broken, line) in [
        (
            "apache",
            "apache2",
            "--gateway cgi",
            "/etc/apache2/conf-enabled/bad.conf",
            "Bogus on",
        ),
        (
            "apache",
            "apache2",
            "",
            "/etc/apache2/conf-enabled/bad.conf",
            "Bogus on",
        ),
        (
            "nginx",
            "nginx",
            "",
            "/etc/nginx/conf.d/bad.conf",
            "bogus on;",
        ),
    ] {
        let Some(machine) = Machine::start() else {
            return;
        };
        machine.run(&format!("{CERTIFICATE}; systemctl start {service}"));
        let init = format!("{INIT} --apply --web {web} {options}");
        machine.write(broken, &format!("{line}\n"));
        let (done, said) = machine.try_run(&init);
        assert!(!done && said.contains("mend that"), "{web}: {said}");
        machine.run(&format!("rm {broken}"));
        machine.run(&init);
        answers(&machine);
        let token = add(&machine, "home");
        let home = format!("https://update.example.org/{token}/home?myip=203.0.113.7");
        assert_eq!(visit(&machine, &home, ""), "good 203.0.113.7\n200", "{web}");
        let (_, logs) = machine.try_run(&format!("grep -rl {token} /var/log"));
        assert_eq!(logs, "", "{web}");
        // And then nothing is left to do.
        let again = machine.run(&init);
        assert!(!again.contains("\n+ "), "{again}");
    }
}

#[test]
fn whoever_looks_first_can_apply_it_then() {
    let Some(machine) = set_up("--web apache") else {
        return;
    };
    machine.run(&format!("{CERTIFICATE} && systemctl reload apache2"));
    answers(&machine);
    let token = add(&machine, "home");
    let looked = machine.run(&format!("{INIT} --web apache --gateway cgi"));
    let applied = machine.run(&format!("{INIT} --web apache --gateway cgi --apply"));
    for step in [
        "a2enmod",
        "apache2ctl configtest",
        "systemctl restart apache2",
    ] {
        assert!(
            looked.contains(step) && applied.contains(&format!("+ {step}")),
            "{step}: {applied}"
        );
    }
    assert!(!applied.contains("restart knot"), "{applied}");
    // The last word on whose files they are is when nothing of the former user runs any longer.
    let chown = applied.rfind("+ chown -hR --from=");
    assert!(
        chown > applied.rfind("+ systemctl restart apache2"),
        "{applied}"
    );
    let strangers = machine.run("find /var/lib/bowline ! -user www-data");
    assert_eq!(strangers, "");
    answers(&machine);
    let home = format!("https://update.example.org/{token}/home?myip=203.0.113.7");
    assert_eq!(visit(&machine, &home, ""), "good 203.0.113.7\n200");
}

#[test]
fn a_registry_of_roots_is_given_to_who_runs_bowline() {
    let Some(machine) = set_up("--web none") else {
        return;
    };
    machine.run("cd /var/lib/bowline && chown root:root bowline.db && chmod 640 bowline.db");
    let said = machine.run(&format!("{INIT} --web none"));
    assert!(
        said.contains("owner root:root instead of bowline:bowline"),
        "{said}"
    );
    let owner = machine.run("stat -c %U:%G /var/lib/bowline/bowline.db");
    assert_eq!(owner, "bowline:bowline\n");
    add(&machine, "home");
    // One that did not get so far leaves nothing that would be taken for a registry.
    machine.run("cd /var/lib/bowline && rm bowline.db* && echo half >bowline.db.bowline-new");
    machine.run(&format!("{INIT} --web none"));
    let left = machine.run("cd /var/lib/bowline && ls -d bowline.db*");
    assert_eq!(left, "bowline.db\n");
    add(&machine, "home");
}

/// Nobody tells us that it was typed, so it is shown again.
#[test]
fn the_name_server_reads_a_zones_new_right_though_it_was_written_before() {
    let Some(machine) = set_up("--web none") else {
        return;
    };
    for _ in 0..2 {
        let said = machine.run("bowline zone set dyn.example.org --acme");
        assert!(said.contains("knot.conf reload"), "{said}");
    }
    let again = machine.run(&format!("{INIT} --web none --acme --apply"));
    assert!(again.contains("+ knotc"), "{again}");
    let again = machine.run(&format!("{INIT} --web none --acme --apply"));
    assert!(!again.contains("\n+ "), "{again}");
}
