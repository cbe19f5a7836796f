//! Whether a server's program is here.

use std::path::Path;

/// The path of a server's program: an ordinary user's PATH lacks the sbin directories.
pub fn program(name: &str) -> String {
    ["/usr/sbin", "/usr/local/sbin", "/sbin"]
        .into_iter()
        .map(|directory| Path::new(directory).join(name))
        .find(|path| path.exists())
        .map_or(name.to_owned(), |path| path.display().to_string())
}

/// Whether a server's program is installed.
pub fn is_installed(name: &str) -> bool {
    Path::new(&program(name)).is_absolute()
}
