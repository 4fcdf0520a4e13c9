//! Data of a user's own: safetensors, NumPy or CSV files as named tensors with equally many rows, for
//! training and for evaluation alike. What the rows mean is the program's.

mod columns;
mod numpy;
mod scale;

use std::path::Path;

use kyobashi_stage::Failure;
use tch::{Device, Kind, Tensor};

use super::data::{Data, Rows};
use super::settings::Settings;
use super::{ours, tensors};

pub(crate) use columns::Columns;

/// The files of a training and how they are read.
pub(crate) struct Table<'t> {
    pub(crate) train: &'t Path,
    /// Rows for evaluation; a share of `train` if absent.
    pub(crate) valid: Option<&'t Path>,
    pub(crate) columns: Columns,
    /// Tensors that are shifted and scaled to mean 0 and standard deviation 1 of the training rows.
    pub(crate) standardize: Vec<String>,
}

/// The share that is set aside where the config says nothing.
const SHARE: f64 = 0.2;

/// Named tensors, and what there is to say about them.
type Read = (Vec<(String, Tensor)>, Vec<String>);

impl Table<'_> {
    /// What differs from a training on safetensors: rows are set aside, and the curve is evaluated at
    /// every point, unless `config` says otherwise.
    ///
    /// # Errors
    /// If rows are given for evaluation and set aside as well.
    pub(crate) fn settle(
        &self,
        settings: &mut Settings,
        config: &serde_json::Value,
    ) -> Result<(), Failure> {
        let given = |key: &str| config.get(key).is_some();
        if !given("eval_every") {
            settings.eval_every = settings.log_every;
        }
        if self.valid.is_none() && !given("validation") {
            settings.validation = SHARE;
        }
        if self.valid.is_some() && settings.validation > 0.0 {
            return Err(Failure::new(
                "`validation` of `config` sets rows of `train` aside, but `valid` gives rows as well",
            )
            .help("leave one of them out"));
        }
        Ok(())
    }

    /// Reads the files; the texts are worth saying.
    ///
    /// # Errors
    /// A file that cannot be read, or files that do not fit each other.
    pub(crate) fn read(
        &self,
        settings: &mut Settings,
        seed: i64,
        device: Device,
    ) -> Result<(Data, Vec<String>), Failure> {
        let mut classes = None;
        let (training, mut said) = read(self.train, &self.columns, &mut classes)?;
        let rows = Rows::of(on(training, device)?, self.train)?;
        settings.numbers.extend(rows.facts().map_err(ours)?);
        let mut data = match self.valid {
            None => Data::split(rows, settings.validation, seed, device)?,
            Some(path) => {
                let (held_out, more) = read(path, &self.columns, &mut classes)?;
                said.extend(more);
                let held_out = Rows::of(on(held_out, device)?, path)?;
                rows.fits(&held_out)?;
                // The largest number of either file: an embedding needs a row for each.
                for (fact, value) in held_out.facts().map_err(ours)? {
                    let known = settings.numbers.entry(fact).or_insert(value);
                    *known = known.max(value);
                }
                Data {
                    training: rows,
                    validation: Some(held_out),
                    scaling: Vec::new(),
                }
            }
        };
        scale::standardize(&mut data, &self.standardize)?;
        data.windows(settings)?;
        Ok((data, said))
    }
}

/// The tensors of a file, on the CPU, in f32, i64, u8 or bool. What a file is shows in its first bytes:
/// results of stages have no extension.
fn read(
    path: &Path,
    columns: &Columns,
    classes: &mut Option<columns::Classes>,
) -> Result<Read, Failure> {
    let bad = |what: String| Failure::new(format!("cannot read {}: {what}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let tensors = match bytes.as_slice() {
        [b'P', b'K', 3 | 5, _, ..] => numpy::archive(&bytes).map_err(bad)?,
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => {
            vec![("x".to_owned(), numpy::array(&bytes).map_err(bad)?)]
        }
        [_, _, _, _, _, _, _, _, b'{', ..] if bytes[4..8] == [0; 4] => {
            tensors::read(path, Device::Cpu)?.tensors
        }
        _ => {
            let text = String::from_utf8(bytes).map_err(|_| {
                bad("it is neither safetensors, npz, npy nor CSV in UTF-8".to_owned())
            })?;
            return columns::read(&text, columns, classes).map_err(|failure| {
                let message = format!("cannot read {}: {}", path.display(), failure.message);
                Failure { message, ..failure }
            });
        }
    };
    if let Some(setting) = columns.asked() {
        return Err(bad("it is no CSV, so it has no columns".to_owned())
            .help(format!("leave `{setting}` out: its tensors have names")));
    }
    let usual = |(name, tensor): (String, Tensor)| {
        let kind = match tensor.f_kind().map_err(ours)? {
            Kind::Double | Kind::Half | Kind::BFloat16 => Kind::Float,
            Kind::Int | Kind::Int16 | Kind::Int8 => Kind::Int64,
            kind => kind,
        };
        Ok((name, tensor.f_to_kind(kind).map_err(ours)?))
    };
    let tensors: Result<_, Failure> = tensors.into_iter().map(usual).collect();
    Ok((tensors?, Vec::new()))
}

fn on(tensors: Vec<(String, Tensor)>, device: Device) -> Result<Vec<(String, Tensor)>, Failure> {
    tensors
        .into_iter()
        .map(|(name, tensor)| Ok((name, tensor.f_to_device(device).map_err(ours)?)))
        .collect()
}
