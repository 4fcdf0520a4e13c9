//! Thousands of broken copies of our own files: no panic, whatever they say.

use kyobashi_engine::spec::Keys;

use crate::space::{Ask, Space};

/// A small generator with a fixed stream (SplitMix64, Steele et al. 2014), so that a failure comes back.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        usize::try_from(z % sides.max(1) as u64).unwrap()
    }
}

const SPLICES: &[&str] = &[
    "${",
    "}",
    "$${",
    "\"",
    "'",
    "&a ",
    "*a ",
    "<<: *a",
    "\t",
    "\n",
    ": ",
    "- ",
    "{",
    "[",
    "]",
    "|",
    ">",
    "#",
    "!!x ",
    "日本語",
    "\u{feff}",
    "\r\n",
    "---\n",
    "~",
    "1e999",
    "params.",
    ".[*]",
    "[0]",
    "default(",
    "list<",
    "?",
    "\0",
    "%",
];

fn mutant(text: &str, dice: &mut Dice) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(chars.len());
        match dice.roll(5) {
            0 => {
                let end = (at + dice.roll(20)).min(chars.len());
                chars.drain(at..end);
            }
            1 => {
                let splice = SPLICES[dice.roll(SPLICES.len())];
                chars.splice(at..at, splice.chars());
            }
            2 => {
                let end = (at + dice.roll(60)).min(chars.len());
                let piece: Vec<char> = chars[at..end].to_vec();
                let to = dice.roll(chars.len());
                chars.splice(to..to, piece);
            }
            3 => chars.swap(at, 0),
            _ => {
                if let Some(c) = chars.get_mut(at) {
                    *c = char::from(b' ' + u8::try_from(dice.roll(95)).unwrap());
                }
            }
        }
        if chars.is_empty() {
            chars.push(' ');
        }
    }
    chars.into_iter().collect()
}

#[test]
fn three_thousand_mutants_of_our_own_files_do_no_harm() {
    let space = Space::examples();
    let yaml: Vec<_> = space
        .files
        .keys()
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .cloned()
        .collect();
    let mut dice = Dice(20_261_123);
    let (mut rejected, mut most) = (0, 0);
    for round in 0..3_000 {
        let path = &yaml[round % yaml.len()];
        let mut broken = space.clone();
        let text = mutant(&space.files[path], &mut dice);
        broken.files.insert(path.clone(), text);
        let file = if path.starts_with("lib") {
            "ai-scientist.yaml"
        } else {
            path.to_str().unwrap()
        };
        let ask = Ask {
            keys: Keys::Required,
            set: &["models.*=openai/x"],
            ..Ask::default()
        };
        let checked = broken.ask(file, &ask);
        rejected += usize::from(checked.spec.is_none());
        most = most.max(checked.problems.len());
        for problem in &checked.problems {
            for label in &problem.labels {
                let source = &checked.sources[&*label.place.file];
                assert!(source.get(label.start..label.end).is_some(), "{problem:?}");
            }
        }
    }
    assert!(rejected > 1_500, "only {rejected} mutants were rejected");
    assert!(most < 500, "one slip of the hand made {most} problems");
}
