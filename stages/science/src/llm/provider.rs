//! Who serves models: base URL, dialect, authorization. Credentials are not here, only their names.

use std::collections::BTreeMap;

use kyobashi_stage::{Failure, Model};
use serde::{Deserialize, Serialize};

use super::anthropic::FIRST_VERSION;
use super::dialect::Dialect;

/// How the key is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `Authorization: Bearer <key>`.
    #[default]
    Bearer,
    /// In the named header: `api-key` for Azure, `x-goog-api-key` for Google.
    Header(String),
}

impl Auth {
    /// How the official clients of a dialect send the key.
    #[must_use]
    pub fn usual(dialect: Dialect, api_version: Option<&str>) -> Self {
        match (dialect, api_version) {
            (Dialect::Anthropic, Some(FIRST_VERSION)) => Self::Header("x-api-key".to_owned()),
            (Dialect::Gemini, _) => Self::Header("x-goog-api-key".to_owned()),
            _ => Self::Bearer,
        }
    }
}

/// How long a provider is waited for. Never part of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Seconds until a request without an answer is given up.
    pub timeout: f64,
    /// Requests sent for one call at most.
    pub tries: u32,
    /// Seconds before the second request; doubled with each further one.
    pub first_wait: f64,
    /// The longest wait of our own, seconds.
    pub longest_wait: f64,
    /// A server that asks for a longer wait than this, seconds, is given up.
    pub patience: f64,
    /// Requests that are under way at once, at most.
    pub at_once: Option<u32>,
    /// Requests that leave in any minute, at most.
    pub rpm: Option<u32>,
    /// Tokens in any minute, at most: of prompts, about, and of replies.
    pub tpm: Option<u32>,
}

impl Default for Limits {
    /// The official clients wait 600 s, and give up where they are told to wait more than 120 s.
    fn default() -> Self {
        Self {
            timeout: 600.0,
            tries: 6,
            first_wait: 0.5,
            longest_wait: 60.0,
            patience: 120.0,
            at_once: None,
            rpm: None,
            tpm: None,
        }
    }
}

/// One server of models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub dialect: Dialect,
    pub base_url: String,
    /// The name of the secret that holds the key; none where no key is needed.
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default)]
    pub auth: Auth,
    /// The version header of the `anthropic` dialect.
    #[serde(default)]
    pub api_version: Option<String>,
    /// Stands for the URL in keys, so that two servers of one model share replies.
    #[serde(default)]
    pub identity: Option<String>,
    /// Whether the server can hold a reply to a JSON Schema.
    #[serde(default = "yes")]
    pub schema: bool,
    /// Whether the limit of tokens is called `max_completion_tokens` (dialect `openai-chat`).
    #[serde(default)]
    pub completion_limit: bool,
    #[serde(default)]
    pub limits: Limits,
}

fn yes() -> bool {
    true
}

/// The providers that a run may use, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Providers {
    known: BTreeMap<String, Provider>,
}

impl Provider {
    /// A server of a dialect at a base URL, with bearer authorization by the named secret.
    #[must_use]
    pub fn new(dialect: Dialect, base_url: &str, key: Option<&str>) -> Self {
        Self {
            dialect,
            base_url: base_url.trim_end_matches('/').to_owned(),
            key: key.map(str::to_owned),
            auth: Auth::default(),
            api_version: None,
            identity: None,
            schema: true,
            completion_limit: false,
            limits: Limits::default(),
        }
    }

    /// What stands for the server in keys: its identity, or its URL without user info and query.
    #[must_use]
    pub fn identity(&self) -> String {
        self.identity
            .clone()
            .unwrap_or_else(|| public(&self.base_url))
    }
}

/// A URL without user info, query and fragment.
fn public(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or(url);
    match bare.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
                .trim_end_matches('/')
                .to_owned()
        }
        None => bare.trim_end_matches('/').to_owned(),
    }
}

