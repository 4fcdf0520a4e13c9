//! `providers:` and `models:`: who plays which role, and whether the key for it is there.

use kyobashi_stage::{BASELINE, Model};
use std::collections::BTreeMap;

use super::super::node::{Entry, Node, What};
use super::super::report::Issue;
use super::super::source::Span;
use super::super::{Keys, ProviderEntry};
use super::file::File;
use super::form::Form;
use super::layers::Layers;
use super::roles;
use super::state::Check;

/// Keys of a provider.
pub(super) const PROVIDER: &[&str] = &[
    "base_url",
    "key_env",
    "dialect",
    "identity",
    "api_version",
    "auth",
    "at_once",
    "rpm",
    "tpm",
    "timeout",
    "tries",
    "longest_wait",
    "patience",
];

/// Ways of writing requests, each under its own name.
const DIALECTS: &[(&str, &str)] = &[
    ("openai-chat", "openai-chat"),
    ("openai-responses", "openai-responses"),
    ("anthropic", "anthropic"),
    ("gemini", "gemini"),
];

/// Settings that model servers know (the union of our dialects).
const SETTINGS: &[&str] = &[
    "temperature",
    "max_tokens",
    "seed",
    "top_p",
    "top_k",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "reasoning_effort",
];

/// Reads `providers:`.
pub(super) fn providers(check: &mut Check<'_>, file: &File) {
    let Some(entry) = file.entry("providers") else {
        return;
    };
    for line in check.form().map(&entry.node, "providers").to_vec() {
        let mut form = check.form();
        let entries = form.map(&line.node, &line.key);
        form.keys(entries, PROVIDER, "a provider");
        let mut provider = ProviderEntry::default();
        for part in entries {
            let node = &part.node;
            match part.key.as_str() {
                "base_url" => provider.base_url = form.string(node, "base_url"),
                "key_env" => provider.key_env = form.string(node, "key_env"),
                "dialect" => {
                    let word = form.choice(node, "dialect", DIALECTS);
                    provider.dialect = word.map(str::to_owned);
                }
                "identity" => provider.identity = form.string(node, "identity"),
                "api_version" => provider.api_version = form.string(node, "api_version"),
                "auth" => provider.auth = form.string(node, "auth"),
                "at_once" => provider.at_once = at_least_one(&mut form, node, "at_once"),
                "rpm" => provider.rpm = at_least_one(&mut form, node, "rpm"),
                "tpm" => provider.tpm = at_least_one(&mut form, node, "tpm"),
                "tries" => provider.tries = at_least_one(&mut form, node, "tries"),
                "timeout" => provider.timeout = form.duration(node, "timeout"),
                "longest_wait" => provider.longest_wait = form.duration(node, "longest_wait"),
                "patience" => provider.patience = form.duration(node, "patience"),
                _ => {}
            }
        }
        if line.key == BASELINE {
            let message = format!("`{BASELINE}` is the author that works without a model");
            check.error("model::baseline", line.at, "not a provider", message);
        } else if provider.base_url.is_none() && !check.question.providers.contains_key(&line.key) {
            let message = format!(
                "provider `{}` is not a known one and has no `base_url`",
                line.key
            );
            let known = check.question.providers.keys().map(String::as_str);
            let help = check.report.suggest(&line.key, "known providers", known);
            let issue = Issue::error("model::no_url", line.at, "no `base_url`", message);
            check.report.add(issue.help(help));
        }
        check.providers.insert(line.key.clone(), provider);
    }
}

/// A limit under which something still leaves.
fn at_least_one(form: &mut Form<'_>, node: &Node, what: &str) -> Option<u32> {
    let number = form.whole(node, what)?;
    if number == 0 {
        let message = format!("`{what}: 0` would let no request leave");
        let issue = Issue::error("model::limit", node.span, "at least 1", message);
        let help = match what {
            "tries" => "`tries: 1` sends each request once and never again",
            _ => "leave it out where there is no such limit",
        };
        form.report.add(issue.help(help));
        return None;
    }
    Some(number)
}

/// Reads `models:` with every layer over it.
pub(super) fn models(check: &mut Check<'_>, file: &File, layers: &Layers) {
    let Some(entry) = file.entry("models") else {
        return;
    };
    let mut followers = Vec::new();
    for line in check.form().map(&entry.node, "models").to_vec() {
        check.form().name(&line.key, line.at, "model");
        let mut nodes = vec![&line.node];
        nodes.extend(
            layers
                .models
                .iter()
                .filter(|over| over.name == line.key)
                .map(|over| &over.node),
        );
        for (index, node) in nodes.iter().enumerate() {
            let model = model(check, node);
            if index + 1 == nodes.len() {
                let span = written_id(node);
                check.name(format!("models.{}", line.key), span);
                check.model_places.insert(line.key.clone(), span);
                followers.extend(roles::follower(&line.key, node, &model));
                check.models.insert(line.key.clone(), model);
            }
        }
        // Whoever plays the role, it stays apart from those that the file names.
        let apart = nodes.iter().rev().find_map(|node| node.get(roles::APART));
        if let Some(entry) = apart {
            let others = check.form().strings(&entry.node, roles::APART);
            check.apart.insert(line.key.clone(), others);
        }
    }
    roles::follow(check, followers);
}

