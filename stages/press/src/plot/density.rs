//! A kernel density estimate for violins: Gaussian kernel, Silverman's bandwidth, cut at the data.

use crate::plot::statistics::quantile;

/// Points of the outline of a violin.
const POINTS: usize = 64;

/// (value, density) from the least to the greatest of `sorted`, the greatest density scaled to 1. A
/// single value, or equal values, have no density: the outline is empty.
pub(crate) fn outline(sorted: &[f64]) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return Vec::new();
    };
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let squares: f64 = sorted.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (n - 1.0).max(1.0)).sqrt();
    let range = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 1.34;
    let spread = if range > 0.0 {
        deviation.min(range)
    } else {
        deviation
    };
    let width = 0.9 * spread * n.powf(-0.2);
    if width.is_nan() || width <= 0.0 {
        return Vec::new();
    }
    let points: Vec<(f64, f64)> = (0..POINTS)
        .map(|step| {
            let at = first + (last - first) * step as f64 / (POINTS - 1) as f64;
            let sum: f64 = sorted
                .iter()
                .map(|value| (-0.5 * ((at - value) / width).powi(2)).exp())
                .sum();
            (at, sum)
        })
        .collect();
    let most = points
        .iter()
        .map(|(_, density)| *density)
        .fold(0.0, f64::max);
    points
        .into_iter()
        .map(|(at, density)| (at, density / most))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_ends_at_the_data_and_peaks_where_it_is_dense() {
        let outline = outline(&[0.0, 1.0, 1.1, 1.2, 4.0]);
        assert_eq!(outline.first().unwrap().0, 0.0);
        assert_eq!(outline.last().unwrap().0, 4.0);
        let peak = outline.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert!((0.9..1.4).contains(&peak.0), "{peak:?}");
    }

    #[test]
    fn equal_values_have_no_outline() {
        assert!(outline(&[2.0, 2.0]).is_empty() && outline(&[2.0]).is_empty());
    }
}
