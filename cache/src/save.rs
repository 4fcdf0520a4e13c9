//! Saving: the only way to a new record is the claim on its key.

use crate::claim::Held;
use crate::flush;
use crate::record::Part;
use crate::store::{Inner, locked, size_of};
use crate::writer::{Saving, Writer};
use crate::{Digest, Key, Kind, Record, Store, StoreError};

/// The sole right to make the record of one key. Dropping it gives the right up.
#[must_use = "a claim keeps others from making the record"]
pub struct Claim {
    pub(crate) store: Store,
    pub(crate) held: Held,
}

impl Claim {
    /// The kind that is claimed.
    pub fn kind(&self) -> Kind {
        self.held.at().0
    }

    /// The key that is claimed.
    pub fn key(&self) -> Key {
        self.held.at().1
    }

    /// Saves the record, and returns when its row is committed: no `kill -9` can lose it then.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where a blob that the record names is not in the store.
    pub fn save(self, record: Record) -> Result<(), StoreError> {
        self.wait(record, Saving::Now)
    }

    /// As [`Claim::save`], but returns when row and blobs are on the disk: not even a power loss
    /// can lose it then. For what cost money.
    pub fn save_durably(self, record: Record) -> Result<(), StoreError> {
        for digest in &record.blobs {
            flush::sync_blob(&self.store.inner.folders, digest)?;
        }
        self.wait(record, Saving::Durably)
    }

    /// Queues the record and returns; `then` is called, on the store's own thread, when its row
    /// is committed or has failed. Records that nobody waits for share commits. The claim is held
    /// until then; rows are committed in the order in which they were queued.
    pub fn save_then(
        self,
        record: Record,
        then: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        self.send(record, Saving::Later, Box::new(then))
    }

    /// As [`Claim::save_then`], but the row is committed at once, with whatever waits for its commit
    /// at that moment. For what somebody waits for who does not want to stand still meanwhile.
    pub fn save_now_then(
        self,
        record: Record,
        then: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        self.send(record, Saving::Now, Box::new(then))
    }

    fn wait(self, record: Record, how: Saving) -> Result<(), StoreError> {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        self.send(
            record,
            how,
            // Nobody listens only where the waiting thread is gone.
            Box::new(move |result| drop(tell.send(result))),
        )?;
        told.recv().unwrap_or(Err(StoreError::Stopped))
    }

    fn send(
        self,
        record: Record,
        how: Saving,
        then: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
    ) -> Result<(), StoreError> {
        let Claim { store, held } = self;
        let inner = &store.inner;
        let parts = inner.parts(&record)?;
        inner.mark_dirty()?;
        if how != Saving::Durably
            && let Some(flusher) = &inner.flusher
        {
            flusher.stake(&record);
        }
        let mut writer = locked(&inner.writer);
        let writer = match &mut *writer {
            Some(writer) => writer,
            none => none.insert(Writer::start(inner)?),
        };
        writer.save(held, (record, parts), how, inner.clock.today(), then)
    }
}

impl Store {
    /// Makes ready to save, for somebody who is going to. What fails here fails again when there is
    /// something to save, and is said then.
    pub fn prepare(&self) {
        let mut writer = locked(&self.inner.writer);
        if writer.is_none() {
            *writer = Writer::start(&self.inner).ok();
        }
    }
}

impl Inner {
    /// Finds the blobs of a record that is about to be saved.
    fn parts(&self, record: &Record) -> Result<Vec<Part>, StoreError> {
        let part = |digest: &Digest| {
            let path = self.folders.blob(digest);
            if let Some(size) = size_of(&path) {
                return Ok(Part {
                    digest: *digest,
                    size,
                    tree: false,
                });
            }
            match size_of(&self.folders.manifest(digest)) {
                Some(size) => Ok(Part {
                    digest: *digest,
                    size,
                    tree: true,
                }),
                None => Err(StoreError::Missing {
                    digest: *digest,
                    path,
                }),
            }
        };
        let mut parts = Vec::with_capacity(record.blobs.len());
        for digest in &record.blobs {
            parts.push(part(digest)?);
        }
        Ok(parts)
    }
}
