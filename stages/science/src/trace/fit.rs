//! How printed numbers and values agree, and in which sizes a change can be told.

use std::collections::BTreeSet;

use super::token::{Number, Share};

/// How a printed number and a value agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Rounded,
    Truncated,
    /// Rounded to one digit more first, as people do who copy from a rounded table.
    Twice,
    /// As near as the text's `about` allows.
    About,
}

/// How far a value may lie from the printed number.
pub(super) fn slack(number: &Number) -> f64 {
    if number.about {
        (number.step * 1.001).max(broad(number))
    } else {
        number.step * 1.001
    }
}

/// Half of the place to which an `about` number was rounded: 400 → 50, 1,500 → 50.
pub(super) fn broad(number: &Number) -> f64 {
    let size = number.value.abs();
    if size == 0.0 {
        return number.step / 2.0;
    }
    let mut place = number.step;
    while place * 10.0 <= size * 0.25 + 1e-12
        && same((size / (place * 10.0)).round() * place * 10.0, size)
    {
        place *= 10.0;
    }
    place / 2.0
}

/// How a value agrees with a printed number, if it does.
pub(super) fn fit(value: f64, number: &Number) -> Option<Fit> {
    let away = (value - number.value).abs();
    let step = number.step;
    if away <= step * 0.5 * (1.0 + 1e-6) + 1e-12 {
        return Some(Fit::Rounded);
    }
    if number.figures >= 2
        && away < step * (1.0 - 1e-9)
        && value.abs() > number.value.abs()
        && value * number.value > 0.0
        && !number.whole
    {
        return Some(Fit::Truncated);
    }
    if number.figures >= 3 && away <= step * 0.55 {
        return Some(Fit::Twice);
    }
    (number.about && away <= slack(number)).then_some(Fit::About)
}

/// How many numbers of the same form lie between half and twice of it.
pub(super) fn cells(number: &Number) -> f64 {
    if number.value == 0.0 {
        return 100.0;
    }
    (1.5 * number.value.abs() / number.step).max(1.0)
}

/// The share of numbers of the same form, between half and twice of it, that these sizes would explain.
pub(super) fn explained(number: &Number, sizes: impl Iterator<Item = f64>) -> f64 {
    let size = number.value.abs();
    let near = sizes.filter(|found| (size / 2.0..=size * 2.0).contains(found));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "of the size of the printed number"
    )]
    let steps: BTreeSet<i64> = near
        .map(|found| (found / number.step).round() as i64)
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let share = steps.len() as f64 / cells(number);
    share.min(1.0)
}

/// The sizes of a change from `a` to `b`.
pub(super) fn sizes(a: f64, b: f64, share: Share, speed: bool) -> Vec<(f64, &'static str)> {
    let mut out = Vec::new();
    let small = a.abs() <= 1.5 && b.abs() <= 1.5;
    match share {
        Share::Percent => {
            if a != 0.0 {
                out.push(((b - a).abs() / a.abs() * 100.0, "relative change"));
            }
            if speed && b != 0.0 {
                out.push(((a / b - 1.0).abs() * 100.0, "change of speed"));
            }
            out.push((
                (b - a).abs() * if small { 100.0 } else { 1.0 },
                "difference",
            ));
        }
        Share::Points => out.push((
            (b - a).abs() * if small { 100.0 } else { 1.0 },
            "difference",
        )),
        Share::Times => {
            if a != 0.0 && b != 0.0 {
                out.push((b / a, "ratio"));
                out.push((a / b, "ratio"));
            }
        }
        Share::None => out.push(((b - a).abs(), "difference")),
    }
    out.retain(|(size, _)| size.is_finite());
    out
}

pub(super) fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

pub(super) fn factorial(value: f64) -> f64 {
    if value.fract() != 0.0 || !(3.0..=12.0).contains(&value) {
        return f64::NAN;
    }
    let mut product = 1.0;
    let mut factor = 2.0;
    while factor <= value {
        product *= factor;
        factor += 1.0;
    }
    product
}