/// Where the id of a model stands.
pub(super) fn written_id(node: &Node) -> Span {
    node.get("id").map_or(node.span, |entry| entry.node.span)
}

fn model(check: &mut Check<'_>, node: &Node) -> Model {
    let mut settings = BTreeMap::new();
    let id = match &node.what {
        What::Map(entries) => {
            let own = |entry: &&Entry| entry.key != "id" && entry.key != roles::APART;
            for entry in entries.iter().filter(own) {
                setting(check, entry);
                settings.insert(entry.key.clone(), entry.node.value());
            }
            match node.get("id") {
                Some(entry) => check.form().string(&entry.node, "id"),
                None => {
                    check.error(
                        "model::syntax",
                        node.span,
                        "no `id`",
                        "a model needs its `id`",
                    );
                    None
                }
            }
        }
        _ => check.form().string(node, "model"),
    };
    let mut model = Model {
        provider: BASELINE.to_owned(),
        id: String::new(),
        endpoint: String::new(),
        settings,
    };
    let Some(id) = id.filter(|id| id != BASELINE && !id.starts_with("${")) else {
        return model;
    };
    let Some((provider, name)) = id
        .split_once('/')
        .filter(|(provider, name)| !provider.is_empty() && !name.is_empty())
    else {
        let issue = Issue::error(
            "model::syntax",
            written_id(node),
            "no model",
            format!("`{id}` names no model"),
        );
        check.report.add(issue.help(
            "write `provider/model`, as in `openai/gpt-4o-mini`, or `baseline` to work without one",
        ));
        return model;
    };
    model.provider = provider.to_owned();
    model.id = name.to_owned();
    match endpoint(check, provider) {
        Some(endpoint) => model.endpoint = endpoint,
        None => {
            let known = check
                .question
                .providers
                .keys()
                .chain(check.providers.keys());
            let known: Vec<&str> = known.map(String::as_str).chain([BASELINE]).collect();
            let help = check
                .report
                .suggest(provider, "providers", known.iter().copied());
            let message = format!("no provider `{provider}`");
            let issue = Issue::error(
                "model::unknown_provider",
                written_id(node),
                "unknown provider",
                message,
            );
            check.report.add(issue.help(help));
        }
    }
    model
}

/// Any setting is passed on, but one that is nearly a usual one is more likely a slip.
fn setting(check: &mut Check<'_>, entry: &Entry) {
    if SETTINGS.contains(&entry.key.as_str()) {
        return;
    }
    if let Some(usual) = check.report.nearest(&entry.key, SETTINGS.iter().copied()) {
        let message = format!("`{}` is not a usual setting of a model", entry.key);
        let issue = Issue::warning("model::setting", entry.at, "passed on as it is", message);
        check
            .report
            .add(issue.help(format!("did you mean `{usual}`?")));
    }
}

fn endpoint(check: &Check<'_>, provider: &str) -> Option<String> {
    let declared = check.providers.get(provider);
    let known = check.question.providers.get(provider);
    if declared.is_none() && known.is_none() {
        return None;
    }
    let identity = declared.and_then(|declared| declared.identity.clone());
    let url = declared
        .and_then(|declared| declared.base_url.as_deref())
        .or(known.map(|known| known.endpoint.as_str()))
        .unwrap_or("");
    Some(identity.unwrap_or_else(|| bare_url(url)))
}

/// A URL without user and query, which may hold credentials.
fn bare_url(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or("");
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = host.rsplit('@').next().unwrap_or(host);
    format!("{scheme}://{host}{path}")
}

/// Tells the models that some stage uses and whose key is not there.
pub(super) fn keys(check: &mut Check<'_>) {
    if check.question.keys == Keys::Unasked {
        return;
    }
    for role in check.used_models.clone() {
        let (Some(model), Some(span)) = (check.models.get(&role), check.model_places.get(&role))
        else {
            continue;
        };
        let declared = check
            .providers
            .get(&model.provider)
            .and_then(|declared| declared.key_env.clone());
        let known = check.question.providers.get(&model.provider);
        let Some(variable) = declared.or_else(|| known.and_then(|known| known.key_env.clone()))
        else {
            continue;
        };
        // The checker cannot see the environment: a variable that no known provider uses counts as set.
        let all = check.question.providers.values();
        let same = all.filter(|provider| provider.key_env.as_deref() == Some(&variable));
        if same
            .map(|provider| provider.key_present)
            .next()
            .unwrap_or(true)
        {
            continue;
        }
        let message = format!(
            "model `{role}` is served by {}, which needs {variable}",
            model.provider
        );
        let label = format!("{variable} is not set");
        let issue = match check.question.keys {
            Keys::Required => Issue::error("model::no_key", *span, label, message),
            Keys::Wanted | Keys::Unasked => Issue::warning("model::no_key", *span, label, message),
        };
        let provider = &model.provider;
        let help = format!(
            "export {variable}=…, put it in .env, or name another variable: `providers: {{{provider}: {{key_env: …}}}}`"
        );
        check.report.add(issue.help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_holds_no_credentials() {
        let url = "https://user:pw@host.example:8443/v1?key=abc#x";
        assert_eq!(bare_url(url), "https://host.example:8443/v1");
    }
}
