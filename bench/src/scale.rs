//! Registries of all sizes: nothing may grow with the number of hosts but what lists them all.

use crate::Trouble;
use crate::bowline::{Site, address};
use crate::knot::Knot;
use crate::load::{Visitor, throughput};
use crate::options::Effort;
use crate::place::Place;
use crate::report::{Figure, Report, Target};
use crate::sample::Sample;
use crate::spawn::{Program, Runs, runs};
use crate::web::Web;

/// The most records that a zone begins with.
const IN_KNOT: usize = 100_000;
/// So many hosts, spread over all, have their address already.
const UNCHANGED: usize = 100;
/// So much more an unchanged visit may cost with the largest registry than with the smallest.
const MORE: f64 = 1.15;
/// Addresses from here on are nobody's yet.
const FRESH: usize = 1 << 20;

/// Measures it.
pub(crate) fn measure(place: &Place, effort: Effort, report: &mut Report) -> Result<(), Trouble> {
    let sizes: &[usize] = match effort {
        Effort::Quick => &[10, 10_000],
        Effort::Full => &[10, 1_000, 100_000, 1_000_000],
    };
    let zones: Vec<String> = sizes
        .iter()
        .map(|size| format!("n{size}.example.org"))
        .collect();
    let filled: Vec<(&str, usize)> = zones
        .iter()
        .zip(sizes)
        .map(|(zone, size)| (zone.as_str(), *size.min(&IN_KNOT)))
        .collect();
    let knot = Knot::start(place, "scale-knot", &filled)?;
    let mut sites = Vec::new();
    for (zone, size) in zones.iter().zip(sizes) {
        sites.push(Site::new(place, &knot, &format!("n{size}"), zone, *size)?);
    }
    through_nginx(place, effort, report, &sites)?;
    for site in &sites {
        // As every minute: until then a process reads the log that a responder has left.
        site.bowline(&["upkeep"])?;
    }
    alone(place, effort, report, &sites)?;
    for site in &sites {
        add(
            report,
            site,
            "import",
            "host import",
            "s",
            &site.import.into(),
            None,
        );
        let size =
            (size(site, "state/bowline.db")? + size(site, "state/bowline.db-wal")?) / 1048576.0;
        add(
            report,
            site,
            "file",
            "registry's file",
            "MiB",
            &size.into(),
            None,
        );
    }
    Ok(())
}

