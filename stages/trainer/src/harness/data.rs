//! The rows that a program learns from: every tensor of a safetensors file, row by row, on the device.
//! It knows nothing of what the rows mean.

use std::collections::BTreeMap;
use std::path::Path;

use kyobashi_stage::Failure;
use rand::seq::SliceRandom;
use tch::{Device, Kind, Tensor};

use super::random::{Purpose, stream};
use super::settings::Settings;
use super::tensors;
use crate::torch::TorchError;

/// Tensors with equally many rows, by name.
pub(crate) struct Rows {
    tensors: Vec<(String, Tensor)>,
    pub(crate) count: i64,
}

/// The rows for training and, if some were set aside, for evaluation.
pub(crate) struct Data {
    pub(crate) training: Rows,
    pub(crate) validation: Option<Rows>,
    /// How the rows were shifted and scaled, to be kept with the weights.
    pub(crate) scaling: Vec<(String, Tensor)>,
}

impl Rows {
    /// Reads a safetensors file.
    ///
    /// # Errors
    /// If it cannot be read, is cut short, or its tensors differ in their first dimension.
    pub(crate) fn read(path: &Path, device: Device) -> Result<Self, Failure> {
        Self::of(tensors::read(path, device)?.tensors, path)
    }

    /// Tensors that came from `path`.
    ///
    /// # Errors
    /// If they differ in their first dimension, or are empty.
    pub(crate) fn of(tensors: Vec<(String, Tensor)>, path: &Path) -> Result<Self, Failure> {
        let bad = |what: String| Failure::new(format!("the data in {}: {what}", path.display()));
        let mut count = None;
        for (name, tensor) in &tensors {
            let rows = *tensor
                .size()
                .first()
                .ok_or_else(|| bad(format!("`{name}` has no rows")))?;
            if *count.get_or_insert(rows) != rows {
                return Err(bad(format!(
                    "`{name}` has {rows} rows, another tensor does not"
                )));
            }
        }
        match count {
            Some(count) if count > 0 => Ok(Self { tensors, count }),
            _ => Err(bad("there are no rows".to_owned())),
        }
    }

    /// The chosen rows of every tensor; `index` holds i64 row numbers on the device.
    pub(crate) fn take(&self, index: &Tensor) -> Result<Vec<(String, Tensor)>, TorchError> {
        self.each(|tensor| tensor.f_index_select(0, index))
    }

    /// `length` rows from `start` on.
    pub(crate) fn range(
        &self,
        start: i64,
        length: i64,
    ) -> Result<Vec<(String, Tensor)>, TorchError> {
        self.each(|tensor| tensor.f_narrow_copy(0, start, length))
    }

    /// Makes every window of `length` + 1 numbers of a sequence a row: `length` of them and, for each,
    /// the one after it. Nothing is copied.
    ///
    /// # Errors
    /// If a tensor is no sequence, or is too short for one window.
    pub(crate) fn windows(&mut self, length: i64) -> Result<(), Failure> {
        for (name, tensor) in &mut self.tensors {
            let size = tensor.size();
            if size.len() != 1 || size[0] <= length {
                return Err(Failure::new(format!(
                    "`window` of {length} needs sequences of more numbers than that; `{name}` has \
                     the shape {size:?}"
                )));
            }
            *tensor = tensor
                .f_unfold(0, length + 1, 1)
                .map_err(|error| Failure::new(error.to_string()))?;
            self.count = size[0] - length;
        }
        Ok(())
    }

    /// What a program may want to know of the data: `x.columns`, the size of the second dimension, and
    /// `x.max`, the largest of whole numbers.
    pub(crate) fn facts(&self) -> Result<BTreeMap<String, f64>, TorchError> {
        let mut facts = BTreeMap::new();
        for (name, tensor) in &self.tensors {
            if let Some(columns) = tensor.size().get(1) {
                facts.insert(format!("{name}.columns"), *columns as f64);
            }
            if matches!(tensor.f_kind()?, Kind::Int64 | Kind::Int | Kind::Uint8) {
                let max = tensor.f_max()?.f_double_value(&[])?;
                facts.insert(format!("{name}.max"), max);
            }
        }
        Ok(facts)
    }

