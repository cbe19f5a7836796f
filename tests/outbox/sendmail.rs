//! Mail that is handed to a program like sendmail.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use bowline::registry::Settings;

use crate::site::{configure, site, trouble, upkeep, waiting};
use crate::support::site::{Home, Site};

/// A site that hands mail to this script, which runs where the site's files are.
fn handing_to(script: &str) -> Site {
    let site = site("");
    let program = site.path("sendmail");
    let text = format!("#!/bin/sh\ncd {}\n{script}\n", site.path("").display());
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let table = format!(
        "[notify.mail]\nsmtp = \"sendmail:{}\"\nfrom = \"dns@example.org\"\nto = \"root@example.org\"\n",
        program.display()
    );
    configure(&site, &table);
    site
}

/// A host of somebody with that mail address.
fn host_of(site: &Site, name: &str, mail: &str) -> Home {
    let settings = Settings {
        mail: Some(mail.to_owned()),
        ..Settings::default()
    };
    site.add_with(name, settings)
}

#[test]
fn it_gets_the_mail_without_a_shell() {
    let site = handing_to("printf '%s ' \"$@\" >args; cat >mail");
    let home = host_of(&site, "home", "-oQ/tmp@example.net");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    assert_eq!(upkeep(&site), [1, 0, 0], "{}", trouble(&site));
    let read = |name| fs::read_to_string(site.path(name)).unwrap();
    let args = read("args");
    assert!(args.ends_with("-- -oQ/tmp@example.net "), "{args}");
    assert!(read("mail").contains("203.0.113.7"));
}

/// One that speaks SMTP by itself, like msmtp, says by its exit status whom a server refuses.
#[test]
fn whom_it_refuses_holds_up_nobody_else() {
    let site = handing_to(
        "for to; do :; done\n\
         [ $to != anna@example.net ] || { echo 'recipient not accepted' >&2; exit 65; }\n\
         echo $to >>sent",
    );
    for name in ["anna", "bob", "carl"] {
        let home = host_of(&site, name, &format!("{name}@example.net"));
        assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
        assert_eq!(site.dns(name), "203.0.113.7");
    }
    assert_eq!(upkeep(&site), [2, 1, 0], "{}", trouble(&site));
    let sent = fs::read_to_string(site.path("sent")).unwrap();
    assert_eq!(sent, "bob@example.net\ncarl@example.net\n");
    assert_eq!(waiting(&site), 1);
}
