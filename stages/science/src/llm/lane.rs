//! Taking turns at a server: how many requests at once, how many and how many tokens a minute, and until
//! when a busy server asked to be left alone. It sends nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kyobashi_stage::{Context, Failure};

use super::http::pause;
use super::provider::{Limits, Provider};

/// The window in which requests and tokens are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// How often somebody who waits for another's request looks again.
const LOOK: Duration = Duration::from_millis(50);

/// Bytes of text in a token, about.
const BYTES_PER_TOKEN: f64 = 3.8;

/// The lanes of a run, one for each server.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<BTreeMap<String, Lane>>);

#[derive(Debug, Default)]
struct Lane {
    running: u32,
    /// When the requests of the last minute left, with their tokens.
    sent: VecDeque<(Instant, u64)>,
    not_before: Option<Instant>,
}

/// The right to send one request; it is given back when dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Turn<'l> {
    lanes: &'l Lanes,
    server: String,
    /// Seconds waited for it.
    pub(super) waited: f64,
}

/// What a request of so many bytes takes of the tokens of a minute: its prompt, by the usual length of a
/// token. The reply is not known yet.
pub(super) fn tokens(bytes: usize) -> u64 {
    (bytes as f64 / BYTES_PER_TOKEN).ceil() as u64
}

impl Lane {
    /// How long to wait before asking again; none if the request may leave now.
    fn wait(&mut self, now: Instant, limits: &Limits, tokens: u64) -> Option<Duration> {
        if let Some(wait) = self
            .not_before
            .and_then(|until| until.checked_duration_since(now))
            .filter(|wait| !wait.is_zero())
        {
            return Some(wait);
        }
        if limits
            .at_once
            .is_some_and(|most| self.running >= most.max(1))
        {
            return Some(LOOK);
        }
        while let Some((at, _)) = self.sent.front()
            && now.duration_since(*at) >= MINUTE
        {
            self.sent.pop_front();
        }
        let (first, _) = *self.sent.front()?;
        let busy: u64 = self.sent.iter().map(|(_, tokens)| *tokens).sum();
        let full = limits
            .rpm
            .is_some_and(|most| self.sent.len() >= most.max(1) as usize)
            || limits
                .tpm
                .is_some_and(|most| busy + tokens > u64::from(most));
        // A request that is larger than a minute's tokens leaves when nothing else is in the window.
        full.then(|| MINUTE.saturating_sub(now.duration_since(first)))
    }
}

impl Lanes {
    /// Waits until a request of so many tokens may leave.
    ///
    /// # Errors
    /// If the run is being stopped meanwhile.
    pub(super) fn turn(
        &self,
        server: &Provider,
        tokens: u64,
        context: &dyn Context,
    ) -> Result<Turn<'_>, Failure> {
        let mut waited = 0.0;
        loop {
            let wait = {
                let mut lanes = self.lanes();
                let lane = lanes.entry(server.base_url.clone()).or_default();
                let now = Instant::now();
                let wait = lane.wait(now, &server.limits, tokens);
                if wait.is_none() {
                    lane.running += 1;
                    lane.sent.push_back((now, tokens));
                }
                wait
            };
            match wait {
                None => {
                    return Ok(Turn {
                        lanes: self,
                        server: server.base_url.clone(),
                        waited,
                    });
                }
                Some(wait) => waited += pause(wait, context)?,
            }
        }
    }

    /// Keeps everyone from the server for a while.
    pub(super) fn hold(&self, server: &Provider, wait: Duration) {
        let until = Instant::now() + wait;
        let mut lanes = self.lanes();
        let lane = lanes.entry(server.base_url.clone()).or_default();
        lane.not_before = lane.not_before.max(Some(until));
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<String, Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(lane) = self.lanes.lanes().get_mut(&self.server) {
            lane.running -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `seconds`' requests of 10 tokens may leave, one asked for at each of these seconds.
    fn sent(limits: &Limits, seconds: &[u64]) -> usize {
        let begin = Instant::now();
        let mut lane = Lane::default();
        let mut sent = 0;
        for second in seconds {
            let now = begin + Duration::from_secs(*second);
            if lane.wait(now, limits, 10).is_none() {
                lane.sent.push_back((now, 10));
                sent += 1;
            }
        }
        sent
    }

    #[test]
    fn no_minute_has_more_requests_or_tokens_than_it_may() {
        let seconds: Vec<u64> = (0..120).collect();
        let rpm = Limits {
            rpm: Some(5),
            ..Limits::default()
        };
        assert_eq!(sent(&rpm, &seconds), 10);
        let tpm = Limits {
            tpm: Some(35),
            ..Limits::default()
        };
        assert_eq!(sent(&tpm, &seconds), 6);
        assert_eq!(sent(&Limits::default(), &seconds), 120);
    }

    #[test]
    fn a_request_larger_than_a_minute_s_tokens_leaves_alone() {
        let small = Limits {
            tpm: Some(3),
            ..Limits::default()
        };
        assert_eq!(sent(&small, &[0, 1, 59, 60, 61]), 2);
    }

    #[test]
    fn no_more_run_at_once_than_may() {
        let limits = Limits {
            at_once: Some(2),
            ..Limits::default()
        };
        let mut lane = Lane {
            running: 2,
            ..Lane::default()
        };
        assert_eq!(lane.wait(Instant::now(), &limits, 1), Some(LOOK));
        lane.running = 1;
        assert_eq!(lane.wait(Instant::now(), &limits, 1), None);
    }
}
