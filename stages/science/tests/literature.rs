//! The literature: what is sent to each library and read from it, and what happens when one is busy,
//! broken or away.

#![allow(clippy::unwrap_used, reason = "a test that breaks is a failed test")]

mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use kyobashi_stage::{Datum, Failure, Outputs};
use serde_json::{Value, json};
use support::library::{ARXIV, Library, crossref, openalex, semantic_scholar};
use support::{Bench, value};

fn search(
    bench: &Bench,
    engine: &str,
    servers: Value,
    more: Vec<(&str, Datum)>,
) -> Result<Outputs, Failure> {
    let mut given = vec![
        ("query", Datum::value("dual-scale denoising diffusion")),
        ("engine", Datum::value(engine)),
        ("servers", Datum::value(servers)),
        ("results", Datum::value(2)),
    ];
    given.extend(more);
    bench.run("literature/search", None, given)
}

#[test]
fn each_library_is_asked_as_it_wants_and_its_answer_is_read() {
    let expected = [
        ("semantic_scholar", semantic_scholar(), "/paper/search", 2),
        ("openalex", openalex(), "/works", 2),
        ("arxiv", ARXIV.to_owned(), "/api/query", 1),
        ("crossref", crossref(), "/works", 1),
    ];
    for (engine, body, path, count) in expected {
        let library = Library::start(vec![(200, None, body)]);
        let bench = Bench::new();
        let polite = vec![("mailto", Datum::value("me@example.org"))];
        let outputs = search(&bench, engine, json!({engine: library.url}), polite).unwrap();
        let papers = value(&outputs, "papers");
        assert_eq!(
            papers.as_array().unwrap().len(),
            count,
            "{engine}: {papers:#}"
        );
        let paper = &papers[0];
        assert_eq!(paper["source"], engine);
        assert!(paper["year"].is_i64() && !paper["authors"][0].as_str().unwrap().is_empty());
        assert!(
            library.seen()[0].starts_with(&format!("{path}?")),
            "{:?}",
            library.seen()
        );
        let query = library.query(0);
        let names: Vec<&str> = query.keys().map(String::as_str).collect();
        match engine {
            "semantic_scholar" => {
                assert_eq!(names, ["fields", "limit", "query"]);
                assert_eq!(
                    query["query"], "dual scale denoising diffusion",
                    "a hyphen finds nothing there"
                );
                assert_eq!(
                    (&paper["id"], &paper["citations"]),
                    (&json!("arXiv:2006.11239"), &json!(21000))
                );
                assert_eq!(
                    paper["abstract"],
                    "We present high quality image synthesis results using diffusion."
                );
            }
            "openalex" => {
                assert_eq!(names, ["per-page", "search", "select"]);
                assert_eq!(paper["abstract"], "We present what present");
                assert_eq!(paper["venue"], "arXiv (Cornell University)");
            }
            "arxiv" => {
                assert_eq!(names, ["max_results", "search_query", "sortBy", "start"]);
                assert_eq!(
                    query["search_query"],
                    "all:dual OR all:scale OR all:denoising OR all:diffusion"
                );
                assert_eq!(paper["title"], "Denoising Diffusion Probabilistic Models");
                assert_eq!(
                    (&paper["venue"], &paper["year"]),
                    (&json!("NeurIPS 2020"), &json!(2020))
                );
            }
            _ => {
                assert_eq!(names, ["mailto", "query", "rows", "select"]);
                assert_eq!(paper["abstract"], "By decomposing & so on");
                assert_eq!(paper["authors"], json!(["Robin Rombach"]));
            }
        }
        let request = bench.requests.lock().unwrap()[0].0.clone();
        assert_eq!(request.kind, "literature");
        assert!(
            !request.document.to_string().contains("example.org"),
            "who asks is not what is asked"
        );
    }
}

#[test]
fn a_question_is_sent_once() {
    let library = Library::start(vec![(200, None, openalex())]);
    let bench = Bench::new();
    let servers = json!({"openalex": library.url});
    let first = search(&bench, "openalex", servers.clone(), vec![]).unwrap();
    let second = search(&bench, "openalex", servers, vec![]).unwrap();
    assert_eq!(value(&first, "papers"), value(&second, "papers"));
    assert_eq!(library.seen().len(), 1);
}

