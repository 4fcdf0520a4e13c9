//! `ideas/propose`: ideas for a template, from its declared space or from a model.

use kyobashi_stage::{Call, Context, Failure, Note, Output, Outputs, Port, Signature, Stage};

use super::enumerate::enumerate;
use crate::author::baseline_only;
use crate::template::Template;

pub(crate) struct Propose;

impl Stage for Propose {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new("template", "dir", "the template folder")],
            with: vec![Port::new("n", "int", "how many ideas")],
            outs: vec![Port::new(
                "ideas",
                "list<Idea>",
                "ideas, the most promising first",
            )],
            model: true,
            ..Signature::new("ideas/propose", 1, "Propose ideas for a template")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        baseline_only(call)?;
        let template = Template::read(call.path("template")?)?;
        let n: usize = call.get("n")?;
        let ideas = enumerate(&template.space()?, n);
        if ideas.is_empty() {
            return Err(
                Failure::new(format!("template `{}` declares no ideas", template.name))
                    .help("list some in its space.yaml, or choose a model as the author"),
            );
        }
        if ideas.len() < n {
            context.note(Note {
                message: Some(format!(
                    "the declared space holds {} ideas, {n} were asked for",
                    ideas.len()
                )),
                ..Note::default()
            });
        }
        let value = serde_json::to_value(ideas).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([("ideas".to_owned(), Output::value(value))]))
    }
}