/// Unchanged and changed visits to responders, in turn with the smallest site's.
fn through_nginx(
    place: &Place,
    effort: Effort,
    report: &mut Report,
    sites: &[Site<'_>],
) -> Result<(), Trouble> {
    let mut responders = Vec::new();
    let mut sockets = Vec::new();
    for site in sites {
        responders.push(site.responder()?);
        sockets.push((format!("/{}/", site.name()), site.socket()));
    }
    let nginx = Web::nginx(place, "scale-nginx", &sockets)?;
    let mut client = nginx.client();
    let mut visitors = Vec::new();
    for site in sites {
        let count = UNCHANGED.min(site.hosts / 2);
        let step = site.hosts / count;
        for host in 0..count {
            client.get(&site.visit(host * step, address(host * step)))?;
        }
        let unchanged = Visitor::new(nginx.port, "nochg", move |visit| {
            let host = visit % count * step;
            site.visit(host, address(host))
        });
        let changed = Visitor::new(nginx.port, "good", move |visit| {
            site.visit(visit % count * step + 1, address(FRESH + visit))
        });
        visitors.extend([(unchanged, 300), (changed, 100)]);
    }
    let samples = throughput(&visitors, 1, effort.of(5, 15))?;
    let smallest: Vec<Sample> = samples.iter().take(2).cloned().collect();
    for (site, samples) in sites.iter().zip(samples.chunks(2)) {
        for ((name, ours), reference) in ["unchanged", "changed"].iter().zip(samples).zip(&smallest)
        {
            let what = format!("FastCGI, {name}");
            let is_last = Some(site.hosts) == sites.last().map(|site| site.hosts);
            // Visits in a second, so the other way round.
            let target = (is_last && *name == "unchanged").then_some(Target::AtLeast(1.0 / MORE));
            add(
                report,
                site,
                &format!("fastcgi_{name}"),
                &what,
                "/s",
                ours,
                Some((reference, target)),
            );
        }
    }
    for (site, responder) in sites.iter().zip(&responders) {
        add(
            report,
            site,
            "fastcgi_memory",
            "FastCGI, peak memory",
            "MiB",
            &responder.peak()?.into(),
            None,
        );
    }
    Ok(())
}

/// What a process does at every size.
struct Kind {
    name: &'static str,
    what: &'static str,
    program: fn(&Site<'_>) -> Program,
    rounds: usize,
    /// The ratio of the largest registry to the smallest.
    bound: Option<f64>,
}

/// A visit of a host, where `{ip}` is another address every time.
fn visit(site: &Site<'_>, host: usize, ip: &str) -> Program {
    Program::new("bowline", site.variables(&format!("{host:09}"), ip))
}

fn verb(site: &Site<'_>, arguments: &'static [&'static str]) -> Program {
    let config = format!("BOWLINE_CONFIG={}", site.path("bowline.toml").display());
    Program {
        arguments,
        ..Program::new("bowline", vec![config])
    }
}

/// Processes, in turn with the smallest site's.
fn alone(
    place: &Place,
    effort: Effort,
    report: &mut Report,
    sites: &[Site<'_>],
) -> Result<(), Trouble> {
    let (few, many) = (effort.of(3, 5), effort.of(60, 300));
    let kinds = [
        Kind {
            name: "unchanged",
            what: "process, unchanged",
            program: |site| visit(site, 0, &address(0).to_string()),
            rounds: many,
            bound: Some(MORE),
        },
        Kind {
            name: "changed",
            what: "process, changed",
            program: |site| visit(site, 1, "{ip}"),
            rounds: many / 2,
            bound: None,
        },
        Kind {
            name: "host_list",
            what: "host list",
            program: |site| verb(site, &["host", "list"]),
            rounds: few,
            bound: None,
        },
        Kind {
            name: "upkeep",
            what: "upkeep with nothing to do",
            program: |site| verb(site, &["upkeep"]),
            rounds: few,
            bound: None,
        },
    ];
    for Kind {
        name,
        what,
        program,
        rounds,
        bound,
    } in kinds
    {
        let programs: Vec<Program> = sites.iter().map(program).collect();
        let all = runs(place, &programs, rounds, FRESH)?;
        let smallest = all
            .first()
            .map(|runs| runs.time.clone())
            .unwrap_or_default();
        for (site, Runs { time, memory }) in sites.iter().zip(&all) {
            let last = Some(site.hosts) == sites.last().map(|site| site.hosts);
            let target = bound.filter(|_| last).map(Target::AtMost);
            add(
                report,
                site,
                name,
                what,
                "µs",
                time,
                Some((&smallest, target)),
            );
            let most = memory.largest().into();
            add(
                report,
                site,
                &format!("{name}_memory"),
                &format!("{what}, memory"),
                "MiB",
                &most,
                None,
            );
        }
    }
    Ok(())
}

/// A figure of a site; its reference is the smallest one's.
fn add(
    report: &mut Report,
    site: &Site<'_>,
    name: &str,
    what: &str,
    unit: &'static str,
    sample: &Sample,
    smallest: Option<(&Sample, Option<Target>)>,
) {
    report.add(Figure {
        name: format!("scale.{name}.hosts_{}", site.hosts),
        what: format!("{what}, {} hosts", site.hosts),
        unit,
        sample: sample.clone(),
        reference: smallest.map(|(smallest, _)| ("smallest_registry", smallest.clone())),
        target: smallest.and_then(|(_, target)| target),
    });
}

/// The octets of a file; none where there is no such file.
fn size(site: &Site<'_>, name: &str) -> Result<f64, Trouble> {
    match std::fs::metadata(site.path(name)) {
        Ok(metadata) => Ok(metadata.len() as f64),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0.0),
        Err(error) => Err(error.into()),
    }
}
