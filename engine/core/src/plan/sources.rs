//! Which files and folders of the workspace a spec names. Pure: it only collects paths.

use std::path::Path;

use super::reads::{Read, of_stage, of_template};
use crate::spec::Spec;

/// Every path that the spec names as data, once each, in the order of their texts.
#[must_use]
pub fn paths(spec: &Spec) -> Vec<&Path> {
    paths_of(spec, |_| true)
}

/// As [`paths`], for the stages alone whose index in the spec this holds for.
pub(super) fn paths_of(spec: &Spec, counts: impl Fn(usize) -> bool) -> Vec<&Path> {
    let mut paths = Vec::new();
    let mut see = |read| {
        if let Read::Path(path) = read {
            paths.push(path);
        }
    };
    for param in spec.params.values() {
        of_template(&param.value, &mut see);
    }
    for binding in &spec.outputs {
        of_template(&binding.value, &mut see);
    }
    for (index, stage) in spec.stages.iter().enumerate() {
        if counts(index) {
            of_stage(stage, &mut see);
        }
    }
    paths.sort_unstable_by_key(|path| path.as_os_str());
    paths.dedup_by_key(|path| path.as_os_str());
    paths
}
