//! Numbers that tell where a value was measured: `step 2000` of a curve, `horizon 4` of a table. They are
//! names then, `2000 step`, and a text that speaks of `2k steps` names them. It knows forms, not meaning.

use std::collections::{BTreeMap, BTreeSet};

use super::repeated::{Row, computed, repeats, steps};
use super::results::Results;
use super::stems::stems;

/// A column of more different numbers measures something, unless it counts steps.
const MOST: usize = 24;

/// The columns of numbers that tell rows apart, as words do.
pub(super) fn keys(headers: &csv::StringRecord, rows: &[csv::StringRecord]) -> Vec<usize> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let cell = |row: &csv::StringRecord, at: usize| row.get(at).map(str::trim).map(str::to_owned);
    let mut told: Vec<usize> = (0..headers.len())
        .filter(|at| {
            repeats(&headers[*at])
                || rows
                    .iter()
                    .all(|row| row.get(*at).is_some_and(|text| number(text).is_none()))
        })
        .collect();
    let apart = |columns: &[usize]| {
        let all = rows.iter();
        let rows = all.map(|row| columns.iter().map(|at| cell(row, *at)).collect::<Vec<_>>());
        rows.collect::<BTreeSet<_>>().len()
    };
    let mut found = Vec::new();
    for (at, header) in headers.iter().enumerate() {
        if told.contains(&at) || rows.len() < 3 {
            continue;
        }
        let values: Vec<f64> = rows.iter().filter_map(|row| number(row.get(at)?)).collect();
        let distinct: BTreeSet<u64> = values.iter().map(|value| value.to_bits()).collect();
        let whole = values.len() == rows.len() && values.iter().all(|value| value.fract() == 0.0);
        let again = distinct.len() * 2 <= rows.len() && distinct.len() <= MOST;
        let measured = super::words::better(&[header.to_owned()]).is_some() && !steps(header);
        let known = apart(&told);
        if !whole || measured || distinct.len() < 2 || !(again || steps(header)) {
            continue;
        }
        told.push(at);
        if apart(&told) > known {
            found.push(at);
        } else {
            told.pop();
        }
    }
    found
}

/// The means over positions, as over eight weeks, of rows that only these tell apart; a curve has an end instead.
pub(super) fn means(
    rows: &[Row],
    headers: &[String],
    names: &[String],
    file: &str,
    results: &mut Results,
) {
    let place = |word: &String| {
        numbered(word)
            .filter(|(_, own)| !steps(&own.join("_")))
            .is_some()
    };
    let mut groups: BTreeMap<Vec<String>, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.words.iter().any(place)) {
        let words = row.words.iter();
        let key = words.map(|word| {
            if place(word) {
                "*".to_owned()
            } else {
                word.clone()
            }
        });
        groups.entry(key.collect()).or_default().push(row);
    }
    for (words, group) in groups.iter().filter(|(_, group)| group.len() > 1) {
        for (column, header) in headers.iter().enumerate() {
            let values: Vec<f64> = group.iter().filter_map(|row| row.cells[column]).collect();
            if values.len() == group.len() {
                let names = [names, words, std::slice::from_ref(header)].concat();
                let told: Vec<&str> = words
                    .iter()
                    .map(String::as_str)
                    .filter(|word| *word != "*")
                    .collect();
                let source = format!("{file}: {header} of {}", told.join(", "));
                computed(&values, &names, &source, results);
            }
        }
    }
}

/// The name of a position: `2000 step`.
pub(super) fn name(header: &str, cell: &str) -> String {
    format!("{} {}", cell.trim().trim_end_matches(".0"), header.trim())
}

/// The number of a name that a position gave, with the stems of its words.
pub(super) fn numbered(name: &str) -> Option<(&str, Vec<String>)> {
    let (number, words) = name.split_once(' ')?;
    number.parse::<f64>().ok()?;
    Some((number, stems(words)))
}

/// Words for small numbers.
const WORDS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

