//! How numbers are shown: `.3` decimals, `%.1` percent, `e2` scientific, `+` before any of them for an
//! explicit sign, nothing for three significant digits. Minus is U+2212.

/// A format of a reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Format {
    signed: bool,
    style: Style,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Style {
    /// Whole numbers as they are, others with three significant digits.
    #[default]
    Plain,
    /// The shortest text that reads back as the same double.
    Exact,
    Fixed(usize),
    Percent(usize),
    Scientific(usize),
}

/// More decimals than a double holds say nothing.
const MOST: usize = 17;

impl Format {
    /// # Errors
    /// What is accepted, as a help text.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let wrong = || {
            "a format is `.3` (decimals), `%.1` (percent), `e2` (scientific), each with `+` before it for the sign"
                .to_owned()
        };
        let rest = text.trim();
        let (signed, rest) = match rest.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let digits = |text: &str| match text.parse::<usize>() {
            Ok(count) if count <= MOST => Ok(count),
            _ => Err(wrong()),
        };
        let style = if rest.is_empty() {
            Style::Plain
        } else if let Some(rest) = rest.strip_prefix("%.") {
            Style::Percent(digits(rest)?)
        } else if rest == "%" {
            Style::Percent(0)
        } else if let Some(rest) = rest.strip_prefix('.') {
            Style::Fixed(digits(rest)?)
        } else if let Some(rest) = rest.strip_prefix('e') {
            Style::Scientific(digits(rest)?)
        } else {
            return Err(wrong());
        };
        Ok(Self { signed, style })
    }

    /// One decimal of a percent, the format of a relative change.
    pub(crate) fn percent() -> Self {
        Self {
            signed: false,
            style: Style::Percent(1),
        }
    }

    /// Every digit that a setting has, which is exact and not measured.
    pub(crate) fn exact() -> Self {
        Self {
            signed: false,
            style: Style::Exact,
        }
    }

    /// Whether values are shown as percentages.
    pub(crate) fn is_percent(self) -> bool {
        matches!(self.style, Style::Percent(_))
    }

    /// A finite value as text.
    pub(crate) fn show(self, value: f64) -> String {
        let size = match self.style {
            Style::Plain => plain(value.abs()),
            Style::Exact => exact(value.abs()),
            Style::Fixed(decimals) => fixed(value.abs(), decimals),
            Style::Percent(decimals) => format!("{}%", fixed(value.abs() * 100.0, decimals)),
            Style::Scientific(decimals) => scientific(value.abs(), decimals),
        };
        // Zero has no sign.
        let zero = !size.chars().any(|c| ('1'..='9').contains(&c));
        let sign = match (value < 0.0 && !zero, self.signed && !zero) {
            (true, _) => "\u{2212}",
            (false, true) => "+",
            (false, false) => "",
        };
        format!("{sign}{size}")
    }
}

/// Decimals that a value may have beyond those asked for, so that it is not shown as zero.
const FINER: usize = 2;

/// A number of decimals. What is not zero is never shown as zero: it gets the decimals that its first digit
/// needs, and from the third one more on it is shown in powers of ten.
fn fixed(size: f64, decimals: usize) -> String {
    let seen = |text: &String| size == 0.0 || text.chars().any(|c| ('1'..='9').contains(&c));
    (decimals..=decimals + FINER)
        .map(|decimals| format!("{size:.decimals$}"))
        .find(seen)
        .unwrap_or_else(|| scientific(size, 1))
}

fn plain(size: f64) -> String {
    if size.fract() == 0.0 && size < 1e15 {
        return format!("{size:.0}");
    }
    if !(1e-3..1e6).contains(&size) {
        return scientific(size, 2);
    }
    // Rounding may carry into another digit (0.9996), so the exponent is that of the rounded value.
    let exponent: i32 = format!("{size:.2e}")
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    let decimals = usize::try_from(2 - exponent).unwrap_or(0);
    format!("{size:.decimals$}")
}

fn exact(size: f64) -> String {
    if size == 0.0 || (1e-4..1e15).contains(&size) {
        return format!("{size}");
    }
    let digits = format!("{size:e}");
    let decimals = digits.find('e').unwrap_or(1).saturating_sub(2);
    scientific(size, decimals)
}

fn scientific(size: f64, decimals: usize) -> String {
    let text = format!("{size:.decimals$e}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    if exponent == "0" {
        return digits.to_owned();
    }
    let raised: String = exponent
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '0' => '⁰',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4'..='9' => {
                char::from_u32(u32::from('⁴') + (u32::from(c) - u32::from('4'))).unwrap_or(c)
            }
            other => other,
        })
        .collect();
    format!("{digits} × 10{raised}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_show_what_they_say() {
        for (format, value, shown) in [
            (".3", 0.441_23, "0.441"),
            (".3", -0.012, "\u{2212}0.012"),
            ("+.2", 1.5, "+1.50"),
            ("%.1", -0.0263, "\u{2212}2.6%"),
            ("%", 0.5, "50%"),
            ("e2", 0.000_123_4, "1.23 × 10⁻⁴"),
            ("e1", 2.5, "2.5"),
            ("", 3.0, "3"),
            ("", 0.441_23, "0.441"),
            ("", 12.345, "12.3"),
            ("", 1234.5, "1234"),
            ("", 0.999_6, "1.00"),
            ("", 0.000_012_3, "1.23 × 10⁻⁵"),
            (".2", 1.2e-9, "1.2 × 10⁻⁹"),
            (".2", -1.2e-9, "\u{2212}1.2 × 10⁻⁹"),
            (".1", -0.01, "\u{2212}0.01"),
            (".3", 0.000_4, "0.0004"),
            ("%.1", 0.000_2, "0.02%"),
            ("%.1", 1.2e-9, "1.2 × 10⁻⁷%"),
            ("+.1", 0.0, "0.0"),
            (".2", -0.0, "0.00"),
        ] {
            let read = Format::read(format).unwrap();
            assert_eq!(read.show(value), shown, "{format} {value}");
        }
    }

    #[test]
    fn settings_are_shown_with_every_digit() {
        for (value, shown) in [
            (0.0003, "0.0003"),
            (256.0, "256"),
            (1.25e-5, "1.25 × 10⁻⁵"),
            (1e-8, "1 × 10⁻⁸"),
        ] {
            assert_eq!(Format::exact().show(value), shown);
        }
    }

    #[test]
    fn an_unknown_format_is_refused() {
        for format in ["3", ".x", "%3", ".99", "{:.3}"] {
            assert!(Format::read(format).is_err(), "{format}");
        }
    }
}
