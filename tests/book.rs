//! The documentation is true: every console block of `docs/` and of the README is run and compared with what
//! it shows, every YAML block is checked. `BLESS=1 cargo test book` writes what was printed into the
//! pages; read the difference before keeping it.
//!
//! Each page runs in a folder of its own with `kyo` on the path, beside copies of `examples/` and
//! `pipelines/`. Not trycmd: pages bring their own files in blocks that a reader copies as well, and one
//! step builds on another.

#[path = "book/page.rs"]
mod page;
#[path = "book/shown.rs"]
mod shown;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::model_server::{ModelServer, Said};
use crate::space::{Done, Space, home};

/// Blocks that need what a test has not: page, first line of the first command. Why is said in the fence.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "docs/guides/ai-scientist.md",
        "kyo run pipelines/ai-scientist.yaml --profile demo --out out",
    ),
    (
        "docs/guides/ai-scientist.md",
        "export OPENAI_API_KEY=… ANTHROPIC_API_KEY=…",
    ),
    (
        "docs/guides/ai-scientist.md",
        "kyo run pipelines/open-ended.yaml --profile demo --set params.rounds=3 --out out",
    ),
    (
        "docs/guides/check-a-paper.md",
        "kyo run pipelines/check-paper.yaml --set params.paper=paper.tex --set params.results=runs --out checked",
    ),
    (
        "docs/guides/reading-notes.md",
        "kyo run pipelines/reading-notes.yaml --set params.paper=paper.pdf --out notes",
    ),
    (
        "docs/guides/reviewer-benchmark.md",
        "kyo run pipelines/reviewer-benchmark.yaml \\",
    ),
    (
        "docs/guides/reviewer-benchmark.md",
        "kyo run pipelines/reviewer-benchmark.yaml --set params.papers=papers --set params.ratings=ratings.tsv \\",
    ),
    (
        "docs/guides/review-panel.md",
        "kyo cost --json > one-cost.json",
    ),
    (
        "docs/guides/swap-reviewer.md",
        "kyo run pipelines/ai-scientist.yaml --set models.reviewer=openai/gpt-4o-2024-05-13 --out swapped",
    ),
    (
        "docs/gallery.md",
        "kyo run examples/gallery/gan.yaml --out gan",
    ),
    (
        "docs/speed-training.md",
        "python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch==2.11.0",
    ),
    (
        "docs/templates.md",
        "kyo run pipelines/templates/2d_diffusion.yaml --set params.datasets=[circle] --out circle",
    ),
    (
        "docs/templates.md",
        "kyo run pipelines/templates/char_lm.yaml --set params.corpus=shakespeare.txt --out shakespeare",
    ),
    ("docs/guides/papers.md", "kyo report --out run.html"),
    ("README.md", "cargo run --release -- demo"),
    ("README.md", "cargo test"),
    ("README.md", "export OPENAI_API_KEY=…"),
];

/// Languages of blocks that are only looked at.
const LOOKED_AT: &[&str] = &["text", "rust", "python", "markdown", "json", "csv"];

