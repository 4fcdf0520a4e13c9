//! Tensors to a safetensors file whose bytes depend on nothing but names and values.

use std::path::Path;

use kyobashi_stage::Failure;
use safetensors::tensor::{Dtype, TensorView};
use tch::{Device, Kind, Tensor};

use super::ours;

/// Writes named tensors.
///
/// # Errors
/// If the file cannot be written, or a tensor is of a type that the format lacks.
pub(crate) fn save(tensors: &[(String, Tensor)], path: &Path) -> Result<(), Failure> {
    let mut held = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let tensor = tensor
            .f_detach()
            .and_then(|tensor| tensor.f_to_device(Device::Cpu))
            .and_then(|tensor| tensor.f_contiguous())
            .map_err(ours)?;
        let kind = tensor.f_kind().map_err(ours)?;
        let dtype = dtype(kind).ok_or_else(|| {
            Failure::new(format!("`{name}` is of type {kind:?}, which is not kept"))
        })?;
        let shape: Vec<usize> = tensor.size().iter().map(|size| *size as usize).collect();
        let mut bytes = vec![0; tensor.numel() * kind.elt_size_in_bytes()];
        tensor
            .f_copy_data_u8(&mut bytes, tensor.numel())
            .map_err(ours)?;
        held.push((name, dtype, shape, bytes));
    }
    let mut views = Vec::with_capacity(held.len());
    for (name, dtype, shape, bytes) in &held {
        let view = TensorView::new(*dtype, shape.clone(), bytes)
            .map_err(|error| Failure::bug(format!("`{name}`: {error}")))?;
        views.push((name.as_str(), view));
    }
    safetensors::serialize_to_file(views, None, path)
        .map_err(|error| Failure::passing(format!("cannot write {}: {error}", path.display())))
}

fn dtype(kind: Kind) -> Option<Dtype> {
    Some(match kind {
        Kind::Bool => Dtype::BOOL,
        Kind::Uint8 => Dtype::U8,
        Kind::Int8 => Dtype::I8,
        Kind::Int16 => Dtype::I16,
        Kind::Int => Dtype::I32,
        Kind::Int64 => Dtype::I64,
        Kind::Half => Dtype::F16,
        Kind::BFloat16 => Dtype::BF16,
        Kind::Float => Dtype::F32,
        Kind::Double => Dtype::F64,
        _ => return None,
    })
}
