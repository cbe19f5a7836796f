//! Upkeep by systemd's timer: it settles what is pending, and the journal stays quiet.

use crate::{add, address, certify, set_up, visit};

#[test]
fn the_timer_settles_what_is_pending_and_is_quiet() {
    let Some(machine) = set_up("--web nginx") else {
        return;
    };
    let token = add(&machine, "home");
    certify(&machine, "nginx");
    for _ in 0..3 {
        machine.run("systemctl start bowline-upkeep.service");
    }
    let journal = machine.run("journalctl --no-pager -q -u bowline-upkeep.service -o cat");
    assert_eq!(journal, "");

    machine.run("systemctl stop knot");
    let home = format!("https://update.example.org/{token}/home?myip=203.0.113.7");
    assert_eq!(visit(&machine, &home, ""), "dnserr\n503");
    machine.run("systemctl start knot");
    // Nobody but the timer does anything now. While it runs upkeep it does not say when it is due next.
    machine.wait("systemctl show -p NextElapseUSecRealtime --value bowline-upkeep.timer | grep .");
    let mut waits = 0;
    while address(&machine, "home").is_empty() {
        assert!(
            waits < 90,
            "{}",
            machine.run("systemctl list-timers --no-pager")
        );
        machine.run("sleep 1");
        waits += 1;
    }
    assert_eq!(address(&machine, "home"), "203.0.113.7");
    let journal = machine.run("journalctl --no-pager -t bowline -o cat");
    assert!(
        journal.contains("upkeep host=home.dyn.example.org"),
        "{journal}"
    );
    // Where systemd runs, cron has nothing to do: the file is not even written.
    machine.run("test ! -e /etc/cron.d/bowline");
}

/// What upkeep says on standard error: that it could not even begin, and its log where that is there.
#[test]
fn what_keeps_upkeep_from_its_work_is_in_the_journal() {
    let Some(machine) = set_up("--web none") else {
        return;
    };
    let journal = || machine.run("journalctl --sync && journalctl --no-pager -q -t bowline -o cat");
    machine.run("systemctl stop bowline-upkeep.timer; cp -p /etc/bowline/bowline.toml /root/");
    machine.run("echo 'nonsense = [' >>/etc/bowline/bowline.toml");
    assert!(!machine.try_run("systemctl start bowline-upkeep.service").0);
    let said = journal();
    assert!(said.contains("bowline.toml, line "), "{said}");
    machine.run("cp -p /root/bowline.toml /etc/bowline/ && mv /etc/bowline/tsig.key /root/");
    machine.try_run("systemctl start bowline-upkeep.service");
    let said = journal();
    assert!(said.contains("tsig.key"), "{said}");

    machine.run("mv /root/tsig.key /etc/bowline/ && printf '\n[log]\ntarget = \"stderr\"\n' >>/etc/bowline/bowline.toml");
    add(&machine, "home");
    machine.run("systemctl stop knot");
    machine.try_run("bowline host set home --ipv4 203.0.113.7");
    machine.run("systemctl start knot; sleep 1; systemctl start bowline-upkeep.service");
    assert_eq!(address(&machine, "home"), "203.0.113.7");
    let said = journal();
    assert!(
        said.contains(" bowline: upkeep host=home.dyn.example.org"),
        "{said}"
    );
    // A round in which nothing happens adds nothing.
    machine.run("systemctl start bowline-upkeep.service");
    assert_eq!(journal(), said);
}

#[test]
fn units_that_a_package_brought_wait_for_init() {
    let Some(machine) = crate::machine::Machine::start() else {
        return;
    };
    for (name, text) in [
        (
            "bowline.socket",
            include_str!("../../systemd/bowline.socket"),
        ),
        (
            "bowline.service",
            include_str!("../../systemd/bowline.service"),
        ),
        (
            "bowline-upkeep.timer",
            include_str!("../../systemd/bowline-upkeep.timer"),
        ),
        (
            "bowline-upkeep.service",
            include_str!("../../systemd/bowline-upkeep.service"),
        ),
    ] {
        machine.write(&format!("/usr/lib/systemd/system/{name}"), text);
        machine.run(&format!("chmod 644 /usr/lib/systemd/system/{name}"));
    }
    machine.run("systemctl daemon-reload && systemctl enable -q --now bowline-upkeep.timer");
    assert!(
        !machine
            .try_run("systemctl is-active bowline-upkeep.timer")
            .0
    );
    machine.run("systemctl start bowline-upkeep.service");
    machine.run(&format!("{} --apply --web nginx", crate::INIT));
    machine.run("systemctl is-active bowline.socket bowline-upkeep.timer");
    // What the package brought is as it should be: nothing lies in front of it.
    machine.run("test ! -e /etc/systemd/system/bowline.service");
    machine.run("test ! -e /etc/systemd/system/bowline-upkeep.timer");
}
