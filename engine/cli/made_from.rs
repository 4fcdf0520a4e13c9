//! What a run was asked for and is made from, for its journal.

use std::collections::BTreeMap;

use kyobashi_cache::{Digest, Store};
use kyobashi_engine::artifact::Artifact;
use kyobashi_engine::plan::Sources;
use kyobashi_engine::run::{Asked, MadeFrom};
use kyobashi_engine::spec::{Spec, Template};

use crate::arguments::Pipeline;
use crate::exit::Stopped;
use crate::surroundings;

/// The words with which a run is asked for.
///
/// # Errors
/// When there is no working folder.
pub(crate) fn asked(pipeline: &Pipeline) -> Result<Asked, Stopped> {
    let dir = std::env::current_dir().map_err(Stopped::fault)?;
    let given = &pipeline.values;
    Ok(Asked {
        dir: dir.display().to_string(),
        profile: given.profile.clone(),
        values: given.values.as_ref().map(|file| file.display().to_string()),
        set: given.set.clone(),
        pool: given.pool.clone(),
        jobs: given.jobs,
    })
}

/// What the run is made from: the texts go into the store, so that runs can be compared later.
pub(crate) fn made_from(
    spec: &Spec,
    texts: &BTreeMap<String, String>,
    sources: &Sources,
    store: &Store,
    refresh: &[String],
) -> MadeFrom {
    // A text that cannot be kept is known by its digest; the run itself does not need it.
    let kept = |text: &str| {
        store
            .put_bytes(text.as_bytes())
            .unwrap_or_else(|_| Digest::of(text.as_bytes()))
    };
    let by_path: BTreeMap<String, &Artifact> = sources
        .iter()
        .map(|(path, artifact)| (path.display().to_string(), artifact))
        .collect();
    let params = spec.params.iter().filter_map(|(name, param)| {
        let value = match &param.value {
            Template::Literal(value) => value.clone(),
            Template::Path(path, _) => path.display().to_string().into(),
            _ => return None,
        };
        Some((name.clone(), value))
    });
    MadeFrom {
        kyo: env!("CARGO_PKG_VERSION").to_owned(),
        files: texts
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name.clone(), kept(text)))
            .collect(),
        params: params.collect(),
        models: spec.models.clone(),
        sources: (!by_path.is_empty())
            .then(|| kept(&serde_json::to_string(&by_path).expect("artifacts are JSON"))),
        machine: surroundings::machine(),
        refresh: refresh.to_vec(),
    }
}

/// The same text of the sources, with other artifacts at some paths; none where one is not in it.
pub(crate) fn sources_with(text: &str, others: &Sources) -> Option<String> {
    let mut whole = String::with_capacity(text.len() + 64 * others.len());
    let mut rest = text;
    for (path, artifact) in others {
        let path = serde_json::to_string(&path.display().to_string()).expect("it is a text");
        // A quote within a name stands behind a backslash, so this is met nowhere else.
        let starts = [format!("{{{path}:"), format!(",{path}:")];
        let at = starts.iter().find_map(|start| rest.find(start.as_str()))?;
        let value = at + path.len() + 2;
        let end = value + rest.get(value..)?.find("}}")? + 2;
        whole.push_str(&rest[..value]);
        whole.push_str(&serde_json::to_string(artifact).expect("artifacts are JSON"));
        rest = &rest[end..];
    }
    whole.push_str(rest);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use kyobashi_engine::artifact::FileArtifact;

    use super::*;

    fn file(content: &str) -> Artifact {
        Artifact::File(FileArtifact {
            digest: Digest::of(content.as_bytes()),
            size: content.len() as u64,
            origin: None,
        })
    }

    #[test]
    fn other_artifacts_stand_where_the_old_ones_stood() {
        let names = ["a", "a,\"b\":", "b", "c"];
        let sources = |contents: [&str; 4]| -> Sources {
            let files = names.iter().zip(contents);
            files
                .map(|(name, text)| (name.into(), file(text)))
                .collect()
        };
        let text = |sources: &Sources| {
            let by_path: BTreeMap<_, _> = sources
                .iter()
                .map(|(path, artifact)| (path.display().to_string(), artifact))
                .collect();
            serde_json::to_string(&by_path).unwrap()
        };
        let old = text(&sources(["1", "2", "3", "4"]));
        let mut others = sources(["1", "2", "new", "newer"]);
        others.retain(|name, _| name == "b" || name == "c");
        let new = sources_with(&old, &others).unwrap();
        assert_eq!(new, text(&sources(["1", "2", "new", "newer"])));
        let unknown = Sources::from([("d".into(), file("5"))]);
        assert!(sources_with(&old, &unknown).is_none());
    }
}
