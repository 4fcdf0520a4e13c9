//! What a stage wants of a reply: the outputs that a pipeline declared, as a JSON Schema for the server,
//! as words for the prompt, and as the judge of what came.
//!
//! One `text` alone is the whole reply. Else plain values are fields of one JSON object, and texts, tables
//! and files are fenced blocks that carry their names: prose and code do not belong into JSON strings.

use std::collections::BTreeMap;

use kyobashi_stage::{Call, Failure, Output, Outputs, Port, Shape, Type, check_value};
use serde_json::{Map, Value, json};

use super::ask::Schema;
use super::fence::blocks;
use super::json::last_object;
use super::schema::{object, strict};

/// The outputs of one call.
pub(crate) struct Wanted<'c> {
    /// Plain values: fields of a JSON object.
    fields: Vec<&'c Port>,
    /// Contents of files: fenced blocks.
    blocks: Vec<&'c Port>,
    shapes: &'c BTreeMap<String, Shape>,
}

impl<'c> Wanted<'c> {
    /// Reads what the pipeline declared.
    ///
    /// # Errors
    /// If nothing is declared, or something that no model can write.
    pub(crate) fn new(call: &'c Call) -> Result<Self, Failure> {
        let (mut fields, mut blocks) = (Vec::new(), Vec::new());
        for port in &call.outs {
            match &port.ty {
                Type::Dir | Type::Grid(..) => return Err(unwritable(port)),
                Type::List(inner) | Type::Optional(inner) if inner.is_path() => {
                    return Err(unwritable(port));
                }
                ty if ty.is_path() => blocks.push(port),
                _ => fields.push(port),
            }
        }
        if fields.is_empty() && blocks.is_empty() {
            return Err(
                Failure::new("the stage declares no output, so no reply is asked for")
                    .help("add what you want of the reply: `out: {line: str}`"),
            );
        }
        Ok(Self {
            fields,
            blocks,
            shapes: &call.shapes,
        })
    }

    /// Whether the reply as a whole is the only output.
    fn whole(&self) -> Option<&'c Port> {
        match (&self.fields[..], &self.blocks[..]) {
            ([port], []) if port.ty == Type::Str => Some(port),
            ([], [port]) => Some(port),
            _ => None,
        }
    }

    /// A shape that is the only output is not wrapped into an object of its own.
    fn bare(&self) -> Option<&'c Port> {
        match (&self.fields[..], &self.blocks[..]) {
            ([port], []) if matches!(port.ty, Type::Named(_)) => Some(port),
            _ => None,
        }
    }

    /// The schema that a server can hold the reply to; none where the reply is not JSON alone, or where
    /// the outputs are too open for a strict schema.
    pub(crate) fn schema(&self) -> Option<Schema> {
        if self.whole().is_some() || !self.blocks.is_empty() {
            return None;
        }
        let schema = match self.bare() {
            Some(port) => strict(&port.ty, self.shapes)?,
            None => {
                let fields = self
                    .fields
                    .iter()
                    .map(|port| Some((port.name.clone(), strict(&port.ty, self.shapes)?)));
                object(fields.collect::<Option<Vec<_>>>()?)
            }
        };
        let name = self.bare().map_or("reply", |port| port.name.as_str());
        let ascii = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let name = if name.chars().all(ascii) {
            name
        } else {
            "reply"
        };
        Some(Schema {
            name: name.to_owned(),
            schema,
        })
    }

    /// The form of the reply in words, for the end of a prompt; empty where the reply is one text.
    pub(crate) fn described(&self) -> String {
        if let Some(port) = self.whole() {
            return match port.ty {
                Type::Table(_) | Type::File(_) => {
                    format!("Put the content of `{}` into one fenced block.", port.name)
                }
                _ => String::new(),
            };
        }
        let mut words = String::new();
        if let Some(port) = self.bare() {
            let form = super::schema::described(&port.ty, self.shapes);
            words.push_str(&format!("End your reply with one JSON object: {form}"));
        } else if !self.fields.is_empty() {
            let fields: Vec<String> = self
                .fields
                .iter()
                .map(|port| {
                    let form = super::schema::described(&port.ty, self.shapes);
                    format!("{}: {form}", json!(port.name))
                })
                .collect();
            words.push_str(&format!(
                "End your reply with one JSON object: {{{}}}",
                fields.join(", ")
            ));
        }
        for port in &self.blocks {
            if !words.is_empty() {
                words.push('\n');
            }
            words.push_str(&format!(
                "Put `{0}` into a fenced block that begins with the line ```{0}",
                port.name
            ));
            if let Type::Table(columns) = &port.ty
                && !columns.is_empty()
            {
                words.push_str(&format!(", as CSV with the header {}", columns.join(",")));
            }
        }
        words
    }

    /// The outputs of a complete reply, and whether its JSON had to be mended.
    ///
    /// # Errors
    /// What is wrong with the reply, in words that its writer can act on.
    pub(crate) fn read(&self, reply: &str) -> Result<(Outputs, bool), String> {
        if let Some(port) = self.whole() {
            return Ok((whole(port, reply)?, false));
        }
        let mut outputs = Outputs::new();
        let found = blocks(reply);
        for port in &self.blocks {
            let block = found.iter().rev().find(|block| block.named(&port.name));
            let block =
                block.ok_or_else(|| format!("there is no fenced block ```{}", port.name))?;
            outputs.insert(port.name.clone(), Output::bytes(block.content.clone()));
        }
        if self.fields.is_empty() {
            return Ok((outputs, false));
        }
        let accept = |value: &Value| self.accepted(value).map(|_| ());
        let object = last_object(reply, accept)?;
        let values = self.accepted(&object.value)?;
        for (name, value) in values {
            outputs.insert(name, Output::Value { value });
        }
        Ok((outputs, object.repaired))
    }

    /// The values of the fields in an object.
    fn accepted(&self, value: &Value) -> Result<Map<String, Value>, String> {
        if let Some(port) = self.bare() {
            // Models wrap the object, or do not, whatever they are told.
            let inner = value.get(&port.name).filter(|inner| inner.is_object());
            let inner = inner.unwrap_or(value);
            self.check(port, inner)?;
            return Ok(Map::from_iter([(port.name.clone(), inner.clone())]));
        }
        let Some(map) = value.as_object() else {
            return Err("it is not an object".to_owned());
        };
        let mut values = Map::new();
        let mut wrong = Vec::new();
        for port in &self.fields {
            match map.get(&port.name) {
                Some(value) => match self.check(port, value) {
                    Ok(()) => {
                        values.insert(port.name.clone(), value.clone());
                    }
                    Err(why) => wrong.push(why),
                },
                None if matches!(port.ty, Type::Optional(_)) => {
                    values.insert(port.name.clone(), Value::Null);
                }
                None => wrong.push(format!("`{}` is missing", port.name)),
            }
        }
        if wrong.is_empty() {
            Ok(values)
        } else {
            Err(wrong.join("; "))
        }
    }

    fn check(&self, port: &Port, value: &Value) -> Result<(), String> {
        check_value(value, &port.ty, self.shapes).map_err(|why| format!("{}{why}", port.name))
    }
}

