//! `kyo pin`

use serde_json::json;

use crate::arguments::{Global, Pin};
use crate::exit::{self, Code, Stopped};
use crate::{history, talk, workspace};

pub(super) fn pin(global: &Global, arguments: &Pin) -> Result<Code, Stopped> {
    let Some(text) = &arguments.run else {
        return list(global);
    };
    let store = workspace::change(global)?;
    let runs = store.runs();
    let number = history::find(&runs, text)?;
    if arguments.remove {
        if !runs.unpin(number)? {
            return Err(Stopped::wrong(format!("run {number} is not pinned"))
                .help("`kyo pin` lists what is"));
        }
        if global.json {
            talk::json(&json!({ "run": number, "pinned": false }))?;
        }
        talk::say(global, &format!("run {number} is no longer pinned"));
        return Ok(exit::DONE);
    }
    let name = arguments.name.as_deref().unwrap_or_default();
    if name.parse::<u64>().is_ok() || name == "last" || name.contains(['/', '\n']) {
        return Err(Stopped::wrong(format!("a run cannot be called `{name}`"))
            .help("choose a word that is no number, not `last`, and has no `/`"));
    }
    let taken = runs.pins()?;
    let other = taken
        .iter()
        .find(|(other, taken)| !name.is_empty() && taken.as_str() == name && **other != number);
    if let Some((other, _)) = other {
        return Err(
            Stopped::wrong(format!("run {other} is called `{name}` already"))
                .help(format!("`kyo pin {name} --remove` frees the name")),
        );
    }
    runs.pin(number, name)?;
    let called = if name.is_empty() {
        String::new()
    } else {
        format!(" as `{name}`")
    };
    if global.json {
        talk::json(&json!({ "run": number, "pinned": true, "pin": name }))?;
    }
    talk::say(
        global,
        &format!("run {number} is pinned{called}: no collection takes what it reaches"),
    );
    Ok(exit::DONE)
}

fn list(global: &Global) -> Result<Code, Stopped> {
    for (number, name) in workspace::look(global)?.runs().pins()? {
        if global.json {
            talk::json(&json!({ "run": number, "pin": name }))?;
        } else {
            talk::data(format!("{number:>5}  {name}").trim_end())?;
        }
    }
    Ok(exit::DONE)
}
