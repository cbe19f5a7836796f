//! A backup that somebody has changed, its manifest with it: it writes nothing but what bowline
//! reads, and nothing where bowline has no files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::place::{Place, Ran};

/// A line for a file of cron.
const EVIL: &str = "* * * * * root touch /tmp/evil\n";

/// A backup's files, and whose registry it was.
#[derive(Clone)]
struct Backup(BTreeMap<String, Vec<u8>>, String);

impl Backup {
    /// Saves all of a place, and takes it away there.
    fn of(it: &Place) -> Self {
        it.done("backup saved.tar");
        let mut archive = tar::Archive::new(fs::File::open(it.file("saved.tar")).unwrap());
        let (mut files, mut user) = (BTreeMap::new(), String::new());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            user += entry.header().username().unwrap().unwrap_or_default();
            files.insert(entry.path().unwrap().display().to_string(), content);
        }
        files.remove("manifest.json").unwrap();
        for directory in ["etc", "state"] {
            fs::remove_dir_all(it.file(directory)).unwrap();
        }
        Backup(files, user)
    }

    /// The same with another file.
    fn with(&self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let mut changed = self.clone();
        changed.0.insert(name.to_owned(), content.as_ref().to_vec());
        changed
    }

    /// The same with something else in its configuration.
    fn says(&self, from: &str, to: &str) -> Self {
        let config = String::from_utf8(self.0["bowline.toml"].clone()).unwrap();
        assert!(config.contains(from), "{config}");
        self.with("bowline.toml", config.replace(from, to))
    }

    /// Restores it, with a manifest that fits.
    fn restore(&self, it: &Place, options: &str) -> Ran {
        let mut tar = tar::Builder::new(Vec::new());
        let mut manifest = serde_json::Map::new();
        let mut add = |name: &str, content: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            header.set_username(&self.1).unwrap();
            tar.append_data(&mut header, name, content).unwrap();
        };
        for (name, content) in &self.0 {
            add(name, content);
            let sum: String = (Sha256::digest(content).iter())
                .map(|octet| format!("{octet:02x}"))
                .collect();
            manifest.insert(name.clone(), json!({"size": content.len(), "sha256": sum}));
        }
        add("manifest.json", &serde_json::to_vec(&manifest).unwrap());
        fs::write(it.file("forged.tar"), tar.into_inner().unwrap()).unwrap();
        it.run(&format!("restore forged.tar {options}"))
    }

    /// It is refused because of that, and nothing is written.
    fn is_refused(&self, it: &Place, options: &str, why: &str) {
        let ran = self.restore(it, options);
        assert_eq!(ran.code, 1, "{why}: {ran:?}");
        assert!(ran.err.contains(why), "{why}: {ran:?}");
        assert!(ran.err.contains("hint: nothing was restored"), "{ran:?}");
        let mut left: Vec<_> = fs::read_dir(it.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort_unstable();
        assert_eq!(left, ["forged.tar", "saved.tar"], "{why}");
    }
}

/// A place with an invitation and templates, as it is saved.
fn saved() -> (Place, Backup) {
    let it = Place::with_zones(&["dyn.example.org", "dyn.example.com"]);
    it.done("host add home.dyn.example.org");
    let config = it.read("etc/bowline.toml")
        + "[acme]\nregister = \"file:invite.secret\"\n\
           [notify.mail]\nsmtp = \"localhost\"\nfrom = \"b@example.org\"\ntemplates = \"tmpl\"\n";
    it.write("etc/bowline.toml", &config);
    it.write("etc/invite.secret", "0123456789abcdefghijklmn\n");
    fs::create_dir(it.file("etc/tmpl")).unwrap();
    it.write("etc/tmpl/change_notification.j2", "Subject: moved\n");
    let backup = Backup::of(&it);
    (it, backup)
}

