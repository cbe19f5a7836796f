//! A plan as people and programs read it.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::files::{Content, File, State};
use super::next::Step;
use super::plan::Plan;
use super::records::Record;

/// The one JSON document of `init` and `zone add`.
pub fn json(plan: &Plan) -> Value {
    let files: serde_json::Map<String, Value> = plan
        .files
        .iter()
        .map(|(file, state)| (file.path.display().to_string(), file_json(file, state)))
        .collect();
    let next: Vec<&str> = plan.next.iter().map(|step| step.command.as_str()).collect();
    json!({
        "files": files,
        "records": plan.records,
        "next": next,
        "notes": plan.notes,
    })
}

fn file_json(file: &File, state: &State) -> Value {
    let mut value = json!({
        "owner": file.owner.user,
        "group": file.owner.group,
        "mode": format!("{:04o}", file.mode),
        "state": state.as_str(),
    });
    if let (Some(differs), Some(object)) = (state.differs(), value.as_object_mut()) {
        object.insert("differs".to_owned(), json!(differs));
    }
    value
}

/// The files, each with owner, group and mode; with their text where `contents` says so.
///
/// # Errors
/// When it cannot be written.
pub fn files(plan: &Plan, contents: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Files")?;
    for (file, state) in &plan.files {
        let owner = format!("{}:{}", file.owner.user, file.owner.group);
        let path = file.path.display();
        writeln!(
            out,
            "  {:<9} {:04o} {owner:<17} {path}",
            state.as_str(),
            file.mode
        )?;
        let why = match state {
            State::Kept(_) => "not written by us, or changed since; it stays as it is:",
            State::Reset(_) => "it had:",
            State::Unfit(_) => "it stays so; it has:",
            State::New | State::Unchanged | State::Updated | State::Unread => "",
        };
        for line in state
            .differs()
            .into_iter()
            .flat_map(|all| [why].into_iter().chain(all.iter().map(String::as_str)))
        {
            writeln!(out, "            {line}")?;
        }
        if let (true, Content::Text(text)) = (contents, &file.content) {
            for line in text.lines() {
                writeln!(out, "    | {line}")?;
            }
        }
    }
    Ok(())
}

/// Notes, records and commands.
///
/// # Errors
/// When it cannot be written.
pub fn rest(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    notes(&plan.notes, out)?;
    records(&plan.records, out)?;
    steps(&plan.next, out)
}

/// What else there is to know.
///
/// # Errors
/// When it cannot be written.
pub fn notes(notes: &[String], out: &mut dyn Write) -> io::Result<()> {
    if !notes.is_empty() {
        writeln!(out, "\nMind")?;
    }
    for note in notes {
        writeln!(out, "  {note}")?;
    }
    Ok(())
}

/// The records for the parent, or where else those names are kept: once in full and once relative
/// to their zone.
///
/// # Errors
/// When it cannot be written.
pub fn records(records: &[Record], out: &mut dyn Write) -> io::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nRecords to enter, in this order")?;
    for record in records {
        writeln!(out, "  {}", record.absolute())?;
    }
    let mut zone = "";
    for record in records {
        if record.zone != zone {
            zone = &record.zone;
            writeln!(out, "\nThe same in a form that adds {zone} by itself")?;
        }
        writeln!(out, "  {}", record.relative())?;
    }
    Ok(())
}

/// The commands still to be typed.
///
/// # Errors
/// When it cannot be written.
pub fn steps(steps: &[Step], out: &mut dyn Write) -> io::Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nNext")?;
    for step in steps {
        writeln!(out, "  # {}", step.why)?;
        writeln!(out, "  {}", step.command)?;
    }
    Ok(())
}
