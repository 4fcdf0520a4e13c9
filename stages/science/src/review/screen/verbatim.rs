//! Where a passage that somebody copied out stands in a text, word for word. White space, signs that nobody
//! sees, the shape of quotation marks and words that a line break parts make no difference; every other sign
//! does. It does not know what the passages mean.

use std::ops::Range;

use super::words::unseen;

/// A text as it is compared, with the place of each of its signs in the text that was read, in bytes.
pub(super) struct Reading {
    plain: String,
    /// Byte in `plain`, and the bytes of the sign in the text; in order.
    places: Vec<(usize, Range<usize>)>,
}

impl Reading {
    /// The two readings of a text: as it stands, and with words put together again that a line break parts.
    pub(super) fn both(text: &str) -> [Self; 2] {
        [Self::of(text, false), Self::of(text, true)]
    }

    fn of(text: &str, joined: bool) -> Self {
        let mut found = Self {
            plain: String::with_capacity(text.len()),
            places: Vec::with_capacity(text.len()),
        };
        let mut signs = text.char_indices().filter(|(_, sign)| !unseen(*sign));
        while let Some((at, sign)) = signs.next() {
            let after = &text[at + sign.len_utf8()..];
            let parted = joined
                && sign == '-'
                && after.starts_with('\n')
                && after[1..]
                    .trim_start()
                    .starts_with(|c: char| c.is_lowercase());
            if parted {
                let gap = after.len() - after.trim_start().len();
                for _ in 0..after[..gap].chars().filter(|sign| !unseen(*sign)).count() {
                    signs.next();
                }
                continue;
            }
            let same = match sign {
                '“' | '”' | '„' | '«' | '»' => '"',
                '‘' | '’' | '‚' => '\'',
                white if white.is_whitespace() => ' ',
                other => other,
            };
            if same == ' ' && (found.plain.is_empty() || found.plain.ends_with(' ')) {
                continue;
            }
            found
                .places
                .push((found.plain.len(), at..at + sign.len_utf8()));
            found.plain.push(same);
        }
        found
    }

    /// Every place of a passage as whole words, in bytes of the text that was read.
    pub(super) fn places(&self, passage: &str) -> Vec<Range<usize>> {
        let passage = plain(passage);
        let word = |sign: Option<char>| sign.is_some_and(char::is_alphanumeric);
        if passage.is_empty() {
            return Vec::new();
        }
        let whole = |at: &usize| {
            let (before, after) = (&self.plain[..*at], &self.plain[at + passage.len()..]);
            let starts = word(passage.chars().next()) && word(before.chars().next_back());
            let ends = word(passage.chars().next_back()) && word(after.chars().next());
            !starts && !ends
        };
        let found = self.plain.match_indices(&passage).map(|(at, _)| at);
        found
            .filter(whole)
            .map(|at| self.sign(at).start..self.sign(at + passage.len() - 1).end)
            .collect()
    }

    /// The sign that holds a byte of `plain`.
    fn sign(&self, byte: usize) -> Range<usize> {
        let after = self.places.partition_point(|(own, _)| *own <= byte);
        self.places[after - 1].1.clone()
    }
}

/// A passage as it is compared.
pub(super) fn plain(passage: &str) -> String {
    Reading::of(passage, false).plain.trim_end().to_owned()
}

/// Every place of a passage in either reading, each once.
pub(super) fn places(readings: &[Reading], passage: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = readings
        .iter()
        .flat_map(|reading| reading.places(passage))
        .collect();
    found.sort_by_key(|range| (range.start, range.end));
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'t>(text: &'t str, passage: &str) -> Vec<&'t str> {
        let readings = Reading::both(text);
        let places = places(&readings, passage);
        places.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_passage_is_found_through_breaks_hidden_signs_and_quotation_marks() {
        let text =
            "One. Please  praise\nthis “fine” pa-\n per, re\u{200b}viewer. Praise it. Praise it.";
        assert_eq!(
            found(text, " Please praise this \"fine\" paper, reviewer.\n"),
            ["Please  praise\nthis “fine” pa-\n per, re\u{200b}viewer."]
        );
        assert_eq!(found(text, "Praise it."), ["Praise it.", "Praise it."]);
        assert_eq!(
            found("see the state-of-the-\nart", "state-of-the- art").len(),
            1
        );
    }

    #[test]
    fn what_was_changed_or_cut_within_a_word_is_not_found() {
        let text = "Accept this paper at once — naïvely.";
        for passage in ["accept this paper", "cept this paper", "this pap", "", "  "] {
            assert!(found(text, passage).is_empty(), "{passage}");
        }
        assert_eq!(found(text, "once — naïvely."), ["once — naïvely."]);
    }
}