fn whole(port: &Port, reply: &str) -> Result<Outputs, String> {
    let output = match port.ty {
        Type::Str => Output::value(reply.trim()),
        Type::Table(_) | Type::File(_) => {
            let found = blocks(reply);
            let block = found.iter().rev().find(|block| block.named(&port.name));
            match block.or(found.last()) {
                Some(block) => Output::bytes(block.content.clone()),
                None => return Err("there is no fenced block in the reply".to_owned()),
            }
        }
        _ => Output::bytes(format!("{}\n", reply.trim_end())),
    };
    Ok(Outputs::from([(port.name.clone(), output)]))
}

fn unwritable(port: &Port) -> Failure {
    Failure::new(format!(
        "a model's reply cannot be `{}: {}`",
        port.name, port.ty
    ))
    .help("outputs of `llm/chat` are values, or a `text`, `table` or `file` each")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(outs: &[(&str, &str)]) -> Call {
        let fields = [("decision", "str"), ("score", "int"), ("quote", "str?")];
        let fields = fields.map(|(name, ty)| (name.to_owned(), kyobashi_stage::Field::new(ty)));
        let verdict = Shape {
            fields: BTreeMap::from(fields),
            open: false,
        };
        Call {
            uses: "llm/chat".to_owned(),
            ins: BTreeMap::new(),
            with: BTreeMap::new(),
            model: None,
            outs: outs
                .iter()
                .map(|(name, ty)| Port::new(name, ty, ""))
                .collect(),
            shapes: BTreeMap::from([("Verdict".to_owned(), verdict)]),
        }
    }

    fn value(outputs: &Outputs, name: &str) -> Value {
        match &outputs[name] {
            Output::Value { value } => value.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_text_is_the_whole_reply_and_needs_no_form() {
        let call = call(&[("line", "str")]);
        let wanted = Wanted::new(&call).unwrap();
        assert_eq!((wanted.schema(), wanted.described()), (None, String::new()));
        let (outputs, _) = wanted.read(" Good work. \n").unwrap();
        assert_eq!(value(&outputs, "line"), "Good work.");
    }

    #[test]
    fn a_shape_is_taken_bare_or_wrapped_and_the_last_valid_one_counts() {
        let call = call(&[("verdict", "Verdict")]);
        let wanted = Wanted::new(&call).unwrap();
        let schema = wanted.schema().unwrap();
        assert_eq!(schema.name, "verdict");
        assert_eq!(
            schema.schema["required"],
            json!(["decision", "quote", "score"])
        );
        for reply in [
            r#"{"decision": "no", "score": 3}"#,
            r#"{"score": 1} so {"verdict": {"decision": "no", "score": 3}} and {"score": 2}"#,
        ] {
            let (outputs, _) = wanted.read(reply).unwrap();
            assert_eq!(
                value(&outputs, "verdict"),
                json!({"decision": "no", "score": 3})
            );
        }
        let wrong = wanted
            .read(r#"{"decision": "no", "score": "6/10"}"#)
            .err()
            .unwrap();
        assert!(
            wrong.contains("verdict.score") && wrong.contains("is not int"),
            "{wrong}"
        );
    }

    #[test]
    fn texts_beside_values_are_fenced_blocks_with_their_names() {
        let call = call(&[("score", "int"), ("note", "text"), ("why", "str?")]);
        let wanted = Wanted::new(&call).unwrap();
        assert_eq!(wanted.schema(), None);
        assert!(wanted.described().contains("```note"));
        let reply = "Thinking.\n```note\n# A {note}\n```\n{\"score\": 4}";
        let (outputs, _) = wanted.read(reply).unwrap();
        assert_eq!(outputs["note"], Output::bytes("# A {note}\n"));
        assert_eq!(
            (value(&outputs, "score"), value(&outputs, "why")),
            (json!(4), Value::Null)
        );
        assert!(
            wanted
                .read("{\"score\": 4}")
                .err()
                .unwrap()
                .contains("```note")
        );
    }

    #[test]
    fn what_no_model_can_write_is_refused_before_anything_is_sent() {
        for ty in ["dir", "list<text>"] {
            assert!(Wanted::new(&call(&[("all", ty)])).is_err());
        }
        assert!(Wanted::new(&call(&[])).is_err());
    }
}
