//! Roles in their relation to other roles: one that is played by whom another is played by
//! (`area_chair: ${models.reviewer}`), and one that had better be played by somebody else
//! (`apart_from: [reviewer]`). It does not know what any role does.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::Model;
use serde_json::Value;

use super::super::node::Node;
use super::super::report::Issue;
use super::super::source::Span;
use super::models::written_id;
use super::state::Check;

/// The key of a role that names those with whom it should not share a model.
pub(super) const APART: &str = "apart_from";

/// A role that is played by whom another is played by.
pub(super) struct Follower {
    name: String,
    /// The reference as it is written: `${models.reviewer}`.
    text: String,
    span: Span,
    /// Its own settings, which win over those of the role that it follows.
    settings: BTreeMap<String, Value>,
}

/// The role as a follower, if its id is a reference.
pub(super) fn follower(name: &str, node: &Node, read: &Model) -> Option<Follower> {
    let id = node.get("id").map_or(node, |entry| &entry.node);
    let text = id.string().filter(|text| text.starts_with("${"))?;
    Some(Follower {
        name: name.to_owned(),
        text: text.to_owned(),
        span: written_id(node),
        settings: read.settings.clone(),
    })
}

/// Gives every follower the model of the role that it follows, which may be a follower itself.
pub(super) fn follow(check: &mut Check<'_>, mut waiting: Vec<Follower>) {
    waiting.retain(|follower| {
        let followed = followed(&follower.text);
        if followed.is_some_and(|role| check.models.contains_key(role)) {
            return true;
        }
        let issue = match followed {
            Some(role) => {
                let known = check.models.keys().map(String::as_str);
                let help = check.report.suggest(role, "models", known);
                let message = format!("no model `{role}`");
                Issue::error("ref::unknown_model", follower.span, "unknown model", message)
                    .help(help)
            }
            None => {
                let message = format!("`{}` names no role", follower.text);
                Issue::error("model::syntax", follower.span, "no role", message)
                    .help("a role is played by a model, or by whom another role is played by: `${models.reviewer}`")
            }
        };
        check.report.add(issue);
        false
    });
    while !waiting.is_empty() {
        let open: BTreeSet<String> = waiting.iter().map(|one| one.name.clone()).collect();
        let ready = |one: &Follower| followed(&one.text).is_some_and(|role| !open.contains(role));
        let (now, later): (Vec<Follower>, Vec<Follower>) = waiting.into_iter().partition(ready);
        if now.is_empty() {
            let names: Vec<&str> = open.iter().map(String::as_str).collect();
            let message = format!("roles follow each other: {}", names.join(", "));
            let issue = Issue::error("model::circle", later[0].span, "played by nobody", message);
            check.report.add(issue.help("name a model for one of them"));
            return;
        }
        for one in now {
            let model = followed(&one.text).and_then(|role| check.models.get(role).cloned());
            if let Some(mut model) = model {
                model.settings.extend(one.settings);
                check.models.insert(one.name, model);
            }
        }
        waiting = later;
    }
}

/// The role in `${models.role}`.
fn followed(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?.trim();
    inner.strip_prefix("models.")
}

/// Tells roles that some stage uses and that share a model with one they should be apart from.
pub(super) fn apart(check: &mut Check<'_>) {
    for (role, others) in check.apart.clone() {
        for (other, span) in others {
            let (Some(own), Some(model)) = (check.models.get(&role), check.models.get(&other))
            else {
                let known = check.models.keys().map(String::as_str);
                let help = check.report.suggest(&other, "models", known);
                let message = format!("no model `{other}`");
                let issue = Issue::error("ref::unknown_model", span, "unknown model", message);
                check.report.add(issue.help(help));
                continue;
            };
            let same = (&own.provider, &own.id) == (&model.provider, &model.id);
            if own.is_baseline() || !same || !check.used_models.contains(&role) {
                continue;
            }
            let message = format!("`{role}` and `{other}` are both played by {own}");
            let help = format!(
                "it is asked for draws of its own, but it judges as `{other}` does: `--set models.{role}=provider/model`"
            );
            let at = check.model_places.get(&role).copied().unwrap_or(span);
            let issue = Issue::warning("model::same", at, "the same model", message);
            check.report.add(issue.help(help));
        }
    }
}
