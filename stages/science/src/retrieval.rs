//! Finds texts by words: BM25 over stemmed words. It knows nothing of what the texts are.

use bm25::{Document, SearchEngine, SearchEngineBuilder, Tokenizer};
use rust_stemmers::{Algorithm, Stemmer};

/// Texts that can be searched. They are named by their places.
pub(crate) struct Index {
    engine: SearchEngine<u32, u32, Words>,
}

/// A text that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) place: usize,
    /// Comparable only within one search.
    pub(crate) score: f64,
}

impl Index {
    pub(crate) fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let documents: Vec<Document<u32>> = texts
            .into_iter()
            .zip(0u32..)
            .map(|(text, place)| Document::new(place, text))
            .collect();
        Self {
            engine: SearchEngineBuilder::with_tokenizer_and_documents(Words::default(), documents)
                .build(),
        }
    }

    /// The texts that share a word with the query, the best first; equals in their own order.
    pub(crate) fn search(&self, query: &str, most: usize) -> Vec<Hit> {
        let mut hits: Vec<Hit> = self
            .engine
            .search(query, None)
            .into_iter()
            .map(|found| Hit {
                place: found.document.id as usize,
                score: f64::from(found.score),
            })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
        hits.truncate(most);
        hits
    }
}

/// Words in lower case without their endings; a sign of a script without spaces is a word of its own.
struct Words(Stemmer);

impl Default for Words {
    fn default() -> Self {
        Self(Stemmer::create(Algorithm::English))
    }
}

impl Tokenizer for Words {
    fn tokenize(&self, text: &str) -> Vec<String> {
        words(text)
            .into_iter()
            .map(|word| self.0.stem(&word).into_owned())
            .collect()
    }
}

/// The words of a text in lower case.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    for sign in text.chars() {
        let alone = spaceless(sign);
        if (!sign.is_alphanumeric() || alone) && !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        if alone {
            found.push(sign.to_string());
        } else if sign.is_alphanumeric() {
            word.extend(sign.to_lowercase());
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

/// Kana and Han, whose scripts put no space between words.
fn spaceless(sign: char) -> bool {
    matches!(sign, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_their_stems_and_rare_ones_weigh_more() {
        let index = Index::new([
            "a model of the weather",
            "modelling denoising diffusion",
            "diffusion models of images",
        ]);
        let places = |query: &str| -> Vec<usize> {
            index.search(query, 9).iter().map(|hit| hit.place).collect()
        };
        assert_eq!(places("denoising model")[0], 1);
        assert_eq!(places("diffusion"), [1, 2]);
        assert!(places("grokking").is_empty());
    }

    #[test]
    fn scripts_without_spaces_are_searched_too() {
        let index = Index::new(["拡散モデルの学習", "天気の予測"]);
        assert_eq!(index.search("拡散", 9)[0].place, 0);
        assert_eq!(words("GPT-4o 学習"), ["gpt", "4o", "学", "習"]);
    }
}
