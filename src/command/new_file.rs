//! A file that is there whole or not at all.
//!
//! It has no name until all of it is written (`O_TMPFILE`, open(2)): of a run that is killed
//! nothing is left that would be in the way of the next one, or be taken for a whole file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, OFlags, RenameFlags, linkat, renameat_with};
use rustix::io::Errno;

use super::Failure;
use super::handed::{new_secret_file, there_already};

/// A new file, mode 0600, that only gets its name when it is finished.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    file: File,
    /// Its name until then, where the file system has no files without a name.
    beside: Option<PathBuf>,
}

impl NewFile {
    /// Begins one.
    ///
    /// # Errors
    /// When there is something of that name, or nothing can be written there.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let failed = |error| Failure::new(format!("{}: {error}", path.display()));
        if path.symlink_metadata().is_ok() {
            return Err(there_already(path));
        }
        let nameless = OpenOptions::new()
            .write(true)
            .mode(0o600)
            .custom_flags(OFlags::TMPFILE.bits().cast_signed())
            .open(directory(path));
        match nameless {
            Ok(file) => Ok(NewFile {
                path: path.to_owned(),
                file,
                beside: None,
            }),
            Err(error) if is_unknown(&error) => NewFile::named(path).map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }

    /// One with a name of its own, where that is not to be had.
    fn named(path: &Path) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let beside = path.with_file_name(name);
        // One that was killed may have had the same number.
        let _ = fs::remove_file(&beside);
        Ok(NewFile {
            path: path.to_owned(),
            file: new_secret_file(&beside)?,
            beside: Some(beside),
        })
    }

    /// What is written into.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// When something of that name has come into being meanwhile; that stays as it is.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => there_already(&self.path),
            _ => Failure::new(format!("{}: {error}", self.path.display())),
        };
        self.file.sync_all().map_err(failed)?;
        match &self.beside {
            None => {
                let open = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                linkat(CWD, &open, CWD, &self.path, AtFlags::SYMLINK_FOLLOW)
            }
            Some(beside) => renameat_with(CWD, beside, CWD, &self.path, RenameFlags::NOREPLACE),
        }
        .map_err(|error| failed(error.into()))?;
        self.beside = None;
        // The name too outlives a power cut; not every file system can sync a directory.
        let _ = File::open(directory(&self.path)).and_then(|open| open.sync_all());
        Ok(())
    }
}

/// What is not finished does not stay.
impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside);
        }
    }
}

/// Whether the file system, or a kernel before Linux 3.11, has no files without a name.
fn is_unknown(error: &io::Error) -> bool {
    let unknown = [Errno::OPNOTSUPP, Errno::ISDIR, Errno::INVAL];
    unknown
        .map(|errno| Some(errno.raw_os_error()))
        .contains(&error.raw_os_error())
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_there_when_it_is_finished() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new");
        let names = || fs::read_dir(directory.path()).unwrap().count();
        let makers: [fn(&Path) -> NewFile; 2] = [
            |path| NewFile::create(path).unwrap(),
            |path| NewFile::named(path).unwrap(),
        ];
        for (make, known) in makers.iter().zip([0, 1]) {
            let new = make(&path);
            assert_eq!(names(), known);
            drop(new);
            assert_eq!(names(), 0);

            let new = make(&path);
            new.file().write_all(b"all of it").unwrap();
            new.finish().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "all of it");
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!((mode & 0o7777, names()), (0o600, 1));
            assert!(NewFile::create(&path).is_err());
            fs::remove_file(&path).unwrap();

            // Another one was quicker.
            let new = make(&path);
            fs::write(&path, "another").unwrap();
            let error = new.finish().unwrap_err().to_string();
            assert!(error.contains("there is a file"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "another");
            assert_eq!(names(), 1);
            fs::remove_file(&path).unwrap();
        }
    }
}
