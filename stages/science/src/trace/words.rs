//! What the words around a number say of it: that it counts a part, is a setting, or is the size of a
//! change. English only.

use super::super::review::Way;
pub(super) use super::directions::{Said, directions};
pub(super) use super::metrics::better;

/// Words before a number that make it the name of a part or of a run.
const PARTS: &str = "§ table tab figure fig section sec equation eq appendix algorithm alg step seed run version \
    chapter line page theorem lemma proposition definition corollary phase stage part level \
    layer experiment row column footnote";

/// Programs and devices whose number is a version or a model.
const NAMES: &str = "pytorch torch python cuda cudnn tensorflow jax numpy scipy sklearn scikit-learn ubuntu \
    linux windows keras flax transformers rtx gtx tesla geforce core xeon ryzen gpt llama \
    version claude gemini type apollo iso rfc";

/// Words of settings, as they stand close to their value.
const SETTINGS: &str = "learning rate batch epoch iteration iter step warmup warm decay dropout hidden layer head \
    dimension dimensional dim embedding unit neuron seed momentum timestep parameter optimizer \
    schedule temperature threshold probability size length window kernel stride channel block \
    point sample example token vocabulary split fold gpu modulus prime weight weighting \
    coefficient clip clipping rank patience interval resolution grid bin style run trial \
    repetition update every context width depth beta alpha gamma lambda epsilon adam adamw \
    weights ema factor scale range cell ratio";

/// Whether a list of words, divided by spaces, holds a word.
pub(super) fn has(list: &str, word: &str) -> bool {
    list.split(' ').any(|known| known == word)
}

/// The words of a text with their bytes.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '\'')
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// What a text says since its last full stop, semicolon or colon; the point of a number is no full stop.
pub(super) fn clause(text: &str) -> &str {
    let mut stops = text.match_indices(['.', ';', ':']).filter(|(at, mark)| {
        let next = text[at + 1..].chars().next();
        *mark != "." || !next.is_some_and(|next| next.is_ascii_digit())
    });
    stops.next_back().map_or(text, |(at, _)| &text[at + 1..])
}

/// The headings above a place in small letters, without a title that stands among them.
pub(super) fn headings(section: &str) -> String {
    let low = section.to_lowercase();
    match low.split_once(" / ") {
        Some((title, rest)) if title.contains(':') || title.split_whitespace().count() > 4 => {
            rest.to_owned()
        }
        _ => low,
    }
}

fn last_words(text: &str, count: usize) -> Vec<String> {
    let all: Vec<&str> = tokens(text).map(|(_, word)| word).collect();
    all.iter()
        .rev()
        .take(count)
        .map(|word| word.to_lowercase())
        .collect()
}

/// The end of a text from its last few words on.
pub(super) fn last(text: &str, count: usize) -> &str {
    let at: Vec<usize> = tokens(text).map(|(at, _)| at).collect();
    let first = at.len().saturating_sub(count);
    text.get(at.get(first).copied().unwrap_or(0)..)
        .unwrap_or_default()
}

fn first_words(text: &str, count: usize) -> Vec<String> {
    tokens(text)
        .take(count)
        .map(|(_, word)| word.to_lowercase())
        .collect()
}

fn single(word: &str) -> &str {
    word.strip_suffix('s')
        .filter(|rest| rest.len() > 1)
        .unwrap_or(word)
}

/// The word that makes a whole number the name of a part: `Figure 2`, `Runs 2 and 5`, `steps 1–3`.
pub(crate) fn part(before: &str) -> Option<String> {
    // Numbers of a list belong to the same word.
    let head = before.trim_end_matches(|c: char| {
        c.is_ascii_digit() || c.is_whitespace() || ",–-~.()#\u{a0}".contains(c)
    });
    let head = head
        .strip_suffix("and")
        .or_else(|| head.strip_suffix("to"))
        .unwrap_or(head);
    let head = head.trim_end_matches(|c: char| {
        c.is_ascii_digit() || c.is_whitespace() || ",–-~.(#\u{a0}".contains(c)
    });
    let (_, word) = tokens(head).last()?;
    let touching = before.len() - head.len() <= 24;
    let low = word.to_lowercase();
    (touching && has(PARTS, single(&low))).then(|| word.to_owned())
}

/// Whether a word names what experiments are made of, which is counted, never measured.
pub(super) fn things(word: &str) -> bool {
    const THINGS: &str = "seed run trial repetition fold dataset task layer head model variant method baseline \
        environment experiment gpu class set";
    has(THINGS, single(&word.to_lowercase()))
}

