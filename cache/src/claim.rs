//! Who is making what: a claim on a key, held by one thread of one process at a time.
//!
//! Between processes a claim is one locked byte of one file, at an offset taken from the key. The
//! lock belongs to the open file (F_OFD_SETLK), so the kernel frees it when the process dies and
//! nothing stale survives a `kill -9`. Knows nothing of records.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::error::io as named;
use crate::{Key, Kind, StoreError};

/// The kernel wakes nobody who polls, so a waiter looks again after this long: short against any
/// stage that is worth waiting for, long against the microsecond that a look takes.
const POLL: Duration = Duration::from_millis(5);

/// Keys lock bytes below this offset, a collection locks the byte at it, sessions lock bytes
/// above it.
const SESSIONS: i64 = 1 << 62;

/// The byte that is locked while the index is made: above all sessions.
const MAKING: i64 = i64::MAX - 1;

/// The claims of this process.
pub(crate) struct Claims {
    file: File,
    path: PathBuf,
    held: Mutex<HashMap<(Kind, Key), Arc<Slot>>>,
}

/// Where the threads of this process wait for one claim.
struct Slot {
    free: Mutex<bool>,
    freed: Condvar,
}

/// A claim that is held; dropping it releases it.
pub(crate) struct Held {
    claims: Arc<Claims>,
    at: (Kind, Key),
}

/// What came of asking for a claim.
pub(crate) enum Taken {
    Held(Held),
    Busy(Waiter),
}

/// Another thread or process makes the record: wait for it, then look again.
#[must_use = "look again when the claim is released"]
pub struct Waiter {
    claims: Arc<Claims>,
    at: (Kind, Key),
    /// Absent where another process holds the claim.
    slot: Option<Arc<Slot>>,
}

impl Claims {
    pub(crate) fn open(path: &Path) -> Result<Claims, StoreError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| match error.kind() {
                // Somebody else's store: it may still be read.
                io::ErrorKind::PermissionDenied => StoreError::ReadOnly {
                    path: path.parent().unwrap_or(path).to_path_buf(),
                },
                _ => named("open", path)(error),
            })?;
        Ok(Claims {
            file,
            path: path.to_path_buf(),
            held: Mutex::default(),
        })
    }

    pub(crate) fn take(self: &Arc<Claims>, kind: Kind, key: Key) -> Result<Taken, StoreError> {
        let at = (kind, key);
        {
            let mut held = locked(&self.held);
            if let Some(slot) = held.get(&at) {
                let slot = Some(Arc::clone(slot));
                return Ok(Taken::Busy(Waiter {
                    claims: Arc::clone(self),
                    at,
                    slot,
                }));
            }
            let slot = Slot {
                free: Mutex::new(false),
                freed: Condvar::new(),
            };
            held.insert(at, Arc::new(slot));
        }
        // From here on, dropping `mine` undoes the entry above.
        let mine = Held {
            claims: Arc::clone(self),
            at,
        };
        if self.lock(offset(at))? {
            Ok(Taken::Held(mine))
        } else {
            drop(mine);
            Ok(Taken::Busy(Waiter {
                claims: Arc::clone(self),
                at,
                slot: None,
            }))
        }
    }

    /// Waits until no other process makes the index, and keeps the others waiting while `make`
    /// runs.
    pub(crate) fn alone<T>(
        &self,
        make: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        while !self.lock(MAKING)? {
            std::thread::sleep(POLL);
        }
        let made = make();
        self.unlock(MAKING);
        made
    }

    /// Marks a session of this process as alive, for as long as the lock file is open.
    pub(crate) fn lock_session(&self, session: i64) -> Result<bool, StoreError> {
        self.lock(SESSIONS | session)
    }

    /// The right to collect, for as long as the answer lives; `None` where another process has it.
    pub(crate) fn lock_collection(&self) -> Result<Option<Collecting<'_>>, StoreError> {
        Ok(self.lock(SESSIONS)?.then_some(Collecting { claims: self }))
    }

    /// Whether a session of another process is alive. A process does not see its own locks.
    pub(crate) fn session_lives(&self, session: i64) -> Result<bool, StoreError> {
        self.locked_elsewhere(SESSIONS | session)
    }

    fn lock(&self, offset: i64) -> Result<bool, StoreError> {
        match fcntl(
            &self.file,
            FcntlArg::F_OFD_SETLK(&range(libc::F_WRLCK, offset)),
        ) {
            Ok(_) => Ok(true),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            Err(errno) => Err(self.refused(errno)),
        }
    }

    fn unlock(&self, offset: i64) {
        // Unlocking a range that this file has locked fails only where locks do not work at all,
        // and then the lock could not be taken.
        let _ = fcntl(
            &self.file,
            FcntlArg::F_OFD_SETLK(&range(libc::F_UNLCK, offset)),
        );
    }

    fn locked_elsewhere(&self, offset: i64) -> Result<bool, StoreError> {
        let mut found = range(libc::F_WRLCK, offset);
        fcntl(&self.file, FcntlArg::F_OFD_GETLK(&mut found))
            .map_err(|errno| self.refused(errno))?;
        Ok(i32::from(found.l_type) != libc::F_UNLCK)
    }

    fn refused(&self, errno: Errno) -> StoreError {
        let source = Arc::new(io::Error::from(errno));
        StoreError::Lock {
            path: self.path.clone(),
            source,
        }
    }
}

