//! The stages of automated research: data, variants, ideas, statistics, writing, checks, reviews, report.
//!
//! Each stage type is one small file that reads its inputs, does its work with free functions and
//! returns documents; [`stages`] lists them all. The crate knows the contract of stages and nothing of
//! the engine or the cache. What a document holds is described by the types of [`stats`] and by
//! [`shapes()`].

mod benchmark;
mod data;
mod document;
mod experiment;
mod gathered;
mod ideas;
mod literature;
mod llm;
mod notes;
mod paper;
mod report;
mod retrieval;
mod review;
mod shapes;
pub mod stats;
mod template;
mod trace;

use kyobashi_stage::Stage;

pub use llm::{Auth, Dialect, Limits, Provider, Providers, served};
pub use shapes::{Idea, shapes};
pub use template::declared_metrics;

/// Every stage type of this crate. Models are asked at the given providers.
#[must_use]
pub fn stages(providers: Providers) -> Vec<Box<dyn Stage>> {
    let client = llm::Client::new(providers);
    vec![
        Box::new(data::Characters),
        Box::new(data::Moons),
        Box::new(data::Points),
        Box::new(data::Set),
        Box::new(data::Text),
        Box::new(experiment::Variant),
        Box::new(experiment::Edit(client.clone())),
        Box::new(experiment::Outcome),
        Box::new(experiment::Noting(client.clone())),
        Box::new(experiment::Chosen),
        Box::new(ideas::Propose(client.clone())),
        Box::new(ideas::Novelty(client.clone())),
        Box::new(ideas::Archive),
        Box::new(literature::Search),
        Box::new(literature::Verify),
        Box::new(stats::Aggregate),
        Box::new(stats::Compare),
        Box::new(paper::Write(client.clone())),
        Box::new(document::Read),
        Box::new(review::Checks),
        Box::new(review::Screen),
        Box::new(review::Suspect(client.clone())),
        Box::new(llm::Chat(client.clone())),
        Box::new(llm::Edit(client.clone())),
        Box::new(trace::Numbers),
        Box::new(llm::Review(client.clone())),
        Box::new(review::Aggregate),
        Box::new(review::Meta(client.clone())),
        Box::new(review::Compare(client.clone())),
        Box::new(review::Rank),
        Box::new(benchmark::Papers),
        Box::new(benchmark::Score),
        Box::new(benchmark::Calibrate),
        Box::new(paper::Improve(client.clone())),
        Box::new(paper::Repair(client.clone())),
        Box::new(notes::Read(client)),
        Box::new(stats::Leaderboard),
        Box::new(stats::Tally),
        Box::new(stats::Studies),
        Box::new(paper::Best),
        Box::new(report::FinalInfo),
        Box::new(report::Html),
        Box::new(report::TensorBoard),
    ]
}
