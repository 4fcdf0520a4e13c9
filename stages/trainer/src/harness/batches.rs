//! Which rows come next. The order lies on the device; a step only cuts a piece off it.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Tensor};

use super::settings::Sampling;
use crate::torch::TorchError;

/// An endless sequence of batches of row numbers.
pub(crate) struct Batches {
    generator: ChaCha8Rng,
    sampling: Sampling,
    rows: i64,
    size: i64,
    device: Device,
    order: Tensor,
    at: i64,
}

/// Batches drawn with replacement are drawn this many at once.
const AHEAD: i64 = 64;

impl Batches {
    /// Batches of `size` of `rows` rows.
    pub(crate) fn new(
        generator: ChaCha8Rng,
        sampling: Sampling,
        rows: i64,
        size: i64,
        device: Device,
    ) -> Self {
        let order = Tensor::new();
        let mut batches = Self {
            generator,
            sampling,
            rows,
            size,
            device,
            order,
            at: 0,
        };
        // Nothing is drawn yet: the first call of `next` finds the order used up.
        batches.at = batches.length();
        batches
    }

    /// The next row numbers, i64 on the device. The last batch of an epoch may be smaller.
    pub(crate) fn next(&mut self) -> Result<Tensor, TorchError> {
        if self.at >= self.length() {
            let order = self.draw();
            self.order = Tensor::f_from_slice(&order)?.f_to_device(self.device)?;
            self.at = 0;
        }
        let length = self.size.min(self.length() - self.at);
        let next = self.order.f_narrow(0, self.at, length)?;
        self.at += length;
        Ok(next)
    }

    /// Where the sequence is: the order it draws from, how much of it is used, and the position in the
    /// stream of random numbers.
    pub(crate) fn position(&self) -> (&Tensor, i64, u128) {
        (&self.order, self.at, self.generator.get_word_pos())
    }

    /// Goes to a position that [`Self::position`] returned.
    pub(crate) fn go_to(&mut self, order: Tensor, at: i64, word: u128) {
        self.order = order;
        self.at = at;
        self.generator.set_word_pos(word);
    }

    fn length(&self) -> i64 {
        match self.sampling {
            Sampling::Epochs => self.rows,
            Sampling::Replacement => self.size * AHEAD,
        }
    }

    fn draw(&mut self) -> Vec<i64> {
        match self.sampling {
            Sampling::Epochs => {
                let mut order: Vec<i64> = (0..self.rows).collect();
                order.shuffle(&mut self.generator);
                order
            }
            Sampling::Replacement => (0..self.length())
                .map(|_| self.generator.random_range(0..self.rows))
                .collect(),
        }
    }
}
