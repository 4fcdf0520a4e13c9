//! Named tensors as a safetensors file: how data reach the trainer.

use kyobashi_stage::{Failure, Output};
use safetensors::{Dtype, serialize, tensor::TensorView};

/// The numbers of a tensor, row by row.
pub(super) enum Numbers {
    F32(Vec<f32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
}

/// A tensor of a file.
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) shape: Vec<usize>,
    pub(super) numbers: Numbers,
}

/// The file of some tensors; the same bytes for the same numbers.
///
/// # Errors
/// If a shape is not that of its numbers: a fault of the caller.
pub(super) fn safetensors(tensors: Vec<Named>) -> Result<Output, Failure> {
    let fault = |error: safetensors::SafeTensorError| Failure::bug(format!("tensors: {error}"));
    let held: Vec<(&str, Vec<usize>, Dtype, Vec<u8>)> = tensors
        .into_iter()
        .map(|tensor| {
            let (dtype, bytes) = match tensor.numbers {
                Numbers::F32(all) => (
                    Dtype::F32,
                    all.iter().flat_map(|x| x.to_le_bytes()).collect(),
                ),
                Numbers::U8(all) => (Dtype::U8, all),
                Numbers::I64(all) => (
                    Dtype::I64,
                    all.iter().flat_map(|x| x.to_le_bytes()).collect(),
                ),
            };
            (tensor.name, tensor.shape, dtype, bytes)
        })
        .collect();
    let views = held.iter().map(|(name, shape, dtype, bytes)| {
        Ok((
            *name,
            TensorView::new(*dtype, shape.clone(), bytes).map_err(fault)?,
        ))
    });
    let views: Vec<_> = views.collect::<Result<_, Failure>>()?;
    Ok(Output::bytes(serialize(views, None).map_err(fault)?))
}
