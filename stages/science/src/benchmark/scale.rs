//! What a review form allows in each of its fields, for judging values that somebody else wrote.

use kyobashi_stage::Failure;

use crate::llm::{Form, Kind};

/// The scales of a form.
pub(crate) struct Scales {
    /// The form's name.
    pub(crate) name: String,
    /// Name, least and greatest value of each score.
    pub(crate) scores: Vec<(String, [f64; 2])>,
    /// Names of the fields that hold yes or no.
    pub(crate) flags: Vec<String>,
}

impl Scales {
    /// # Errors
    /// If the text is no form.
    pub(crate) fn read(form: &str) -> Result<Self, Failure> {
        let form: Form = serde_json::from_str(form)
            .map_err(|error| Failure::new(format!("the form cannot be read: {error}")))?;
        let named = |kind: Kind| form.fields.iter().filter(move |field| field.kind == kind);
        Ok(Self {
            name: form.name.clone(),
            scores: named(Kind::Score)
                .map(|field| (field.name.clone(), [field.min as f64, field.max as f64]))
                .collect(),
            flags: named(Kind::Flag).map(|field| field.name.clone()).collect(),
        })
    }

    /// The bounds of the score that decides.
    ///
    /// # Errors
    /// If the form has no such score, with those that it has.
    pub(crate) fn of(&self, name: &str) -> Result<[f64; 2], Failure> {
        let own = self.scores.iter().find(|(own, _)| own == name);
        own.map(|(_, bounds)| *bounds).ok_or_else(|| {
            let known: Vec<&str> = self.scores.iter().map(|(name, _)| name.as_str()).collect();
            Failure::new(format!("the form has no score `{name}`"))
                .help(format!("its scores are {}", known.join(", ")))
        })
    }
}
