//! One seed, and the streams that are drawn from it. What a program draws from libtorch's generator
//! cannot change the split or the batches, so two programs see the same rows in the same order.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What random numbers are for. The order is part of every result.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Split = 0,
    Batches = 1,
    Init = 2,
    Training = 3,
    Evaluation = 4,
    Samples = 5,
}

/// The generator of a purpose.
pub(crate) fn stream(seed: i64, purpose: Purpose) -> ChaCha8Rng {
    let mut stream = ChaCha8Rng::seed_from_u64(seed as u64);
    stream.set_stream(purpose as u64);
    stream
}

/// A seed for libtorch's own generator.
pub(crate) fn torch_seed(seed: i64, purpose: Purpose) -> u64 {
    stream(seed, purpose).next_u64()
}
