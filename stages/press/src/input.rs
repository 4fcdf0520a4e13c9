//! Inputs of the press's stages as bytes.

use kyobashi_stage::{Datum, Failure};

/// The content of a file, or of a text given as a value.
///
/// # Errors
/// A file that cannot be read, or a value that is no text.
pub(crate) fn bytes(datum: &Datum, name: &str) -> Result<Vec<u8>, Failure> {
    match datum {
        Datum::File { path, .. } => std::fs::read(path)
            .map_err(|error| Failure::passing(format!("cannot read {}: {error}", path.display()))),
        Datum::Value {
            value: serde_json::Value::String(text),
        } => Ok(text.clone().into_bytes()),
        _ => Err(Failure::bug(format!(
            "`{name}` holds something that is no file"
        ))),
    }
}

/// Figures wider than this, in points, span both columns (a column has 84 mm).
const WIDE: f64 = 290.0;

/// Whether a figure spans both columns.
pub(crate) fn is_wide(content: &[u8]) -> bool {
    svg_width(content).is_some_and(|width| width > WIDE)
}

/// The width of an SVG in points, if its root element says one.
fn svg_width(content: &[u8]) -> Option<f64> {
    let head = String::from_utf8_lossy(&content[..content.len().min(4000)]).into_owned();
    let root = &head[head.find("<svg")?..];
    let root = &root[..root.find('>')?];
    let value = root.split(" width=\"").nth(1)?.split('"').next()?;
    let end = value
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(value.len());
    let size: f64 = value[..end].parse().ok()?;
    // Points of each unit; a pixel is 1/96 inch.
    let unit = match &value[end..] {
        "pt" => 1.0,
        "mm" => 72.0 / 25.4,
        "cm" => 72.0 / 2.54,
        "in" => 72.0,
        _ => 0.75,
    };
    Some(size * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_of_an_svg_is_read_with_its_unit() {
        assert_eq!(
            svg_width(b"<?xml?><svg width=\"72pt\" height=\"1\">"),
            Some(72.0)
        );
        assert_eq!(
            svg_width(b"<svg viewBox=\"0 0 1 1\" width=\"96\">"),
            Some(72.0)
        );
        assert_eq!(svg_width(b"<svg viewBox=\"0 0 1 1\">"), None);
    }
}
