//! The switches and facts of libtorch on this machine.
#![expect(unsafe_code, reason = "calls into the C++ shim")]

use std::ffi::CStr;

use tch::{Device, Tensor};

use super::{TorchError, check, ffi};

/// Loads CUDA if it is there, and makes everything that follows on this thread deterministic. Must be
/// the first call into libtorch, on the thread that trains.
pub(crate) fn prepare() -> Result<Products, TorchError> {
    let mut onednn = false;
    // SAFETY: `onednn` is written on success; nothing of libtorch runs yet.
    unsafe {
        ffi::ky_load_cuda();
        check(ffi::ky_prepare())?;
        check(ffi::ky_products(&raw mut onednn))?;
    }
    Ok(if onednn {
        Products::OneDnn
    } else {
        Products::Mkl
    })
}

/// Which library multiplies large matrices on the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Products {
    /// libtorch's choice.
    Mkl,
    OneDnn,
}

/// The version that this binary was compiled against: `2.11.0`.
pub(crate) fn torch_version() -> String {
    // SAFETY: a static C string.
    unsafe { CStr::from_ptr(ffi::ky_torch_version()) }
        .to_string_lossy()
        .into_owned()
}

/// The instruction set that libtorch's kernels use: `AVX2`, `AVX512`, `DEFAULT`.
pub(crate) fn capability() -> String {
    // SAFETY: the text is ours.
    ffi::take_text(unsafe { ffi::ky_cpu_capability() }).unwrap_or_default()
}

/// Seeds libtorch's generators on every device.
pub(crate) fn seed(seed: u64) -> Result<(), TorchError> {
    // SAFETY: no pointer argument.
    check(unsafe { ffi::ky_seed(seed) })
}

/// The state of the generator of a device, as a byte tensor.
pub(crate) fn generator_state(device: Device) -> Result<Tensor, TorchError> {
    let mut out = std::ptr::null_mut();
    // SAFETY: `out` is written on success.
    check(unsafe { ffi::ky_generator_state(device.is_cuda(), &raw mut out) })?;
    Ok(ffi::adopt(out))
}

/// Sets the generator of a device to a state that [`generator_state`] returned.
pub(crate) fn restore_generator(device: Device, state: &Tensor) -> Result<(), TorchError> {
    // SAFETY: the tensor lives for the call.
    check(unsafe { ffi::ky_generator_restore(device.is_cuda(), ffi::raw(state)) })
}
