//! What makes two runs of a node the same.
//!
//! | enters the key | does not enter |
//! |---|---|
//! | stage type, its author-raised version, the user's `version:` | the stage's name and address, position, comments, doc, tags |
//! | every `with` value after resolution, in canonical form | timeout, retries, resources, `on_error` |
//! | every input by the digest of its content | paths, mtimes, run ids, time |
//! | for `run:`: the literal script, the shell, declared environment, names and types of outputs | the shell's other environment |
//! | for outputs that the pipeline declared itself: the fields of the types that they name | |
//! | for a model: provider, id, endpoint, settings, the generation of its replies if not the first | credentials, price |
//! | for a stage that depends on the machine: its facts (libtorch, device, threads, CPU capability) | process ids |
//!
//! One walk ([`Resolved::walk`]) feeds both readers, the hash and the recipe that `kyo why` compares,
//! so they cannot disagree. Pre-images are typed and length-prefixed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kyobashi_cache::{Digest, Key};
use kyobashi_stage::{declared, named_shapes};
use serde_json::{Value, json};

use super::evaluate::{Blocked, Scope};
use crate::artifact::{Artifact, canonical};
use crate::spec::{Stage, Work};

/// Raised when the form of the pre-image changes.
const KEY_FORMAT: u32 = 1;

/// Values longer than this (bytes of JSON) appear in a recipe by digest.
const RECIPE_LIMIT: usize = 1024;

/// The field that holds the generation of a model's replies.
const GENERATION: &str = "generation";

/// Facts of the machine for stage types that depend on it: `libtorch` → `2.11.0`.
pub type Machine = BTreeMap<String, String>;

/// One run of a stage with its values, field by field.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub fields: Vec<Field>,
}

/// One field of the pre-image.
#[derive(Clone, Debug)]
pub struct Field {
    /// `uses`, `in.data`, `with.lr`, `run`, `model`.
    pub path: Cow<'static, str>,
    /// Why there is no value, or the value.
    pub value: Result<Artifact, Blocked>,
}

/// What a recipe says, by field path.
pub type Recipe = BTreeMap<String, Value>;

