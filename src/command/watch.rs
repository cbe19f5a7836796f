//! What a verb that keeps going hears between its rounds.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Failure;
use super::step_down::{end_by, is_ignored};

/// Signals that end it, and the one that begins the next round at once.
const HEARD: [i32; 3] = [SIGTERM, SIGINT, SIGHUP];

/// The signals that came, heard beside the rounds.
pub(super) struct Watch {
    signals: Receiver<i32>,
}

impl Watch {
    /// Hears them from now on: without that, nothing ends the first process of a container.
    ///
    /// # Errors
    /// When the system has neither handler nor thread to give.
    pub(super) fn new() -> Result<Self, Failure> {
        // Who had one ignored, as a shell does for what runs behind it, keeps it so.
        let mut heard = Signals::new(HEARD.into_iter().filter(|signal| !is_ignored(*signal)))?;
        let (tell, signals) = channel();
        thread::Builder::new().spawn(move || {
            let mut is_ending = false;
            for signal in heard.forever() {
                let ends = signal != SIGHUP;
                // Who asks twice does not want to wait for the round.
                if ends && is_ending {
                    end_by(signal);
                }
                is_ending |= ends;
                let _ = tell.send(signal);
            }
        })?;
        Ok(Watch { signals })
    }

    /// Whether there is to be another round, after that pause or at once.
    pub(super) fn goes_on(&self, pause: Duration) -> bool {
        let first = self.signals.recv_timeout(pause);
        // One that ends it may have come after another one.
        let mut came = first.iter().copied().chain(self.signals.try_iter());
        let is_over = came.any(|signal| signal != SIGHUP);
        // Nobody would hear the next one.
        !is_over && first != Err(RecvTimeoutError::Disconnected)
    }
}
