//! From data units to points on the page: domains, ticks and their labels.

/// The domain of an axis.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) log: bool,
}

/// A place on an axis with its label; minor ticks have none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: f64,
    pub(crate) label: String,
}

impl Scale {
    /// A domain that holds all values, with a little air. `zero` keeps zero in it (bars).
    pub(crate) fn of(values: impl Iterator<Item = f64>, log: bool, zero: bool, air: f64) -> Self {
        // A logarithm has no place for a bound below zero: it ends at the edge of the panel.
        let (mut low, mut high) = values
            .filter(|value| !log || *value > 0.0)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if zero {
            low = low.min(0.0);
            high = high.max(0.0);
        }
        if !low.is_finite() || !high.is_finite() {
            (low, high) = if log { (0.1, 1.0) } else { (0.0, 1.0) };
        }
        if log {
            let factor = if low == high {
                2.0
            } else {
                (high / low).powf(air)
            };
            return Self {
                low: low / factor,
                high: high * factor,
                log,
            };
        }
        if low == high {
            let half = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
            return Self {
                low: low - half,
                high: high + half,
                log,
            };
        }
        let pad = (high - low) * air;
        let touch = |value: f64| zero && value == 0.0;
        Self {
            low: if touch(low) { low } else { low - pad },
            high: if touch(high) { high } else { high + pad },
            log,
        }
    }

    /// The share of the axis, from 0 at its start to 1 at its end.
    pub(crate) fn share(&self, value: f64) -> f64 {
        if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// About `wanted` ticks at round values.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        if self.log {
            let decades = logarithmic(self.low, self.high);
            if decades.iter().filter(|tick| !tick.label.is_empty()).count() >= 2 {
                return decades;
            }
        }
        linear(self.low, self.high, wanted)
    }
}

fn linear(low: f64, high: f64, wanted: usize) -> Vec<Tick> {
    let rough = (high - low) / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let largest = low.abs().max(high.abs());
    // 20000 steps are read faster as 20k; one axis has one unit. Neighbours that differ in far digits alone
    // need all of them.
    let (unit, sign) = match largest {
        size if size >= 1e6 && step >= 1e4 => (1e6, "M"),
        size if (1e4..1e6).contains(&size) && step >= 10.0 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let decimals = decimals(step / unit);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last)
        .map(|index| {
            let at = index as f64 * step;
            Tick {
                at,
                label: if largest >= HUGE || step < SMALL {
                    scientific(at, step).unwrap_or_else(|| label(at, decimals, step, ""))
                } else {
                    label(at / unit, decimals, step / unit, sign)
                },
            }
        })
        .collect()
}

/// The decimals that write multiples of a step exactly.
fn decimals(step: f64) -> usize {
    (0..15)
        .find(|decimals| {
            let scaled = step * 10f64.powi(*decimals);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs()
        })
        .map_or(15, |decimals| decimals as usize)
}

fn label(value: f64, decimals: usize, step: f64, unit: &str) -> String {
    let size = value.abs();
    if size < step * 1e-6 {
        return "0".to_owned();
    }
    signed(value, format!("{size:.decimals$}{unit}"))
}

/// Values from here on are written with a power of ten, and so are steps below the other.
const HUGE: f64 = 1e10;
const SMALL: f64 = 1e-4;
/// More digits than this are no easier to read behind a power of ten.
const DIGITS: i32 = 4;

/// A multiple of `step` as `2.5·10⁻⁵`; none where neighbours would need more digits.
fn scientific(value: f64, step: f64) -> Option<String> {
    let size = (value.abs() / step).round() * step;
    if size < step * 1e-6 {
        return Some("0".to_owned());
    }
    let text = format!("{size:.15e}");
    let (_, exponent) = text.split_once('e')?;
    let power: i32 = exponent.parse().ok()?;
    // One more for steps of 2.5.
    let places = power - step.log10().floor() as i32 + 1;
    if places > DIGITS + 1 {
        return None;
    }
    let text = format!("{size:.*e}", places.max(0) as usize);
    let (digits, exponent) = text.split_once('e')?;
    let digits = match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    };
    Some(signed(value, format!("{digits}·10{}", raised(exponent))))
}

