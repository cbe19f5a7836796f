//! The operator's templates: used where they can be, named where not.

use crate::receiver::{Receiver, moves, run, telling, upkeep};

#[test]
fn one_with_an_error_is_named_with_file_and_line_and_ours_is_used() {
    let server = Receiver::smtp("plain", &[]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("change_notification.j2");
    std::fs::write(&file, "Subject: mine\n\n{% if ipv4 %}\nnever closed\n").unwrap();
    let site = telling(&format!(
        "[notify.mail]\nsmtp = \"127.0.0.1:{}\"\nfrom = \"dyn@example.org\"\n\
         to = \"root@example.org\"\ntemplates = \"{}\"\n",
        server.port,
        directory.path().display()
    ));
    let place = format!("{}:", file.display());
    let said = run(&site, &["config", "check"]);
    assert!(said.contains(&place), "{said}");
    let home = site.add("home");
    moves(&site, &home, "203.0.113.7");
    upkeep(&site);
    assert!(site.log().contains(&place), "{}", site.log());
    assert!(server.taken()[0].contains("Subject: home.dyn.example.org is now at 203.0.113.7"));
    std::fs::write(
        &file,
        "Subject: mine {{ ipv4 }}\n\n{{ fqdn }} {{ last_ipv4 }}\n",
    )
    .unwrap();
    assert!(run(&site, &["config", "check"]).starts_with("ok\n"));
    moves(&site, &home, "203.0.113.8");
    upkeep(&site);
    let taken = server.taken();
    assert!(
        taken[1].contains("Subject: mine 203.0.113.8"),
        "{}",
        taken[1]
    );
    assert!(
        taken[1].contains("home.dyn.example.org 203.0.113.7"),
        "{}",
        taken[1]
    );
}
