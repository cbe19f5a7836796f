//! The directories above one that is made.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Everybody goes through them.
const MODE: u32 = 0o755;

/// Makes those that are missing, `directory` the last, whatever the umask: who runs bowline, and
/// the servers, go through them.
///
/// # Errors
/// When one cannot be made.
pub(crate) fn make(directory: &Path) -> io::Result<()> {
    let above = (directory.ancestors()).filter(|above| *above != Path::new(""));
    let missing: Vec<&Path> = above.take_while(|above| !above.exists()).collect();
    for above in missing.into_iter().rev() {
        match DirBuilder::new().mode(MODE).create(above) {
            // Somebody else was faster, and has said who goes through it.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            made => made?,
        }
        let no_link = OFlags::NOFOLLOW | OFlags::DIRECTORY;
        let open = OpenOptions::new()
            .read(true)
            .custom_flags(no_link.bits().cast_signed())
            .open(above)?;
        open.set_permissions(Permissions::from_mode(MODE))?;
    }
    Ok(())
}
