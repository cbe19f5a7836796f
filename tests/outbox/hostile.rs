//! A registry that somebody else has written: what is in it forges no mail and no document.

use std::fs;

use crate::receiver::Receiver;
use crate::server::Server;
use crate::site::{forget, said, site, trouble, upkeep};
use crate::support::site::{Home, Site};

/// Sets a column of a host to a text that the command line would refuse.
fn write(site: &Site, home: &Home, column: &str, text: &str) {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let set = format!("UPDATE host SET {column} = ?2 WHERE id = ?1");
    db.execute(&set, (home.id.number(), text)).unwrap();
}

#[test]
fn an_address_of_several_lines_gets_nothing() {
    let server = Server::start(&[]);
    let site = site(&server.table("smtp", "to = \"root@example.org\""));
    let (odd, plain) = (site.add("odd"), site.add("plain"));
    for (n, mail) in [
        "a@example.net\r\nBcc: evil@example.net",
        "a@example.net>\r\nRCPT TO:<evil@example.net",
        "a@example.net, evil@example.net",
        "Anna <a@example.net>\0",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        forget(&site);
        write(&site, &odd, "mail", mail);
        for home in [&odd, &plain] {
            let at = home.with(format!("203.0.113.{}", n + 1));
            assert_eq!(site.visit(&at).status, 200);
        }
        let report = upkeep(&site);
        assert_eq!(report[0], 1, "{mail:?}: {report:?}");
        // Whoever can be reached hears of it all the same.
        let [told] = server.take().try_into().unwrap();
        assert!(
            told.starts_with("dns@example.org root@example.org "),
            "{mail:?}: {told}"
        );
        assert!(told.contains("plain.dyn.example.org") && !told.contains("evil"));
        let status = site.bowline(&["status"]);
        assert!(status.contains("mail: 1 event since"), "{mail:?}: {status}");
    }
    assert!(!trouble(&site).contains('\n'));
}

#[test]
fn a_name_of_several_lines_is_a_damaged_registry() {
    let server = Server::start(&[]);
    let site = site(&server.table("smtp", "to = \"root@example.org\""));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    let plain = site.add("plain");
    for (n, name) in [
        "home\r\nBcc: evil@example.net\r\n.dyn.example.org",
        "<b>home</b>.dyn.example.org",
        "ho me.dyn.example.org",
    ]
    .into_iter()
    .enumerate()
    {
        write(&site, &home, "name", name);
        let address = format!("203.0.113.{}", n + 10);
        assert_eq!(site.visit(&plain.with(&address)).status, 200);
        let output = site.verb(&["upkeep"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(
            said(&output).contains("bowline: the registry is damaged"),
            "{name:?}: {}",
            said(&output)
        );
        // Nobody else waits for it, and what was to be told of it waits.
        let [mail] = server.take().try_into().unwrap();
        let told = format!("plain.dyn.example.org is now at {address}");
        assert!(mail.contains(&told), "{mail}");
        assert!(
            !mail.contains("\nBcc") && !mail.contains("203.0.113.7"),
            "{mail}"
        );
        assert!(mail.contains("registry is damaged") || n > 0, "{mail}");
    }
    // It lost nothing by that.
    write(&site, &home, "name", "home.dyn.example.org");
    assert_eq!(upkeep(&site)[0], 1);
    assert!(server.take().remove(0).contains("home.dyn.example.org"));
}

#[test]
fn a_note_stays_one_text_in_documents_and_commands() {
    let receiver = Receiver::new();
    let site = site("");
    let (file, body) = (
        site.path("told"),
        "body = { note = \"<{{ note }}>\", sure = true }",
    );
    let command = format!(
        "[notify.command]\ncommand = [\"/bin/sh\", \"-c\", \"env -0 > {}\"]\n",
        file.display()
    );
    crate::site::configure(&site, &(receiver.table(body) + &command));
    let home = site.add("home");
    for (n, note) in [
        "\", \"sure\": false, \"x\": \"",
        "x\r\nX-Bowline-Id: 1\r\n\r\n{}",
        "{{ 7 * 7 }}{% raw %}",
        "\0BOWLINE_IPV4=192.0.2.66\n",
        "$(touch pwned) `touch pwned`",
    ]
    .into_iter()
    .enumerate()
    {
        write(&site, &home, "note", note);
        let address = format!("203.0.113.{}", n + 1);
        assert_eq!(site.visit(&home.with(&address)).status, 200);
        assert_eq!(upkeep(&site), [2, 0, 0], "{note:?}: {}", trouble(&site));
        let [post] = receiver.take().try_into().unwrap();
        // A control character is a blank, all else as it was.
        let clean = note.replace(|c: char| c.is_control(), " ");
        let expected = serde_json::json!({ "note": format!("<{clean}>"), "sure": true });
        assert_eq!(post.json(), expected, "{}", post.body);
        assert_ne!(post.headers["x-bowline-id"], "1");
        let told = fs::read_to_string(&file).unwrap();
        let addresses: Vec<&str> = told
            .split('\0')
            .filter(|variable| variable.starts_with("BOWLINE_IPV4="))
            .collect();
        assert_eq!(addresses, [format!("BOWLINE_IPV4={address}")], "{note:?}");
    }
    assert!(!site.path("pwned").exists());
}
