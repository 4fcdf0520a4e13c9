//! `kyo demo`: set-up, then `kyo run pipelines/ai-scientist.yaml --profile demo --out demo`, then
//! `kyo report --out demo/run.html`.

use std::time::Instant;

use crate::arguments::{Calls, Demo, Global, Pipeline, Run, Values};
use crate::exit::{self, Code, Stopped};
use crate::{history, surroundings, talk, workspace};

use super::{report, run, setup};

pub(super) fn demo(global: &Global, arguments: &Demo) -> Result<Code, Stopped> {
    let begin = Instant::now();
    setup::setup(global)?;
    let ready = begin.elapsed().as_secs_f64();
    let home = surroundings::home();
    let file = home.join("pipelines/ai-scientist.yaml");
    // A path that people can read, where they stand in the folder.
    let file = match std::env::current_dir()
        .ok()
        .as_deref()
        .map(|here| file.strip_prefix(here))
    {
        Some(Ok(short)) => short.to_owned(),
        _ => file,
    };
    let run = Run {
        pipeline: Pipeline {
            file,
            values: Values {
                profile: Some("demo".to_owned()),
                values: None,
                set: arguments.set.clone(),
                pool: Vec::new(),
                jobs: arguments.jobs,
            },
        },
        out: Some(arguments.out.clone()),
        keep_going: false,
        fail_fast: false,
        refresh: Vec::new(),
        budget: None,
        calls: Calls::Live,
    };
    let outcome = run::outcome(global, &run)?;
    if !global.json && outcome.code == exit::DONE {
        for path in &outcome.delivered {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let what = match name {
                "paper.pdf" => "Paper",
                "report.html" => "Report",
                _ => continue,
            };
            talk::say(global, &format!("{what:8} {}", path.display()));
        }
        let page = arguments.out.join("run.html");
        let there = Global {
            store: Some(workspace::store_dir(global, Some(&run.pipeline.file))),
            ..global.clone()
        };
        let store = workspace::look(&there)?;
        let number = history::find(&store.runs(), "last")?;
        report::write(&store, number, &page)?;
        talk::say(global, &format!("Numbers  {}", page.display()));
        talk::say(global, &format!("Results  {}", arguments.out.display()));
        let total = talk::duration(begin.elapsed().as_secs_f64());
        let ready = talk::duration(ready);
        talk::say(
            global,
            &format!("Took     {total}, of which set-up {ready}"),
        );
    }
    Ok(outcome.code)
}