impl Resolved {
    /// Resolves the fields of a call. Fields that cannot be computed carry the reason.
    #[must_use]
    pub fn of(scope: &Scope<'_>, stage: &Stage, machine: &Machine) -> Self {
        let mut fields = Vec::new();
        let mut constant = |path: &'static str, value: Value| {
            fields.push(Field {
                path: path.into(),
                value: Ok(Artifact::value(value)),
            });
        };
        let types;
        let (groups, outs) = match &stage.work {
            Work::Run {
                script,
                shell,
                ins,
                with,
                env,
                outs,
            } => {
                constant("run", json!(script));
                constant("shell", json!(**shell));
                types = named_shapes(outs.iter(), &scope.spec.shapes);
                (vec![("env", env), ("in", ins), ("with", with)], outs)
            }
            Work::Uses {
                signature,
                ins,
                with,
                model,
                outs,
            } => {
                constant("uses", json!(signature.name));
                types = named_shapes(declared(signature, outs), &scope.spec.shapes);
                constant("uses.version", json!(signature.version));
                if signature.machine {
                    constant("machine", json!(machine));
                }
                if let Some(model) = model {
                    fields.push(Field {
                        path: "model".into(),
                        value: scope.template(model),
                    });
                }
                (vec![("in", ins), ("with", with)], outs)
            }
            Work::Group { .. } => return Self { fields },
        };
        if !types.is_empty() {
            fields.push(Field {
                path: "types".into(),
                value: Ok(Artifact::value(json!(types))),
            });
        }
        let outs: Vec<_> = outs
            .iter()
            .map(|port| format!("{}: {}", port.name, port.ty))
            .collect();
        fields.push(Field {
            path: "out".into(),
            value: Ok(Artifact::value(outs)),
        });
        if stage.policy.version > 0 {
            let value = Ok(Artifact::value(stage.policy.version));
            fields.push(Field {
                path: "version".into(),
                value,
            });
        }
        if stage.policy.may_fail {
            let value = Ok(Artifact::value(true));
            fields.push(Field {
                path: "may_fail".into(),
                value,
            });
        }
        for (group, bindings) in groups {
            let mut bindings: Vec<_> = bindings.iter().collect();
            bindings.sort_by(|a, b| a.name.cmp(&b.name));
            for binding in bindings {
                let path = format!("{group}.{}", binding.name);
                fields.push(Field {
                    path: path.into(),
                    value: scope.binding(binding),
                });
            }
        }
        Self { fields }
    }

    /// The call with another generation of its model's replies than the first.
    #[must_use]
    pub(crate) fn of_generation(mut self, generation: u64) -> Self {
        if generation > 0 {
            self.fields.push(Field {
                path: GENERATION.into(),
                value: Ok(Artifact::value(generation)),
            });
        }
        self
    }

    /// Which generation of its model's replies the call takes.
    #[must_use]
    pub fn generation(&self) -> u64 {
        let given = self.get(GENERATION).and_then(Artifact::plain);
        given.and_then(|value| value.as_u64()).unwrap_or(0)
    }

    /// The first reason why the call cannot be made yet, or at all.
    #[must_use]
    pub fn blocked(&self) -> Option<(&str, &Blocked)> {
        let blocked = |field: &'_ Field| field.value.is_err();
        let field = self.fields.iter().find(|field| blocked(field))?;
        field
            .value
            .as_ref()
            .err()
            .map(|reason| (&*field.path, reason))
    }

    /// A resolved field.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Artifact> {
        self.fields
            .iter()
            .find(|field| field.path == path)?
            .value
            .as_ref()
            .ok()
    }

    /// The key.
    ///
    /// # Errors
    /// The first field that has no value.
    pub fn key(&self) -> Result<Key, Blocked> {
        let mut hash = Hash::new();
        self.walk(&mut hash)?;
        Ok(Key::new(hash.end()))
    }

    /// The recipe of the key. Only what is saved or shown needs it.
    ///
    /// # Errors
    /// The first field that has no value.
    pub fn recipe(&self) -> Result<Recipe, Blocked> {
        let mut recipe = Recipe::new();
        self.walk(&mut recipe)?;
        Ok(recipe)
    }

    /// Gives every field to a reader.
    fn walk(&self, reader: &mut impl Reader) -> Result<(), Blocked> {
        for field in &self.fields {
            let artifact = field.value.as_ref().map_err(Clone::clone)?;
            reader.field(&field.path, artifact, artifact.digest());
        }
        Ok(())
    }
}

/// Reads the fields of a key.
trait Reader {
    fn field(&mut self, path: &str, artifact: &Artifact, digest: Digest);
}

/// The key under which a stage with `cache: frozen` keeps its last result, whatever its inputs.
#[must_use]
pub fn frozen(pipeline: &str, address: &str) -> Key {
    Key::of(
        format!(
            "kyobashi frozen {KEY_FORMAT}\n{}\n{pipeline}{address}",
            pipeline.len()
        )
        .as_bytes(),
    )
}

struct Hash(blake3::Hasher);

impl Hash {
    fn new() -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"kyobashi stage ");
        hasher.update(&KEY_FORMAT.to_le_bytes());
        Self(hasher)
    }

    fn text(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn end(&self) -> Digest {
        Digest::from_bytes(*self.0.finalize().as_bytes())
    }
}

impl Reader for Hash {
    fn field(&mut self, path: &str, artifact: &Artifact, digest: Digest) {
        self.text(path);
        self.text(artifact.kind());
        self.0.update(digest.as_bytes());
    }
}

impl Reader for Recipe {
    fn field(&mut self, path: &str, artifact: &Artifact, digest: Digest) {
        self.insert(path.to_owned(), shown(artifact, digest));
    }
}

/// A value as a recipe shows it: itself when short, else its kind and digest.
#[must_use]
pub fn shown(artifact: &Artifact, digest: Digest) -> Value {
    match artifact.plain() {
        Some(value) if matches!(artifact, Artifact::Value(_)) => {
            if canonical(&value).len() <= RECIPE_LIMIT {
                return json!({ "value": value });
            }
            json!({ "value_digest": digest })
        }
        _ => {
            let count = artifact.members().map(|members| members.len());
            match count {
                Some(count) => json!({ artifact.kind(): digest, "members": count }),
                None => json!({ artifact.kind(): digest }),
            }
        }
    }
}
