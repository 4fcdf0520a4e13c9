//! The words of the language: every key that a file may have, by what has it. For editors and for the
//! reference; the checker reads the same lists.

use super::{draft, draft_fan, file, layers, models, params, policy};

/// What has keys, and its keys: `pipeline`, `stage`, `repeat`, `resources`, `defaults`, `param`, `secret`,
/// `provider`, `profile`.
#[must_use]
pub fn words() -> [(&'static str, &'static [&'static str]); 9] {
    [
        ("pipeline", file::KEYS),
        ("stage", draft::KEYS),
        ("repeat", draft_fan::REPEAT),
        ("resources", policy::RESOURCES),
        ("defaults", policy::KEYS),
        ("param", params::PARAM),
        ("secret", params::SECRET),
        ("provider", models::PROVIDER),
        ("profile", layers::SECTIONS),
    ]
}