#[test]
fn a_file_is_what_it_is_to_be() {
    let (it, backup) = saved();
    let key = String::from_utf8(backup.0["zones/dyn.example.org.key"].clone()).unwrap();
    let more = [
        EVIL.to_owned() + &key,
        format!("/*\n{EVIL}*/\nkey x {{ secret \"AAAA\"; }};"),
        format!("#include /tmp/evil\n{key}"),
    ];
    let cases = [
        ("lookup.key", EVIL, "a key is 64 hexadecimal digits"),
        ("invitation", EVIL, "a token is 16 to 64 of"),
        ("zones/dyn.example.org.key", EVIL, "there is no TSIG key"),
        (
            "zones/dyn.example.org.key",
            &more[0],
            "there is no TSIG key",
        ),
        (
            "zones/dyn.example.org.key",
            &more[1],
            "there is more than a TSIG key",
        ),
        (
            "zones/dyn.example.org.key",
            &more[2],
            "there is more than a TSIG key",
        ),
        ("registry.db", EVIL, "it is no registry"),
    ];
    for (name, content, why) in cases {
        let forged = backup.with(name, content);
        let why = format!("{name} in the backup: {why}");
        forged.is_refused(&it, "--elsewhere", &why);
    }
    let binary = backup.with("lookup.key", b"\xff\xfe");
    binary.is_refused(
        &it,
        "--elsewhere",
        "lookup.key in the backup: invalid utf-8",
    );
}

#[test]
fn nothing_goes_where_bowline_has_no_files() {
    let (it, backup) = saved();
    let state = it.file("state/bowline.db");
    let backup = backup.says(state.to_str().unwrap(), "bowline.db");
    let evil = it.file("cron.d");
    let evil = evil.display();
    for (from, to, named) in [
        (
            "key_file = \"tsig.key\"".to_owned(),
            format!("key_file = \"{evil}/key\""),
            format!("{evil}/key"),
        ),
        (
            "register = \"file:invite.secret\"".to_owned(),
            format!("register = \"file:{evil}/invitation\""),
            format!("{evil}/invitation"),
        ),
        (
            "templates = \"tmpl\"".to_owned(),
            format!("templates = \"{evil}\""),
            format!("{evil}/change_notification.j2"),
        ),
        (
            "templates = \"tmpl\"".to_owned(),
            "templates = \"../cron.d\"".to_owned(),
            "etc/../cron.d/change_notification.j2".to_owned(),
        ),
        (
            "registry = \"bowline.db\"".to_owned(),
            format!("registry = \"{evil}/bowline.db\""),
            format!("{evil}/bowline.db"),
        ),
        (
            "[state]\n".to_owned(),
            format!("[state]\nlookup_key = \"{evil}/authorized_keys\"\n"),
            format!("{evil}/authorized_keys"),
        ),
    ] {
        let forged = backup.says(&from, &to);
        let here = it.file("etc");
        let why = format!(
            "bowline: it would write elsewhere than into {} and /var/lib/bowline: ",
            here.display()
        );
        forged.is_refused(&it, "", &why);
        let ran = forged.restore(&it, "");
        assert!(ran.err.contains(&format!("{named}\nhint: ")), "{ran:?}");
    }
    // As it was, none of it is elsewhere.
    let ran = backup.restore(&it, "");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(it.done("config check"), "ok\n");
    assert_eq!(
        it.read("etc/tmpl/change_notification.j2"),
        "Subject: moved\n"
    );
}

#[test]
fn who_had_files_elsewhere_says_so() {
    let (it, backup) = saved();
    let key = it.file("knot/bowline.key");
    let backup = backup.says("tsig.key", key.to_str().unwrap());
    let ran = backup.restore(&it, "--elsewhere");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(it.done("config check"), "ok\n");
    assert!(it.done("host list").contains("home.dyn.example.org"));
}

#[test]
fn only_our_templates_come_back() {
    let (it, backup) = saved();
    let backup = backup
        .with("templates/evil", EVIL)
        .with("templates/below/change_notification.j2", EVIL);
    let ran = backup.restore(&it, "--elsewhere");
    assert_eq!(ran.code, 0, "{ran:?}");
    let left = "stay in the backup: templates/below/change_notification.j2, templates/evil\n";
    assert!(ran.err.contains(left), "{ran:?}");
    let there = fs::read_dir(it.file("etc/tmpl")).unwrap();
    assert_eq!(there.count(), 1);
}

#[test]
fn what_is_right_as_it_is_can_be_put_there_by_hand() {
    let (it, backup) = saved();
    let key = String::from_utf8(backup.0["zones/dyn.example.org.key"].clone()).unwrap();
    let key = format!(
        "/* ours */\nkey bowline {{ secret \"{}\"; }};\n",
        key.trim().rsplit(':').next().unwrap()
    );
    let backup = backup
        .with("zones/dyn.example.org.key", &key)
        .with("zones/dyn.example.com.key", &key);
    backup.is_refused(&it, "--elsewhere", "there is more than a TSIG key");
    fs::create_dir(it.file("etc")).unwrap();
    it.write("etc/tsig.key", &key);
    let ran = backup.restore(&it, "--elsewhere");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(it.done("config check"), "ok\n");
}