/// The right to collect; dropping it gives it up.
pub(crate) struct Collecting<'a> {
    claims: &'a Claims,
}

impl Drop for Collecting<'_> {
    fn drop(&mut self) {
        self.claims.unlock(SESSIONS);
    }
}

impl Held {
    pub(crate) fn at(&self) -> (Kind, Key) {
        self.at
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // First the byte, then the entry: a thread that finds no entry must find no lock of ours
        // either, or its own lock would be removed here.
        self.claims.unlock(offset(self.at));
        let slot = locked(&self.claims.held).remove(&self.at);
        if let Some(slot) = slot {
            *locked(&slot.free) = true;
            slot.freed.notify_all();
        }
    }
}

impl Waiter {
    /// Whether the claim has been released. Does not block.
    pub fn released(&self) -> Result<bool, StoreError> {
        match &self.slot {
            Some(slot) => Ok(*locked(&slot.free)),
            None => Ok(!self.claims.locked_elsewhere(offset(self.at))?),
        }
    }

    /// Blocks until the claim is released, whether a record was saved or not.
    pub fn wait(self) -> Result<(), StoreError> {
        self.wait_while(|| true).map(drop)
    }

    /// Blocks until the claim is released or `patient` answers no; it is asked every few
    /// milliseconds. Says whether the claim was released.
    pub fn wait_while(self, patient: impl Fn() -> bool) -> Result<bool, StoreError> {
        loop {
            if self.released()? {
                return Ok(true);
            }
            if !patient() {
                return Ok(false);
            }
            match &self.slot {
                Some(slot) => {
                    let free = locked(&slot.free);
                    // Whether it was freed or the time ran out is asked at the top of the loop.
                    drop(slot.freed.wait_timeout_while(free, POLL, |free| !*free));
                }
                None => std::thread::sleep(POLL),
            }
        }
    }
}

/// The byte of a key. Two keys that meet at one byte (62 bits of a digest) would only wait for
/// each other.
fn offset((kind, key): (Kind, Key)) -> i64 {
    let bytes = key.digest().as_bytes();
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[..8]);
    let of_key = (u64::from_le_bytes(word) >> 3 << 1).cast_signed();
    of_key | kind.code()
}

fn range(how: i32, start: i64) -> libc::flock {
    libc::flock {
        l_type: how as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: start,
        l_len: 1,
        l_pid: 0,
    }
}

/// A panic elsewhere does not make a set of claims wrong.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_keys_lock_bytes_of_their_own_below_the_sessions() {
        let key = Key::new(crate::Digest::from_bytes([255; 32]));
        let (stage, call) = (offset((Kind::Stage, key)), offset((Kind::Call, key)));
        assert_ne!(stage, call);
        assert!(stage < SESSIONS && call < SESSIONS && stage >= 0);
    }

    #[test]
    fn two_open_files_exclude_each_other_and_release_on_drop() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("locks");
        let one = Arc::new(Claims::open(&path).unwrap());
        let two = Arc::new(Claims::open(&path).unwrap());
        let key = Key::of(b"k");
        let Taken::Held(held) = one.take(Kind::Stage, key).unwrap() else {
            panic!("not free")
        };
        let Taken::Busy(same) = one.take(Kind::Stage, key).unwrap() else {
            panic!("taken twice")
        };
        let Taken::Busy(other) = two.take(Kind::Stage, key).unwrap() else {
            panic!("taken twice")
        };
        assert!(!same.released().unwrap() && !other.released().unwrap());
        assert!(!two.take(Kind::Stage, key).unwrap().is_held());
        drop(held);
        assert!(same.released().unwrap() && other.released().unwrap());
        assert!(two.take(Kind::Stage, key).unwrap().is_held());
    }

    #[test]
    fn a_session_is_seen_alive_by_others_until_its_file_closes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("locks");
        let one = Claims::open(&path).unwrap();
        let two = Claims::open(&path).unwrap();
        assert!(one.lock_session(7).unwrap());
        assert!(two.session_lives(7).unwrap() && !two.session_lives(8).unwrap());
        drop(one);
        assert!(!two.session_lives(7).unwrap());
    }

    impl Taken {
        fn is_held(&self) -> bool {
            matches!(self, Taken::Held(_))
        }
    }
}
