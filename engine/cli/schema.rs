//! The JSON schema of a pipeline file, for completion and hover texts in editors. The types here are only
//! looked at, never filled: their doc comments are what an editor shows.
//!
//! A schema cannot know outputs or references; those are what `kyo check` is for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

/// The schema, draft 07. `stage_types` are offered after `uses:`.
pub(crate) fn schema(stage_types: &[&str]) -> Value {
    let settings = SchemaSettings::draft07().with_transform(NoNull);
    let schema = settings.into_generator().into_root_schema_for::<Pipeline>();
    let mut schema = schema.to_value();
    schema["title"] = json!("Kyobashi pipeline");
    let uses = &mut schema["definitions"]["Stage"]["properties"]["uses"];
    uses["anyOf"] = json!([{ "enum": stage_types }, { "type": "string" }]);
    if let Some(uses) = uses.as_object_mut() {
        uses.remove("type");
    }
    schema
}

/// An absent key is left out, never null, so `null` is not offered.
#[derive(Clone)]
struct NoNull;

impl Transform for NoNull {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(map) = schema.as_object_mut() else {
            return;
        };
        if let Some(Value::Array(types)) = map.get_mut("type") {
            types.retain(|name| name != "null");
            if let [one] = &types[..] {
                let one = one.clone();
                map.insert("type".to_owned(), one);
            }
        }
        if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
            choices.retain(|choice| *choice != json!({ "type": "null" }));
            if let [Value::Object(one)] = &choices[..] {
                let one = one.clone();
                map.remove("anyOf");
                map.extend(one);
            }
        }
    }
}

/// Types whose values are written in ways of their own, with the schema of each.
macro_rules! written {
    ($($(#[doc = $doc:literal])* $name:ident = $schema:tt;)*) => {$(
        $(#[doc = $doc])*
        struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                schemars::json_schema!($schema)
            }
        }
    )*};
}

written! {
    /// One single `${ … }`.
    Condition = { "type": "string", "pattern": r"^\s*\$\{[^}]*\}\s*$" };
    /// A whole number, or a reference to one.
    Count = { "anyOf": [
        { "type": "integer", "minimum": 0 },
        { "type": "string", "pattern": r"\$\{.*\}" },
    ] };
    /// A program and its arguments.
    Shell = { "anyOf": [
        { "type": "string" },
        { "type": "array", "items": { "type": "string" } },
    ] };
    /// A number of bytes.
    Size = { "anyOf": [
        { "type": "number", "exclusiveMinimum": 0 },
        { "type": "string", "pattern": r"^[0-9.]+ ?([kKMGT]i?)?B$" },
    ] };
    /// How much there is, or the names of what there is.
    PoolSize = { "anyOf": [
        { "type": "number", "minimum": 0 },
        { "type": "array", "items": { "type": ["string", "number"] } },
    ] };
    /// A length of time.
    Duration = { "type": "string", "pattern": r"^([0-9.]+ ?(ms|s|m|min|h|d))+$" };
}

type Values = BTreeMap<String, Value>;

/// A Kyobashi pipeline: stages that make files and values out of each other.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema of it is used")]
struct Pipeline {
    /// The version of the language: 1.
    #[schemars(range(min = 1, max = 1))]
    kyobashi: u8,
    /// The name of the pipeline; the name of the file if absent.
    name: Option<String>,
    /// What it does, for people.
    doc: Option<String>,
    /// Components of this pipeline: `name: path`. A name is then a stage type.
    import: Option<BTreeMap<String, String>>,
    /// Makes this file a component. `name: type`, or `name: {type: int, default: 3}`.
    inputs: Option<Values>,
    /// Values that can be set from outside: `steps: 2000`, or `steps: {type: int, default: 2000, min: 1}`.
    params: Option<Values>,
    /// Model servers of your own, or other settings for known ones.
    providers: Option<BTreeMap<String, Provider>>,
    /// Roles and who plays them: `reviewer: openai/gpt-4o-mini`, `baseline`, `{id: …, temperature: 0.7}`,
    /// or whoever plays another role: `chair: ${models.reviewer}`, `{id: …, apart_from: [reviewer]}`.
    models: Option<Values>,
    /// Secrets by the environment variable that holds them: `s2: {env: S2_API_KEY, optional: true}`.
    secrets: Option<Values>,
    /// What one run may pay: `{usd: 5, calls: 200}`.
    budget: Option<Budget>,
    /// Named types: `Verdict: {decision: str, score: {type: int, min: 1, max: 10}, quote: str?}`.
    types: Option<BTreeMap<String, Values>>,
    /// Rules by stage type: `llm/*: {retries: 5}`, `"*": {timeout: 1h}`. The longest match wins.
    defaults: Option<BTreeMap<String, Rules>>,
    /// What there is of pools of your own: `{licence: 2, port: [8001, 8002]}`.
    pools: Option<BTreeMap<String, PoolSize>>,
    /// Named changes of `params`, `models` and `defaults`: `kyo run --profile smoke`.
    profiles: Option<BTreeMap<String, Profile>>,
    /// The stages by name. Their order in the file has no meaning.
    stages: BTreeMap<String, Stage>,
    /// What the pipeline gives: `paper.pdf: ${set.pdf}`.
    outputs: Option<Values>,
}

/// What one run may pay; it then stops, and the same command goes on.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema of it is used")]
struct Budget {
    /// US dollars.
    #[schemars(range(min = 0))]
    usd: Option<f64>,
    /// Calls to models.
    calls: Option<u64>,
    /// What becomes of a call whose price is not known: `refuse` or `allow`.
    on_unpriced: Option<OnUnpriced>,
}

/// What becomes of a call whose price is not known.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only the schema of it is used")]
enum OnUnpriced {
    Refuse,
    Allow,
}