/// Whether a part's number may have a point: `Section 4.2`, `Figure 2.1`.
pub(super) fn divided(part: &str) -> bool {
    const DIVIDED: &str = "table tab figure fig section sec equation eq appendix algorithm alg chapter \
        theorem lemma proposition definition corollary";
    has(DIVIDED, single(&part.to_lowercase()))
}

/// Whether a word names things that are counted or measured.
pub(super) fn counted(word: &str) -> bool {
    let low = word.to_lowercase();
    has(SETTINGS, single(&low)) || super::kind::is_unit(&low)
}

/// The name whose version or model a number is: `PyTorch 1.9`.
pub(super) fn versioned(before: &str) -> Option<String> {
    let word = last_words(before, 1).pop()?;
    let near = before.trim_end().len() + 2 >= before.len()
        && before.trim_end().ends_with(char::is_alphanumeric);
    (near && has(NAMES, word.trim_end_matches('-'))).then_some(word)
}

/// The word of a setting that stands next to a number, if one does.
pub(super) fn setting(before: &str, after: &str) -> Option<String> {
    let clause = before.rsplit(['.', ';', '(', ')']).next().unwrap_or(before);
    let known = |word: &String| {
        word.split('-')
            .any(|part| has(SETTINGS, single(part)) || has(SETTINGS, part))
    };
    let ahead = after
        .split(['.', ';', ',', '(', ')'])
        .next()
        .unwrap_or(after);
    // `with 256 units`, `2-layer`, `15 % probability`: at most two words on.
    let behind = last_words(clause, 5);
    first_words(ahead, 3)
        .into_iter()
        .find(|word| known(word))
        .or_else(|| behind.into_iter().find(|word| known(word)))
}

/// Whether a number is the size of a change, and which way the text says it went.
pub(super) fn change(before: &str, after: &str) -> Option<Said> {
    let ahead = after
        .split(['.', ';', ',', '(', ')', ':'])
        .next()
        .unwrap_or(after);
    let following = first_words(ahead, 4).join(" ");
    // `a 61 % reduction`, `12 % lower than`, `3 % relative improvement`
    if let Some(said) = directions(&following).into_iter().next() {
        let between: Vec<&str> = following[..said.at].split_whitespace().collect();
        let low = said.word.to_lowercase();
        let verb = low.ends_with("ed")
            || low.ends_with("ing")
            || ["improves", "reduces", "best", "worst"].contains(&low.as_str());
        let stops = |word: &&str| {
            let word = *word;
            [
                "to", "from", "in", "on", "for", "and", "with", "which", "while", "but", "as",
                "is", "was", "at",
            ]
            .contains(&word)
                || (has(SETTINGS, single(word)) && !word.starts_with("point"))
        };
        if !verb && !between.iter().any(stops) {
            return Some(Said {
                at: before.len(),
                ..said
            });
        }
    }
    let clause = clause(before);
    let clause_start = before.len() - clause.len();
    let near = last_words(clause, 4);
    let by = |word: &String| word == "by" || word == "of";
    let filler = |word: &&String| {
        ![
            "up",
            "to",
            "about",
            "around",
            "approximately",
            "roughly",
            "nearly",
            "almost",
            "over",
            "a",
            "an",
            "another",
            "only",
            "just",
            "as",
            "much",
            "more",
            "than",
            "average",
            "at",
            "least",
            "some",
            "further",
            "additional",
        ]
        .contains(&word.as_str())
    };
    let link = near.iter().find(filler);
    let linked = link.is_some_and(by) || near.first().is_some_and(by);
    // `by more than 12 %` says no direction by itself.
    let said = directions(clause)
        .into_iter()
        .rfind(|said| !["more", "less", "best"].contains(&said.word.to_lowercase().as_str()));
    // Behind another number only a few words go on with its change: `by 22.5 % and on moons by`.
    let said = said.filter(|said| {
        let between = &clause[said.at + said.word.len()..];
        let last = between.rfind(|c: char| c.is_ascii_digit());
        last.is_none_or(|at| {
            let since = &between[at + 1..];
            !since.contains(',') && tokens(since).count() <= 6
        })
    });
    // `the gain over the baseline is 143`
    let subject = first_words(clause, 3);
    if let Some(noun) = subject
        .iter()
        .find(|word| *word == "gain" || *word == "improvement")
        && near
            .first()
            .is_some_and(|verb| ["is", "was", "equals"].contains(&verb.as_str()))
    {
        return Some(Said {
            way: Way::Better,
            word: noun.clone(),
            at: clause_start,
        });
    }
    if let [verb, noun, ..] = near.as_slice()
        && ["is", "was", "equals"].contains(&verb.as_str())
        && noun == "gain"
    {
        return Some(Said {
            way: Way::Better,
            word: noun.clone(),
            at: clause_start,
        });
    }
    match said {
        Some(said) if linked => Some(Said {
            at: clause_start + said.at,
            ..said
        }),
        // `Dino: −12.8 %`, `improvement: 5 %`
        Some(said)
            if clause[said.at + said.word.len()..]
                .trim_matches([' ', '('])
                .is_empty() =>
        {
            Some(Said {
                at: clause_start + said.at,
                ..said
            })
        }
        _ => None,
    }
}

