//! The one place that reads the wall clock.
//!
//! Nothing in the store is decided by the clock alone: it orders nothing and expires nothing on
//! the path of a run. It serves the racy rule of the stat cache and the ages that `gc` is asked for.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// Tells the time; a test brings its own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock(Arc::new(|| {
            match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
                Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
                Err(before) => {
                    i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos)
                }
            }
        }))
    }

    /// A clock that answers what `nanos` answers: nanoseconds since 1970, UTC.
    pub fn of(nanos: impl Fn() -> i64 + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(nanos))
    }

    /// Nanoseconds since 1970, UTC.
    pub fn now_ns(&self) -> i64 {
        (self.0)()
    }

    /// Days since 1970, UTC.
    pub fn today(&self) -> i64 {
        self.now_ns().div_euclid(24 * 3600 * 1_000_000_000)
    }

    /// Milliseconds since 1970, UTC; 0 before that.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.now_ns() / 1_000_000).unwrap_or(0)
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