/// A text with its numbers in one form: `2k`, `2,000` and `two` thousand are `2000` and so on.
pub(super) fn plain(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for word in text
        .replace('\u{2009}', "")
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric() && c != ',' && c != '.')
    {
        let word = word.trim_matches([',', '.']);
        let bare = word.replace(',', "");
        let thousands = bare
            .strip_suffix('k')
            .and_then(|head| head.parse::<f64>().ok());
        let small = WORDS.iter().position(|known| *known == word);
        if let Some(thousands) = thousands {
            out.push(format!("{}", thousands * 1e3));
        } else if let Some(small) = small {
            out.push(small.to_string());
        } else if bare.parse::<f64>().is_ok() {
            out.push(bare);
        } else {
            out.extend(stems(word));
        }
    }
    out.retain(|word| !word.is_empty());
    out
}

/// Whether words, as [`plain`] gives them, speak of a position: its number beside a word of its name.
pub(super) fn spoken(words: &[String], number: &str, name: &[String]) -> bool {
    words.windows(2).any(|pair| {
        (pair[0] == number && name.contains(&pair[1]))
            || (pair[1] == number && name.contains(&pair[0]))
    })
}

/// Lines of a log that all tell the same things, `step 500 | loss 1.25`, as a table.
pub(super) fn log(text: &str) -> Option<String> {
    let told: Vec<Vec<(String, String)>> = text.lines().map(pairs).collect();
    let kind =
        |line: &[(String, String)]| line.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    let long: Vec<&Vec<(String, String)>> = told.iter().filter(|line| line.len() > 1).collect();
    let head = kind(long.first()?);
    let rows: Vec<_> = long.iter().filter(|line| kind(line) == head).collect();
    let unique: BTreeSet<&String> = head.iter().collect();
    if rows.len() < 3 || rows.len() * 2 < long.len() || unique.len() != head.len() {
        return None;
    }
    let mut out = head.join(",");
    for row in rows {
        out.push('\n');
        out.push_str(
            &row.iter()
                .map(|(_, cell)| cell.as_str())
                .collect::<Vec<_>>()
                .join(","),
        );
    }
    Some(out)
}

/// The names and numbers of a line: `epoch 3, val_loss=0.52`.
fn pairs(line: &str) -> Vec<(String, String)> {
    let words: Vec<&str> = line
        .split(|c: char| c.is_whitespace() || "|,;:=()[]".contains(c))
        .filter(|word| !word.is_empty() && *word != "-")
        .collect();
    let named = |word: &str| {
        word.starts_with(|c: char| c.is_alphabetic())
            && word
                .chars()
                .all(|c| c.is_alphanumeric() || "_-/@.".contains(c))
    };
    let mut out = Vec::new();
    for pair in words.windows(2) {
        // `epoch 3/20`
        let cell = pair[1]
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(['%', 's']);
        if named(pair[0]) && cell.parse::<f64>().is_ok_and(f64::is_finite) {
            out.push((pair[0].to_lowercase(), cell.to_owned()));
        }
    }
    // Prose has more words than names: `Run 1: label noise of 2 %`.
    if words.len() > 2 * out.len() + 1 {
        out.clear();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_named_by_their_numbers() {
        let text = "horizon,region,wis\n1,North,3.5\n2,North,4.5\n4,North,7.5\n1,South,3.1\n2,South,4.2\n4,South,7.1\n";
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(keys(&headers, &rows), [0]);
        for said in ["after 10k steps", "at 10,000 steps", "at step 10000"] {
            assert!(spoken(&plain(said), "10000", &stems("step")), "{said}");
        }
        assert!(spoken(
            &plain("four weeks ahead"),
            "4",
            &stems("horizon_weeks")
        ));
        assert!(!spoken(&plain("after 1k steps"), "10000", &stems("step")));
    }

    #[test]
    fn logs_are_read_as_tables() {
        let text = "start\nstep 500 | loss 1.25\nstep 1000 | loss 0.75\nstep 1500 | loss 0.5\n";
        assert_eq!(
            log(text).as_deref(),
            Some("step,loss\n500,1.25\n1000,0.75\n1500,0.5")
        );
        let notes = "Run 1: noise rate of 2\nRun 2: noise rate of 5\nRun 3: noise rate of 9\n";
        assert_eq!(log(notes), None);
        assert_eq!(log("We saw a loss of 0.5.\nThen 0.4 of it."), None);
    }
}
