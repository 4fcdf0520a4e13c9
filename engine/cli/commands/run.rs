//! `kyo run`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use kyobashi_cache::{Access, Store};
use kyobashi_engine::artifact::Artifact;
use kyobashi_engine::exec::keeper::Keeper;
use kyobashi_engine::exec::{Executors, tree, worker};
use kyobashi_engine::plan::Sources;
use kyobashi_engine::run::{Ended, Observer, RunError, Settings, Stop, drive, preview};
use kyobashi_engine::spec::{Keys, Spec, Stage, Work};
use kyobashi_science::Providers;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::budget;
use crate::arguments::{Calls, Global, Run};
use crate::begun::Begun;
use crate::compiled::{self, Request};
use crate::deliver::{self, Delivered};
use crate::exit::{self, Code, Stopped};
use crate::journal::{self, Journal};
use crate::lines::Lines;
use crate::place::{self, Place};
use crate::progress::Progress;
use crate::surroundings::{self, Surroundings};
use crate::unchanged::{self, Ear, Part, Unchanged};
use crate::workspace::{Catalogue, Opening};
use crate::{made_from, summary, talk};

/// What a run left behind, for those who start runs.
pub(super) struct Outcome {
    pub(super) code: Code,
    /// Where the outputs were put.
    pub(super) delivered: Vec<PathBuf>,
}

pub(super) fn run(global: &Global, arguments: &Run) -> Result<Code, Stopped> {
    Ok(outcome(global, arguments)?.code)
}

/// Checks, runs, delivers and says how it went.
pub(super) fn outcome(global: &Global, arguments: &Run) -> Result<Outcome, Stopped> {
    let opening = Opening::begin(global, Some(&arguments.pipeline.file))?;
    let surroundings = Surroundings::read();
    let catalogue = Catalogue::new(Providers::default());
    // Where nobody is asked, nobody wants a key.
    let keys = match arguments.calls {
        Calls::Replay => Keys::Unasked,
        Calls::Live | Calls::Refresh | Calls::Off => Keys::Required,
    };
    let pipeline = &arguments.pipeline;
    let request = Request::new(global, pipeline, &catalogue, &surroundings, keys)?;
    let Begun {
        spec,
        sources,
        store,
        access,
        made_from,
        already,
        from,
    } = match again(global, arguments, &request, &opening)? {
        Again::Told(outcome) => return Ok(outcome),
        Again::Part(store, part) if !lacks_trainer(&part.spec, &catalogue) => {
            Begun::part(store, *part)
        }
        Again::Part(..) | Again::No => {
            opening.load();
            let compiled = compiled::spec(global, &request, &surroundings)?;
            Begun::whole(compiled, opening, arguments)?
        }
    };
    let servers = surroundings.servers(&spec);
    let provider_keys = provider_keys(&servers);
    let catalogue = Catalogue::new(servers);
    let place = match access {
        Access::Write => Place::new(&store)?,
        Access::Read => {
            place::all_reused(&spec, &sources, &store)?;
            talk::say(global, &place::read_only(&store));
            Place::none(&store)
        }
    };
    let log = place.folder.join("trainer.log");
    let keeper = Keeper::new(
        std::env::current_exe()?,
        vec![crate::KEEP.to_owned()],
        place.scratch.clone(),
    );
    tree::adopt();
    let executors = executors(
        catalogue,
        &surroundings,
        &spec,
        &store,
        &sources,
        log,
        keeper,
    )?;
    if already.is_some() {
        // Something has changed, so something is likely to run.
        executors.prepare();
    }
    if place.run > 0 {
        budget::left_over(global, &store)?;
    }
    let settings = Settings {
        run: place.run,
        asked: made_from::asked(&arguments.pipeline)?,
        made_from,
        machine: surroundings::machine(),
        durations: {
            let runs = store.runs();
            Box::new(move || journal::durations(&runs))
        },
        refresh: arguments.refresh.clone(),
        provider_keys,
        budget: budget::of(&spec, arguments)?,
        calls: budget::mode(arguments.calls),
        secrets: surroundings.variables.clone(),
        scratch: place.scratch.clone(),
        logs: place.folder.join("logs"),
        fail_fast: arguments.fail_fast,
        now_ms: surroundings::now_ms,
        already,
    };
    let ear = Ear::new(store.dir());
    let mut observers: Vec<Box<dyn Observer>> = Vec::new();
    if let Some(file) = place.journal()? {
        observers.push(Box::new(Journal::new(file)));
    }
    if global.json {
        observers.push(Box::new(Lines::default()));
    } else {
        observers.push(Box::new(Progress::new(global)));
    }
    let keeps = place.run > 0 && unchanged::is_plain(arguments);
    if keeps {
        observers.push(Box::new(ear.clone()));
    }
    let ended = start(
        &spec,
        &sources,
        &store,
        executors.clone(),
        &settings,
        &mut observers,
    )?;
    drop(observers);
    tree::end_orphans();
    let reached: Vec<(String, Artifact)> = ended
        .outputs
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_ref().ok()?.clone())))
        .collect();
    let delivered = match &arguments.out {
        Some(dir) => {
            let types = spec
                .outputs
                .iter()
                .map(|output| (output.name.as_str(), &output.ty));
            deliver::deliver(&store, types, &reached, dir)?
        }
        None => Delivered::default(),
    };
    summary::tell(global, arguments, &ended, &delivered);
    if ended.totals.out_of_budget {
        let left = budget::left(&spec, &sources, &store, &executors.stages, &place.scratch)?;
        budget::say(global, &settings.budget, &left, &ended);
    }
    let code = if ended.totals.out_of_budget {
        exit::OUT_OF_BUDGET
    } else if ended.totals.stopped {
        exit::INTERRUPTED
    } else if ended
        .failures
        .iter()
        .any(|failed| failed.failure.as_ref().is_some_and(|f| f.bug))
    {
        exit::OUR_FAULT
    } else if ended.totals.failed > 0 {
        exit::STAGE_FAILED
    } else {
        exit::DONE
    };
    if keeps && let Some(notes) = ear.notes() {
        from.keep(&request, &spec, &sources, &store, notes, &ended);
    }
    // The process is about to end: to take ten thousand stages apart first would only take time.
    std::mem::forget((spec, sources));
    store.leave_records();
    Ok(Outcome {
        code,
        delivered: delivered.paths,
    })
}

