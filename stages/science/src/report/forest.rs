//! Means with intervals drawn as dots and whiskers around zero, as inline SVG.
//!
//! Colours come from the page's style, so the drawing follows its light or dark dress.

/// One line of the drawing.
pub(super) struct Whisker {
    pub(super) mean: f64,
    pub(super) ci: Option<[f64; 2]>,
    /// A class of the page's style: `better`, `worse`, `open`.
    pub(super) class: &'static str,
}

const WIDTH: f64 = 160.0;
const HEIGHT: f64 = 22.0;
const MARGIN: f64 = 6.0;

/// The largest distance from zero among whiskers, for a common scale.
pub(super) fn reach<'w>(whiskers: impl Iterator<Item = &'w Whisker>) -> f64 {
    let far = whiskers
        .flat_map(|whisker| {
            let [low, high] = whisker.ci.unwrap_or([whisker.mean; 2]);
            [low.abs(), high.abs(), whisker.mean.abs()]
        })
        .filter(|far| far.is_finite())
        .fold(0.0, f64::max);
    if far > 0.0 { far } else { 1.0 }
}

/// One whisker on a scale from −`reach` to `reach`.
pub(super) fn draw(whisker: &Whisker, reach: f64) -> String {
    let x = |value: f64| {
        let share = (value / reach).clamp(-1.0, 1.0);
        WIDTH / 2.0 + share * (WIDTH / 2.0 - MARGIN)
    };
    let y = HEIGHT / 2.0;
    let interval = whisker.ci.map_or(String::new(), |[low, high]| {
        let (low, high) = (x(low), x(high));
        format!(
            "<path class=\"bar\" d=\"M{low:.1} {y}H{high:.1}M{low:.1} {a}V{b}M{high:.1} {a}V{b}\"/>",
            a = y - 4.0,
            b = y + 4.0
        )
    });
    format!(
        "<svg class=\"whisker {class}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" aria-hidden=\"true\">\
         <path class=\"zero\" d=\"M{zero} 1V{end}\"/>{interval}<circle cx=\"{mean:.1}\" cy=\"{y}\" r=\"3.6\"/></svg>",
        class = whisker.class,
        zero = WIDTH / 2.0,
        end = HEIGHT - 1.0,
        mean = x(whisker.mean),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_stands_in_the_middle_and_the_farthest_end_at_the_edge() {
        let whisker = Whisker {
            mean: 0.0,
            ci: Some([-2.0, 1.0]),
            class: "open",
        };
        let svg = draw(&whisker, reach(std::iter::once(&whisker)));
        assert!(
            svg.contains("cx=\"80.0\"") && svg.contains("M6.0 11H117.0"),
            "{svg}"
        );
    }
}
