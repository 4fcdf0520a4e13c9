//! `review/rank`: the papers in the order in which they are preferred, from the answers about pairs in both
//! orders. A pair whose answer turns with the order tells of the judge and not of the papers: it is counted as
//! undecided, and how often the paper that stood first won is reported.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{
    BASELINE, Call, Context, Failure, Note, Output, Outputs, Port, Signature, Stage,
};
use serde_json::Value;

use super::Answer;
use super::bradley_terry::standings;
use crate::review::aggregate::worst;
use crate::shapes::Idea;
use crate::stats::{Preferred, Ranking, Share};

pub(crate) struct Rank;

/// One question in both orders.
#[derive(Default)]
struct Pair<'a> {
    /// The winner as one stood first, and as the other did; none where that answer is missing.
    winners: [Option<&'a str>; 2],
}

impl Stage for Rank {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "compared",
                    "list<json>",
                    "answers about pairs, by `llm/compare`",
                ),
                Port::new("ideas", "list<Idea>", "the ideas of the papers"),
                Port::new("missing", "list<json>?", "the `failed` of the comparisons"),
            ],
            outs: vec![Port::new(
                "ranking",
                "json",
                "{papers: [{name, rank, chance, ci, wins, losses, undecided}], pairs, decided, first: {n, share, ci}, missing, judges, provenance}",
            )],
            ..Signature::new(
                "review/rank",
                1,
                "Rank papers that were compared two at a time",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let ideas: Vec<Idea> = call.get("ideas")?;
        let answers: Vec<Answer> = call.get("compared")?;
        let missing: Vec<Value> = if call.has("missing") {
            call.get("missing")?
        } else {
            Vec::new()
        };
        let names: Vec<&str> = ideas.iter().map(|idea| idea.name.as_str()).collect();
        let ranking = ranked(&names, &answers, missing.len())?;
        if answers.iter().all(|answer| answer.judge == BASELINE) && ideas.len() > 1 {
            context.note(Note {
                message: Some("no model compared the papers, so they have no order".to_owned()),
                ..Note::default()
            });
        }
        let value =
            serde_json::to_value(ranking).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([(
            "ranking".to_owned(),
            Output::value(value),
        )]))
    }
}

fn ranked(names: &[&str], answers: &[Answer], missing: usize) -> Result<Ranking, Failure> {
    let place = |name: &str| {
        names
            .iter()
            .position(|known| *known == name)
            .ok_or_else(|| {
                Failure::new(format!("`{name}` was compared and is not among the ideas"))
                    .help("take both from one study")
            })
    };
    let mut pairs: BTreeMap<(usize, usize), Pair<'_>> = BTreeMap::new();
    let (mut first_won, mut asked) = (0, 0);
    for answer in answers {
        let (first, second) = (place(&answer.first)?, place(&answer.second)?);
        let Some(better) = &answer.better else {
            continue;
        };
        let pair = pairs
            .entry((first.min(second), first.max(second)))
            .or_default();
        pair.winners[usize::from(first > second)] = Some(better);
        asked += 1;
        first_won += usize::from(*better == answer.first);
    }
    let n = names.len();
    let mut wins = vec![vec![0.0; n]; n];
    let mut undecided = vec![0; n];
    let mut decided = 0;
    for ((one, other), pair) in &pairs {
        match pair.winners {
            [Some(here), Some(there)] if here == there => {
                let (winner, loser) = if here == names[*one] {
                    (*one, *other)
                } else {
                    (*other, *one)
                };
                wins[winner][loser] += 1.0;
                decided += 1;
            }
            _ => {
                undecided[*one] += 1;
                undecided[*other] += 1;
            }
        }
    }
    let mut papers: Vec<Preferred> = Vec::new();
    if !pairs.is_empty() {
        for (place, standing) in standings(&wins).into_iter().enumerate() {
            let count = |sum: f64| sum as usize;
            papers.push(Preferred {
                name: names[place].to_owned(),
                rank: 0,
                chance: standing.chance,
                ci: standing.ci,
                wins: count(wins[place].iter().sum()),
                losses: count(wins.iter().map(|row| row[place]).sum()),
                undecided: undecided[place],
            });
        }
    }
    papers.sort_by(|a, b| {
        b.chance
            .total_cmp(&a.chance)
            .then_with(|| a.name.cmp(&b.name))
    });
    for (rank, paper) in papers.iter_mut().enumerate() {
        paper.rank = rank + 1;
    }
    let judges: BTreeSet<String> = answers.iter().map(|answer| answer.judge.clone()).collect();
    Ok(Ranking {
        papers,
        pairs: pairs.len(),
        decided,
        first: Share::of(first_won, asked),
        missing,
        judges,
        provenance: worst(answers.iter().map(|answer| answer.provenance.clone())),
    })
}
