//! `kyo init`

use std::io::Write;
use std::path::Path;

use serde_json::json;

use crate::arguments::{Global, Init};
use crate::exit::{self, Code, Stopped};
use crate::talk;

use super::schema;

/// The schema's file, beside the pipeline.
const SCHEMA: &str = "kyobashi.schema.json";

/// Most editors read the first line, those of JetBrains the second.
const HEAD: &str = "\
# yaml-language-server: $schema=kyobashi.schema.json
# $schema: kyobashi.schema.json
";

const BODY: &str = include_str!("init/pipeline.yaml");

pub(super) fn init(global: &Global, arguments: &Init) -> Result<Code, Stopped> {
    let file = &arguments.file;
    let name = file.file_stem().and_then(|stem| stem.to_str());
    let Some(name) = name.filter(|_| yaml(file)) else {
        return Err(
            Stopped::wrong(format!("{}: a pipeline is a `.yaml` file", file.display()))
                .help("write `kyo init pipeline.yaml`"),
        );
    };
    let cannot = |path: &Path, error: &std::io::Error| {
        Stopped::wrong(format!("cannot write {}: {error}", path.display()))
    };
    let dir = file.parent().unwrap_or(Path::new(""));
    if !dir.as_os_str().is_empty() {
        std::fs::create_dir_all(dir).map_err(|error| cannot(dir, &error))?;
    }
    let text = format!(
        "{HEAD}{}",
        BODY.replacen("NAME", &json!(name).to_string(), 1)
    );
    let made = std::fs::File::create_new(file).and_then(|mut to| to.write_all(text.as_bytes()));
    match made {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(
                Stopped::wrong(format!("{} is there already", file.display()))
                    .help("choose another name: `kyo init other.yaml`"),
            );
        }
        made => made.map_err(|error| cannot(file, &error))?,
    }
    let beside = dir.join(SCHEMA);
    std::fs::write(&beside, format!("{}\n", schema::text()?))
        .map_err(|error| cannot(&beside, &error))?;
    if global.json {
        talk::json(&json!({ "pipeline": file, "schema": beside }))?;
    } else {
        talk::say(
            global,
            &format!("wrote {} and {}", file.display(), beside.display()),
        );
        talk::say(
            global,
            &format!("next: kyo run {} --out out", file.display()),
        );
    }
    Ok(exit::DONE)
}

fn yaml(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("yaml" | "yml"))
}
