//! The functions of `shim/*.cpp`, as they are declared there. Nothing here interprets anything.
#![expect(unsafe_code, reason = "declarations of the C++ shim")]

use std::ffi::{CStr, c_char, c_void};

use tch::Tensor;
use torch_sys::C_tensor;

/// A compiled program.
#[repr(C)]
pub(super) struct KyProgram {
    _private: [u8; 0],
}

/// A value of a program.
#[repr(C)]
pub(super) struct KyValue {
    _private: [u8; 0],
}

/// A list of tensors.
#[repr(C)]
pub(super) struct KyList {
    _private: [u8; 0],
}

/// The generators of the seeds of a stack.
#[repr(C)]
pub(super) struct KyStack {
    _private: [u8; 0],
}

/// `KyAdam` of kernels.cpp.
#[repr(C)]
pub(super) struct KyAdam {
    pub(super) lr: f64,
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) weight_decay: f64,
    pub(super) epsilon: f64,
    pub(super) decoupled: bool,
}

pub(super) type SeesFunction = extern "C" fn(*mut c_void, *const c_char);
pub(super) type SeesArgument = extern "C" fn(*mut c_void, *const c_char, *const c_char);
pub(super) type SeesOperation = extern "C" fn(*mut c_void, *const c_char, u64, u64);
pub(super) type SeesTensor = extern "C" fn(*mut c_void, *const c_char, *mut C_tensor);
pub(super) type SeesNumber = extern "C" fn(*mut c_void, *const c_char, f64);

unsafe extern "C" {
    pub(super) fn ky_text_free(text: *mut c_char);

    pub(super) fn ky_program_parse(
        text: *const c_char,
        file: *const c_char,
        out: *mut *mut KyProgram,
    ) -> *mut c_char;
    pub(super) fn ky_program_named(
        program: *mut KyProgram,
        context: *mut c_void,
        sees_operation: SeesOperation,
    ) -> *mut c_char;
    pub(super) fn ky_program_define(program: *mut KyProgram) -> *mut c_char;
    pub(super) fn ky_program_free(program: *mut KyProgram);
    pub(super) fn ky_program_walk(
        program: *mut KyProgram,
        context: *mut c_void,
        sees_function: SeesFunction,
        sees_argument: SeesArgument,
        sees_operation: SeesOperation,
    ) -> *mut c_char;
    pub(super) fn ky_call(
        program: *mut KyProgram,
        name: *const c_char,
        arguments: *const *mut KyValue,
        count: usize,
        out: *mut *mut KyValue,
    ) -> *mut c_char;

    pub(super) fn ky_value_integer(number: i64) -> *mut KyValue;
    pub(super) fn ky_value_flag(flag: bool) -> *mut KyValue;
    pub(super) fn ky_value_text(text: *const c_char) -> *mut KyValue;
    pub(super) fn ky_value_numbers() -> *mut KyValue;
    pub(super) fn ky_value_tensors() -> *mut KyValue;
    pub(super) fn ky_value_put_number(
        dictionary: *mut KyValue,
        key: *const c_char,
        number: f64,
    ) -> *mut c_char;
    pub(super) fn ky_value_put_tensor(
        dictionary: *mut KyValue,
        key: *const c_char,
        value: *mut C_tensor,
    ) -> *mut c_char;
    pub(super) fn ky_value_tensor(value: *const KyValue, out: *mut *mut C_tensor) -> *mut c_char;
    pub(super) fn ky_value_double(value: *const KyValue, out: *mut f64) -> *mut c_char;
    pub(super) fn ky_value_tensor_entries(
        value: *const KyValue,
        context: *mut c_void,
        sees: SeesTensor,
    ) -> *mut c_char;
    pub(super) fn ky_value_number_entries(
        value: *const KyValue,
        context: *mut c_void,
        sees: SeesNumber,
    ) -> *mut c_char;
    pub(super) fn ky_value_free(value: *mut KyValue);

    pub(super) fn ky_list(tensors: *const *mut C_tensor, count: usize) -> *mut KyList;
    pub(super) fn ky_list_free(list: *mut KyList);
    pub(super) fn ky_list_pick(
        list: *const KyList,
        indices: *const usize,
        count: usize,
    ) -> *mut KyList;
    pub(super) fn ky_gradients(
        loss: *mut C_tensor,
        parameters: *const KyList,
        out: *mut KyList,
    ) -> *mut c_char;
    pub(super) fn ky_clip(gradients: *mut KyList, limit: f64) -> *mut c_char;
    pub(super) fn ky_adam(
        parameters: *mut KyList,
        gradients: *mut KyList,
        first: *mut KyList,
        second: *mut KyList,
        steps: *mut KyList,
        with: *const KyAdam,
    ) -> *mut c_char;
    pub(super) fn ky_sgd(
        parameters: *mut KyList,
        gradients: *mut KyList,
        momenta: *mut KyList,
        lr: f64,
        momentum: f64,
        weight_decay: f64,
    ) -> *mut c_char;
    pub(super) fn ky_lerp(to: *mut KyList, from: *const KyList, weight: f64) -> *mut c_char;
    pub(super) fn ky_copy(to: *mut KyList, from: *const KyList) -> *mut c_char;

    pub(super) fn ky_stack() -> *mut KyStack;
    pub(super) fn ky_stack_free(stack: *mut KyStack);
    pub(super) fn ky_stack_add(stack: *mut KyStack, cuda: bool) -> *mut c_char;
    pub(super) fn ky_stack_call(
        stack: *mut KyStack,
        program: *mut KyProgram,
        name: *const c_char,
        arguments: *const *mut KyValue,
        count: usize,
        shared: *const KyList,
        out: *mut *mut C_tensor,
    ) -> *mut c_char;
    pub(super) fn ky_stack_clip(gradients: *mut KyList, limit: f64) -> *mut c_char;

    pub(super) fn ky_load_cuda() -> bool;
    pub(super) fn ky_torch_version() -> *const c_char;
    pub(super) fn ky_cpu_capability() -> *mut c_char;
    pub(super) fn ky_prepare() -> *mut c_char;
    pub(super) fn ky_products(out: *mut bool) -> *mut c_char;
    pub(super) fn ky_seed(seed: u64) -> *mut c_char;
    pub(super) fn ky_generator_state(cuda: bool, out: *mut *mut C_tensor) -> *mut c_char;
    pub(super) fn ky_generator_restore(cuda: bool, state: *mut C_tensor) -> *mut c_char;
}

/// Copies and frees a text of the shim; `None` for null.
pub(super) fn take_text(text: *mut c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: a text of the shim that is not null ends with a zero byte and is ours to free, once.
    unsafe {
        let copy = CStr::from_ptr(text).to_string_lossy().into_owned();
        ky_text_free(text);
        Some(copy)
    }
}

/// The C++ tensor behind a tensor of tch, for the time of a call. The shim only reads the handle, or
/// changes the tensor's content, as every tch method with a trailing underscore does through `&self`.
pub(super) fn raw(tensor: &Tensor) -> *mut C_tensor {
    tensor.as_ptr().cast_mut()
}

/// Takes over a tensor that the shim allocated.
pub(super) fn adopt(tensor: *mut C_tensor) -> Tensor {
    // SAFETY: the shim hands out a fresh heap-allocated handle, which tch frees when dropped.
    unsafe { Tensor::from_ptr(tensor) }
}
