//! A zone that goes from one name server to another, and its hosts with it.

use std::fs;

use crate::instance::{Instance, Kind, steps};
use crate::support::knot::ZONE;

/// So many that upkeep would doubt the registry, were the new zone not known to be new.
const HOSTS: u8 = 12;

#[test]
fn hosts_and_tokens_go_along_to_another_name_server() {
    if !Kind::ALL.into_iter().all(Kind::is_installed) {
        return;
    }
    let mut server = Instance::start(Kind::Knot, &[]);
    let list: String = (1..=HOSTS)
        .map(|n| format!("h{n},{n:020},203.0.113.{n}\n"))
        .collect();
    fs::write(server.path("list"), format!("name,token,ipv4\n{list}")).unwrap();
    let list = server.path("list").display().to_string();
    server.bowline(&["host", "import", &list]);
    // The last one finds what it had at first.
    for (next, step) in [Kind::Bind, Kind::PowerDns, Kind::Knot]
        .into_iter()
        .zip(1..)
    {
        let dns = format!("--dns={}", next.option());
        let refused = server.bowline_output(&[
            "init",
            ZONE,
            "--nameserver=ns1.example.org",
            "--url=http://update.example.org",
            "--web=none",
            &dns,
        ]);
        let error = String::from_utf8_lossy(&refused.stderr);
        assert!(error.contains("\"Another name server\""), "{error}");

        // As the book says.
        let removal = steps(&server.bowline(&["zone", "remove", ZONE]));
        let files = removal.iter().find(|step| step.starts_with("rm -f "));
        server.stop("TERM");
        crate::instance::shell(files.expect("files to remove"));
        server.dns = next;
        server.init_again_with(&["--apply"]);
        server.wait_for(ZONE);
        server.bowline(&["upkeep"]);
        for n in (1..HOSTS).map(|n| (format!("h{n}"), format!("203.0.113.{n}"))) {
            assert_eq!(server.shows(&n.0), n.1, "{next:?}");
        }
        let answer = server.visit(&format!("/{HOSTS:020}?myip=198.51.100.{step}"));
        assert_eq!(answer.said(), format!("200 good 198.51.100.{step}"));
        assert_eq!(server.shows("h12"), format!("198.51.100.{step}"));

        // What another name server had of the zone is not missing.
        let doctor = server.bowline_output(&["doctor"]);
        let doctor: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
        let checks = doctor["checks"].as_array().unwrap();
        let files = checks.iter().find(|check| check["name"] == "files");
        let says = files.unwrap()["says"].to_string();
        assert!(!says.contains("gone"), "{next:?}: {says}");
    }
}
