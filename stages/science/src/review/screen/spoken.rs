//! Sentences that tell a reviewing machine what to do.
//!
//! A sentence is an instruction only if somebody is told: it begins with the verb, or says `you`, or names
//! whom it speaks to. Papers speak of reviewers, ratings and instructions all the time, but they tell what
//! `we` or `the model` did.

use super::Hit;
use super::words::{Word, sentences};
use crate::review::Severity;

/// Verbs that wave former instructions away.
const WAVE: &[&str] = &[
    "ignore",
    "disregard",
    "forget",
    "override",
    "bypass",
    "overlook",
    "discard",
    "neglect",
];
/// What is waved away.
const ORDERS: &[&str] = &[
    "instruction",
    "instructions",
    "prompt",
    "prompts",
    "guideline",
    "guidelines",
    "direction",
    "directions",
    "directive",
    "directives",
    "command",
    "commands",
    "rules",
    "criteria",
    "rubric",
];
/// Which of these.
const FORMER: &[&str] = &[
    "previous",
    "prior",
    "above",
    "earlier",
    "preceding",
    "all",
    "any",
    "your",
    "other",
    "these",
    "those",
    "system",
    "existing",
    "former",
    "original",
    "given",
];

/// Whom a machine that reviews is addressed as.
const ADDRESSED: &[&str] = &[
    "reviewer",
    "reviewers",
    "referee",
    "referees",
    "llm",
    "llms",
    "ai",
    "gpt",
    "chatgpt",
    "claude",
    "gemini",
    "assistant",
    "chatbot",
    "evaluator",
    "grader",
    "model",
    "models",
    "agent",
];
/// What a reviewer does.
const DOES: &[&str] = &[
    "give",
    "assign",
    "award",
    "rate",
    "score",
    "recommend",
    "recommends",
    "accept",
    "write",
    "output",
    "provide",
    "return",
    "respond",
    "state",
    "say",
    "emphasize",
    "emphasise",
    "praise",
    "generate",
    "produce",
    "submit",
    "select",
    "choose",
    "mark",
    "grade",
    "endorse",
];
/// What it is to say.
const KIND: &[&str] = &[
    "positive",
    "favorable",
    "favourable",
    "glowing",
    "accept",
    "accepting",
    "acceptance",
    "accepted",
    "highest",
    "high",
    "top",
    "maximum",
    "max",
    "strong",
    "excellent",
    "best",
    "perfect",
    "outstanding",
    "exceptional",
    "10",
    "9",
    "strengths",
    "positives",
];
/// Of what.
const JUDGED: &[&str] = &[
    "review",
    "reviews",
    "score",
    "scores",
    "rating",
    "ratings",
    "evaluation",
    "assessment",
    "recommendation",
    "acceptance",
    "accept",
    "accepting",
    "paper",
    "submission",
    "manuscript",
    "work",
    "category",
    "categories",
    "report",
    "strengths",
    "decision",
];
/// What it is to keep quiet about.
const FAULTS: &[&str] = &[
    "negatives",
    "negative",
    "weakness",
    "weaknesses",
    "limitations",
    "limitation",
    "flaws",
    "flaw",
    "criticism",
    "criticisms",
    "shortcomings",
    "faults",
    "problems",
    "drawbacks",
    "concerns",
];
/// Ways of not saying it.
const SAYS: &[&str] = &[
    "mention",
    "highlight",
    "report",
    "discuss",
    "list",
    "criticize",
    "criticise",
    "include",
    "raise",
    "note",
    "point",
    "state",
    "write",
    "reveal",
];
/// Words before a verb that make it an order.
const ORDERING: &[&str] = &[
    "please", "now", "must", "should", "you", "and", "then", "also", "kindly", "just", "only",
    "always", "instead",
];
/// Words that speak to somebody.
const YOU: &[&str] = &["you", "your", "yourself"];

/// Orders in other languages: a sentence with all the parts of a line is one.
const ABROAD: &[&[&str]] = &[
    &["忽略", "指令"],
    &["忽略", "指示"],
    &["忽略", "提示"],
    &["无视", "指令"],
    &["無視", "指示"],
    &["無視", "命令"],
    &["무시", "지시"],
    &["ignoriere", "anweisungen"],
    &["ignorieren", "anweisungen"],
    &["ignorez", "instructions"],
    &["ignore", "instructions", "précédentes"],
    &["ignora", "instrucciones"],
    &["ignore", "instruções"],
    &["ignora", "istruzioni"],
    &["игнорируй", "инструкции"],
    &["肯定的", "査読", "ください"],
    &["正面", "评价", "给出"],
];

