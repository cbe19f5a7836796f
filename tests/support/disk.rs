//! A small disk that a test can fill.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::skip::{Privilege, installed, may};

/// A file system of its own; unmounted when dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// Puts one in the place of a directory, with the same files in it; nothing, and a word
    /// about it, where that is not allowed.
    pub fn over(directory: &Path) -> Option<Self> {
        may(Privilege::Mount)
            .then(|| Disk::put(directory, &["-t", "tmpfs", "-o", "size=1m", "tmpfs"]))
    }

    /// Likewise one whose blocks are smaller than a page, as mke2fs(8) makes every small one.
    pub fn of_small_blocks(directory: &Path) -> Option<Self> {
        if !installed("mkfs.ext4") || !may(Privilege::Loop) {
            return None;
        }
        let image = directory.with_extension("image");
        File::create(&image).unwrap().set_len(24 << 20).unwrap();
        let image = image.to_str()?;
        run("mkfs.ext4", &["-q", "-b", "1024", "-m", "0", image]);
        Some(Disk::put(directory, &["-o", "loop", image]))
    }

    /// Mounts what these arguments say.
    fn put(directory: &Path, what: &[&str]) -> Self {
        let copy = directory.with_extension("copy").display().to_string();
        let at = directory.to_str().unwrap();
        run("cp", &["-a", at, &copy]);
        run("mount", &[what, &[at]].concat());
        let disk = Disk(directory.to_owned());
        run("cp", &["-a", &format!("{copy}/."), at]);
        disk
    }

    /// Fills it but for so many octets; that file is in the way.
    pub fn fill(&self, free: usize) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = File::create(&ballast).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
        let length = file.metadata().unwrap().len() / 4096 * 4096;
        file.set_len(length.saturating_sub(free as u64)).unwrap();
        ballast
    }

    /// Mounts it anew: `ro` or `rw`.
    pub fn remount(&self, how: &str) {
        let how = format!("remount,{how}");
        run("mount", &["-o", &how, self.0.to_str().unwrap()]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn run(command: &str, args: &[&str]) {
    let status = Command::new(command).args(args).status();
    assert!(status.unwrap().success(), "{command} {args:?}");
}
