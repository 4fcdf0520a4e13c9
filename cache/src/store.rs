//! The store: opening, looking, claiming, saving.
//!
//! Knows nothing of what a key is made of or of what a record's outputs mean.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use crate::claim::{Claims, Held, Taken};
use crate::error::io as named;
use crate::flush::{self, Flusher, Session};
use crate::folders::Folders;
use crate::index::Index;
use crate::record::{Part, Row};
use crate::stat::StatCache;
use crate::writer::{Saving, Writer};
use crate::{Clock, Entry, Key, Kind, Record, StoreError, Waiter, tree};

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

/// What came of a look.
#[must_use]
pub enum Lookup {
    /// There is a complete record.
    Hit(Record),
    /// There is none, and making it is now the caller's alone.
    Miss(Claim),
    /// There is none, but another thread or process makes it.
    Busy(Waiter),
}

/// The sole right to make the record of one key. Dropping it gives the right up.
#[must_use = "a claim keeps others from making the record"]
pub struct Claim {
    store: Store,
    held: Held,
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
    /// Absent in a store that is only read.
    claims: Option<Arc<Claims>>,
    pub(crate) known: Arc<Known>,
    preloaded: AtomicBool,
    session: OnceLock<Session>,
    starting: Mutex<()>,
    temps: AtomicU64,
    pub(crate) linger: Duration,
    /// Rows that were used and whose day in the index is an earlier one.
    pub(crate) used: Mutex<BTreeSet<i64>>,
}

/// The newest row of each key that this process has read or written.
pub(crate) type Known = RwLock<HashMap<(Kind, Key), Arc<Row>>>;

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
            index = Index::open(&folders.index())?;
            claims = Some(Arc::new(Claims::open(&folders.locks())?));
        } else {
            folders.check()?;
            index = Index::open_read_only(&folders.index())?;
        }
        if let Some(doubt) = flush::doubt(&index, claims.as_deref())? {
            match options.access {
                Access::Write => flush::recover(&folders, &index, &doubt)?,
                Access::Read => index.trust_up_to(doubt.flushed),
            }
        }
        let index = Arc::new(index);
        if options.access == Access::Write {
            flusher = Some(Flusher::new(
                &folders.dir,
                Arc::clone(&index),
                options.flush_every,
            ));
        }
        Ok(Store {
            inner: Arc::new(Inner {
                writer: Mutex::new(None),
                flusher,
                stats: StatCache::new(folders.stat_cache(), options.clock.clone()),
                folders,
                clock: options.clock,
                index,
                claims,
                known: Arc::default(),
                preloaded: AtomicBool::new(false),
                session: OnceLock::new(),
                starting: Mutex::new(()),
                temps: AtomicU64::new(0),
                linger: options.linger,
                used: Mutex::default(),
            }),
        })
    }

    /// The folder of the store.
    pub fn dir(&self) -> &Path {
        &self.inner.folders.dir
    }

    /// Reads the records of all stages into memory in one go, for the looks and peeks that follow.
    pub fn preload(&self) -> Result<(), StoreError> {
        let mut rows = HashMap::new();
        self.inner.index.scan(Some(Kind::Stage), |kind, key, row| {
            rows.insert((kind, key), Arc::new(row));
        })?;
        *self
            .inner
            .known
            .write()
            .unwrap_or_else(PoisonError::into_inner) = rows;
        self.inner.preloaded.store(true, Ordering::Release);
        Ok(())
    }

    /// The newest complete record, without a claim. After [`Store::preload`], a stage's record
    /// that another process saved since is not seen.
    pub fn peek(&self, kind: Kind, key: &Key) -> Result<Option<Record>, StoreError> {
        let whole = self.inner.preloaded.load(Ordering::Acquire) && kind == Kind::Stage;
        match self.inner.from_memory(kind, key)? {
            Found::Complete(record) => Ok(Some(record)),
            Found::Nothing if whole => Ok(None),
            Found::Nothing | Found::Incomplete => self.inner.from_index(kind, key),
        }
    }

    /// The newest complete record, or the claim to make it, or whom to wait for.
    ///
    /// A claim keeps all others from making the record, so ask when the work can begin.
    pub fn look(&self, kind: Kind, key: &Key) -> Result<Lookup, StoreError> {
        if let Found::Complete(record) = self.inner.from_memory(kind, key)? {
            return Ok(Lookup::Hit(record));
        }
        let Some(claims) = &self.inner.claims else {
            return match self.inner.from_index(kind, key)? {
                Some(record) => Ok(Lookup::Hit(record)),
                None => Err(self.inner.read_only()),
            };
        };
        let held = match claims.take(kind, *key)? {
            Taken::Busy(waiter) => return Ok(Lookup::Busy(waiter)),
            Taken::Held(held) => held,
        };
        // Only now nobody else can add one.
        match self.inner.from_index(kind, key)? {
            Some(record) => Ok(Lookup::Hit(record)),
            None => Ok(Lookup::Miss(Claim {
                store: self.clone(),
                held,
            })),
        }
    }

    /// Claims a key whatever the store has: for work that is to be done anew. Never a hit.
    pub fn claim(&self, kind: Kind, key: &Key) -> Result<Lookup, StoreError> {
        let claims = self
            .inner
            .claims
            .as_ref()
            .ok_or_else(|| self.inner.read_only())?;
        Ok(match claims.take(kind, *key)? {
            Taken::Busy(waiter) => Lookup::Busy(waiter),
            Taken::Held(held) => Lookup::Miss(Claim {
                store: self.clone(),
                held,
            }),
        })
    }

    /// All records of a key, newest first, each with its recipe.
    pub fn history(&self, kind: Kind, key: &Key) -> Result<Vec<Entry>, StoreError> {
        let rows = self.inner.index.rows(kind, key)?;
        rows.into_iter()
            .map(|row| {
                let complete = self.inner.complete(&row.parts)?;
                let recipe = self.inner.index.recipe(row.id)?;
                Ok(Entry {
                    id: row.id,
                    complete,
                    record: Record {
                        recipe,
                        ..row.record
                    },
                })
            })
            .collect()
    }

    /// Forces everything that was saved to the disk, and keeps the stat cache.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.inner.mark_used()?;
        self.inner.stats.save()?;
        match &self.inner.flusher {
            Some(flusher) => flusher.flush(),
            None => Ok(()),
        }
    }
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
        let mut writer = locked(&inner.writer);
        let writer = match &mut *writer {
            Some(writer) => writer,
            none => none.insert(Writer::start(inner)?),
        };
        writer.save(held, (record, parts), how, inner.today(), then)
    }
}

