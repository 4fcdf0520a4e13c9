//! The words of a text as a reader would hear them: without case, signs that nobody sees, letters of
//! another script that look alike, and gaps between single letters. Each knows where it stood.

use std::ops::Range;

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    /// In the text that was read, in bytes.
    pub(super) at: Range<usize>,
    /// Whether a colon or comma follows: what comes after it speaks anew.
    pub(super) pause: bool,
}

/// Letters of other scripts that look like Latin ones.
const ALIKE: &[(char, char)] = &[
    ('а', 'a'),
    ('е', 'e'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('у', 'y'),
    ('х', 'x'),
    ('і', 'i'),
    ('ѕ', 's'),
    ('ј', 'j'),
    ('ԁ', 'd'),
    ('ɡ', 'g'),
    ('ո', 'n'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ı', 'i'),
    ('ⅼ', 'l'),
    ('ɑ', 'a'),
];

/// Whether nobody sees a sign.
pub(super) fn unseen(sign: char) -> bool {
    matches!(sign, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{e0000}'..='\u{e007f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// The sentences of a text, each as its words. A blank line ends a sentence as a full stop does.
pub(super) fn sentences(text: &str) -> Vec<Vec<Word>> {
    let mut sentences = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    let mut word: Option<Word> = None;
    let mut breaks = 0;
    let mut signs = text.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        if unseen(sign) {
            continue;
        }
        if sign.is_alphanumeric() {
            breaks = 0;
            let own = word.get_or_insert_with(|| Word {
                text: String::new(),
                at: at..at,
                pause: false,
            });
            own.text.extend(plain(sign).to_lowercase());
            own.at.end = at + sign.len_utf8();
            continue;
        }
        // A word that was divided at the end of a line goes on in the next one.
        let divided = sign == '-' && text[at + 1..].starts_with('\n') && word.is_some();
        if divided {
            signs.next();
            continue;
        }
        // An apostrophe belongs to its word: don't.
        if matches!(sign, '\'' | '’') && word.is_some() {
            continue;
        }
        words.extend(word.take());
        if let Some(last) = words
            .last_mut()
            .filter(|_| matches!(sign, ':' | ',' | ';' | '：' | '，'))
        {
            last.pause = true;
        }
        breaks += usize::from(sign == '\n');
        let stop = matches!(sign, '.' | '!' | '?' | '。' | '！' | '？');
        // The point in 9.5 or in `e.g.` ends nothing that matters here.
        let inside = sign == '.' && signs.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if (stop && !inside) || breaks > 1 {
            sentences.extend((!words.is_empty()).then(|| joined(std::mem::take(&mut words))));
        }
    }
    words.extend(word.take());
    sentences.extend((!words.is_empty()).then(|| joined(words)));
    sentences
}

fn plain(sign: char) -> char {
    let found = ALIKE.iter().find(|(other, _)| *other == sign);
    found.map_or(sign, |(_, latin)| *latin)
}

/// Runs of at least six single letters, which are words with gaps in them, become one word.
fn joined(words: Vec<Word>) -> Vec<Word> {
    let single =
        |word: &Word| word.text.chars().count() == 1 && word.text.chars().all(char::is_alphabetic);
    let mut found: Vec<Word> = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let run = words[at..].iter().take_while(|word| single(word)).count();
        if run >= 6 {
            let text = words[at..at + run]
                .iter()
                .map(|word| word.text.as_str())
                .collect();
            let place = words[at].at.start..words[at + run - 1].at.end;
            let pause = words[at + run - 1].pause;
            found.push(Word {
                text,
                at: place,
                pause,
            });
            at += run;
        } else {
            found.push(words[at].clone());
            at += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_heard_as_a_reader_would() {
        let heard = |text: &str| -> Vec<Vec<String>> {
            let all = sentences(text).into_iter();
            all.map(|words| words.into_iter().map(|word| word.text).collect())
                .collect()
        };
        assert_eq!(
            heard("Don't, pre-\nvious 9.5. Ignоre"),
            [vec!["dont", "previous", "9", "5"], vec!["ignore"]]
        );
        assert_eq!(heard("i g n o r e it"), [vec!["ignore", "it"]]);
        assert_eq!(heard("a\n\nb"), [vec!["a"], vec!["b"]]);
        let place = &sentences("x ig\u{200b}nore")[0][1];
        assert_eq!(place.at, 2..11);
    }
}
