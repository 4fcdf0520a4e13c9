//! Named tensors in safetensors files, whose bytes depend on nothing but names and values.

use std::collections::HashMap;
use std::path::Path;

use kyobashi_stage::Failure;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use tch::{Device, Kind, Tensor};

use super::ours;

/// Writes named tensors, and a text that is kept with them.
///
/// # Errors
/// If the file cannot be written, or a tensor is of a type that the format lacks.
pub(crate) fn save(
    tensors: &[(String, Tensor)],
    text: Option<String>,
    path: &Path,
) -> Result<(), Failure> {
    let mut held = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let tensor = tensor
            .f_detach()
            .and_then(|tensor| tensor.f_to_device(Device::Cpu))
            .and_then(|tensor| tensor.f_contiguous())
            .map_err(ours)?;
        let kind = tensor.f_kind().map_err(ours)?;
        let (_, dtype) = KINDS
            .iter()
            .find(|(known, _)| *known == kind)
            .ok_or_else(|| {
                Failure::new(format!("`{name}` is of type {kind:?}, which is not kept"))
            })?;
        let shape: Vec<usize> = tensor.size().iter().map(|size| *size as usize).collect();
        let mut bytes = vec![0; tensor.numel() * kind.elt_size_in_bytes()];
        tensor
            .f_copy_data_u8(&mut bytes, tensor.numel())
            .map_err(ours)?;
        held.push((name, *dtype, shape, bytes));
    }
    let mut views = Vec::with_capacity(held.len());
    for (name, dtype, shape, bytes) in &held {
        let view = TensorView::new(*dtype, shape.clone(), bytes)
            .map_err(|error| Failure::bug(format!("`{name}`: {error}")))?;
        views.push((name.as_str(), view));
    }
    let text = text.map(|text| HashMap::from([(TEXT.to_owned(), text)]));
    safetensors::serialize_to_file(views, text, path)
        .map_err(|error| Failure::passing(format!("cannot write {}: {error}", path.display())))
}

/// What a file holds.
pub(crate) struct Saved {
    pub(crate) tensors: Vec<(String, Tensor)>,
    pub(crate) text: Option<String>,
}

/// The named tensors of a file in the order of their names, on `device`, and the text kept with them.
///
/// # Errors
/// If the file cannot be read, is cut short, or holds a type that libtorch lacks.
pub(crate) fn read(path: &Path, device: Device) -> Result<Saved, Failure> {
    let bad = |what: String| Failure::new(format!("cannot read {}: {what}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| bad(error.to_string()))?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| bad(error.to_string()))?;
    let text = header
        .metadata()
        .as_ref()
        .and_then(|texts| texts.get(TEXT).cloned());
    let mut tensors = Vec::new();
    for (name, view) in file.iter() {
        let (kind, _) = KINDS
            .iter()
            .find(|(_, known)| *known == view.dtype())
            .ok_or_else(|| bad(format!("`{name}` has the unknown type {:?}", view.dtype())))?;
        let shape: Vec<i64> = view.shape().iter().map(|size| *size as i64).collect();
        let tensor = Tensor::f_from_data_size(view.data(), &shape, *kind)
            .and_then(|tensor| tensor.f_to_device(device))
            .map_err(ours)?;
        tensors.push((name.to_owned(), tensor));
    }
    tensors.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(Saved { tensors, text })
}

/// The key of the text among a file's metadata.
const TEXT: &str = "kyobashi";

const KINDS: [(Kind, Dtype); 10] = [
    (Kind::Bool, Dtype::BOOL),
    (Kind::Uint8, Dtype::U8),
    (Kind::Int8, Dtype::I8),
    (Kind::Int16, Dtype::I16),
    (Kind::Int, Dtype::I32),
    (Kind::Int64, Dtype::I64),
    (Kind::Half, Dtype::F16),
    (Kind::BFloat16, Dtype::BF16),
    (Kind::Float, Dtype::F32),
    (Kind::Double, Dtype::F64),
];
