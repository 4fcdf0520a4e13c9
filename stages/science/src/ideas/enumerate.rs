//! The baseline's ideas: the declared space of a template, in a fixed order.
//!
//! First the written ideas as they stand, then one change of one setting at a time, the first value of
//! every setting before the second of any, then pairs of such changes.

use serde_json::{Map, Value};

use crate::shapes::Idea;
use crate::stats::plain;
use crate::template::{Space, Vary};

/// The first `n` ideas of the space, or all if there are fewer.
pub(super) fn enumerate(space: &Space, n: usize) -> Vec<Idea> {
    let mut ideas = space.ideas.clone();
    let rounds = space
        .vary
        .iter()
        .map(|vary| vary.values.len())
        .max()
        .unwrap_or(0);
    let mut singles: Vec<(&str, Idea)> = Vec::new();
    for round in 0..rounds {
        for vary in &space.vary {
            if let Some(value) = vary.values.get(round) {
                singles.push((&vary.key, single(vary, value)));
            }
        }
    }
    ideas.extend(singles.iter().map(|(_, idea)| idea.clone()));
    for (place, (key, first)) in singles.iter().enumerate() {
        for (other, second) in &singles[place + 1..] {
            if ideas.len() >= n {
                break;
            }
            if key != other {
                ideas.push(pair(first, second));
            }
        }
    }
    ideas.truncate(n);
    ideas
}

fn single(vary: &Vary, value: &Value) -> Idea {
    let word = plain(value);
    let fill = |text: &str| text.replace("{value}", &word);
    Idea {
        name: snake(&fill(&vary.name)),
        title: fill(&vary.title),
        experiment: fill(&vary.experiment),
        interestingness: vary.interestingness,
        feasibility: vary.feasibility,
        novelty: vary.novelty,
        config: Some(Map::from_iter([(vary.key.clone(), value.clone())])),
        program: None,
    }
}

fn pair(first: &Idea, second: &Idea) -> Idea {
    let both = |a: Option<i64>, b: Option<i64>| Some(a?.min(b?));
    let mut config = first.config.clone().unwrap_or_default();
    config.extend(second.config.clone().unwrap_or_default());
    Idea {
        name: format!("{}_and_{}", first.name, second.name),
        title: format!("{}; {}", first.title, second.title),
        experiment: format!(
            "{} Together with this: {}",
            first.experiment, second.experiment
        ),
        interestingness: both(first.interestingness, second.interestingness),
        feasibility: both(first.feasibility, second.feasibility),
        novelty: both(first.novelty, second.novelty),
        config: Some(config),
        program: None,
    }
}

/// A name in lower snake case: `lr_0.001` becomes `lr_0_001`.
pub(super) fn snake(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        serde_json::from_value(serde_json::json!({
            "ideas": [{"name": "gate", "title": "Gate", "experiment": "Add a gate.", "program": "gate.py"}],
            "vary": [
                {"key": "lr", "values": [0.001, 0.0001], "name": "lr_{value}", "title": "Rate {value}", "experiment": "Use {value}."},
                {"key": "hidden", "values": [128], "name": "width_{value}", "title": "Width {value}", "experiment": "Use {value}."},
            ],
        }))
        .unwrap()
    }

    fn names(n: usize) -> Vec<String> {
        enumerate(&space(), n)
            .into_iter()
            .map(|idea| idea.name)
            .collect()
    }

    #[test]
    fn written_ideas_come_first_then_every_setting_once_then_pairs() {
        assert_eq!(names(4), ["gate", "lr_0_001", "width_128", "lr_0_0001"]);
        assert_eq!(names(100).len(), 6);
        assert_eq!(names(5)[4], "lr_0_001_and_width_128");
    }

    #[test]
    fn asking_for_more_ideas_keeps_the_first_ones() {
        assert_eq!(names(6)[..3], names(3)[..]);
    }
}
