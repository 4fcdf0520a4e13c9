//! The store: opening, looking, claiming, saving.
//!
//! Knows nothing of what a key is made of or of what a record's outputs mean.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use crate::claim::Claims;
use crate::error::io as named;
use crate::flush::Flusher;
use crate::folders::Folders;
use crate::index::Index;
use crate::record::Mark;
use crate::session::{self, Session};
use crate::standing::Moment;
use crate::stat::StatCache;
use crate::whole::Left;
use crate::writer::Writer;
use crate::{Clock, Key, Kind, StoreError};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// For what.
    pub access: Access,
    /// The folder of the workspace's own part (stat cache, runs); the store's folder where absent.
    pub workspace: Option<PathBuf>,
    /// How often what was written is forced to the disk; where absent, only
    /// [`Store::flush`] and [`Claim::save_durably`] do so.
    pub flush_every: Option<Duration>,
    /// How long a record that nobody waits for may wait for others to share its commit.
    pub linger: Duration,
    /// Tells the time.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            access: Access::Write,
            workspace: None,
            flush_every: Some(Duration::from_secs(1)),
            linger: Duration::from_millis(20),
            clock: Clock::system(),
        }
    }
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing.
    Write,
    /// Hits only: a miss and every write are [`StoreError::ReadOnly`].
    Read,
}

/// A store of results by key and of blobs by digest. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones share. Fields are dropped in order: the writer commits what is queued, then
/// the flusher forces it to the disk.
pub(crate) struct Inner {
    pub(crate) writer: Mutex<Option<Writer>>,
    pub(crate) flusher: Option<Flusher>,
    pub(crate) folders: Folders,
    pub(crate) clock: Clock,
    pub(crate) index: Arc<Index>,
    pub(crate) stats: StatCache,
    /// Large blobs as this process wrote them.
    pub(crate) left: Mutex<HashSet<Left>>,
    /// Held by the thread that lays a folder out anew.
    pub(crate) laying: Mutex<()>,
    /// Absent in a store that is only read.
    pub(crate) claims: Option<Arc<Claims>>,
    pub(crate) known: Arc<Known>,
    pub(crate) preloaded: AtomicBool,
    /// What the records were like just before they were preloaded.
    pub(crate) preloaded_at: Mutex<Option<Moment>>,
    session: OnceLock<Session>,
    starting: Mutex<()>,
    temps: AtomicU64,
    pub(crate) linger: Duration,
    /// Held by the thread that collects.
    pub(crate) collecting: Mutex<()>,
}

/// The newest row of each key that this process has read or written.
pub(crate) type Known = RwLock<HashMap<(Kind, Key), Arc<Mark>>>;

impl Store {
    /// Opens the store in `dir`; makes it where it is missing, if it is opened for writing.
    ///
    /// # Errors
    /// [`StoreError::Version`] where the folder is another version's; [`StoreError::Io`] and
    /// [`StoreError::Index`] where it cannot be opened.
    pub fn open(dir: &Path, options: Options) -> Result<Store, StoreError> {
        let folders = Folders {
            dir: dir.to_path_buf(),
            workspace: options.workspace.unwrap_or_else(|| dir.to_path_buf()),
        };
        let mut index;
        let mut claims = None;
        let mut flusher = None;
        if options.access == Access::Write {
            folders.make()?;
            let own = Claims::open(&folders.locks())?;
            index = Index::open(&folders.index(), &own)?;
            claims = Some(Arc::new(own));
        } else {
            folders.check()?;
            index = Index::open_read_only(&folders.index())?;
        }
        if let Some(doubt) = session::doubt(&index, claims.as_deref())? {
            match options.access {
                Access::Write => session::recover(&folders, &index, &doubt)?,
                Access::Read => index.trust_up_to(doubt.flushed),
            }
        }
        let index = Arc::new(index);
        if options.access == Access::Write {
            flusher = Some(Flusher::new(
                &folders.dir,
                Arc::clone(&index),
                options.clock.clone(),
                options.flush_every,
            ));
        }
        Ok(Store {
            inner: Arc::new(Inner {
                writer: Mutex::new(None),
                flusher,
                stats: StatCache::new(folders.stat_cache(), options.clock.clone()),
                left: Mutex::default(),
                laying: Mutex::default(),
                folders,
                clock: options.clock,
                index,
                claims,
                known: Arc::default(),
                preloaded: AtomicBool::new(false),
                preloaded_at: Mutex::default(),
                session: OnceLock::new(),
                starting: Mutex::new(()),
                temps: AtomicU64::new(0),
                linger: options.linger,
                collecting: Mutex::default(),
            }),
        })
    }

    /// The folder of the store.
    pub fn dir(&self) -> &Path {
        &self.inner.folders.dir
    }

    /// Forces everything that was saved to the disk, and keeps the stat cache.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.inner.stats.save()?;
        match &self.inner.flusher {
            Some(flusher) => flusher.flush(),
            None => Ok(()),
        }
    }
}

impl Inner {
    /// An error where the store is only read.
    pub(crate) fn writable(&self) -> Result<(), StoreError> {
        if self.claims.is_some() {
            Ok(())
        } else {
            Err(self.read_only())
        }
    }

    pub(crate) fn read_only(&self) -> StoreError {
        StoreError::ReadOnly {
            path: self.folders.dir.clone(),
        }
    }

    pub(crate) fn claims(&self) -> Result<&Arc<Claims>, StoreError> {
        self.claims.as_ref().ok_or_else(|| self.read_only())
    }

    pub(crate) fn access(&self) -> Access {
        if self.claims.is_some() {
            Access::Write
        } else {
            Access::Read
        }
    }

    /// Tells the flusher and the index that something is written that may not be on the disk yet.
    pub(crate) fn mark_dirty(&self) -> Result<(), StoreError> {
        self.session()?;
        if let Some(flusher) = &self.flusher {
            flusher.mark_dirty();
        }
        Ok(())
    }

    /// The session of this store, begun at the first write.
    fn session(&self) -> Result<&Session, StoreError> {
        if let Some(session) = self.session.get() {
            return Ok(session);
        }
        let _one = locked(&self.starting);
        if let Some(session) = self.session.get() {
            return Ok(session);
        }
        let session = Session::begin(&self.folders, &self.index, self.claims()?, &self.clock)?;
        Ok(self.session.get_or_init(|| session))
    }

    /// A new file of this session, under a name that no blob has.
    pub(crate) fn temp_file(&self, mode: u32) -> Result<(PathBuf, File), StoreError> {
        let path = self.temp_path()?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .map_err(named("make", &path))?;
        Ok((path, file))
    }

    /// A name in this session's own folder that nothing has.
    pub(crate) fn temp_path(&self) -> Result<PathBuf, StoreError> {
        let number = self.temps.fetch_add(1, Ordering::Relaxed);
        Ok(self.session()?.folder.join(number.to_string()))
    }

    pub(crate) fn is_own(&self, session: i64) -> bool {
        self.session.get().is_some_and(|own| own.id == session)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A caller who wants to know of failures calls `Store::flush`; what fails here costs at
        // most some hashing in the next run.
        let _ = self.stats.save();
        drop(locked(&self.writer).take());
        let flushed = self.flusher.take().is_some_and(|flusher| flusher.finish());
        if let Some(session) = self.session.take() {
            self.index.fold();
            session.end(&self.index, flushed);
        }
    }
}

/// The size of a regular file; `None` where there is none.
pub(crate) fn size_of(path: &Path) -> Option<u64> {
    let found = fs::symlink_metadata(path).ok()?;
    found.is_file().then_some(found.len())
}

/// A panic elsewhere does not make what these locks guard wrong.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
