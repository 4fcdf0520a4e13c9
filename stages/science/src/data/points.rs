//! `data/points`: point sets in the plane after fixed laws, the same bytes for the same name, n and seed.
//!
//! The laws are those of the data sets of tanelp/tiny-diffusion, which the 2d_diffusion template of the
//! AI Scientist uses; they are written anew here, with a generator whose stream is fixed for ever.

use std::f64::consts::{PI, TAU};

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::dino::DINO;
use super::file::{Named, Numbers, safetensors};

/// The names, in the order of their generator's streams.
pub(super) const NAMES: [&str; 4] = ["circle", "dino", "line", "moons"];

pub(crate) struct Points;

impl Stage for Points {
    fn signature(&self) -> Signature {
        Signature {
            with: vec![
                Port::new("name", "str", "circle, dino, line or moons"),
                Port::new("n", "int", "number of points"),
                Port::or(
                    "seed",
                    "int",
                    0,
                    "another seed draws another sample of the same law",
                ),
            ],
            outs: vec![Port::new(
                "points",
                "file(.safetensors)",
                "tensor `x`, float32, shape [n, 2]",
            )],
            ..Signature::new("data/points", 1, "Draw a point set in the plane")
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let name: String = call.get("name")?;
        let n: usize = call.get("n")?;
        let points = file(&name, n, call.get("seed")?)?;
        Ok(Outputs::from([("points".to_owned(), points)]))
    }
}

/// The points of the named law as a tensor `x`.
///
/// # Errors
/// If there is no such law, or no point is asked for.
pub(super) fn file(name: &str, n: usize, seed: u64) -> Result<Output, Failure> {
    if n == 0 {
        return Err(Failure::new(
            "`n` is 0; a point set needs at least one point",
        ));
    }
    let points = draw(name, n, seed)?;
    safetensors(vec![Named {
        name: "x",
        shape: vec![n, 2],
        numbers: Numbers::F32(points.into_iter().flatten().collect()),
    }])
}

/// Draws `n` points of the named law.
fn draw(name: &str, n: usize, seed: u64) -> Result<Vec<[f32; 2]>, Failure> {
    let stream = NAMES
        .iter()
        .position(|known| *known == name)
        .ok_or_else(|| {
            Failure::new(format!("there is no point set `{name}`"))
                .help(format!("use {}", NAMES.join(", ")))
        })?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream as u64);
    let points: Vec<[f64; 2]> = match name {
        "circle" => (0..n).map(|_| circle(&mut random)).collect(),
        "dino" => (0..n).map(|_| dino(&mut random)).collect(),
        "line" => (0..n).map(|_| line(&mut random)).collect(),
        _ => moons(n, &mut random),
    };
    Ok(points
        .into_iter()
        .map(|[x, y]| [x as f32, y as f32])
        .collect())
}

/// The points of a 5 × 5 grid thrown onto a ring of radius 3 (its middle stays at the origin), each
/// jittered by up to 0.09.
fn circle(random: &mut ChaCha8Rng) -> [f64; 2] {
    let mut grid = || (random.random_range(-2.5f64..2.5)).round_ties_even() * 0.2;
    let (x, y) = (grid(), grid());
    let norm = x.hypot(y) + 1e-10;
    let angle = random.random_range(0.0..TAU);
    let radius = random.random_range(0.0..0.03);
    [
        (x / norm + radius * angle.cos()) * 3.0,
        (y / norm + radius * angle.sin()) * 3.0,
    ]
}

/// One of the 142 points with Gaussian noise of 0.15 canvas units, mapped to about [−4, 4].
fn dino(random: &mut ChaCha8Rng) -> [f64; 2] {
    let (x, y) = DINO[random.random_range(0..DINO.len())];
    let mut noise = || random.sample::<f64, _>(StandardNormal) * 0.15;
    let (x, y) = (x + noise(), y + noise());
    [(x / 54.0 - 1.0) * 4.0, (y / 48.0 - 1.0) * 4.0]
}

/// Uniform on the rectangle [−2, 2] × [−4, 4].
fn line(random: &mut ChaCha8Rng) -> [f64; 2] {
    [
        random.random_range(-2.0..2.0),
        random.random_range(-4.0..4.0),
    ]
}

/// Two interleaved half circles with Gaussian noise of 0.03, stretched and in random order.
fn moons(n: usize, random: &mut ChaCha8Rng) -> Vec<[f64; 2]> {
    let outer = n / 2;
    let step = |index: usize, of: usize| {
        if of > 1 {
            PI * index as f64 / (of - 1) as f64
        } else {
            0.0
        }
    };
    let mut points: Vec<[f64; 2]> = (0..n)
        .map(|index| {
            if index < outer {
                let angle = step(index, outer);
                [angle.cos(), angle.sin()]
            } else {
                let angle = step(index - outer, n - outer);
                [1.0 - angle.cos(), 0.5 - angle.sin()]
            }
        })
        .collect();
    points.shuffle(random);
    for [x, y] in &mut points {
        let mut noise = || random.sample::<f64, _>(StandardNormal) * 0.03;
        (*x, *y) = (
            (*x + noise() + 0.3) * 2.0 - 1.0,
            (*y + noise() + 0.3) * 3.0 - 1.0,
        );
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_draw_equal_points_and_others_do_not() {
        for name in NAMES {
            let points = draw(name, 50, 7).unwrap();
            assert_eq!(points, draw(name, 50, 7).unwrap());
            assert_ne!(points, draw(name, 50, 8).unwrap());
        }
        assert_ne!(draw("circle", 50, 7).unwrap(), draw("line", 50, 7).unwrap());
        assert!(draw("circel", 1, 0).is_err());
    }

    #[test]
    fn the_stream_of_the_generator_is_fixed_for_ever() {
        assert_eq!(draw("line", 1, 42).unwrap(), [[-1.265_558_6, -1.645_125_7]]);
    }

    #[test]
    fn a_ring_has_its_radius_and_a_middle_point() {
        let points = draw("circle", 5000, 1).unwrap();
        let radii: Vec<f64> = points.iter().map(|[x, y]| f64::from(x.hypot(*y))).collect();
        let middle = radii.iter().filter(|radius| **radius < 0.1).count();
        assert!(
            radii
                .iter()
                .all(|radius| *radius < 0.1 || (*radius - 3.0).abs() < 0.0901)
        );
        // One of 25 grid points lies in the middle: 200 expected, standard deviation 14.
        assert!((130..270).contains(&middle), "{middle}");
    }

    #[test]
    fn the_other_sets_stay_in_their_boxes() {
        for (name, width, height) in [("dino", 4.0, 4.4), ("line", 2.0, 4.0), ("moons", 4.0, 3.3)] {
            let points = draw(name, 2000, 3).unwrap();
            for [x, y] in points {
                assert!(
                    x.abs() <= width && y.abs() <= height,
                    "{name} drew ({x}, {y})"
                );
            }
        }
    }
}
