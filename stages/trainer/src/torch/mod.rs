//! libtorch as the trainer sees it: what `tch` binds, and the C++ shim beside it. All unsafe code of
//! the trainer lives in this folder. It knows nothing of hooks, training or wires.

mod ffi;
mod list;
mod machine;
mod program;
mod stack;
mod value;

pub(crate) use list::{Adam, List, adam, clip, copy, gradients, lerp, sgd};
pub(crate) use machine::{
    Products, capability, generator_state, prepare, restore_generator, seed, torch_version,
};
#[cfg(test)]
pub(crate) use program::Argument;
pub(crate) use program::{Code, Function, Operation, Parsed};
pub(crate) use stack::{Stack, clip_each};
pub(crate) use value::Value;

/// What libtorch threw, in its own words: the first line is short, later lines quote the program.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct TorchError(pub(crate) String);

impl From<tch::TchError> for TorchError {
    fn from(error: tch::TchError) -> Self {
        match error {
            tch::TchError::Torch(text) => Self(text),
            other => Self(other.to_string()),
        }
    }
}

/// Takes over the shim's error text.
fn check(text: *mut std::ffi::c_char) -> Result<(), TorchError> {
    match ffi::take_text(text) {
        None => Ok(()),
        Some(text) => Err(TorchError(text)),
    }
}