/// What the run before this one is worth.
enum Again {
    /// Nothing has changed since: it is told again.
    Told(Outcome),
    /// Little has changed since: the rest need not be gone through.
    Part(Store, Box<Part>),
    No,
}

fn again(
    global: &Global,
    arguments: &Run,
    request: &Request<'_>,
    opening: &Opening,
) -> Result<Again, Stopped> {
    if !unchanged::is_plain(arguments) {
        return Ok(Again::No);
    }
    let Some(unchanged) = Unchanged::read(request) else {
        return Ok(Again::No);
    };
    let Some(store) = opening.early() else {
        return Ok(Again::No);
    };
    let Some(changed) = unchanged.changed(request, &store)? else {
        return Ok(Again::No);
    };
    if !changed.is_empty() {
        let part = Part::of(unchanged, changed, request, &store)?;
        return Ok(part.map_or(Again::No, |part| Again::Part(store, Box::new(part))));
    }
    let place = Place::new(&store)?;
    let Some(file) = place.journal()? else {
        return Ok(Again::No);
    };
    budget::left_over(global, &store)?;
    let asked = made_from::asked(&arguments.pipeline)?;
    let (ended, types) = unchanged.tell(global, place.run, asked, Journal::new(file));
    let delivered = match &arguments.out {
        Some(dir) => {
            let outputs = ended.outputs.iter();
            let outputs: Vec<_> = outputs
                .filter_map(|(name, value)| Some((name.clone(), value.as_ref().ok()?.clone())))
                .collect();
            let types = types.iter().map(|(name, ty)| (name.as_str(), ty));
            deliver::deliver(&store, types, &outputs, dir)?
        }
        None => Delivered::default(),
    };
    summary::tell(global, arguments, &ended, &delivered);
    Ok(Again::Told(Outcome {
        code: exit::DONE,
        delivered: delivered.paths,
    }))
}

