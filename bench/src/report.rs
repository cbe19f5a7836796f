//! The figures, each beside its reference and its target.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::Trouble;
use crate::options::{Effort, Options};
use crate::picture;
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

    fn row(&self) -> String {
        let spread = match self.sample.spread() {
            spread if spread > 0.0 => format!("±{:.0}%", spread * 100.0),
            _ => String::new(),
        };
        let measured = format!("{} {}", short(self.sample.median()), self.unit);
        let ratio = match &self.reference {
            Some((name, _)) => format!("{:.2} × {}", self.value(), name.replace('_', " ")),
            None => String::new(),
        };
        let target = match self.target {
            None => String::new(),
            Some(target) => {
                let (sign, bound) = match target {
                    Target::AtMost(bound) => ("≤", bound),
                    Target::AtLeast(bound) => ("≥", bound),
                };
                let met = if target.is_met(self.value()) {
                    ""
                } else {
                    "  MISSED"
                };
                format!("{sign} {bound}{met}")
            }
        };
        let what = &self.what;
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
        "quick": options.effort == Effort::Quick,
        "bowline": version(Command::new(&options.bowline).arg("--version")),
        "knot": version(Command::new("knotd").arg("-V")),
        "apache": version(Command::new("apache2").arg("-v")),
    })
}

/// A number with three digits that count.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