/// Every page, as a path from the repository.
fn pages() -> Vec<String> {
    let mut found = vec!["README.md".to_owned()];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(home().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if home().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn text(page: &str) -> String {
    std::fs::read_to_string(home().join(page)).unwrap()
}

/// Runs a line of a console block as a shell would, with both streams together.
fn shell(space: &Space, line: &str) -> Done {
    let kyo = Path::new(env!("CARGO_BIN_EXE_kyo"));
    let line = line.replace("cargo run --release --", "kyo");
    let template = space.command(&[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("exec 2>&1\n{line}")])
        .current_dir(space.path(""));
    for (name, value) in template.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", kyo.parent().unwrap().display());
    let mut done = Done::from(command.env("PATH", path).output().unwrap());
    let here = space.path("").canonicalize().unwrap();
    done.stdout = done
        .stdout
        .replace(here.to_str().unwrap(), "/home/you/study");
    done
}

/// Does what a page says; returns what is not as it says, and the page as it should be.
fn follow(name: &str) -> (String, String) {
    let before = text(name);
    if before.contains("uses: train/") {
        crate::flow::set_up();
    }
    let mut after = before.clone();
    let mut wrong = String::new();
    let mut space = Space::new();
    space
        .copy("examples", "examples")
        .copy("pipelines", "pipelines");
    let server =
        page::reply(&before).map(|text| ModelServer::with(move |_, _| Said::Text(text.clone())));
    if let Some(server) = &server {
        space
            .set("OPENAI_BASE_URL", &server.url())
            .set("OPENAI_API_KEY", crate::model_server::KEY);
    }
    let blocks = page::blocks(&before);
    // A pipeline may be shown before the files that it names; a later version takes the place of the first.
    for block in blocks.iter().rev() {
        if let Some(file) = block.marks.get("file") {
            space.write(file, &block.text);
        }
    }
    let mut changes = Vec::new();
    for block in blocks {
        let has = |mark: &str| block.marks.contains_key(mark);
        let mut complain = |what: &str| {
            let _ = writeln!(wrong, "{name}:{}: {what}", block.line);
        };
        if let Some(file) = block.marks.get("file") {
            space.write(file, &block.text);
        }
        match block.language.as_str() {
            "console" if has("not-run") => {}
            "console" => {
                let (kept, printed) = console(&space, &block, &mut complain);
                if kept != printed {
                    changes.extend(block.range.clone().map(|range| (range, printed)));
                }
            }
            "yaml" => yaml(&space, &block, &mut complain),
            language if LOOKED_AT.contains(&language) => {}
            language => complain(&format!(
                "a block of `{language}`: is it `console`, `yaml` or `text`?"
            )),
        }
    }
    for (range, printed) in changes.into_iter().rev() {
        after.replace_range(range, &printed);
    }
    (wrong, after)
}

/// Runs a console block; returns it as it is, and as it should be.
fn console(space: &Space, block: &page::Block, complain: &mut dyn FnMut(&str)) -> (String, String) {
    let mut should = String::new();
    let steps = page::steps(&block.text);
    let last = steps.len().saturating_sub(1);
    for (index, step) in steps.iter().enumerate() {
        let done = shell(space, &step.command);
        let code = match block.marks.get("fails") {
            Some(code) if index == last => code.parse().expect("`fails=` is followed by a number"),
            _ => 0,
        };
        if done.code != code {
            let shown = &done.stdout;
            complain(&format!(
                "`{}` ended with {}, not {code}\n{shown}",
                step.command, done.code
            ));
        }
        let same = shown::same(
            &step.shown,
            &done.stdout,
            block.marks.contains_key("any-order"),
        );
        if !same {
            let (shown, printed) = (&step.shown, &done.stdout);
            complain(&format!(
                "`{}`\n--- shown\n{shown}--- printed\n{printed}---",
                step.command
            ));
        }
        let output = if same { &step.shown } else { &done.stdout };
        let _ = writeln!(should, "$ {}\n{}", step.command, output.trim_end());
        should.truncate(should.trim_end().len());
        should.push('\n');
    }
    (block.text.clone(), should)
}

/// A YAML block is a pipeline that passes, one that is meant not to, a component, or marked as a fragment.
fn yaml(space: &Space, block: &page::Block, complain: &mut dyn FnMut(&str)) {
    let has = |key: &str| block.text.lines().any(|line| line.starts_with(key));
    if block.marks.contains_key("fragment") || !has("kyobashi:") {
        if let Err(error) = serde_yaml::from_str::<serde_yaml::Value>(&block.text) {
            complain(&format!("this is no YAML: {error}"));
        }
        if !block.marks.contains_key("fragment") && !block.marks.contains_key("file") {
            complain("not a whole pipeline: mark it `fragment`, or give it a `file=`");
        }
        return;
    }
    let file = block.marks.get("file").map_or("block.yaml", String::as_str);
    space.write(file, &block.text);
    let done = space.kyo(&["check", file]);
    let invalid = block.marks.contains_key("invalid");
    if (done.code != 0) != invalid {
        complain(&format!(
            "`kyo check` ends with {}\n{}",
            done.code, done.stderr
        ));
    }
}

#[test]
fn the_book_shows_what_happens() {
    let pages = pages();
    assert!(pages.len() > 3, "{pages:?}");
    let bless = std::env::var_os("BLESS").is_some();
    let wanted = std::env::var("PAGE").unwrap_or_default();
    let next = std::sync::Mutex::new(pages.into_iter());
    let wrong = std::sync::Mutex::new(String::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let page = next.lock().unwrap().next();
                    let Some(page) = page else { return };
                    if !page.contains(&wanted) {
                        continue;
                    }
                    let (found, should) = follow(&page);
                    *wrong.lock().unwrap() += &found;
                    if bless && should != text(&page) {
                        std::fs::write(home().join(&page), should).unwrap();
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{wrong}\n`BLESS=1 cargo test book` writes what was printed"
    );
}

#[test]
fn blocks_that_are_not_run_say_why_and_are_listed() {
    let mut found = BTreeSet::new();
    for name in pages() {
        for block in page::blocks(&text(&name)) {
            if let Some(reason) = block.marks.get("not-run") {
                assert!(
                    reason.len() > 5,
                    "{name}:{}: why is it not run?",
                    block.line
                );
                let steps = page::steps(&block.text);
                found.insert((
                    name.clone(),
                    steps[0].command.lines().next().unwrap().to_owned(),
                ));
            }
        }
    }
    let listed = NOT_RUN
        .iter()
        .map(|(page, command)| ((*page).to_owned(), (*command).to_owned()));
    assert_eq!(
        found,
        listed.collect::<BTreeSet<_>>(),
        "the list of blocks that are not run"
    );
}

/// The links of the summary are the book, so every page is in it and every link leads somewhere.
#[test]
fn every_page_is_in_the_summary_and_every_link_leads_somewhere() {
    let summary = text("docs/SUMMARY.md");
    let linked: BTreeSet<String> = links(&summary)
        .into_iter()
        .map(|link| format!("docs/{link}"))
        .collect();
    let pages: BTreeSet<String> = pages()
        .into_iter()
        .filter(|page| page.starts_with("docs/") && page != "docs/SUMMARY.md")
        .collect();
    assert_eq!(linked, pages, "docs/SUMMARY.md against docs/**/*.md");
    for page in pages.iter().map(String::as_str).chain(["README.md"]) {
        let folder = Path::new(page).parent().unwrap();
        for link in links(&text(page)) {
            let target = link.split('#').next().unwrap_or_default();
            if link.contains("://") || target.is_empty() {
                continue;
            }
            assert!(
                home().join(folder).join(target).exists(),
                "{page} links to {link}, which is not there"
            );
        }
    }
}

/// A stray `<name>` would be taken for an element, and vanish from the page.
#[test]
fn no_page_has_html_but_comments() {
    use pulldown_cmark::{Event, Options, Parser};
    for page in pages() {
        for event in Parser::new_ext(&text(&page), Options::ENABLE_TABLES) {
            if let Event::Html(html) | Event::InlineHtml(html) = event {
                assert!(html.starts_with("<!--"), "{page}: {html}");
            }
        }
    }
}

fn links(text: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Parser, Tag};
    let links = Parser::new(text).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    });
    links.collect()
}
