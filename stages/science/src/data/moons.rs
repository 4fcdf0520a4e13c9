//! `data/moons`: two interleaved half circles with noise, a small task of classification whose rows for
//! training and for evaluation come apart.

use std::f64::consts::PI;

use kyobashi_stage::{Call, Context, Failure, Outputs, Port, Signature, Stage};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::file::{Named, Numbers, safetensors};

pub(crate) struct Moons;

/// A point and the half circle that it comes from: 0 the upper, 1 the lower.
type Labelled = ([f32; 2], i64);

impl Stage for Moons {
    fn signature(&self) -> Signature {
        let rows = "tensors `x`, float32, shape [rows, 2], and `y`, int64: 0 or 1";
        Signature {
            with: vec![
                Port::new("n", "int", "points of both half circles, at least 4"),
                Port::or(
                    "noise",
                    "float",
                    0.1,
                    "standard deviation of the Gaussian noise",
                ),
                Port::or(
                    "held_out",
                    "float",
                    0.25,
                    "share of the points that `valid` holds",
                ),
                Port::or(
                    "seed",
                    "int",
                    0,
                    "another seed draws another sample of the same law",
                ),
            ],
            outs: vec![
                Port::new("train", "file(.safetensors)", rows),
                Port::new(
                    "valid",
                    "file(.safetensors)",
                    "the same of the other points",
                ),
            ],
            ..Signature::new(
                "data/moons",
                1,
                "Draw two interleaved half circles with labels",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let n: usize = call.get("n")?;
        let noise: f64 = call.get("noise")?;
        let share: f64 = call.get("held_out")?;
        if n < 4 {
            return Err(Failure::new(format!(
                "`n` is {n}; two half circles need at least 4 points"
            )));
        }
        if !(noise.is_finite() && noise >= 0.0) {
            return Err(Failure::new(format!(
                "`noise` is {noise}; it is a number of at least 0"
            )));
        }
        if !(share > 0.0 && share < 1.0) {
            return Err(Failure::new(format!(
                "`held_out` is {share}; it lies between 0 and 1"
            )));
        }
        let aside = ((n as f64 * share).round() as usize).clamp(1, n - 1);
        let mut points = draw(n, noise, call.get("seed")?);
        let train = points.split_off(aside);
        Ok(Outputs::from([
            ("train".to_owned(), file(&train)?),
            ("valid".to_owned(), file(&points)?),
        ]))
    }
}

fn file(points: &[Labelled]) -> Result<kyobashi_stage::Output, Failure> {
    safetensors(vec![
        Named {
            name: "x",
            shape: vec![points.len(), 2],
            numbers: Numbers::F32(points.iter().flat_map(|(point, _)| *point).collect()),
        },
        Named {
            name: "y",
            shape: vec![points.len()],
            numbers: Numbers::I64(points.iter().map(|(_, label)| *label).collect()),
        },
    ])
}

/// Half of the points on each half circle at equal angles, in random order.
fn draw(n: usize, noise: f64, seed: u64) -> Vec<Labelled> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let upper = n / 2;
    let angle = |index: usize, of: usize| PI * index as f64 / (of - 1) as f64;
    let mut points: Vec<([f64; 2], i64)> = (0..n)
        .map(|index| {
            if index < upper {
                let angle = angle(index, upper);
                ([angle.cos(), angle.sin()], 0)
            } else {
                let angle = angle(index - upper, n - upper);
                ([1.0 - angle.cos(), 0.5 - angle.sin()], 1)
            }
        })
        .collect();
    points.shuffle(&mut random);
    points
        .into_iter()
        .map(|([x, y], label)| {
            let mut jitter = || random.sample::<f64, _>(StandardNormal) * noise;
            let (x, y) = (x + jitter(), y + jitter());
            ([x as f32, y as f32], label)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_noise_the_points_lie_on_their_half_circles() {
        for ([x, y], label) in draw(101, 0.0, 3) {
            let (x, y) = if label == 0 {
                (x, y)
            } else {
                (1.0 - x, 0.5 - y)
            };
            assert!(
                (x.hypot(y) - 1.0).abs() < 1e-6 && y > -1e-6,
                "{x} {y} {label}"
            );
        }
    }

    #[test]
    fn noise_has_the_deviation_that_was_asked_for_and_labels_are_balanced() {
        let points = draw(4000, 0.15, 1);
        let labels: i64 = points.iter().map(|(_, label)| label).sum();
        assert_eq!(labels, 2000);
        // The distance to the half circle's line varies as the noise does, nearly.
        let radial: Vec<f64> = points
            .iter()
            .map(|([x, y], label)| {
                let (x, y) = if *label == 0 {
                    (*x, *y)
                } else {
                    (1.0 - x, 0.5 - y)
                };
                f64::from(x.hypot(y)) - 1.0
            })
            .collect();
        let mean = radial.iter().sum::<f64>() / 4000.0;
        let deviation = (radial.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 4000.0).sqrt();
        assert!((deviation - 0.15).abs() < 0.01, "{deviation}");
    }

    #[test]
    fn equal_seeds_draw_equal_points_and_others_do_not() {
        assert_eq!(draw(50, 0.1, 7), draw(50, 0.1, 7));
        assert_ne!(draw(50, 0.1, 7), draw(50, 0.1, 8));
    }
}
