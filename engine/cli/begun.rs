//! What a run starts from: the whole pipeline, or the part of it that follows from what has changed.

use std::path::Path;

use kyobashi_cache::{Access, Stat, Store};
use kyobashi_engine::plan::Sources;
use kyobashi_engine::run::{Already, Ended, MadeFrom};
use kyobashi_engine::spec::Spec;

use crate::arguments::Run;
use crate::compiled::{Basis, Compiled, Request};
use crate::exit::Stopped;
use crate::unchanged::{self, Kept, Notes, Part};
use crate::workspace::{self, Opening};
use crate::{made_from, refresh};

/// What a run starts from.
pub(crate) struct Begun {
    pub(crate) spec: Spec,
    /// The files and folders that are named by what is gone through.
    pub(crate) sources: Sources,
    pub(crate) store: Store,
    pub(crate) access: Access,
    pub(crate) made_from: MadeFrom,
    /// What is told and not gone through.
    pub(crate) already: Option<Already>,
    pub(crate) from: From,
}

/// What is needed to keep the run for the next time: of the whole what the check depended on, and what the
/// disk said of each source.
pub(crate) enum From {
    Whole(Box<(Option<Basis>, Vec<Option<Stat>>)>),
    Part(Box<Kept>),
}

impl Begun {
    /// The whole pipeline.
    ///
    /// # Errors
    /// When a file or the store cannot be read, or a `--refresh` means nothing.
    pub(crate) fn whole(
        compiled: Compiled,
        opening: Opening,
        arguments: &Run,
    ) -> Result<Self, Stopped> {
        let Compiled {
            spec,
            texts,
            files,
            basis,
        } = compiled;
        refresh::known(&spec, &arguments.refresh)?;
        let (store, access) = opening.finish()?;
        let sources = workspace::sources_of(&spec, &store, &|path| files.stat(path))?;
        refresh::there(&spec, &sources, &store, &arguments.refresh)?;
        let looks = sources.keys().map(|path| files.stat(Path::new(path)));
        let looks = looks.collect();
        drop(files);
        let made_from = made_from::made_from(&spec, &texts, &sources, &store, &arguments.refresh);
        Ok(Self {
            spec,
            sources,
            store,
            access,
            made_from,
            already: None,
            from: From::Whole(Box::new((basis, looks))),
        })
    }

    /// A part of it.
    pub(crate) fn part(store: Store, part: Part) -> Self {
        Self {
            spec: part.spec,
            sources: part.sources,
            store,
            access: Access::Write,
            made_from: part.made_from,
            already: Some(part.already),
            from: From::Part(Box::new(part.kept)),
        }
    }
}

impl From {
    /// Keeps the run for the next time, where that is possible.
    pub(crate) fn keep(
        self,
        request: &Request<'_>,
        spec: &Spec,
        sources: &Sources,
        store: &Store,
        notes: Notes,
        ended: &Ended,
    ) {
        match self {
            Self::Part(kept) => kept.keep(request, store, notes, ended),
            Self::Whole(whole) => {
                let (Some(basis), looks) = *whole else {
                    return;
                };
                let looks = sources.keys().map(Path::new).zip(looks);
                unchanged::keep(request, spec, basis, looks, store, notes, ended);
            }
        }
    }
}