/// Whether the pipeline trains, and the trainer is not built.
fn lacks_trainer(spec: &Spec, catalogue: &Catalogue) -> bool {
    let trains = |stage: &Stage| match &stage.work {
        Work::Uses { signature, .. } => catalogue.trainer.contains(&signature.name),
        _ => false,
    };
    spec.stages.iter().any(trains) && !crate::setup::trainer_path(&surroundings::home()).exists()
}

/// Who carries out what. A trainer that is not there is an error before anything runs, if it would be
/// needed.
fn executors(
    catalogue: Catalogue,
    surroundings: &Surroundings,
    spec: &Spec,
    store: &Store,
    sources: &Sources,
    log: PathBuf,
    keeper: Keeper,
) -> Result<Arc<Executors>, Stopped> {
    let program = crate::setup::trainer_path(&surroundings::home());
    if lacks_trainer(spec, &catalogue) {
        let plan = preview::preview(
            spec,
            sources,
            store,
            &surroundings::machine(),
            &Default::default(),
            &preview::Detail::default(),
        )?;
        let needed = plan.iter().find(|node| {
            catalogue.trainer.contains(&node.uses) && node.state != preview::Prospect::Reused
        });
        if let Some(node) = needed {
            return Err(Stopped::wrong(format!(
                "stage `{}` trains, and the trainer is not built",
                node.address
            ))
            .help("run `kyo setup` once: it finds or fetches libtorch and builds the trainer"));
        }
    }
    let environment = vec![("OMP_WAIT_POLICY".to_owned(), "PASSIVE".to_owned())];
    let pool = Arc::new(worker::Pool::new(program, environment, log));
    Ok(Arc::new(Executors {
        stages: catalogue.stages,
        workers: catalogue
            .trainer
            .into_iter()
            .map(|name| (name, pool.clone()))
            .collect(),
        environment: surroundings.shell(),
        keeper,
    }))
}

fn provider_keys(servers: &Providers) -> BTreeMap<String, String> {
    servers
        .iter()
        .filter_map(|(name, own)| Some((name.to_owned(), own.key.clone()?)))
        .collect()
}

fn start(
    spec: &Spec,
    sources: &Sources,
    store: &Store,
    executors: Arc<Executors>,
    settings: &Settings,
    observers: &mut [Box<dyn Observer>],
) -> Result<Ended, Stopped> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Stopped::fault)?;
    runtime.block_on(async {
        let (sender, receiver) = watch::channel(Stop::No);
        // From here on Ctrl-C is ours, before anything starts.
        let mut interrupts = signal(SignalKind::interrupt()).map_err(Stopped::fault)?;
        let mut terminations = signal(SignalKind::terminate()).map_err(Stopped::fault)?;
        // A file that may not grow any more is an error of the write, not the end of the process.
        let _sizes = signal(SignalKind::from_raw(nix::libc::SIGXFSZ)).map_err(Stopped::fault)?;
        tokio::spawn(async move {
            for how in [Stop::Soon, Stop::Now] {
                // Who terminates a process does not wait for its longest stage.
                let how = tokio::select! {
                    _ = interrupts.recv() => how,
                    _ = terminations.recv() => Stop::Now,
                };
                if sender.send(how).is_err() || how == Stop::Now {
                    return;
                }
                if how == Stop::Soon {
                    tracing::warn!("finishing what runs; press Ctrl-C again to stop now");
                }
            }
        });
        let ended = drive(
            spec, sources, store, executors, settings, observers, receiver,
        )
        .await;
        ended.map_err(|error| match error {
            RunError::Store(error) => error.into(),
        })
    })
}
