//! Who writes: the baseline, or a model. It never falls back from one to the other by itself.

use kyobashi_stage::{Call, Failure};

/// Refuses a model where only the baseline author works.
///
/// # Errors
/// If the call's role is played by a model.
pub(crate) fn baseline_only(call: &Call) -> Result<(), Failure> {
    match call.model.as_ref().filter(|model| !model.is_baseline()) {
        Some(model) => Err(
            Failure::new(format!("`{}` cannot be done by {model} yet", call.uses))
                .help("set this role to `baseline`: `--set models.scientist=baseline`"),
        ),
        None => Ok(()),
    }
}
