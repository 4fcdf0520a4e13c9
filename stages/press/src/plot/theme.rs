//! The look of all figures: the paper's serif at sizes legible in an 84 mm column, colours after Okabe
//! and Ito that colour-blind readers can tell apart, and dashes and shapes that survive a grey printer.

use std::sync::LazyLock;

use typst::layout::Abs;
use typst::text::{FontInstance, FontStretch, FontStyle, FontVariant, FontVariations, FontWeight};

/// Widths in points: one column (84 mm) and both (174 mm).
pub(crate) const COLUMN: f64 = 238.1;
pub(crate) const PAGE: f64 = 493.2;

pub(crate) const FAMILY: &str = "Libertinus Serif";
pub(crate) const TICK: f64 = 7.6;
pub(crate) const LABEL: f64 = 8.6;
pub(crate) const TITLE: f64 = 9.2;

pub(crate) const INK: &str = "#262626";
pub(crate) const QUIET: &str = "#666666";
pub(crate) const GRID: &str = "#e4e4e4";

const COLOURS: [&str; 8] = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#444444",
];
const DASHES: [&str; 4] = ["", "5 2", "1.2 1.8", "6 2 1.2 2"];

/// Steps of cividis (Nuñez, Anderton and Renslow 2018), dark to light.
const RAMP: [(f64, f64, f64); 10] = [
    (0.0, 34.0, 78.0),
    (18.0, 53.0, 112.0),
    (59.0, 73.0, 108.0),
    (87.0, 93.0, 109.0),
    (112.0, 113.0, 115.0),
    (138.0, 134.0, 120.0),
    (165.0, 156.0, 116.0),
    (195.0, 179.0, 105.0),
    (225.0, 204.0, 85.0),
    (254.0, 232.0, 56.0),
];

pub(crate) fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

/// The dashes of a line: colours and dashes repeat at different lengths, so pairs do not repeat soon.
pub(crate) fn dashes(index: usize) -> &'static str {
    DASHES[index % DASHES.len()]
}

/// The colour of a share of a heat map's range, and whether it is dark.
pub(crate) fn ramp(share: f64) -> (String, bool) {
    let place = share.clamp(0.0, 1.0) * (RAMP.len() - 1) as f64;
    let low = (place.floor() as usize).min(RAMP.len() - 2);
    let part = place - low as f64;
    let (a, b) = (RAMP[low], RAMP[low + 1]);
    let mix = |a: f64, b: f64| a + (b - a) * part;
    let (red, green, blue) = (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2));
    let colour = format!(
        "#{:02x}{:02x}{:02x}",
        red.round() as u8,
        green.round() as u8,
        blue.round() as u8
    );
    (colour, luminance(red, green, blue) < EVEN)
}

/// The luminance at which white and [`INK`] stand out equally: above it ink does better, below it white.
const EVEN: f64 = 0.22;

/// The relative luminance of a colour, 0 to 1, as the Web Content Accessibility Guidelines 2.2 define it.
fn luminance(red: f64, green: f64, blue: f64) -> f64 {
    let linear = |part: f64| {
        let part = part / 255.0;
        match part <= 0.04045 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

static REGULAR: LazyLock<Option<FontInstance>> = LazyLock::new(|| {
    let variant = FontVariant::new(FontStyle::Normal, FontWeight::REGULAR, FontStretch::NORMAL);
    crate::typeset::world::fonts()
        .iter()
        .find(|font| font.info().family == FAMILY && font.info().variant == variant)
        .map(|font| {
            font.clone()
                .instantiate(variant, Abs::pt(LABEL), &FontVariations::default())
        })
});

/// The width of a text in points at a size; from the metrics of the very font that will draw it.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars()
        .map(|c| {
            let advance = REGULAR.as_ref().and_then(|font| {
                let glyph = font.ttf().glyph_index(c)?;
                font.x_advance(glyph.0).map(typst::layout::Em::get)
            });
            // Half an em is a safe guess for a sign that the font lacks.
            advance.unwrap_or(0.5) * size
        })
        .sum()
}

/// A text that is no wider than `most` points: what is too long loses its middle, since names of one study
/// differ at their ends.
pub(crate) fn shortened(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let signs: Vec<char> = text.chars().collect();
    let joined = |kept: usize| {
        let (front, back) = (kept.div_ceil(2), kept / 2);
        let mut short: String = signs[..front].iter().collect();
        short.push('…');
        short.extend(&signs[signs.len() - back..]);
        short
    };
    (2..signs.len())
        .rev()
        .map(joined)
        .find(|short| width(short, size) <= most)
        .unwrap_or_else(|| joined(2.min(signs.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_both_its_ends() {
        let short = shortened("a_rather_long_name_of_group_19", TICK, 50.0);
        assert!(short.starts_with("a_") && short.ends_with("19"), "{short}");
        assert!(width(&short, TICK) <= 50.0);
        assert_eq!(shortened("base", TICK, 50.0), "base");
    }

    #[test]
    fn a_number_in_a_cell_stands_out_from_every_colour_of_the_ramp() {
        for step in 0..=100 {
            let (colour, dark) = ramp(f64::from(step) / 100.0);
            let part = |at: usize| f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap());
            let ground = luminance(part(1), part(3), part(5));
            let ink = if dark {
                1.0
            } else {
                luminance(38.0, 38.0, 38.0)
            };
            let contrast = (ground.max(ink) + 0.05) / (ground.min(ink) + 0.05);
            assert!(contrast > 3.8, "{colour}: {contrast:.2}");
        }
    }
}