#[test]
fn a_busy_library_is_asked_again_and_one_that_wants_an_hour_is_given_up_at_once() {
    let start = Instant::now();
    let patient = Library::start(vec![
        (429, Some("0"), "{}".to_owned()),
        (200, None, semantic_scholar()),
    ]);
    search(
        &Bench::new(),
        "semantic_scholar",
        json!({"semantic_scholar": patient.url}),
        vec![],
    )
    .unwrap();
    assert_eq!(patient.seen().len(), 2);
    let busy = Library::start(vec![(
        429,
        Some("3600"),
        r#"{"message": "Too Many Requests.", "code": "429"}"#.to_owned(),
    )]);
    let next = Library::start(vec![(200, None, openalex())]);
    let servers = json!({"semantic_scholar": busy.url, "openalex": next.url});
    let outputs = search(&Bench::new(), "cascade", servers, vec![]).unwrap();
    let searched = value(&outputs, "searched");
    assert_eq!(searched["answered"], json!(["openalex"]));
    let why = searched["failed"]["semantic_scholar"].as_str().unwrap();
    assert!(why.contains("429") && why.contains("3600 s"), "{why}");
    assert_eq!(busy.seen().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_answer_that_finds_nothing_hands_on_to_the_next_library() {
    let nothing = Library::start(vec![(200, None, r#"{"total": 0, "offset": 0}"#.to_owned())]);
    let next = Library::start(vec![(200, None, openalex())]);
    let servers = json!({"semantic_scholar": nothing.url, "openalex": next.url});
    let outputs = search(&Bench::new(), "cascade", servers, vec![]).unwrap();
    assert_eq!(
        value(&outputs, "searched")["answered"],
        json!(["semantic_scholar", "openalex"])
    );
    assert_eq!(value(&outputs, "papers").as_array().unwrap().len(), 2);
}

#[test]
fn nothing_waits_longer_than_the_deadline() {
    // A server that takes the connection and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let start = Instant::now();
    let deadline = vec![("deadline", Datum::value(0.5))];
    let failure = search(&Bench::new(), "arxiv", json!({"arxiv": url}), deadline).unwrap_err();
    assert!(failure.message.contains("no answer in time"), "{failure}");
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn wrong_answers_and_wrong_settings_are_told() {
    for (status, body, word) in [
        (200, "<html>", "cannot be read"),
        (200, r#"{"data": 1}"#, "no `data`"),
        (403, "Forbidden", "answered 403 Forbidden"),
    ] {
        let library = Library::start(vec![(status, None, body.to_owned())]);
        let failure = search(
            &Bench::new(),
            "semantic_scholar",
            json!({"semantic_scholar": library.url}),
            vec![],
        );
        let failure = failure.unwrap_err();
        assert!(failure.message.contains(word), "{failure}");
        assert_eq!(library.seen().len(), 1, "a refusal is not asked again");
    }
    let failure = search(&Bench::new(), "scholar", json!({}), vec![]).unwrap_err();
    assert!(failure.help.unwrap().contains("semantic_scholar"));
    let failure = search(
        &Bench::new(),
        "none",
        json!({"open_alex": "http://x"}),
        vec![],
    )
    .unwrap_err();
    assert!(failure.message.contains("`open_alex`"));
    assert!(
        search(&Bench::new(), "none", json!({}), vec![])
            .unwrap_err()
            .message
            .contains("nobody")
    );
}

#[test]
fn a_key_is_sent_where_it_belongs_and_shown_nowhere() {
    const KEY: &str = "canary-5f3a";
    let mut bench = Bench::new();
    bench
        .secrets
        .insert("S2_API_KEY".to_owned(), KEY.to_owned());
    bench
        .secrets
        .insert("OPENALEX_API_KEY".to_owned(), KEY.to_owned());
    let header = Library::start(vec![(200, None, semantic_scholar())]);
    search(
        &bench,
        "semantic_scholar",
        json!({"semantic_scholar": header.url}),
        vec![],
    )
    .unwrap();
    assert_eq!(header.seen.lock().unwrap()[0].1["x-api-key"], KEY);
    let query = Library::start(vec![(403, None, format!("bad key {KEY}"))]);
    let failure = search(&bench, "openalex", json!({"openalex": query.url}), vec![]).unwrap_err();
    assert_eq!(query.query(0)["api_key"], KEY);
    assert!(!failure.message.contains(KEY), "{failure}");
    let notes = format!(
        "{:?}{:?}",
        bench.notes.lock().unwrap(),
        bench.requests.lock().unwrap()
    );
    assert!(!notes.contains(KEY));
}

#[test]
fn a_cited_work_is_found_once_or_marked_unverified_and_nothing_fails_offline() {
    let works = "@article{ours, title = {Denoising {D}iffusion of Two Scales}, year = {2020}}\n\n@article{theirs, title = {A work that nobody wrote}, year = {2021}}\n";
    let verify = |bench: &Bench, more: Vec<(&str, Datum)>| {
        let mut given = vec![("bibliography", Datum::value(works))];
        given.extend(more);
        bench.run("literature/verify", None, given).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("own.bib"),
        "@article{x, title = {Denoising diffusion of two scales}, author = {Ho, J}, year = {2021}}",
    )
    .unwrap();
    let own = Datum::Dir {
        path: folder.path().to_path_buf(),
        digest: "0".to_owned(),
    };
    let outputs = verify(&Bench::new(), vec![("folder", own)]);
    let checked = value(&outputs, "works");
    assert_eq!(checked[0]["verdict"], "found", "{checked:#}");
    assert_eq!(checked[1]["verdict"], "unverified");
    assert_eq!(checked[1]["why"], "unknown to folder");
    let marked = support::text(&outputs, "bibliography");
    assert_eq!(marked.matches("[unverified]").count(), 1, "{marked}");
    assert!(
        marked.contains("{D}iffusion") && marked.contains("@article{theirs"),
        "{marked}"
    );
    // Nobody listens at this port.
    let servers = json!({"crossref": "http://127.0.0.1:9"});
    let away = vec![
        ("engine", Datum::value("crossref")),
        ("servers", Datum::value(servers)),
        ("deadline", Datum::value(2.0)),
    ];
    let checked = value(&verify(&Bench::new(), away), "works");
    assert_eq!(checked[0]["verdict"], "unverified");
    assert!(
        checked[0]["why"]
            .as_str()
            .unwrap()
            .starts_with("no library answered: crossref"),
        "{checked}"
    );
    let checked = value(&verify(&Bench::new(), vec![]), "works");
    assert_eq!(checked[1]["why"], "no library was asked");
}