/// What memory has of a key.
enum Found {
    Complete(Record),
    Incomplete,
    Nothing,
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

    fn from_memory(&self, kind: Kind, key: &Key) -> Result<Found, StoreError> {
        let row = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            match known.get(&(kind, *key)) {
                Some(row) => Arc::clone(row),
                None => return Ok(Found::Nothing),
            }
        };
        if !self.complete(&row.parts)? {
            return Ok(Found::Incomplete);
        }
        self.see_used(&row);
        Ok(Found::Complete(row.record.clone()))
    }

    fn from_index(&self, kind: Kind, key: &Key) -> Result<Option<Record>, StoreError> {
        for row in self.index.rows(kind, key)? {
            if self.complete(&row.parts)? {
                self.see_used(&row);
                let record = row.record.clone();
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                known.insert((kind, *key), Arc::new(row));
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Whether all blobs are there with their sizes, and of the trees all files.
    pub(crate) fn complete(&self, parts: &[Part]) -> Result<bool, StoreError> {
        for part in parts {
            if part.tree {
                if !tree::complete(self, &part.digest)? {
                    return Ok(false);
                }
            } else if size_of(&self.folders.blob(&part.digest)) != Some(part.size) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Finds the blobs of a record that is about to be saved.
    fn parts(&self, record: &Record) -> Result<Vec<Part>, StoreError> {
        let part = |digest: &crate::Digest| {
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
        record.blobs.iter().map(part).collect()
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
        let session = Session::begin(&self.folders, &self.index, self.claims()?)?;
        if let Some(flusher) = &self.flusher {
            flusher.owe(&session);
        }
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

    /// The day, counted from 1970.
    pub(crate) fn today(&self) -> i64 {
        self.clock.now_ns() / (24 * 3600 * 1_000_000_000)
    }

    fn see_used(&self, row: &Row) {
        if self.claims.is_some() && row.used_day != self.today() {
            locked(&self.used).insert(row.id);
        }
    }

    /// Writes down which rows were used today, for `gc`; once a row and day.
    fn mark_used(&self) -> Result<(), StoreError> {
        let ids = std::mem::take(&mut *locked(&self.used));
        if ids.is_empty() {
            return Ok(());
        }
        let today = self.today();
        self.index.with(|connection| {
            let change = connection.transaction()?;
            {
                let mut statement =
                    change.prepare("UPDATE record SET used_day = ?1 WHERE id = ?2")?;
                for id in &ids {
                    statement.execute([today, *id])?;
                }
            }
            change.commit()
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A caller who wants to know of failures calls `Store::flush`; what fails here costs at
        // most some hashing in the next run.
        let _ = self.mark_used();
        let _ = self.stats.save();
        drop(locked(&self.writer).take());
        let Some(session) = self.session.take() else {
            return;
        };
        if let Some(flusher) = self.flusher.take()
            && flusher.flush_every().is_some()
            && flusher.flush().is_ok()
        {
            session.end(&self.index);
        }
    }
}

/// The size of a regular file; `None` where there is none.
pub(crate) fn size_of(path: &Path) -> Option<u64> {
    let found = fs::symlink_metadata(path).ok()?;
    found.is_file().then(|| found.len())
}

/// A panic elsewhere does not make what these locks guard wrong.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
