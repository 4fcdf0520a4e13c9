//! One test binary: every test enters by the front door, with YAML in, the real `kyo`, and exit code,
//! events and files out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_input;
mod book;
mod budget;
mod calibration;
mod calls;
mod chat;
mod check_paper;
mod check_paper_changes;
mod check_paper_facts;
mod check_paper_rows;
mod contamination;
mod crash;
mod diff;
mod edit;
mod editors;
mod examples;
mod export;
mod failure;
mod flow;
mod gallery;
mod gathered;
mod language;
mod language_server;
mod layers;
mod leaderboard;
mod limits;
mod little_changed;
mod model_server;
mod open_ended;
mod own_data;
mod paid_once;
mod pairwise;
mod papers;
mod pdf;
mod plan;
mod reference;
mod refresh;
mod resample;
mod resources;
mod reuse;
mod reviewer_benchmark;
mod roles;
mod scientist;
mod screening;
mod semantics;
mod space;
mod speed;
mod templates;
mod trouble;
mod unchanged;
mod untouched;
mod upkeep;
