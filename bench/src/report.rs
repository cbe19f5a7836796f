//! The figures, each beside its reference and its target.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::Trouble;
use crate::document;
use crate::options::{Effort, Options};
use crate::picture;
use crate::process::run;
use crate::sample::Sample;
use crate::web::version;

/// What a figure shall be.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Not more than this.
    AtMost(f64),
    /// Not less than this.
    AtLeast(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Target::AtMost(bound) => value <= bound,
            Target::AtLeast(bound) => value >= bound,
        }
    }
}

/// One figure.
pub(crate) struct Figure {
    /// Its name in the file, e.g. `cgi.unchanged.latency`.
    pub(crate) name: String,
    /// What it is, for people.
    pub(crate) what: String,
    /// What it is counted in.
    pub(crate) unit: &'static str,
    /// Bowline's.
    pub(crate) sample: Sample,
    /// Somebody else's, measured in turn with it: its name in the file, and the values.
    pub(crate) reference: Option<(&'static str, Sample)>,
    /// What the ratio shall be, or the median where there is no reference.
    pub(crate) target: Option<Target>,
}

impl Figure {
    /// The ratio of the medians, or the median where there is no reference.
    pub(crate) fn value(&self) -> f64 {
        match &self.reference {
            Some((_, reference)) => self.sample.median() / reference.median(),
            None => self.sample.median(),
        }
    }

    fn json(&self) -> Value {
        let mut figure = json!({ "what": self.what, "unit": self.unit });
        if let Value::Object(fields) = &mut figure {
            if let Some((name, reference)) = &self.reference {
                fields.insert(format!("ratio_to_{name}"), json!(self.value()));
                fields.insert(format!("reference_{name}"), reference.json());
            }
            if let Some(target) = self.target {
                let (key, bound) = match target {
                    Target::AtMost(bound) => ("target_at_most", bound),
                    Target::AtLeast(bound) => ("target_at_least", bound),
                };
                fields.insert(key.to_owned(), json!(bound));
                fields.insert("target_met".to_owned(), json!(target.is_met(self.value())));
            }
            fields.insert("measured".to_owned(), self.sample.json());
        }
        figure
    }

    /// Bowline's median, and what it is counted in.
    pub(crate) fn measured(&self) -> String {
        format!("{} {}", short(self.sample.median()), self.unit)
    }

    /// The ratio and what it is to; nothing where there is no reference.
    pub(crate) fn ratio(&self) -> String {
        match &self.reference {
            Some((name, _)) => format!("{:.2} × {}", self.value(), name.replace('_', " ")),
            None => String::new(),
        }
    }

    /// What it shall be, and whether it is.
    pub(crate) fn aim(&self) -> Option<(String, bool)> {
        let target = self.target?;
        let (sign, bound) = match target {
            Target::AtMost(bound) => ("≤", bound),
            Target::AtLeast(bound) => ("≥", bound),
        };
        let bound = short(bound);
        let bound = match bound.contains('.') {
            true => bound.trim_end_matches('0').trim_end_matches('.'),
            false => &bound,
        };
        Some((format!("{sign} {bound}"), target.is_met(self.value())))
    }

    /// How much of its target it takes up: at most 1 is within.
    pub(crate) fn of_target(&self) -> Option<f64> {
        Some(match self.target? {
            Target::AtMost(bound) => self.value() / bound,
            Target::AtLeast(bound) => bound / self.value(),
        })
    }

