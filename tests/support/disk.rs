//! A small disk that a test can fill.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file system of its own; unmounted when dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// Puts one in the place of a directory, with the same files in it; nothing where that
    /// is not allowed.
    pub fn over(directory: &Path) -> Option<Self> {
        let copy = directory.with_extension("copy");
        run("cp", &["-a", directory.to_str()?, copy.to_str()?])?;
        let options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory.to_str()?];
        run("mount", &options)?;
        let disk = Disk(directory.to_owned());
        run(
            "cp",
            &["-a", &format!("{}/.", copy.display()), directory.to_str()?],
        )?;
        Some(disk)
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
        run("mount", &["-o", &how, self.0.to_str().unwrap()]).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", &[&self.0.to_string_lossy()]);
    }
}

fn run(command: &str, args: &[&str]) -> Option<()> {
    let mut command = Command::new(command);
    let status = command.args(args).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success()).then_some(())
}