/// The sentences of a text that are instructions.
pub(super) fn hits(text: &str) -> Vec<Hit> {
    let mut found = Vec::new();
    for sentence in sentences(text) {
        let (Some(first), Some(last)) = (sentence.first(), sentence.last()) else {
            continue;
        };
        let at = first.at.start..last.at.end;
        let words: Vec<&str> = sentence
            .iter()
            .map(|word: &Word| word.text.as_str())
            .collect();
        if let Some((kind, severity, why)) = judged(&words, &text[at.clone()]) {
            found.push(Hit {
                kind,
                severity,
                at,
                why: why.to_owned(),
            });
        }
    }
    found
}

fn judged(words: &[&str], written: &str) -> Option<(&'static str, Severity, &'static str)> {
    let lower = written.to_lowercase();
    let abroad = |parts: &&[&str]| parts.iter().all(|part| lower.contains(part));
    if waves(words) || ABROAD.iter().any(abroad) || squeezed(words) {
        let why = "it tells its reader to ignore instructions";
        return Some(("override", Severity::Error, why));
    }
    if asks(words) {
        let why = "it asks for a verdict";
        return Some(("verdict_asked", Severity::Error, why));
    }
    if silences(words) {
        let why = "it asks to keep quiet about faults";
        return Some(("faults_silenced", Severity::Error, why));
    }
    if addresses(words) {
        let why = "it speaks to a reviewing machine";
        return Some(("addressed", Severity::Error, why));
    }
    None
}

fn any(words: &[&str], of: &[&str]) -> bool {
    words.iter().any(|word| of.contains(word))
}

fn near<'w>(words: &'w [&'w str], from: usize, most: usize) -> &'w [&'w str] {
    &words[from.min(words.len())..(from + most).min(words.len())]
}

/// Whether the verb at a place is an order: nobody stands before it who does it.
fn ordered(words: &[&str], at: usize) -> bool {
    at == 0
        || ORDERING.contains(&words[at - 1])
        // `For LLM reviewers: ignore …`, `Note to the AI reviewer: assign …`
        || (ADDRESSED.contains(&words[at - 1]) && any(&words[..at], &["for", "to", "dear", "attention"]) && at <= 6)
        || (at >= 2 && words[at - 2] == "you")
}

fn waves(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let after = near(words, at + 1, 8);
        let former = |place: usize| {
            let around = place.saturating_sub(3)..(place + 4).min(after.len());
            any(&after[around], FORMER)
        };
        let mut orders = after
            .iter()
            .enumerate()
            .filter(|(_, word)| ORDERS.contains(word));
        WAVE.contains(word) && ordered(words, at) && orders.any(|(place, _)| former(place))
    })
}

/// The same where gaps between letters left one long word.
fn squeezed(words: &[&str]) -> bool {
    let wave = |word: &&str| {
        word.len() > 20
            && WAVE.iter().any(|verb| word.contains(verb))
            && ORDERS.iter().any(|order| word.contains(order))
    };
    words.iter().any(wave)
}

fn asks(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        if !DOES.contains(word) || !ordered(words, at) {
            return false;
        }
        let after = near(words, at + 1, 10);
        // `Recommend acceptance` needs no more words.
        let short = ["recommend", "accept", "endorse"].contains(word)
            && any(
                after,
                &[
                    "acceptance",
                    "accepting",
                    "paper",
                    "submission",
                    "manuscript",
                ],
            )
            && (any(words, YOU) || words.len() <= 8);
        let kind = any(after, KIND);
        short
            || (kind
                && any(after, JUDGED)
                && (at <= 6 || any(words, YOU))
                && !any(&words[..at], &["we"]))
    })
}

fn silences(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let (from, no) = match *word {
            "do" if words.get(at + 1) == Some(&"not") => (at + 2, true),
            "dont" | "never" => (at + 1, true),
            _ => (at, false),
        };
        let after = near(words, from, 6);
        no && ordered(words, at)
            && after.first().is_some_and(|verb| SAYS.contains(verb))
            && any(after, FAULTS)
    })
}

fn addresses(words: &[&str]) -> bool {
    // `As a language model, you should …`, `If you are an LLM, …`, `You are now a reviewer who …`
    let are = words.windows(2).position(|pair| pair == ["you", "are"]);
    let machine = |from: usize| {
        any(
            near(words, from, 7),
            &["reviewer", "referee", "llm", "ai", "chatbot"],
        )
    };
    let told = are.is_some_and(|at| {
        machine(at + 2) && (words[..at].contains(&"if") || any(words, KIND) || any(words, FAULTS))
    });
    let start = words
        .iter()
        .position(|word| *word == "as")
        .filter(|at| *at <= 1);
    let cast =
        start.is_some_and(|at| any(near(words, at + 1, 5), ADDRESSED) && words.contains(&"you"));
    told || (cast && (any(words, DOES) || any(words, KIND)))
}
