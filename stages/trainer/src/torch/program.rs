//! TorchScript text as libtorch compiles it: functions, their arguments, their operations, calls.
//! Which functions and operations are welcome is not known here.
#![expect(unsafe_code, reason = "calls into the C++ shim")]

use std::ffi::{CStr, CString, c_char, c_void};

use super::value::c_text;
use super::{TorchError, Value, check, ffi};

/// Text that was parsed and not yet compiled.
pub(crate) struct Parsed(Code);

/// A compiled program.
pub(crate) struct Code(pub(super) *mut ffi::KyProgram);

/// A function as the text declares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) arguments: Vec<Argument>,
    /// The annotation of what it returns: `Dict[str, Tensor]`.
    pub(crate) returns: String,
    /// Every operation that it may perform, its callees' included.
    pub(crate) operations: Vec<Operation>,
}

/// An argument and its annotation.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) ty: String,
}

/// An operation and where it is written (from 1; 0 = unknown).
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl Parsed {
    /// Parses `text`; `file` is the name that errors quote.
    pub(crate) fn read(text: &str, file: &str) -> Result<Self, TorchError> {
        let (text, file) = (c_text(text)?, c_text(file)?);
        let mut out = std::ptr::null_mut();
        // SAFETY: both texts live for the call; `out` is written on success.
        check(unsafe { ffi::ky_program_parse(text.as_ptr(), file.as_ptr(), &raw mut out) })?;
        Ok(Self(Code(out)))
    }

    /// The operations of libtorch that the text names after a dot, used or not.
    pub(crate) fn named(&self) -> Result<Vec<Operation>, TorchError> {
        let mut functions = vec![Function::default()];
        let context = (&raw mut functions).cast();
        // SAFETY: the callback is called only during this call, with the context given here.
        check(unsafe { ffi::ky_program_named(self.0.0, context, sees_operation) })?;
        Ok(functions.remove(0).operations)
    }

    /// Compiles; this computes what depends on constants alone.
    pub(crate) fn compile(self) -> Result<Code, TorchError> {
        // SAFETY: parsed, and compiled once, as `self` is used up.
        check(unsafe { ffi::ky_program_define(self.0.0) })?;
        Ok(self.0)
    }
}

impl Code {
    /// The functions in the order of the text.
    pub(crate) fn functions(&self) -> Result<Vec<Function>, TorchError> {
        let mut functions: Vec<Function> = Vec::new();
        let context = (&raw mut functions).cast();
        // SAFETY: the callbacks are called only during this call, with the context given here.
        check(unsafe {
            ffi::ky_program_walk(
                self.0,
                context,
                sees_function,
                sees_argument,
                sees_operation,
            )
        })?;
        Ok(functions)
    }

    /// Calls a function with positional arguments.
    pub(crate) fn call(&self, name: &CString, arguments: &[&Value]) -> Result<Value, TorchError> {
        let raw: Vec<*mut ffi::KyValue> = arguments.iter().map(|value| value.0).collect();
        let mut out = std::ptr::null_mut();
        // SAFETY: everything lives for the call; `out` is written on success.
        check(unsafe {
            ffi::ky_call(self.0, name.as_ptr(), raw.as_ptr(), raw.len(), &raw mut out)
        })?;
        Ok(Value(out))
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: the program was allocated by the shim and is freed once.
        unsafe { ffi::ky_program_free(self.0) }
    }
}

/// The functions seen so far, behind the context pointer of a walk.
///
/// # Safety
/// `context` must be the vector that was given to the walk that is under way.
unsafe fn seen<'w>(context: *mut c_void) -> &'w mut Vec<Function> {
    // SAFETY: what the caller promises.
    unsafe { &mut *context.cast() }
}

/// # Safety
/// `text` must be a C string.
unsafe fn copied(text: *const c_char) -> String {
    // SAFETY: what the caller promises.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

extern "C" fn sees_function(context: *mut c_void, name: *const c_char) {
    // SAFETY: called by a walk of this file with its context and C strings.
    unsafe {
        seen(context).push(Function {
            name: copied(name),
            ..Function::default()
        });
    }
}

extern "C" fn sees_argument(context: *mut c_void, name: *const c_char, ty: *const c_char) {
    // SAFETY: as above.
    let (functions, name, ty) = unsafe { (seen(context), copied(name), copied(ty)) };
    if let Some(function) = functions.last_mut() {
        if name.is_empty() {
            function.returns = ty;
        } else {
            function.arguments.push(Argument { name, ty });
        }
    }
}

extern "C" fn sees_operation(context: *mut c_void, name: *const c_char, line: u64, column: u64) {
    // SAFETY: as above.
    let (functions, name) = unsafe { (seen(context), copied(name)) };
    if let Some(function) = functions.last_mut() {
        function.operations.push(Operation { name, line, column });
    }
}
