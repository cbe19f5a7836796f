//! A second Knot that follows the first by its catalog zone.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::instance::{Instance, Kind, dig, steps};
use crate::support::knot::{ZONE, free_port, wait_until};

/// A secondary: its own `knot.conf`, and the file that `init` wrote for it.
pub(crate) struct Secondary {
    port: u16,
    process: Child,
    dir: TempDir,
}

impl Secondary {
    pub(crate) fn start(port: u16, file: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().display();
        let text = format!(
            "server:\n    rundir: \"{here}/run\"\n    listen: 127.0.0.1@{port}\n    automatic-acl: off\n\
             database:\n    storage: \"{here}/db\"\nlog:\n  - target: \"{here}/log\"\n    any: info\n\
             include: \"{}\"\n",
            file.display()
        );
        fs::create_dir(dir.path().join("run")).unwrap();
        fs::create_dir(dir.path().join("db")).unwrap();
        fs::write(dir.path().join("knot.conf"), text).unwrap();
        let process = Command::new("/usr/sbin/knotd")
            .arg("-c")
            .arg(dir.path().join("knot.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Secondary { port, process, dir }
    }

    pub(crate) fn shows(&self, name: &str, rtype: &str) -> Vec<String> {
        dig("127.0.0.1", self.port, name, rtype)
    }

    /// Waits until it shows just that.
    fn wait_for(&self, name: &str, data: &str) {
        wait_until(name, || self.shows(name, "A") == [data]);
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Secondary {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_visit_and_a_new_zone_arrive_there() {
    if !Kind::Knot.is_installed() {
        return;
    }
    let port = free_port();
    let there = format!("--secondary=127.0.0.1@{port}");
    let primary = Instance::start(Kind::Knot, &[&there, "--public=127.0.0.1"]);
    let secondary = Secondary::start(port, &primary.path("secondary.conf"));
    wait_until("the first zone", || {
        !secondary.shows(ZONE, "SOA").is_empty()
    });

    let home = primary.add("home");
    for address in ["203.0.113.7", "203.0.113.8"] {
        let answer = primary.visit(&home.with(address));
        assert_eq!(answer.said(), format!("200 good {address}"));
        secondary.wait_for("home.dyn.example.org", address);
    }
    // Signed on the primary, served as it is.
    assert_eq!(secondary.shows(ZONE, "DNSKEY"), primary.dig(ZONE, "DNSKEY"));

    let two = "two.example.org";
    let report = primary.bowline(&["zone", "add", two, "--acme"]);
    assert!(steps(&report).iter().all(|step| !step.starts_with("ssh")));
    primary.run_steps(&report);
    wait_until("the new zone", || !secondary.shows(two, "SOA").is_empty());
    let nas = primary.add("nas.two.example.org");
    assert_eq!(primary.visit(&nas.with("203.0.113.9")).status, 200);
    secondary.wait_for("nas.two.example.org", "203.0.113.9");

    // Only the secondary may fetch zones, and nobody may update there.
    assert_eq!(primary.dig(ZONE, "AXFR"), Vec::<String>::new());
    assert_eq!(secondary.shows(ZONE, "AXFR"), Vec::<String>::new());
    let script = primary.path("update");
    let text = format!(
        "server 127.0.0.1 {port}\nzone {ZONE}.\nupdate add x.{ZONE}. 60 A 203.0.113.7\nsend\n"
    );
    fs::write(&script, text).unwrap();
    let update = Command::new("knsupdate")
        .args(["-y", &primary.key()])
        .arg(&script)
        .output();
    assert!(!update.unwrap().status.success());

    // A zone that goes, goes there too.
    primary.bowline(&["host", "remove", "nas.two.example.org"]);
    let way = primary.bowline(&["zone", "remove", two]);
    for step in steps(&way)
        .iter()
        .take_while(|step| !step.contains("zone-purge"))
    {
        if !step.starts_with('#') {
            crate::instance::shell(step);
        }
    }
    wait_until("the zone to go", || secondary.shows(two, "SOA").is_empty());
    assert!(
        !secondary.log().contains("error: [home"),
        "{}",
        secondary.log()
    );
    secondary.wait_for("home.dyn.example.org", "203.0.113.8");
}

#[test]
fn the_other_machine_is_told_what_to_do_once() {
    if !Kind::Knot.is_installed() {
        return;
    }
    let primary = Instance::write(Kind::Knot, &[]);
    let named = [
        "init",
        ZONE,
        "--nameserver=ns1.example.org",
        "--url=http://update.example.org",
        "--web=none",
        "--user=root",
        "--dns=knot",
        "--public=192.0.2.53",
        &format!("--dns-listen=127.0.0.1@{}", primary.port),
        &format!("--update=127.0.0.1@{}", primary.update),
        "--secondary=198.51.100.53@53",
        "--secondary=2001:db8::54@53",
    ];
    let report = primary.bowline(&named);
    let there: Vec<String> = steps(&report)
        .into_iter()
        .filter(|step| step.starts_with("scp") || step.starts_with("ssh"))
        .collect();
    assert_eq!(there.len(), 4, "{there:#?}");
    let knotc = format!(
        "knotc -c {} conf-check",
        primary.path("knot/knot.conf").display()
    );
    crate::instance::shell(&knotc);
    let secondary = primary.path("secondary.conf").display().to_string();
    crate::instance::shell(&format!("knotc -c {secondary} conf-check"));
    // They stay, also when they are not named again.
    let before = primary.read("knot/bowline.d/10-bowline.conf");
    assert!(before.contains("bowline_secondary_2"), "{before}");
    let again = primary.bowline(&named[..10]);
    assert_eq!(primary.read("knot/bowline.d/10-bowline.conf"), before);
    assert!(steps(&again).iter().all(|step| !step.starts_with("scp")));
    // What was there before them is pointed at.
    primary.bowline(&["zone", "add", "two.example.org"]);
    let notes = primary.bowline(&named)["notes"].to_string();
    assert!(notes.contains("for each of the others"), "{notes}");
    // The key for transfers is another one, and as well guarded.
    assert!(
        !primary
            .read("secondary.conf")
            .contains(&primary.key()[20..])
    );
}

#[test]
fn other_name_servers_are_told_apart() {
    for dns in [Kind::Bind, Kind::PowerDns] {
        let primary = Instance::write(dns, &[]);
        let output = primary.bowline_output(&[
            "init",
            ZONE,
            "--nameserver=ns1.example.org",
            "--url=http://update.example.org",
            "--public=192.0.2.53",
            &format!("--dns={}", dns.option()),
            &format!("--dns-listen=127.0.0.1@{}", primary.port),
            "--secondary=198.51.100.53@53",
        ]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            error.contains("--secondary") && error.contains("hint: --dns knot"),
            "{error}"
        );
    }
}
