//! Users and groups of this machine, as `/etc/passwd` and `/etc/group` have them.

use std::fs;
use std::path::Path;

use super::apply;
use super::error::SetupError;
use super::gateway::FIXED_USER;

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
    /// The user that the web server runs as.
    pub web: Owner,
    /// Whether owners can be set at all: only root can.
    pub settable: bool,
}

impl Owners {
    /// The owners for a set-up whose executable runs as `user`; `None` when root writes and
    /// there is no such user, unless it is the fixed one, which can be made.
    pub fn new(user: &str) -> Option<Self> {
        let root = Owner::root();
        if !rustix::process::geteuid().is_root() {
            let me = Owner::me();
            return Some(Owners {
                root: me.clone(),
                user: me.clone(),
                web: me.clone(),
                state: me,
                settable: false,
            });
        }
        let state = match Owner::user(user) {
            Some(state) => state,
            None if user == FIXED_USER => Owner::missing(user),
            None => return None,
        };
        let shared_with = |group: &Owner| Owner {
            group: group.group.clone(),
            gid: group.gid,
            ..root.clone()
        };
        Some(Owners {
            user: shared_with(&state),
            web: web_server().unwrap_or_else(|| state.clone()),
            state,
            root,
            settable: true,
        })
    }

    /// Refuses another user than the web server's, where that runs CGI programs.
    ///
    /// # Errors
    /// When it is another one.
    pub fn check_cgi(&self) -> Result<(), SetupError> {
        let (user, web) = (&self.state, &self.web);
        match user.uid == web.uid {
            true => Ok(()),
            false => Err(SetupError::NotWebUser(user.user.clone(), web.user.clone())),
        }
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

/// The user that web servers run as on Debian.
const DEBIAN: &str = "www-data";
/// All such users, the first choice first.
const WEB_SERVERS: [&str; 5] = [DEBIAN, "apache", "httpd", "nginx", "http"];
/// Every machine has this user, so it is no sign of a web server; some run as it.
const NOBODY: &str = "nobody";

/// The user that this machine's web server runs as.
pub fn web_server() -> Option<Owner> {
    WEB_SERVERS.into_iter().find_map(Owner::user)
}

/// The name of that user; Debian's where there is none yet.
pub fn usual_web_user() -> String {
    web_server().map_or_else(|| DEBIAN.to_owned(), |web| web.user)
}

/// Whether a web server may run as the user of that name.
pub fn is_web_user(name: &str) -> bool {
    WEB_SERVERS.contains(&name) || name == NOBODY
}

/// A number that no user has (`(uid_t) -1` means "leave it" to chown(2), the one below nobody).
const NOBODY_YET: u32 = u32::MAX - 1;

impl Owner {
    /// A user that is still to be made.
    fn missing(name: &str) -> Self {
        Owner {
            user: name.to_owned(),
            group: name.to_owned(),
            uid: NOBODY_YET,
            gid: NOBODY_YET,
        }
    }

    /// Whether the user is still to be made.
    pub fn is_missing(&self) -> bool {
        self.uid == NOBODY_YET
    }

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
    pub(super) fn user(name: &str) -> Option<Self> {
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

impl Owner {
    /// The user whose own group that is: the only one, or the one of the same name; none
    /// where several share it.
    pub(super) fn with_group(gid: u32) -> Option<Self> {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        let number = gid.to_string();
        let has = |line: &&str| line.split(':').nth(3) == Some(&number);
        let users = passwd.lines().filter(has);
        let names: Vec<&str> = users.filter_map(|line| line.split(':').next()).collect();
        let group = group_name(gid);
        match names.as_slice() {
            [only] => Owner::user(only),
            several => Owner::user(several.iter().find(|name| **name == group)?),
        }
    }
}

/// Makes the fixed user, who owns nothing but the state and logs in nowhere.
///
/// # Errors
/// When that cannot be done.
pub fn make_fixed() -> Result<Owners, SetupError> {
    let command = format!(
        "useradd --system --user-group --home-dir /var/lib/bowline --no-create-home \
         --shell /usr/sbin/nologin {FIXED_USER}"
    );
    apply::run(&command)?;
    Owners::new(FIXED_USER)
        .filter(|owners| !owners.state.is_missing())
        .ok_or_else(|| SetupError::NoUser(FIXED_USER.to_owned()))
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
