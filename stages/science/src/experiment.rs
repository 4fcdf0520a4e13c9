//! `experiment/variant`: the program and the settings of one idea, or of the baseline.

use std::collections::BTreeMap;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::{Map, Value, json};

use crate::shapes::Idea;
use crate::template::Template;

pub(crate) struct Variant;

impl Stage for Variant {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("template", "dir", "the template folder"),
                Port::new("idea", "Idea?", "the idea; the baseline if absent"),
            ],
            with: vec![Port::or(
                "overrides",
                "json",
                json!({}),
                "settings that win over the template's, for both variants alike: `{steps: 500}`",
            )],
            outs: vec![
                Port::new("program", "file(.py)", "the program text"),
                Port::new("config", "json", "every setting of the run"),
            ],
            ..Signature::new(
                "experiment/variant",
                1,
                "Resolve an idea to a program and its settings",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let template = Template::read(call.path("template")?)?;
        let idea: Option<Idea> = if call.has("idea") {
            Some(call.get("idea")?)
        } else {
            None
        };
        let mut config = template.config_of(idea.as_ref())?;
        let overrides: Map<String, Value> = call.get("overrides")?;
        let changed = idea.as_ref().and_then(|idea| idea.config.as_ref());
        for (key, value) in overrides {
            template.knows(&key)?;
            if changed.is_some_and(|patch| patch.contains_key(&key)) {
                return Err(Failure::new(format!(
                    "`overrides` sets `{key}`, which is what the idea changes"
                ))
                .help("the comparison would be of the baseline with itself"));
            }
            config.insert(key, value);
        }
        let path = context.scratch().join("program.py");
        std::fs::copy(template.program_of(idea.as_ref())?, &path)?;
        Ok(BTreeMap::from([
            ("program".to_owned(), Output::File { path }),
            ("config".to_owned(), Output::value(config)),
        ]))
    }
}