fn signed(value: f64, text: String) -> String {
    if value < 0.0 {
        format!("\u{2212}{text}")
    } else {
        text
    }
}

/// Decades with labels, and unlabelled steps between them where there is room.
fn logarithmic(low: f64, high: f64) -> Vec<Tick> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades = (last - first).max(1);
    let every = (decades / 6).max(1);
    let mut out = Vec::new();
    for exponent in first..=last {
        for digit in 1..10 {
            let at = f64::from(digit) * 10f64.powi(exponent);
            if at < low * (1.0 - 1e-9) || at > high * (1.0 + 1e-9) {
                continue;
            }
            let named = digit == 1 && exponent.rem_euclid(every) == 0;
            if !named && decades > 4 {
                continue;
            }
            let label = match (named, exponent) {
                (false, _) => String::new(),
                (true, 0) => "1".to_owned(),
                (true, 1) => "10".to_owned(),
                (true, 2) => "100".to_owned(),
                (true, exponent) => format!("10{}", raised(&exponent.to_string())),
            };
            out.push(Tick { at, label });
        }
    }
    out
}

/// An exponent in raised digits.
fn raised(exponent: &str) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    exponent
        .chars()
        .filter_map(|c| match c {
            '-' => Some('⁻'),
            c => DIGITS.get(c.to_digit(10)? as usize).copied(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, log: bool) -> Vec<String> {
        Scale { low, high, log }
            .ticks(5)
            .into_iter()
            .map(|tick| tick.label)
            .filter(|label| !label.is_empty())
            .collect()
    }

    #[test]
    fn ticks_stand_at_round_values() {
        assert_eq!(
            labels(0.0, 1.0, false),
            ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            labels(-1.0, 1.0, false),
            ["\u{2212}1.0", "\u{2212}0.5", "0", "0.5", "1.0"]
        );
        assert_eq!(
            labels(0.0, 50_000.0, false),
            ["0", "10k", "20k", "30k", "40k", "50k"]
        );
        assert_eq!(labels(0.0, 10_000.0, false)[1], "2k");
        assert_eq!(labels(0.0, 0.0001, false)[1], "2·10⁻⁵");
        assert_eq!(labels(0.003, 4.0, true), ["10⁻²", "10⁻¹", "1"]);
        assert_eq!(labels(0.0, 5e21, false)[1], "10²¹".replace("10", "1·10"));
        assert_eq!(labels(-4e-12, 1e-12, false)[0], "\u{2212}4·10⁻¹²");
    }

    #[test]
    fn neighbouring_ticks_never_have_one_label() {
        for (low, high) in [
            (1e6, 1e6 + 0.004),
            (1e6 - 3.0, 1e6),
            (0.1234567, 0.1234569),
            (12_340_000.0, 12_340_500.0),
            (1e15, 1e15 + 100.0),
            (-5e-9, 5e-9),
            (20_000.0, 20_004.0),
        ] {
            let labels = labels(low, high, false);
            let mut apart = labels.clone();
            apart.dedup();
            assert!(labels.len() > 2 && labels == apart, "{labels:?}");
        }
    }

    #[test]
    fn a_log_axis_is_that_of_the_positive_values() {
        let scale = Scale::of([-0.5, 0.0, 0.1, 10.0].into_iter(), true, false, 0.0);
        assert_eq!((scale.low, scale.high), (0.1, 10.0));
        assert!(scale.share(1.0).is_finite());
        let nothing = Scale::of([-1.0].into_iter(), true, false, 0.05);
        assert!(nothing.share(0.5).is_finite());
    }

    #[test]
    fn a_narrow_log_axis_still_has_labels() {
        assert!(labels(0.4, 0.9, true).len() >= 3);
    }

    #[test]
    fn bars_keep_zero_at_the_edge() {
        let scale = Scale::of([0.4, 0.5].into_iter(), false, true, 0.05);
        assert_eq!(scale.low, 0.0);
        assert!(scale.high > 0.5);
    }
}
