//! The index: which records there are. One SQLite file, so that a second process may read and
//! write it, a `kill -9` loses nothing that was committed, and anyone may open it with a tool
//! they know.
//!
//! Knows nothing of blobs beyond their digests, and nothing of claims or threads.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Statement, TransactionBehavior, params};

use crate::claim::Claims;
use crate::error::io as named;
use crate::record::{Part, Row, pack, unpack};
use crate::store::size_of;
use crate::{Digest, Key, Kind, Record, StoreError};

/// How long one process waits for another's commit. Commits take microseconds; a checkpoint on a
/// loaded disk takes seconds.
const BUSY: Duration = Duration::from_secs(60);

/// Bytes of the log that the first process of a start reads in about a millisecond.
const LONG_LOG: u64 = 1 << 20;

/// The tables. A change here changes the version of `folders.rs`.
const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
-- One row is one result; of the rows of a key, the newest complete one is used.
CREATE TABLE IF NOT EXISTS record (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind INTEGER NOT NULL,              -- 0 stage, 1 call
  key BLOB NOT NULL,                  -- 32 bytes
  outputs TEXT NOT NULL,              -- JSON of the engine
  blobs BLOB NOT NULL,                -- 41 bytes each: tree flag, digest, size
  usd REAL NOT NULL,
  seconds REAL NOT NULL,
  started_at_ms INTEGER NOT NULL,
  note TEXT NOT NULL,
  used_day INTEGER NOT NULL           -- days since 1970
);
CREATE INDEX IF NOT EXISTS record_key ON record (key, kind);
-- Apart from the records, because a run reads all records and no recipe.
CREATE TABLE IF NOT EXISTS recipe (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
-- Processes that may have written what is not yet on the disk.
CREATE TABLE IF NOT EXISTS session (id INTEGER PRIMARY KEY, boot TEXT NOT NULL, began_ns INTEGER NOT NULL);
-- One row: all records up to this one, and their blobs, are on the disk.
CREATE TABLE IF NOT EXISTS flushed (one INTEGER PRIMARY KEY CHECK (one = 1), row INTEGER NOT NULL);
INSERT OR IGNORE INTO flushed VALUES (1, 0);
PRAGMA user_version = 1;
COMMIT;
";

/// The version of the tables, as SQLite keeps it. An index with another is never touched.
const USER_VERSION: i64 = 1;

const COLUMNS: &str = "id, kind, key, outputs, blobs, usd, seconds, started_at_ms, note, used_day";

/// A connection to the index.
pub(crate) struct Index {
    path: PathBuf,
    connection: Mutex<Connection>,
    /// Rows above this are not trusted: set on a read-only store after a power loss.
    ceiling: i64,
}

impl Index {
    /// Opens the index for reading and writing; makes it where it is missing.
    pub(crate) fn open(path: &Path, claims: &Claims) -> Result<Index, StoreError> {
        // SQLite makes its files 0644 whatever the umask says, and those beside the database as the
        // database is: a store that a group shares has to be the group's in all its parts.
        drop(File::options().create(true).append(true).open(path));
        let connection = connect(path)?;
        if connection.is_readonly("main").unwrap_or(false) {
            // Opened all the same, it would take no result of what is run.
            return Err(StoreError::ReadOnly {
                path: path.to_path_buf(),
            });
        }
        if is_new(path, &connection)? {
            // SQLite does not wait for others while it changes to its log, so they have to wait.
            claims.alone(|| {
                if is_new(path, &connection)? {
                    let made = connection.execute_batch(SCHEMA);
                    made.map_err(|error| StoreError::index(path, error))?;
                }
                Ok(())
            })?;
        }
        Ok(Index {
            path: path.to_path_buf(),
            connection: Mutex::new(connection),
            ceiling: i64::MAX,
        })
    }

    /// Opens the index for reading only. Where not even the files beside the database can be
    /// made (a read-only mount), the database is read as it stands, without what is in its log.
    pub(crate) fn open_read_only(path: &Path) -> Result<Index, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let probe = |connection: Connection| -> rusqlite::Result<Connection> {
            connection.busy_timeout(BUSY)?;
            connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
            Ok(connection)
        };
        let connection = Connection::open_with_flags(path, flags)
            .and_then(probe)
            .or_else(|_| Connection::open_with_flags(immutable(path), flags).and_then(probe))
            .map_err(|error| StoreError::index(path, error))?;
        is_new(path, &connection)?;
        Ok(Index {
            path: path.to_path_buf(),
            connection: Mutex::new(connection),
            ceiling: i64::MAX,
        })
    }

    /// A second connection to the same index, for a thread of its own.
    pub(crate) fn another(&self) -> Result<Connection, StoreError> {
        connect(&self.path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on, rows above `row` are not seen.
    pub(crate) fn trust_up_to(&mut self, row: i64) {
        self.ceiling = row;
    }

    /// Runs `ask` on the connection.
    pub(crate) fn with<T>(
        &self,
        ask: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        ask(&mut self.lock()).map_err(|error| StoreError::index(&self.path, error))
    }

    /// The rows of a key, newest first.
    pub(crate) fn rows(&self, kind: Kind, key: &Key) -> Result<Vec<Row>, StoreError> {
        let connection = self.lock();
        let mut found = Vec::new();
        let sql = format!(
            "SELECT {COLUMNS} FROM record WHERE key = ?1 AND kind = ?2 AND id <= ?3 ORDER BY id DESC"
        );
        let mut statement = connection
            .prepare_cached(&sql)
            .map_err(|error| StoreError::index(&self.path, error))?;
        let values = params![key.digest().as_bytes(), kind.code(), self.ceiling];
        self.read(&mut statement, values, |_, _, row| found.push(row))?;
        Ok(found)
    }

    /// All rows of a kind (or of both), oldest first.
    pub(crate) fn scan(
        &self,
        kind: Option<Kind>,
        see: impl FnMut(Kind, Key, Row),
    ) -> Result<(), StoreError> {
        let connection = self.lock();
        let sql = format!(
            "SELECT {COLUMNS} FROM record WHERE (?1 < 0 OR kind = ?1) AND id <= ?2 ORDER BY id"
        );
        let mut statement = connection
            .prepare_cached(&sql)
            .map_err(|error| StoreError::index(&self.path, error))?;
        self.read(
            &mut statement,
            params![kind.map_or(-1, Kind::code), self.ceiling],
            see,
        )
    }

    /// The number of the newest row that there ever was; 0 before the first.
    pub(crate) fn newest(&self) -> Result<i64, StoreError> {
        self.with(|connection| {
            let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'record'";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            rows.next()?.map_or(Ok(0), |row| row.get(0))
        })
    }

    /// The recipe of a row; empty where the row is gone.
    pub(crate) fn recipe(&self, id: i64) -> Result<String, StoreError> {
        self.with(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT text FROM recipe WHERE id = ?1")?;
            let mut rows = statement.query([id])?;
            rows.next()?.map_or(Ok(String::new()), |row| row.get(0))
        })
    }

    /// Writes the log back into the database where reading it would slow the next start down.
    pub(crate) fn fold(&self) {
        if size_of(&self.log()).is_some_and(|size| size > LONG_LOG) {
            // Another process may be reading; the log only stays long then.
            let _ = self.with(|connection| {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            });
        }
    }

    fn log(&self) -> PathBuf {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        log.into()
    }

    /// Forces what is committed to the disk.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        let folder = self.path.parent().unwrap_or(&self.path);
        for path in [self.log().as_path(), folder] {
            let file = File::open(path).map_err(named("open", path))?;
            file.sync_all().map_err(named("write to the disk", path))?;
        }
        Ok(())
    }

    /// The sessions that have not ended, and when they began, in nanoseconds since 1970.
    pub(crate) fn sessions(&self) -> Result<Vec<(i64, i64)>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT id, began_ns FROM session")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }

    fn read(
        &self,
        statement: &mut Statement<'_>,
        values: impl rusqlite::Params,
        mut see: impl FnMut(Kind, Key, Row),
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::index(&self.path, error);
        let wrong = |id: i64, what: &str| StoreError::Row {
            path: self.path.clone(),
            what: format!("row {id}, {what}"),
        };
        let mut rows = statement.query(values).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let id: i64 = row.get(0).map_err(failed)?;
            let kind = Kind::from_code(row.get(1).map_err(failed)?);
            let kind = kind.ok_or_else(|| wrong(id, "kind"))?;
            let key: [u8; 32] = row
                .get_ref(2)
                .map_err(failed)?
                .as_blob()
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or_else(|| wrong(id, "key"))?;
            let parts = row
                .get_ref(4)
                .map_err(failed)?
                .as_blob()
                .ok()
                .and_then(unpack)
                .ok_or_else(|| wrong(id, "blobs"))?;
            let record = Record {
                outputs: row.get(3).map_err(failed)?,
                blobs: parts.iter().map(|part| part.digest).collect(),
                recipe: String::new(),
                usd: row.get(5).map_err(failed)?,
                seconds: row.get(6).map_err(failed)?,
                started_at_ms: row.get::<_, i64>(7).map_err(failed)?.cast_unsigned(),
                note: row.get(8).map_err(failed)?,
            };
            let used_day = row.get(9).map_err(failed)?;
            let row = Row {
                id,
                record,
                parts,
                used_day,
            };
            see(kind, Key::new(Digest::from_bytes(key)), row);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while the connection was held leaves no half transaction: SQLite rolls back.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the database has no tables yet.
///
/// # Errors
/// [`StoreError::Version`] where its tables are another version's.
fn is_new(path: &Path, connection: &Connection) -> Result<bool, StoreError> {
    let found = connection
        .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map_err(|error| StoreError::index(path, error))?;
    match found {
        0 => Ok(true),
        USER_VERSION => Ok(false),
        other => Err(StoreError::Version {
            path: path.to_path_buf(),
            found: format!("tables {other}"),
            expected: "tables 1",
            newer: other > USER_VERSION,
        }),
    }
}

/// Adds a row and gives its number. Call it inside a transaction.
pub(crate) fn insert(
    connection: &Connection,
    (kind, key): (Kind, &Key),
    record: &Record,
    parts: &[Part],
    today: i64,
) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO record (kind, key, outputs, blobs, usd, seconds, started_at_ms, note,
             used_day) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            kind.code(),
            key.digest().as_bytes(),
            record.outputs,
            pack(parts),
            finite(record.usd),
            finite(record.seconds),
            record.started_at_ms.cast_signed(),
            record.note,
            today,
        ])?;
    let id = connection.last_insert_rowid();
    if !record.recipe.is_empty() {
        connection
            .prepare_cached("INSERT INTO recipe (id, text) VALUES (?1, ?2)")?
            .execute(params![id, record.recipe])?;
    }
    Ok(id)
}

/// SQLite keeps a NaN as NULL, which the table refuses; a cost that is not a number is no cost.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        let mut connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(BUSY)?;
        // A transaction that reads before it writes fails at once, without waiting, where another process
        // has written between; one that takes the write lock first waits.
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        connection.execute_batch("PRAGMA synchronous = NORMAL")?;
        // The log stays when the last process closes the index: to write it back there and then
        // would cost two flushes, and to make it anew a new file at each start.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(connection)
    };
    open().map_err(|error| StoreError::index(path, error))
}

/// The URI that opens a database without touching any file beside it.
fn immutable(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(*byte as char);
            }
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}
