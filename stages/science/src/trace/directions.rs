//! Words of directions: `reduces`, `above`, `worse`. English only; what they are said of is judged elsewhere.

use super::super::review::Way;
use super::words::tokens;

/// Words of directions that prose about speed and counts uses, beside those of claims.
const MORE: [(&str, Way); 31] = [
    ("raise", Way::Higher),
    ("raising", Way::Higher),
    ("climb", Way::Higher),
    ("lifts", Way::Higher),
    ("exceed", Way::Better),
    ("surpass", Way::Better),
    ("beats", Way::Better),
    ("trails", Way::Worse),
    ("lags", Way::Worse),
    ("faster", Way::Better),
    ("quicker", Way::Better),
    ("speedup", Way::Better),
    ("speed-up", Way::Better),
    ("accelerat", Way::Better),
    ("boost", Way::Better),
    ("enhanc", Way::Better),
    ("slower", Way::Worse),
    ("slowdown", Way::Worse),
    ("saving", Way::Lower),
    ("fewer", Way::Lower),
    ("cut", Way::Lower),
    ("decline", Way::Lower),
    ("cheaper", Way::Lower),
    ("shorter", Way::Lower),
    ("longer", Way::Higher),
    ("growth", Way::Higher),
    ("rise", Way::Higher),
    ("rose", Way::Higher),
    ("more", Way::Higher),
    ("grew", Way::Higher),
    ("overhead", Way::Higher),
];

/// A word of direction and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) way: Way,
    pub(super) word: String,
    pub(super) at: usize,
}

/// The directions that a text speaks of, in order.
pub(super) fn directions(text: &str) -> Vec<Said> {
    let mut found = Vec::new();
    for (at, word) in tokens(text) {
        let low = word.to_lowercase();
        let more = || {
            MORE.iter().find(|(stem, _)| {
                low == *stem
                    || (stem.len() > 4 && low.starts_with(stem))
                    || low == format!("{stem}s")
            })
        };
        // `speeds up`, `slowed down`
        let next = tokens(&text[at + word.len()..])
            .next()
            .map(|(_, next)| next);
        let verb = match next {
            Some("up") if low.starts_with("speed") || low == "sped" => Some(Way::Better),
            Some("down") if low.starts_with("slow") => Some(Way::Worse),
            _ => None,
        };
        let way = verb
            .or_else(|| crate::review::way(&low))
            .or_else(|| more().map(|(_, way)| *way));
        if let Some(way) = way {
            found.push(Said {
                way,
                word: word.to_owned(),
                at,
            });
        }
    }
    found
}
