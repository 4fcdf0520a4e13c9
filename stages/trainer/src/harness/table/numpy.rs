//! NumPy files as tensors. Their headers are not trusted: what they claim is compared with what there is.

use std::io::{Cursor, Read};

use npyz::{DType, NpyFile, Order, TypeChar};
use tch::{Tensor, kind::Element};

/// The arrays of an `.npz` file in the order of their names.
///
/// # Errors
/// What is wrong, with the array's name.
pub(crate) fn archive(bytes: &[u8]) -> Result<Vec<(String, Tensor)>, String> {
    let mut archive =
        npyz::npz::NpzArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut names: Vec<String> = archive.array_names().map(str::to_owned).collect();
    names.sort();
    let mut tensors = Vec::with_capacity(names.len());
    for name in names {
        let place = npyz::npz::file_name_from_array_name(&name);
        let mut held = Vec::new();
        // To the very end, where the archive's checksum is compared.
        let read = match archive.zip_archive().by_name(&place) {
            Ok(mut file) => file
                .read_to_end(&mut held)
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let tensor = read.and_then(|_| array(&held));
        tensors.push((
            name.clone(),
            tensor.map_err(|why| format!("`{name}`: {why}"))?,
        ));
    }
    Ok(tensors)
}

/// The array of an `.npy` file.
///
/// # Errors
/// What is wrong.
pub(crate) fn array(bytes: &[u8]) -> Result<Tensor, String> {
    tensor(NpyFile::new(bytes).map_err(|error| error.to_string())?)
}

fn tensor<R: std::io::Read>(file: NpyFile<R>) -> Result<Tensor, String> {
    let DType::Plain(ty) = file.dtype() else {
        return Err("records are not read; save each field as an array".to_owned());
    };
    match (ty.type_char(), ty.size_field()) {
        (TypeChar::Float, 4) => of(file, |x: f32| x),
        (TypeChar::Float, 8) => of(file, |x: f64| x),
        (TypeChar::Int, 8) => of(file, |x: i64| x),
        (TypeChar::Int, 4) => of(file, |x: i32| i64::from(x)),
        (TypeChar::Int, 2) => of(file, |x: i16| i64::from(x)),
        (TypeChar::Int, 1) => of(file, |x: i8| i64::from(x)),
        (TypeChar::Uint, 4) => of(file, |x: u32| i64::from(x)),
        (TypeChar::Uint, 2) => of(file, |x: u16| i64::from(x)),
        (TypeChar::Uint, 1) => of(file, |x: u8| x),
        (TypeChar::Bool, _) => of(file, |x: bool| x),
        _ => Err(format!(
            "arrays of `{ty}` are not read; numbers of float32, float64, int8 to int64, uint8 to \
             uint32 and bool are"
        )),
    }
}

/// An array whose numbers are taken over by `turn`.
fn of<R: std::io::Read, T: npyz::Deserialize, E: Element>(
    file: NpyFile<R>,
    turn: impl Fn(T) -> E,
) -> Result<Tensor, String> {
    let shape: Vec<i64> = file
        .shape()
        .iter()
        .map(|size| i64::try_from(*size).map_err(|_| "its shape is too large".to_owned()))
        .collect::<Result<_, _>>()?;
    let order = file.order();
    let numbers: Vec<T> = file.into_vec().map_err(|error| error.to_string())?;
    let claimed = shape
        .iter()
        .try_fold(1_i64, |all, size| all.checked_mul(*size));
    if claimed != i64::try_from(numbers.len()).ok() {
        return Err(format!(
            "its shape {shape:?} is not that of its {} numbers",
            numbers.len()
        ));
    }
    let numbers: Vec<E> = numbers.into_iter().map(turn).collect();
    let flat = Tensor::f_from_slice(&numbers);
    let shaped = match order {
        Order::C => flat.and_then(|flat| flat.f_reshape(&shape)),
        Order::Fortran => {
            // The transpose of the array, row by row.
            let reversed: Vec<i64> = shape.iter().rev().copied().collect();
            let axes: Vec<i64> = (0..shape.len() as i64).rev().collect();
            flat.and_then(|flat| flat.f_reshape(&reversed))
                .and_then(|transposed| transposed.f_permute(&axes))
                .and_then(|array| array.f_contiguous())
        }
    };
    shaped.map_err(|error| error.to_string())
}