    fn row(&self) -> String {
        let spread = match self.sample.spread() {
            spread if spread > 0.0 => format!("±{:.0}%", spread * 100.0),
            _ => String::new(),
        };
        let target = match self.aim() {
            None => String::new(),
            Some((aim, true)) => aim,
            Some((aim, false)) => format!("{aim}  MISSED"),
        };
        let (what, measured, ratio) = (&self.what, self.measured(), self.ratio());
        format!("{what:<52} {measured:>14} {spread:>5}  {ratio:<28} {target}")
            .trim_end()
            .to_owned()
    }
}

/// Everything measured so far.
pub(crate) struct Report {
    figures: Vec<Figure>,
    machine: Value,
}

impl Report {
    /// Nothing yet but the machine and the executable.
    pub(crate) fn new(options: &Options) -> Result<Self, Trouble> {
        let mut report = Report {
            figures: Vec::new(),
            machine: machine(options),
        };
        let octets = fs::metadata(&options.bowline)?.len();
        report.add(Figure {
            name: "binary.size".into(),
            what: "size of the executable".into(),
            unit: "MiB",
            sample: (octets as f64 / f64::from(1 << 20)).into(),
            reference: None,
            target: Some(Target::AtMost(6.0)),
        });
        Ok(report)
    }

    /// One more.
    pub(crate) fn add(&mut self, figure: Figure) {
        eprintln!("  {}", figure.row());
        self.figures.push(figure);
    }

    /// Whether everything has a value.
    ///
    /// # Errors
    /// With the first figure that could not be measured.
    pub(crate) fn check(&self) -> Result<(), Trouble> {
        let empty = |figure: &&Figure| !figure.value().is_finite();
        match self.figures.iter().find(empty) {
            Some(figure) => Err(format!("{} could not be measured", figure.name).into()),
            None => Ok(()),
        }
    }

    /// All figures, a line each.
    pub(crate) fn table(&self) -> String {
        self.figures
            .iter()
            .fold(String::new(), |mut table, figure| {
                let _ = writeln!(table, "{}", figure.row());
                table
            })
    }

    /// The figures as JSON, and the picture.
    pub(crate) fn write(&self, options: &Options) -> Result<(), Trouble> {
        let figures: Map<String, Value> = self
            .figures
            .iter()
            .map(|figure| (figure.name.clone(), figure.json()))
            .collect();
        let all = json!({ "machine": self.machine, "figures": figures });
        let text = serde_json::to_string_pretty(&all)? + "\n";
        fs::create_dir_all(&options.out)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let file = options.out.join(format!("{now}.json"));
        fs::write(&file, &text)?;
        println!("raw figures: {}", file.display());
        if let Some(json) = &options.json {
            fs::write(json, &text)?;
        }
        let picture = options.out.join("picture.svg");
        fs::write(&picture, picture::draw(&self.figures))?;
        println!("picture:     {}", picture.display());
        if options.write {
            document::write(&self.figures, &self.machine)?;
        }
        Ok(())
    }
}

/// What it was measured on, and with.
fn machine(options: &Options) -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    json!({
        "processor": model.map(|(_, model)| model),
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "kernel": kernel.trim(),
        "disk": disk(&options.dir),
        "sync_microseconds": sync(&options.dir),
        "quick": options.effort == Effort::Quick,
        "bowline": version(Command::new(&options.bowline).arg("--version")),
        "knot": version(Command::new("knotd").arg("-V")),
        "apache": version(Command::new("apache2").arg("-v")),
    })
}

/// The file system and device that everything is on.
fn disk(dir: &Path) -> Option<String> {
    let mut df = Command::new("df");
    let lines = run(df.args(["--output=fstype,source"]).arg(dir)).ok()?;
    let fields = lines.lines().nth(1)?.split_whitespace();
    Some(fields.collect::<Vec<_>>().join(" "))
}

/// How long the disk takes to have two more pages for good, in microseconds.
fn sync(dir: &Path) -> Option<f64> {
    let path = dir.join("sync");
    let mut file = File::create(&path).ok()?;
    let mut sample = Sample::default();
    for _ in 0..50 {
        let began = Instant::now();
        file.write_all(&[1; 8192]).ok()?;
        file.sync_data().ok()?;
        sample.push(began.elapsed().as_secs_f64() * 1e6);
    }
    fs::remove_file(path).ok()?;
    Some(sample.median())
}

/// A number with three digits that count.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
