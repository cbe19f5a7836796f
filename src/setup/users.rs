//! Users and groups of this machine, as `/etc/passwd` and `/etc/group` have them.

use std::fs;
use std::path::Path;

/// A user and a group, by name and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The user's name.
    pub user: String,
    /// The group's name.
    pub group: String,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

/// Those who own what is written: root, the web server's user.
#[derive(Debug, Clone)]
pub struct Owners {
    /// What only the administrator changes.
    pub root: Owner,
    /// Read by the user that runs bowline.
    pub user: Owner,
    /// The user that runs bowline, with its own group.
    pub state: Owner,
    /// Whether owners can be set at all: only root can.
    pub settable: bool,
}

impl Owners {
    /// The owners for a set-up whose executable runs as `user`; `None` when root
    /// writes and there is no such user.
    pub fn new(user: &str) -> Option<Self> {
        let root = Owner::root();
        if !rustix::process::geteuid().is_root() {
            let me = Owner::me();
            return Some(Owners {
                root: me.clone(),
                user: me.clone(),
                state: me,
                settable: false,
            });
        }
        let state = Owner::user(user)?;
        let shared_with = |group: &Owner| Owner {
            group: group.group.clone(),
            gid: group.gid,
            ..root.clone()
        };
        Some(Owners {
            user: shared_with(&state),
            state,
            root,
            settable: true,
        })
    }

    /// The administrator, with the group of the user `name`, who may read it; without
    /// that user the administrator's own.
    pub fn read_by(&self, name: &str) -> Owner {
        match Owner::user(name).filter(|_| self.settable) {
            Some(reader) => Owner {
                group: reader.group,
                gid: reader.gid,
                ..self.root.clone()
            },
            None => self.root.clone(),
        }
    }
}

impl Owner {
    fn root() -> Self {
        Owner {
            user: "root".to_owned(),
            group: "root".to_owned(),
            uid: 0,
            gid: 0,
        }
    }

    /// Who runs this.
    fn me() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        let gid = rustix::process::getegid().as_raw();
        Owner {
            user: user_name(uid),
            group: group_name(gid),
            uid,
            gid,
        }
    }

    /// The user of that name, with the group it logs in with.
    fn user(name: &str) -> Option<Self> {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        let mut fields = passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(name)).then_some(fields)
        })?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Owner {
            user: name.to_owned(),
            group: group_name(gid),
            uid,
            gid,
        })
    }
}

/// The name of a user, or its number where it has none.
pub fn user_name(uid: u32) -> String {
    name_of(Path::new("/etc/passwd"), uid)
}

/// The name of a group, or its number where it has none.
pub fn group_name(gid: u32) -> String {
    name_of(Path::new("/etc/group"), gid)
}

/// Both files have the name first and the number third (passwd(5), group(5)).
fn name_of(file: &Path, number: u32) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let number = number.to_string();
    text.lines()
        .find(|line| line.split(':').nth(2) == Some(&number))
        .and_then(|line| line.split(':').next())
        .map_or(number.clone(), str::to_owned)
}
