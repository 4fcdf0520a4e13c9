//! Values that go into a program and come out of it. Dictionaries keep the order of insertion and are
//! shared with the program: what it inserts is seen here.
#![expect(unsafe_code, reason = "calls into the C++ shim")]

use std::ffi::{CStr, CString, c_char, c_void};

use tch::Tensor;
use torch_sys::C_tensor;

use super::{TorchError, check, ffi};

/// A value of a program.
pub(crate) struct Value(pub(super) *mut ffi::KyValue);

impl Value {
    /// `int`.
    pub(crate) fn integer(number: i64) -> Self {
        // SAFETY: allocates; no argument is a pointer.
        Self(unsafe { ffi::ky_value_integer(number) })
    }

    /// `bool`.
    pub(crate) fn flag(flag: bool) -> Self {
        // SAFETY: allocates; no argument is a pointer.
        Self(unsafe { ffi::ky_value_flag(flag) })
    }

    /// `str`.
    pub(crate) fn text(text: &str) -> Result<Self, TorchError> {
        let text = c_text(text)?;
        // SAFETY: the text lives until the shim has copied it.
        Ok(Self(unsafe { ffi::ky_value_text(text.as_ptr()) }))
    }

    /// `Dict[str, float]`.
    pub(crate) fn numbers<'n>(
        entries: impl IntoIterator<Item = (&'n str, f64)>,
    ) -> Result<Self, TorchError> {
        // SAFETY: allocates.
        let value = Self(unsafe { ffi::ky_value_numbers() });
        for (key, number) in entries {
            let key = c_text(key)?;
            // SAFETY: the dictionary was made above for numbers; the key lives until it was copied.
            check(unsafe { ffi::ky_value_put_number(value.0, key.as_ptr(), number) })?;
        }
        Ok(value)
    }

    /// `Dict[str, Tensor]`.
    pub(crate) fn tensors<'n>(
        entries: impl IntoIterator<Item = (&'n str, &'n Tensor)>,
    ) -> Result<Self, TorchError> {
        // SAFETY: allocates.
        let value = Self(unsafe { ffi::ky_value_tensors() });
        for (key, tensor) in entries {
            let key = c_text(key)?;
            // SAFETY: the dictionary was made above for tensors; key and handle live until copied.
            check(unsafe { ffi::ky_value_put_tensor(value.0, key.as_ptr(), ffi::raw(tensor)) })?;
        }
        Ok(value)
    }

    /// The tensor that a function returned.
    pub(crate) fn to_tensor(&self) -> Result<Tensor, TorchError> {
        let mut out: *mut C_tensor = std::ptr::null_mut();
        // SAFETY: `self` is a live value; `out` is written on success.
        check(unsafe { ffi::ky_value_tensor(self.0, &raw mut out) })?;
        Ok(ffi::adopt(out))
    }

    /// The number that a function returned.
    pub(crate) fn to_number(&self) -> Result<f64, TorchError> {
        let mut out = 0.0;
        // SAFETY: `self` is a live value; `out` is written on success.
        check(unsafe { ffi::ky_value_double(self.0, &raw mut out) })?;
        Ok(out)
    }

    /// The entries of a `Dict[str, Tensor]`, in order of insertion.
    pub(crate) fn to_tensors(&self) -> Result<Vec<(String, Tensor)>, TorchError> {
        extern "C" fn sees(context: *mut c_void, key: *const c_char, tensor: *mut C_tensor) {
            // SAFETY: `context` is the vector below; key is a C string; the tensor is ours.
            unsafe {
                let entries = &mut *context.cast::<Vec<(String, Tensor)>>();
                let key = CStr::from_ptr(key).to_string_lossy().into_owned();
                entries.push((key, ffi::adopt(tensor)));
            }
        }
        let mut entries: Vec<(String, Tensor)> = Vec::new();
        let context = (&raw mut entries).cast();
        // SAFETY: the callback is called only during this call, with the context given here.
        check(unsafe { ffi::ky_value_tensor_entries(self.0, context, sees) })?;
        Ok(entries)
    }

    /// The entries of a `Dict[str, float]`, in order of insertion.
    pub(crate) fn to_numbers(&self) -> Result<Vec<(String, f64)>, TorchError> {
        extern "C" fn sees(context: *mut c_void, key: *const c_char, number: f64) {
            // SAFETY: `context` is the vector below; key is a C string.
            unsafe {
                let entries = &mut *context.cast::<Vec<(String, f64)>>();
                entries.push((CStr::from_ptr(key).to_string_lossy().into_owned(), number));
            }
        }
        let mut entries: Vec<(String, f64)> = Vec::new();
        let context = (&raw mut entries).cast();
        // SAFETY: the callback is called only during this call, with the context given here.
        check(unsafe { ffi::ky_value_number_entries(self.0, context, sees) })?;
        Ok(entries)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        // SAFETY: the value was allocated by the shim and is freed once.
        unsafe { ffi::ky_value_free(self.0) }
    }
}

/// A text without zero bytes, as C++ wants it.
pub(super) fn c_text(text: &str) -> Result<CString, TorchError> {
    CString::new(text).map_err(|_| TorchError("the text holds a zero byte".to_owned()))
}
