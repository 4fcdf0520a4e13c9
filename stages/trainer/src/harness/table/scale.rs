//! Tensors brought to mean 0 and standard deviation 1 by the training rows alone.

use kyobashi_stage::Failure;
use tch::{Kind, Tensor};

use crate::harness::data::Data;
use crate::harness::ours;

/// Shifts and scales the named tensors, column by column. A column that does not vary is only shifted.
/// The shift and the scale are kept with the weights as `_mean.<name>` and `_deviation.<name>`.
///
/// # Errors
/// A name that is no tensor of floating-point numbers.
pub(super) fn standardize(data: &mut Data, names: &[String]) -> Result<(), Failure> {
    for name in names {
        let Some(tensor) = data.training.tensor(name) else {
            return Err(
                Failure::new(format!("`standardize` names `{name}`, which is no tensor")).help(
                    format!("the data have {}", data.training.names().join(", ")),
                ),
            );
        };
        if tensor.f_kind().map_err(ours)? != Kind::Float {
            return Err(Failure::new(format!(
                "`standardize` names `{name}`, which holds whole numbers"
            )));
        }
        let (mean, deviation) = moments(tensor).map_err(ours)?;
        let scaled = |tensor: &Tensor| {
            tensor
                .f_sub(&mean)
                .and_then(|shifted| shifted.f_div(&deviation))
                .map_err(ours)
        };
        data.training.change(name, scaled)?;
        if let Some(held_out) = &mut data.validation {
            held_out.change(name, scaled)?;
        }
        data.scaling.push((format!("_mean.{name}"), mean));
        data.scaling.push((format!("_deviation.{name}"), deviation));
    }
    Ok(())
}

/// Mean and standard deviation over rows, of the shape of a row; 1 where nothing varies.
fn moments(tensor: &Tensor) -> Result<(Tensor, Tensor), tch::TchError> {
    let wide = tensor.f_to_kind(Kind::Double)?;
    let mean = wide.f_mean_dim(0, false, None)?;
    let squares = wide.f_sub(&mean)?.f_square()?;
    let deviation = squares.f_mean_dim(0, false, None)?.f_sqrt()?;
    let varies = deviation.f_gt(1e-12)?;
    let deviation = deviation.f_where_self(&varies, &deviation.f_ones_like()?)?;
    Ok((
        mean.f_to_kind(Kind::Float)?,
        deviation.f_to_kind(Kind::Float)?,
    ))
}