    /// One tensor whole.
    pub(crate) fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, tensor)| tensor)
    }

    /// The names of the tensors.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.tensors.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Puts another tensor of the same rows in the place of one.
    ///
    /// # Errors
    /// What `change` says.
    pub(crate) fn change(
        &mut self,
        name: &str,
        change: impl Fn(&Tensor) -> Result<Tensor, Failure>,
    ) -> Result<(), Failure> {
        for (_, tensor) in self.tensors.iter_mut().filter(|(known, _)| known == name) {
            *tensor = change(tensor)?;
        }
        Ok(())
    }

    /// Whether other rows can be evaluated in place of these: the same tensors, of the same kind and
    /// the same shape but for their number.
    ///
    /// # Errors
    /// Names the tensor that differs.
    pub(crate) fn fits(&self, other: &Self) -> Result<(), Failure> {
        if self.names() != other.names() {
            return Err(Failure::new(format!(
                "the rows for training have {}, those for evaluation {}",
                self.names().join(", "),
                other.names().join(", ")
            )));
        }
        for ((name, one), (_, two)) in self.tensors.iter().zip(&other.tensors) {
            let form = |tensor: &Tensor| (tensor.kind(), tensor.size()[1..].to_vec());
            if form(one) != form(two) {
                return Err(Failure::new(format!(
                    "`{name}` has rows of {:?} for training and of {:?} for evaluation",
                    form(one),
                    form(two)
                )));
            }
        }
        Ok(())
    }

    fn each(
        &self,
        choose: impl Fn(&Tensor) -> Result<Tensor, tch::TchError>,
    ) -> Result<Vec<(String, Tensor)>, TorchError> {
        let mut chosen = Vec::with_capacity(self.tensors.len());
        for (name, tensor) in &self.tensors {
            chosen.push((name.clone(), choose(tensor)?));
        }
        Ok(chosen)
    }

    fn subset(&self, rows: &[i64], device: Device) -> Result<Self, TorchError> {
        let index = Tensor::f_from_slice(rows)?.f_to_device(device)?;
        Ok(Self {
            tensors: self.take(&index)?,
            count: rows.len() as i64,
        })
    }
}

impl Data {
    /// Makes rows of sequences, if the settings say `window`.
    ///
    /// # Errors
    /// If the data hold no sequences, or rows were set aside by chance: windows of both sides overlap.
    pub(crate) fn windows(&mut self, settings: &Settings) -> Result<(), Failure> {
        if settings.window == 0 {
            return Ok(());
        }
        if settings.validation > 0.0 {
            return Err(Failure::new(
                "`window` and `validation` do not go together: numbers drawn from a sequence are no \
                 sequence",
            )
            .help("give the sequence for evaluation as `valid` of `train/table`"));
        }
        let rows = self.validation.iter_mut().chain([&mut self.training]);
        for rows in rows {
            rows.windows(settings.window as i64)?;
        }
        Ok(())
    }

    /// Sets a share of the rows aside for evaluation, chosen by the seed.
    ///
    /// # Errors
    /// If one side would be empty.
    pub(crate) fn split(
        rows: Rows,
        share: f64,
        seed: i64,
        device: Device,
    ) -> Result<Self, Failure> {
        if share == 0.0 {
            return Ok(Self {
                training: rows,
                validation: None,
                scaling: Vec::new(),
            });
        }
        let aside = (rows.count as f64 * share).round() as usize;
        let mut order: Vec<i64> = (0..rows.count).collect();
        order.shuffle(&mut stream(seed, Purpose::Split));
        if aside == 0 || aside == order.len() {
            return Err(Failure::new(format!(
                "`validation` of {share} leaves no rows on one side of {}",
                rows.count
            )));
        }
        let subset = |rows: &Rows, order: &[i64]| {
            rows.subset(order, device)
                .map_err(|error| Failure::new(error.to_string()))
        };
        Ok(Self {
            validation: Some(subset(&rows, &order[..aside])?),
            training: subset(&rows, &order[aside..])?,
            scaling: Vec::new(),
        })
    }
}