impl Default for Providers {
    /// The providers that need no entry under `providers:`.
    fn default() -> Self {
        use Dialect::{Anthropic, Gemini, OpenaiChat};
        let plain = |url: &str, key: Option<&str>| Provider::new(OpenaiChat, url, key);
        let openai = Provider {
            completion_limit: true,
            ..plain("https://api.openai.com/v1", Some("OPENAI_API_KEY"))
        };
        // DeepSeek and Ollama's older versions promise JSON, but not a schema.
        let deepseek = Provider {
            schema: false,
            ..plain("https://api.deepseek.com/v1", Some("DEEPSEEK_API_KEY"))
        };
        // The version that still has a temperature.
        let anthropic = Provider {
            auth: Auth::Header("x-api-key".to_owned()),
            api_version: Some(FIRST_VERSION.to_owned()),
            ..Provider::new(
                Anthropic,
                "https://api.anthropic.com/v1",
                Some("ANTHROPIC_API_KEY"),
            )
        };
        let gemini = Provider {
            auth: Auth::Header("x-goog-api-key".to_owned()),
            ..Provider::new(
                Gemini,
                "https://generativelanguage.googleapis.com/v1beta",
                Some("GEMINI_API_KEY"),
            )
        };
        let known = [
            ("openai", openai),
            ("anthropic", anthropic),
            ("gemini", gemini),
            ("deepseek", deepseek),
            (
                "openrouter",
                plain("https://openrouter.ai/api/v1", Some("OPENROUTER_API_KEY")),
            ),
            ("ollama", plain("http://127.0.0.1:11434/v1", None)),
        ];
        Self {
            known: known
                .into_iter()
                .map(|(name, provider)| (name.to_owned(), provider))
                .collect(),
        }
    }
}

impl Providers {
    /// Adds a provider, or replaces the one of that name.
    pub fn add(&mut self, name: &str, provider: Provider) {
        self.known.insert(name.to_owned(), provider);
    }

    /// The provider of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Provider> {
        self.known.get(name)
    }

    /// Every provider by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Provider)> {
        self.known
            .iter()
            .map(|(name, provider)| (name.as_str(), provider))
    }

    /// The server of a model. The model's endpoint is the URL in force, unless it is the provider's
    /// identity; a provider that is not known is taken for an OpenAI-compatible server at the endpoint.
    ///
    /// # Errors
    /// If there is neither a known provider nor a URL.
    pub fn server(&self, model: &Model) -> Result<Provider, Failure> {
        let url = model.endpoint.starts_with("http://") || model.endpoint.starts_with("https://");
        match self.known.get(&model.provider) {
            Some(known) if !url || known.identity.as_ref() == Some(&model.endpoint) => {
                Ok(known.clone())
            }
            Some(known) => {
                let same = known.base_url.trim_end_matches('/') == model.endpoint;
                // Another server than the provider's own is not known to have its newest names.
                let base_url = model.endpoint.trim_end_matches('/').to_owned();
                Ok(Provider {
                    base_url,
                    completion_limit: known.completion_limit && same,
                    ..known.clone()
                })
            }
            None if url => {
                let key = format!(
                    "{}_API_KEY",
                    model.provider.to_uppercase().replace('-', "_")
                );
                Ok(Provider::new(
                    Dialect::OpenaiChat,
                    &model.endpoint,
                    Some(&key),
                ))
            }
            None => Err(
                Failure::new(format!("no provider is called `{}`", model.provider)).help(format!(
                    "use one of {}, or declare it under `providers:` with its base URL",
                    self.known.keys().cloned().collect::<Vec<_>>().join(", ")
                )),
            ),
        }
    }

    /// Whether a model can be asked as it is written: its provider is known and has its settings.
    /// For checks before a run.
    ///
    /// # Errors
    /// Names the provider or the setting, with what there is instead.
    pub fn check(&self, model: &Model) -> Result<(), Failure> {
        if model.is_baseline() {
            return Ok(());
        }
        let server = self.server(model)?;
        check_settings(&server, model.settings.keys().map(String::as_str))
    }
}

/// Fails for the first setting that the dialect does not have.
pub(super) fn check_settings<'s>(
    server: &Provider,
    settings: impl Iterator<Item = &'s str>,
) -> Result<(), Failure> {
    let known = server.dialect.wire().settings(server);
    for name in settings {
        if known.contains(&name) {
            continue;
        }
        let dialect = server.dialect.name();
        let version = server
            .api_version
            .as_deref()
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        return Err(Failure::new(format!(
            "the dialect `{dialect}`{version} has no setting `{name}`"
        ))
        .help(format!(
            "it has {}; anything else goes under `extra_body`",
            known.join(", ")
        )));
    }
    Ok(())
}
