//! The pages of a paper on which every number leads to its origin, and the list of origins. It reads what
//! `paper/set` gives; who made the documents stands in the record of the run, which a stage cannot see.

use serde::Serialize;
use serde_json::Value;

/// A page with the places of its numbers.
#[derive(Debug, Default, Serialize)]
pub(super) struct Sheet {
    pub(super) uri: String,
    pub(super) caption: String,
    pub(super) spots: Vec<Spot>,
}

/// A number's place, in per cent of the page.
#[derive(Debug, Serialize)]
pub(super) struct Spot {
    row: u64,
    shown: String,
    reference: String,
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// Where a number comes from.
#[derive(Debug, Serialize)]
pub(super) struct Origin {
    row: u64,
    shown: String,
    reference: String,
    why: String,
    value: String,
    interval: String,
    n: String,
    document: String,
    digest: String,
}

/// A work that a paper may cite, with what the libraries say of it.
#[derive(Debug, Serialize)]
pub(super) struct Cited {
    key: String,
    title: String,
    verdict: String,
    why: String,
}

/// The works of a paper, as `literature/verify` tells of them.
pub(super) fn cited(works: &Value) -> Vec<Cited> {
    let all = works.as_array().into_iter().flatten();
    all.map(|work| {
        let word = |name: &str| work[name].as_str().unwrap_or_default().to_owned();
        Cited {
            key: word("key"),
            title: word("title"),
            verdict: word("verdict"),
            why: word("why"),
        }
    })
    .collect()
}

/// Digits of a digest that `kyo show` takes.
const DIGITS: usize = 12;

/// The origins of a paper's numbers, each once.
pub(super) fn origins(numbers: &Value) -> Vec<Origin> {
    let mut found: Vec<Origin> = Vec::new();
    for number in numbers["numbers"].as_array().into_iter().flatten() {
        let row = number["row"].as_u64().unwrap_or(0);
        if found.iter().any(|known| known.row == row) {
            continue;
        }
        let word = |name: &str| number[name].as_str().unwrap_or_default().to_owned();
        let plain = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        found.push(Origin {
            row,
            shown: word("shown"),
            reference: word("reference"),
            why: word("why"),
            value: plain(&number["value"]),
            interval: match &number["ci"] {
                Value::Array(ends) => ends.iter().map(plain).collect::<Vec<_>>().join(" to "),
                _ => String::new(),
            },
            n: plain(&number["n"]),
            document: word("document"),
            digest: word("digest").chars().take(DIGITS).collect(),
        });
    }
    found
}

/// The places of the numbers on a page, counted from 1.
pub(super) fn spots(areas: &Value, origins: &[Origin], page: usize) -> Vec<Spot> {
    let size = &areas["pages"][page - 1];
    let (Some(width), Some(height)) = (size[0].as_f64(), size[1].as_f64()) else {
        return Vec::new();
    };
    let all = areas["areas"].as_array().into_iter().flatten();
    let here = all.filter(|area| area["page"].as_u64() == Some(page as u64));
    here.filter_map(|area| {
        let origin = origins
            .iter()
            .find(|origin| area["row"].as_u64() == Some(origin.row))?;
        let percent = |name: &str, whole: f64| {
            area[name]
                .as_f64()
                .map(|value| (value / whole * 10_000.0).round() / 100.0)
        };
        Some(Spot {
            row: origin.row,
            shown: origin.shown.clone(),
            reference: origin.reference.clone(),
            left: percent("x", width)?,
            top: percent("y", height)?,
            width: percent("width", width)?,
            height: percent("height", height)?,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_shown_twice_has_two_places_and_one_origin() {
        let number = json!({"row": 1, "shown": "0.5", "reference": "a.b", "value": 0.5, "ci": [0.25, 0.75], "n": 3, "document": "a", "digest": "0123456789abcdef"});
        let origins = origins(&json!({"numbers": [number, number]}));
        assert_eq!(origins.len(), 1);
        assert_eq!(
            (origins[0].interval.as_str(), origins[0].digest.as_str()),
            ("0.25 to 0.75", "0123456789ab")
        );
        let area = |page: u64| json!({"row": 1, "page": page, "x": 50.0, "y": 20.0, "width": 10.0, "height": 5.0});
        let areas = json!({"pages": [[100.0, 200.0], [100.0, 200.0]], "areas": [area(1), area(2), area(2)]});
        assert_eq!(spots(&areas, &origins, 2).len(), 2);
        let first = &spots(&areas, &origins, 1)[0];
        assert_eq!(
            (first.left, first.top, first.width, first.height),
            (50.0, 10.0, 10.0, 2.5)
        );
        assert!(spots(&Value::Null, &origins, 1).is_empty());
    }
}
