//! A review form: its fields, the JSON Schema of a filled form, and whether a filled form is valid.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ask::Schema;

/// A form, as `pipelines/forms/*.json` holds it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Form {
    /// Lower snake case.
    pub(crate) name: String,
    pub(crate) title: String,
    /// In the order in which a reviewer fills them in.
    pub(crate) fields: Vec<Field>,
}

/// One field of a form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// What is asked.
    pub(crate) ask: String,
    pub(crate) kind: Kind,
    /// Of a score: what each value means.
    #[serde(default)]
    pub(crate) scale: Map<String, Value>,
    #[serde(default)]
    pub(crate) min: i64,
    #[serde(default)]
    pub(crate) max: i64,
    #[serde(default)]
    pub(crate) choices: Vec<String>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Text,
    List,
    /// A whole number from `min` to `max`.
    Score,
    Flag,
    /// One of `choices`.
    Choice,
}

impl Form {
    /// The schema that servers can hold a reply to. Ranges are written as lists of values, which every
    /// strict server understands.
    pub(crate) fn schema(&self) -> Schema {
        let property = |field: &Field| match field.kind {
            Kind::Text => json!({"type": "string"}),
            Kind::List => json!({"type": "array", "items": {"type": "string"}}),
            Kind::Score => {
                json!({"type": "integer", "enum": (field.min..=field.max).collect::<Vec<_>>()})
            }
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Choice => json!({"type": "string", "enum": field.choices}),
        };
        let properties: Map<String, Value> = self
            .fields
            .iter()
            .map(|field| (field.name.clone(), property(field)))
            .collect();
        let names: Vec<&str> = self
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        Schema {
            name: format!("{}_review", self.name),
            schema: json!({
                "type": "object",
                "properties": properties,
                "required": names,
                "additionalProperties": false,
            }),
        }
    }

    /// The same with the word by which a reviewer says that it would leave its review as it is.
    pub(crate) fn schema_with_done(&self) -> Schema {
        let mut schema = self.schema();
        schema.schema["properties"]["done"] = json!({"type": "boolean"});
        if let Some(required) = schema.schema["required"].as_array_mut() {
            required.push("done".into());
        }
        schema
    }

    /// The value under the form's own names: models that hold to no schema write `Ethical Concerns` for
    /// `ethical_concerns`.
    pub(crate) fn named(&self, value: &Value) -> Value {
        let Some(filled) = value.as_object() else {
            return value.clone();
        };
        let plain = |name: &str| name.to_lowercase().replace([' ', '-'], "_");
        let renamed = filled.iter().map(|(key, value)| {
            let own = self.fields.iter().find(|field| field.name == plain(key));
            let name = own.map_or_else(|| key.clone(), |field| field.name.clone());
            (name, value.clone())
        });
        Value::Object(renamed.collect())
    }

    /// Whether a value is this form, filled in.
    ///
    /// # Errors
    /// Everything that is wrong, in words that a model can act on.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        let Some(filled) = value.as_object() else {
            return Err("it is not an object".to_owned());
        };
        let mut wrong: Vec<String> = self
            .fields
            .iter()
            .filter_map(|field| field.wrong(filled.get(&field.name)))
            .collect();
        let unknown = filled
            .keys()
            .filter(|key| !self.fields.iter().any(|field| field.name == **key));
        wrong.extend(unknown.map(|key| format!("`{key}` is not a field of the form")));
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("; "))
        }
    }

    /// The form in words, for a prompt.
    pub(crate) fn described(&self) -> String {
        self.fields
            .iter()
            .map(|field| format!("- `{}`: {}\n", field.name, field.described()))
            .collect()
    }
}

impl Field {
    fn wrong(&self, value: Option<&Value>) -> Option<String> {
        let name = &self.name;
        let Some(value) = value else {
            return Some(format!("`{name}` is missing"));
        };
        let fits = match self.kind {
            Kind::Text => value.is_string(),
            Kind::List => value
                .as_array()
                .is_some_and(|items| items.iter().all(Value::is_string)),
            Kind::Flag => value.is_boolean(),
            Kind::Choice => value
                .as_str()
                .is_some_and(|word| self.choices.iter().any(|choice| choice == word)),
            Kind::Score => value
                .as_i64()
                .is_some_and(|score| (self.min..=self.max).contains(&score)),
        };
        (!fits).then(|| format!("`{name}` is {}, but must be {}", short(value), self.must()))
    }

    fn must(&self) -> String {
        match self.kind {
            Kind::Text => "a string".to_owned(),
            Kind::List => "a list of strings".to_owned(),
            Kind::Flag => "true or false".to_owned(),
            Kind::Choice => format!("one of {}", self.choices.join(", ")),
            Kind::Score => format!("a whole number from {} to {}", self.min, self.max),
        }
    }

    fn described(&self) -> String {
        let scale: Vec<String> = self
            .scale
            .iter()
            .map(|(value, words)| format!("{value} = {}", words.as_str().unwrap_or_default()))
            .collect();
        let scale = if scale.is_empty() {
            String::new()
        } else {
            format!(" ({})", scale.join("; "))
        };
        format!("{}, {}{scale}", self.ask, self.must())
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        text
    } else {
        format!("{}…", text.chars().take(60).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        serde_json::from_str(include_str!("../../../../pipelines/forms/neurips.json")).unwrap()
    }

    fn filled() -> Value {
        json!({
            "summary": "s", "strengths": ["a"], "weaknesses": [], "originality": 2, "quality": 3, "clarity": 4,
            "significance": 1, "questions": [], "limitations": ["l"], "ethical_concerns": false, "soundness": 3,
            "presentation": 3, "contribution": 2, "overall": 6, "confidence": 5, "decision": "Accept",
        })
    }

    #[test]
    fn the_neurips_form_has_its_fields_and_ranges() {
        assert_eq!(form().check(&filled()), Ok(()));
        for (field, low, high) in [
            ("originality", 1, 4),
            ("quality", 1, 4),
            ("clarity", 1, 4),
            ("significance", 1, 4),
            ("soundness", 1, 4),
            ("presentation", 1, 4),
            ("contribution", 1, 4),
            ("overall", 1, 10),
            ("confidence", 1, 5),
        ] {
            for (score, valid) in [
                (low - 1, false),
                (low, true),
                (high, true),
                (high + 1, false),
            ] {
                let mut review = filled();
                review[field] = score.into();
                assert_eq!(form().check(&review).is_ok(), valid, "{field} {score}");
            }
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let mut review = filled();
        review["overall"] = "6/10".into();
        review["strengths"] = "good".into();
        review.as_object_mut().unwrap().remove("summary");
        review["score"] = 1.into();
        let wrong = form().check(&review).unwrap_err();
        for part in [
            "`summary` is missing",
            "`overall` is \"6/10\"",
            "`strengths`",
            "`score` is not a field",
        ] {
            assert!(wrong.contains(part), "{wrong}");
        }
    }

    #[test]
    fn names_are_known_however_they_are_capitalised() {
        let loud: Map<String, Value> = filled()
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.to_uppercase().replace('_', " "), value.clone()))
            .collect();
        let named = form().named(&Value::Object(loud));
        assert_eq!(named, filled());
        assert_eq!(form().check(&named), Ok(()));
    }

    #[test]
    fn the_schema_is_closed_and_requires_every_field() {
        let schema = form().schema().schema;
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(
            schema["required"].as_array().unwrap().len(),
            form().fields.len()
        );
        assert_eq!(
            schema["properties"]["confidence"]["enum"],
            json!([1, 2, 3, 4, 5])
        );
    }
}