/// Whether the words before a number speak of a difference without a direction, or of one that a verb
/// tells: `the gap is 0.3`, `removing it costs 0.05 AUC`.
pub(super) fn difference(before: &str) -> bool {
    let words = last_words(clause(before), 12);
    let noun = words
        .iter()
        .any(|word| has("difference differences gap margin advantage", single(word)));
    let verb = words
        .iter()
        .take(10)
        .any(|word| has("costs cost gains gained loses lost adds contributes contributed saves saved saving yields brings", word));
    noun || verb
}

/// Whether a sentence speaks of what was left out.
pub(super) fn without(sentence: &str) -> bool {
    tokens(sentence).any(|(_, word)| {
        let low = word.to_lowercase();
        has(
            "without no off disabled disabling removed removing removes",
            &low,
        )
    })
}

/// Whether a sentence tells what may be, not what was: `with 20 seeds the ranking may change`.
pub(super) fn supposed(sentence: &str) -> bool {
    tokens(sentence).any(|(_, word)| {
        ["may", "might", "would", "could", "future"].contains(&word.to_lowercase().as_str())
    })
}

/// Whether a number counts what a data set holds: `CUB with 200 classes, Cars with 196`, `50,000 training
/// and 10,000 test images`.
pub(super) fn of_the_data(sentence: &str) -> bool {
    const HELD: &str =
        "classes categories labels languages speakers participants patients subjects annotators";
    const CASES: &str = "images examples sentences samples documents utterances points pairs texts";
    let words: Vec<String> = tokens(sentence)
        .map(|(_, word)| word.to_lowercase())
        .collect();
    let parts = |word: &String| has("training train test testing validation split splits", word);
    words.iter().any(|word| has(HELD, word))
        || (words.iter().any(parts) && words.iter().any(|word| has(CASES, word)))
}

/// Whether a sentence speaks of the paper's own work.
pub(super) fn own(text: &str) -> bool {
    let words: Vec<String> = tokens(text).map(|(_, word)| word.to_lowercase()).collect();
    let this =
        |pair: &[String]| pair[0] == "this" && has("paper work study article section", &pair[1]);
    words
        .iter()
        .any(|word| has("we our ours us baseline", word))
        || words.windows(2).any(this)
}

/// Whether the words next to a number are about a mean over several results.
pub(super) fn averaged(text: &str) -> bool {
    let low = text.to_lowercase();
    ["average", "averaged", "mean", "overall", "across", "avg"]
        .iter()
        .any(|word| tokens(&low).any(|(_, known)| known == *word))
        || low.match_indices("over ").any(|(at, over)| {
            let next = tokens(&low[at + over.len()..]).next().map(|(_, word)| word);
            next.is_some_and(|word| has("all two three four five six seven eight nine ten", word))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_changes_are_told_from_values() {
        for (before, after, way) in [
            ("It cuts steps by up to ", " for addition", Way::Lower),
            ("representing a ", " reduction in time", Way::Lower),
            ("with reductions of up to ", " compared to", Way::Lower),
            ("Moons: ", " improvement (from", Way::Better),
            ("is about ", " slower than", Way::Worse),
        ] {
            assert_eq!(
                change(before, after).map(|said| said.way),
                Some(way),
                "{before}…{after}"
            );
        }
        for (before, after) in [
            ("reducing steps to ", " validation accuracy"),
            ("improved from ", " in the baseline"),
            ("the accuracy is ", " on moons"),
        ] {
            assert_eq!(change(before, after), None, "{before}…{after}");
        }
    }

    #[test]
    fn parts_and_settings_are_known() {
        assert!(
            part("see Figures 2, 3 and ").is_some()
                && part("Run ").is_some()
                && part("a loss of ").is_none()
        );
        assert!(
            setting("a learning rate of ", ".").is_some()
                && setting("with ", " hidden units").is_some()
        );
        assert!(setting("the KL is ", " on dino").is_none());
    }
}