/// One step: a script (`run`), a stage type (`uses`) or stages inside (`stages`).
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema of it is used")]
struct Stage {
    /// A script, given to `sh -eu -c` as it stands. `in`, `with` and `out` are its variables.
    run: Option<String>,
    /// A stage type, or the name of an import.
    uses: Option<String>,
    /// Stages inside. They see everything around them; from outside only `out` is seen.
    stages: Option<BTreeMap<String, Stage>>,
    /// Data: references, or paths of files that are hashed.
    #[schemars(rename = "in")]
    ins: Option<Values>,
    /// Settings.
    with: Option<Values>,
    /// What it makes: `name: type`; under `stages`: `name: ${inner.output}`.
    out: Option<Values>,
    /// Who works: `${models.reviewer}`.
    model: Option<String>,
    /// Runs once for every combination: `{lr: [0.1, 0.01], seed: "${params.seeds}"}`, with `exclude` and `include`.
    matrix: Option<Values>,
    /// Runs once for every member of a list: `idea: ${ideas.ideas}`.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
    foreach: Option<Values>,
    /// The stable address of a member of `foreach`: `${idea.name}`.
    key: Option<String>,
    /// Runs round after round; `next` says what goes on.
    repeat: Option<Repeat>,
    /// The carried values of the next round.
    next: Option<Values>,
    /// Runs only if this is true: `${judge.score >= 6}`.
    when: Option<Condition>,
    /// Stages that run before, without data from them.
    needs: Option<Vec<String>>,
    /// Turns a failure that another try would repeat into data: the outputs `ok`, `exit` and `stderr`.
    may_fail: Option<bool>,
    /// Raise it by hand to make the results anew.
    version: Option<u32>,
    /// Further environment variables of a script.
    env: Option<Values>,
    /// Secrets that the stage gets.
    secrets: Option<Vec<String>>,
    /// Words to select stages by.
    tags: Option<Vec<String>>,
    /// What it does, for people.
    doc: Option<String>,
    #[schemars(flatten)]
    rules: Rules,
}

/// Rules of a stage. Only `cache` bears on its results.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema of it is used")]
struct Rules {
    /// What a failure does to the rest.
    on_error: Option<OnError>,
    /// How results are reused.
    cache: Option<Cache>,
    /// Further tries after a failure that may pass.
    retries: Option<u32>,
    /// The longest time of one try: `90s`, `10m`, `1h30m`.
    timeout: Option<Duration>,
    /// What it occupies while it runs.
    resources: Option<Resources>,
    /// The interpreter of a script and its arguments: `bash -eu -c`.
    shell: Option<Shell>,
}

/// What a failure does to the rest.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only the schema of it is used")]
enum OnError {
    /// The run fails; what is running is finished.
    Fail,
    /// A failed member of a fan-out is left out of the list, and told in the output `failed`.
    Continue,
}

/// How results are reused.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only the schema of it is used")]
enum Cache {
    /// By content: what was made of the same is taken again.
    Auto,
    /// Never taken, never kept.
    Never,
    /// The last result is kept even if inputs changed.
    Frozen,
}

/// What a stage occupies while it runs.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema of it is used")]
struct Resources {
    /// Processor cores.
    cpu: Option<f64>,
    /// Graphics processors.
    gpu: Option<f64>,
    /// Memory with its unit: `4GiB`.
    memory: Option<Size>,
    /// How much of pools of your own: `{licence: 1}`.
    pools: Option<BTreeMap<String, f64>>,
}

/// A bounded loop over a group.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema of it is used")]
struct Repeat {
    /// The number of rounds after which it ends in any case.
    max: Count,
    /// Ends when this is true after a round.
    until: Option<Condition>,
    /// What using up every round means.
    at_max: Option<AtMax>,
    /// The carried values of the first round.
    carry: Option<Values>,
}

/// What using up every round means.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only the schema of it is used")]
enum AtMax {
    /// An ending like any other.
    Keep,
    /// A failure.
    Fail,
}

/// A model server.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema of it is used")]
struct Provider {
    /// Where it listens: `http://localhost:8000/v1`.
    base_url: Option<String>,
    /// The environment variable that holds its key.
    key_env: Option<String>,
    /// How requests are written; `openai-chat` is what most servers understand.
    dialect: Option<Dialect>,
    /// Stands for the URL in keys, so that two servers of one model share results.
    identity: Option<String>,
    /// The version of the interface, where it has several.
    api_version: Option<String>,
    /// How the key is sent: `bearer`, or the header that holds it, as `api-key` for Azure.
    auth: Option<String>,
    /// Requests under way at once, at most.
    at_once: Option<u32>,
    /// Requests a minute, at most.
    rpm: Option<u32>,
    /// Tokens a minute, at most: of prompts, about, and of replies.
    tpm: Option<u32>,
    /// How long an answer is waited for: `10m` unless said otherwise.
    timeout: Option<String>,
    /// Requests sent for one call, at most: 6 unless said otherwise.
    tries: Option<u32>,
    /// The longest wait between two of them, where the server names none: `1m` unless said otherwise.
    longest_wait: Option<String>,
    /// The longest wait that the server may ask for; a longer one ends the call: `2m` unless said otherwise.
    patience: Option<String>,
}

/// How requests are written.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only the schema of it is used")]
enum Dialect {
    OpenaiChat,
    OpenaiResponses,
    Anthropic,
    Gemini,
}

/// Changes of a pipeline under a name.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema of it is used")]
struct Profile {
    params: Option<Values>,
    models: Option<Values>,
    defaults: Option<BTreeMap<String, Rules>>,
}

#[cfg(test)]
#[path = "schema/tests.rs"]
mod tests;
