//! Configuration and keys in force, shared by all workers and read again on SIGHUP.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Respond;
use crate::application::{self, Application, Keys, KeysError};
use crate::config::{Config, ConfigError, LogLevel};
use crate::http::{Refusal, Request, Response};
use crate::log::{Line, Logger};
use crate::update::{Answer, Word};

/// Without a configuration, how often it is looked for.
const RETRY: Duration = Duration::from_secs(1);

/// What is in force.
pub struct Current {
    file: PathBuf,
    /// Counts what has been in force, so that workers notice without a lock.
    number: AtomicU64,
    state: Mutex<State>,
}

/// What is in force, or why there is nothing.
enum State {
    Ready(Arc<Config>, Arc<Keys>),
    Broken(Broken),
}

/// A configuration that cannot be used.
#[derive(Clone)]
struct Broken {
    reason: String,
    hint: Option<String>,
    /// When it was read.
    since: Instant,
    /// Whether the log has it.
    logged: bool,
}

impl Current {
    /// Reads the configuration. When that cannot be used, every request is answered with
    /// 503 until it can: a responder that ends would take its socket along.
    pub fn new(file: &Path) -> Self {
        Current {
            file: file.to_owned(),
            number: AtomicU64::new(0),
            state: Mutex::new(State::load(file)),
        }
    }

    /// Why the configuration cannot be used, and what to do about it.
    pub fn trouble(&self) -> Option<(String, Option<String>)> {
        match &*self.lock() {
            State::Ready(..) => None,
            State::Broken(broken) => Some((broken.reason.clone(), broken.hint.clone())),
        }
    }

    /// Reads everything again; what cannot be used leaves the old in force.
    pub fn reload(&self) {
        let new = State::load(&self.file);
        let mut state = self.lock();
        let line = |level| Line::new(level, "reload");
        let line = match &new {
            State::Ready(..) => line(LogLevel::Info).field("result", "done"),
            State::Broken(broken) => {
                let line = line(LogLevel::Warning).field("result", "kept-old");
                let line = line.words("reason", &broken.reason);
                match &broken.hint {
                    Some(hint) => line.words("hint", hint),
                    None => line,
                }
            }
        };
        if let (State::Ready(..), _) | (_, State::Broken(..)) = (&new, &*state) {
            *state = new;
            self.number.fetch_add(1, Ordering::Release);
        }
        state.logger().write(&line);
    }

    /// What answers the requests of one worker.
    pub fn worker(&self) -> Worker<'_> {
        Worker {
            current: self,
            number: 0,
            application: None,
        }
    }

    /// An application with what is in force; else the answer to every request.
    fn application(&self, json: bool) -> Result<Application, Response> {
        let mut state = self.lock();
        if let State::Broken(broken) = &*state
            && broken.since.elapsed() > RETRY
        {
            let logged = broken.logged.then(|| broken.reason.clone());
            *state = State::load(&self.file);
            // The log has each reason once, however long it lasts.
            if let State::Broken(still) = &mut *state {
                still.logged = logged.as_ref() == Some(&still.reason);
            }
        }
        match &mut *state {
            State::Ready(config, keys) => {
                Ok(Application::sharing(Arc::clone(config), Arc::clone(keys)))
            }
            State::Broken(broken) if broken.logged => {
                Err(Answer::new(Word::Trouble).response(json))
            }
            State::Broken(broken) => {
                broken.logged = true;
                let hint = broken.hint.as_deref().unwrap_or_default();
                Err(application::trouble(
                    &Logger::default(),
                    &broken.reason,
                    hint,
                    json,
                ))
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Reads configuration and keys, and sees that they fit the registry.
    fn load(file: &Path) -> Self {
        match State::read(file) {
            Ok((config, keys)) => State::Ready(Arc::new(config), Arc::new(keys)),
            Err(error) => State::Broken(Broken {
                reason: error.to_string(),
                hint: error.hint(),
                since: Instant::now(),
                logged: false,
            }),
        }
    }

    fn read(file: &Path) -> Result<(Config, Keys), Trouble> {
        let config = Config::load(file).map_err(Trouble::Config)?;
        let keys = Keys::load(&config, true).map_err(Trouble::Keys)?;
        keys.load_zones()
            .and_then(|()| keys.registry().map(drop))
            .map_err(Trouble::Keys)?;
        Ok((config, keys))
    }

    /// Where the configuration in force wants lines to go.
    fn logger(&self) -> Logger {
        match self {
            State::Ready(config, _) => Logger::new(&config.log),
            State::Broken(..) => Logger::default(),
        }
    }
}

/// Answers the requests of one worker.
pub struct Worker<'a> {
    current: &'a Current,
    /// Which configuration its application has.
    number: u64,
    application: Option<Application>,
}

impl Worker<'_> {
    /// The application with what is in force; else the answer to every request.
    fn application(&mut self, json: bool) -> Result<&mut Application, Response> {
        let number = self.current.number.load(Ordering::Acquire);
        self.application.take_if(|_| self.number != number);
        self.number = number;
        match &mut self.application {
            Some(application) => Ok(application),
            none => Ok(none.insert(self.current.application(json)?)),
        }
    }
}

impl Respond for Worker<'_> {
    fn respond(&mut self, request: &Request) -> Response {
        match self.application(request.prefers_json()) {
            Ok(application) => application.respond(request),
            Err(trouble) => trouble,
        }
    }

    fn refuse(&mut self, refusal: Refusal, request: &Request) -> Response {
        match self.application(request.prefers_json()) {
            Ok(application) => application.refuse(refusal, request),
            Err(trouble) => trouble,
        }
    }

    fn fail(&mut self, json: bool) -> Response {
        application::bug(&self.current.lock().logger(), json)
    }
}

/// Why what the files say cannot be used.
#[derive(Debug)]
enum Trouble {
    Config(ConfigError),
    Keys(KeysError),
}

impl Trouble {
    fn hint(&self) -> Option<String> {
        match self {
            Trouble::Config(_) => Some("run `bowline config check`".to_owned()),
            Trouble::Keys(error) => error.hint(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Config(error) => error.fmt(f),
            Trouble::Keys(error) => error.fmt(f),
        }
    }
}
