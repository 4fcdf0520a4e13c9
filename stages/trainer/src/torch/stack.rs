//! Several seeds of one training at once: the shim's functions for it.
#![expect(unsafe_code, reason = "calls into the C++ shim")]

use std::ffi::CString;

use tch::{Device, Tensor};

use super::{Code, List, TorchError, Value, check, ffi};

/// The generators of the seeds, in their order.
pub(crate) struct Stack(*mut ffi::KyStack);

impl Stack {
    /// A stack of no seed.
    pub(crate) fn new() -> Self {
        // SAFETY: allocates.
        Self(unsafe { ffi::ky_stack() })
    }

    /// One seed more, whose draws go on from where the generator of `device` is now.
    pub(crate) fn add(&self, device: Device) -> Result<(), TorchError> {
        // SAFETY: the stack is live.
        check(unsafe { ffi::ky_stack_add(self.0, device.is_cuda()) })
    }

    /// Calls a function that returns one number for every seed: [seeds]. The tensors of dictionaries have
    /// the seeds as their first dimension, all but those in `shared`.
    pub(crate) fn call(
        &self,
        code: &Code,
        name: &CString,
        arguments: &[&Value],
        shared: &List,
    ) -> Result<Tensor, TorchError> {
        let raw: Vec<*mut ffi::KyValue> = arguments.iter().map(|value| value.0).collect();
        let mut out = std::ptr::null_mut();
        // SAFETY: everything lives for the call; `out` is written on success.
        check(unsafe {
            ffi::ky_stack_call(
                self.0,
                code.0,
                name.as_ptr(),
                raw.as_ptr(),
                raw.len(),
                shared.0,
                &raw mut out,
            )
        })?;
        Ok(ffi::adopt(out))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the stack was allocated by the shim and is freed once.
        unsafe { ffi::ky_stack_free(self.0) }
    }
}

/// Scales the gradients of every seed so that their common Euclidean norm is at most `limit`.
pub(crate) fn clip_each(gradients: &List, limit: f64) -> Result<(), TorchError> {
    // SAFETY: the list is live.
    check(unsafe { ffi::ky_stack_clip(gradients.0, limit) })
}
