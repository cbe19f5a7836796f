//! Programs that are run, and servers that stay until they are dropped.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Trouble;

/// How long a server may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server; told to end when dropped, and made to when it does not.
pub(crate) struct Server(Child);

impl Server {
    /// Starts it in the foreground.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Trouble> {
        let child = command.spawn();
        Ok(Server(child.map_err(|error| {
            format!("{:?}: {error}", command.get_program())
        })?))
    }

    /// Waits until it answers; one that has ended is not waited for.
    pub(crate) fn ready(
        mut self,
        what: &str,
        mut so: impl FnMut() -> Result<bool, Trouble>,
    ) -> Result<Self, Trouble> {
        wait_until(what, || match self.0.try_wait()? {
            Some(status) => Err(format!("{what} has ended: {status}").into()),
            None => so(),
        })?;
        Ok(self)
    }

    /// The most memory it had so far, in MiB.
    pub(crate) fn peak(&self) -> Result<f64, Trouble> {
        self.status("VmHWM:")
    }

    /// The memory it has now, in MiB.
    pub(crate) fn memory(&self) -> Result<f64, Trouble> {
        self.status("VmRSS:")
    }

    /// A line of what the system says about it, in MiB.
    fn status(&self, key: &str) -> Result<f64, Trouble> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let value = status.lines().find_map(|line| line.strip_prefix(key));
        let kib = value.and_then(|value| value.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kib.ok_or_else(|| format!("no {key}"))? / 1024.0)
    }

    /// Ends in its own time.
    fn end(&mut self) -> Result<(), Trouble> {
        run(Command::new("kill").arg(self.0.id().to_string()))?;
        wait_until("the end of a server", || Ok(self.0.try_wait()?.is_some()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.end().is_err() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// Runs a program that must succeed: what it wrote on standard output.
pub(crate) fn run(command: &mut Command) -> Result<String, Trouble> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(text.into_owned());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}: {text}{why}", output.status).into())
}

/// Asks until it is so.
fn wait_until(what: &str, mut so: impl FnMut() -> Result<bool, Trouble>) -> Result<(), Trouble> {
    let began = Instant::now();
    while !so()? {
        if began.elapsed() > PATIENCE {
            return Err(format!("waited in vain for {what}").into());
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}
