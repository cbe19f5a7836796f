//! As whom the servers and bowline run: as ourselves, or as the web server's user when that is root.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::Trouble;
use crate::process::run;

/// Debian's web servers.
pub(crate) const WEB: &str = "www-data";

/// Somebody who is not root.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    /// `None`: ourselves.
    ids: Option<(u32, u32)>,
}

impl Account {
    /// The web server's user when we are root.
    pub(crate) fn find() -> Result<Self, Trouble> {
        if std::fs::metadata("/proc/self")?.uid() != 0 {
            return Ok(Account { ids: None });
        }
        let users = std::fs::read_to_string("/etc/passwd")?;
        let ids = users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let is_web = fields.next() == Some(WEB);
            let mut id = |skip| fields.nth(skip)?.parse().ok();
            is_web.then(|| Some((id(1)?, id(0)?))).flatten()
        });
        let ids = ids.ok_or("there is no user www-data")?;
        Ok(Account { ids: Some(ids) })
    }

    /// Whether we are root, and it is another.
    pub(crate) fn is_other(self) -> bool {
        self.ids.is_some()
    }

    /// Its name.
    pub(crate) fn name(self) -> Result<String, Trouble> {
        match self.ids {
            Some(_) => Ok(WEB.to_owned()),
            None => Ok(run(Command::new("id").arg("-un"))?.trim().to_owned()),
        }
    }

    /// A command that runs as this user.
    pub(crate) fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some((uid, gid)) = self.ids {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or directory to this user.
    pub(crate) fn own(self, path: &Path) -> Result<(), Trouble> {
        if let Some((uid, gid)) = self.ids {
            chown(path, Some(uid), Some(gid))?;
        }
        Ok(())
    }
}
