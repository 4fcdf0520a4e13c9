//! Tensors that are handled together, so that a training step crosses into C++ once per operation and
//! never waits for the device.
#![expect(unsafe_code, reason = "calls into the C++ shim")]

use tch::Tensor;
use torch_sys::C_tensor;

use super::{TorchError, check, ffi};

/// A list of tensors, sharing them with whoever else holds them.
pub(crate) struct List(pub(super) *mut ffi::KyList);

impl List {
    /// A list of the same tensors.
    pub(crate) fn new<'t>(tensors: impl IntoIterator<Item = &'t Tensor>) -> Self {
        let raw: Vec<*mut C_tensor> = tensors.into_iter().map(ffi::raw).collect();
        // SAFETY: the handles live for this call; the list keeps its own references.
        Self(unsafe { ffi::ky_list(raw.as_ptr(), raw.len()) })
    }

    /// A list of some of the tensors; every index must be below the list's length.
    pub(crate) fn pick(&self, indices: &[usize]) -> Self {
        // SAFETY: the caller keeps to the length; the new list has its own references.
        Self(unsafe { ffi::ky_list_pick(self.0, indices.as_ptr(), indices.len()) })
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: the list was allocated by the shim and is freed once.
        unsafe { ffi::ky_list_free(self.0) }
    }
}

/// The settings of one step of Adam.
#[derive(Clone, Copy)]
pub(crate) struct Adam {
    pub(crate) lr: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) weight_decay: f64,
    pub(crate) epsilon: f64,
    /// Whether the weight decay is apart from the gradient (`AdamW`).
    pub(crate) decoupled: bool,
}

/// The gradients of a scalar by each of `parameters`; zeros where the scalar does not depend on one.
pub(crate) fn gradients(loss: &Tensor, parameters: &List) -> Result<List, TorchError> {
    let out = List::new(std::iter::empty());
    // SAFETY: all three are live; the shim replaces the content of `out`.
    check(unsafe { ffi::ky_gradients(ffi::raw(loss), parameters.0, out.0) })?;
    Ok(out)
}

/// Scales `gradients` in place so that their common Euclidean norm is at most `limit`.
pub(crate) fn clip(gradients: &List, limit: f64) -> Result<(), TorchError> {
    // SAFETY: the list is live.
    check(unsafe { ffi::ky_clip(gradients.0, limit) })
}

/// One fused step of Adam. `first`, `second` have the parameters' shapes; `steps` holds one f32 each.
pub(crate) fn adam(
    parameters: &List,
    gradients: &List,
    [first, second, steps]: [&List; 3],
    with: Adam,
) -> Result<(), TorchError> {
    let with = ffi::KyAdam {
        lr: with.lr,
        beta1: with.beta1,
        beta2: with.beta2,
        weight_decay: with.weight_decay,
        epsilon: with.epsilon,
        decoupled: with.decoupled,
    };
    // SAFETY: all lists are live and of one length, as `harness::optimise` makes them.
    check(unsafe {
        ffi::ky_adam(
            parameters.0,
            gradients.0,
            first.0,
            second.0,
            steps.0,
            &raw const with,
        )
    })
}

/// One fused step of gradient descent with momentum; momenta of zero are a first step.
pub(crate) fn sgd(
    parameters: &List,
    gradients: &List,
    momenta: &List,
    [lr, momentum, weight_decay]: [f64; 3],
) -> Result<(), TorchError> {
    // SAFETY: all lists are live and of one length, as `harness::optimise` makes them.
    check(unsafe {
        let [p, g, m] = [parameters.0, gradients.0, momenta.0];
        ffi::ky_sgd(p, g, m, lr, momentum, weight_decay)
    })
}

/// `to += weight * (from - to)`, in place.
pub(crate) fn lerp(to: &List, from: &List, weight: f64) -> Result<(), TorchError> {
    // SAFETY: both lists are live; the shim checks their lengths and shapes.
    check(unsafe { ffi::ky_lerp(to.0, from.0, weight) })
}

/// `to = from`, in place.
pub(crate) fn copy(to: &List, from: &List) -> Result<(), TorchError> {
    // SAFETY: both lists are live; the shim checks their lengths and shapes.
    check(unsafe { ffi::ky_copy(to.0, from.0) })
}
