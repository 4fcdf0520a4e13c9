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
    /// The requests of the last minute.
    sent: VecDeque<Sent>,
    /// The number of the next request.
    next: u64,
    not_before: Option<Instant>,
}

/// A request that left.
#[derive(Debug)]
struct Sent {
    number: u64,
    at: Instant,
    /// Reserved for it, or taken by it once that is known.
    tokens: u64,
}

/// The right to send one request; it is given back when dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Turn<'l> {
    lanes: &'l Lanes,
    server: String,
    number: u64,
    /// Seconds waited for it.
    pub(super) waited: f64,
}

/// About how many tokens a prompt of so many bytes has, by the usual length of a token.
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
        while let Some(sent) = self.sent.front()
            && now.duration_since(sent.at) >= MINUTE
        {
            self.sent.pop_front();
        }
        let first = self.sent.front()?.at;
        let next = MINUTE.saturating_sub(now.duration_since(first));
        if limits
            .rpm
            .is_some_and(|most| self.sent.len() >= most.max(1) as usize)
        {
            return Some(next);
        }
        let busy: u64 = self.sent.iter().map(|sent| sent.tokens).sum();
        // A request that is larger than a minute's tokens leaves when nothing else is in the window.
        let full = limits
            .tpm
            .is_some_and(|most| busy + tokens > u64::from(most));
        // One that is under way may give back what it does not need.
        let next = if self.running > 0 {
            next.min(LOOK)
        } else {
            next
        };
        full.then_some(next)
    }

    fn leave(&mut self, now: Instant, tokens: u64) -> u64 {
        self.running += 1;
        self.next += 1;
        self.sent.push_back(Sent {
            number: self.next,
            at: now,
            tokens,
        });
        self.next
    }

    /// Replaces what a request reserved by what it took.
    fn took(&mut self, number: u64, tokens: u64) {
        if let Some(sent) = self.sent.iter_mut().find(|sent| sent.number == number) {
            sent.tokens = tokens;
        }
    }
}

impl Lanes {
    /// Waits until a request that takes so many tokens at most may leave.
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
                match lane.wait(now, &server.limits, tokens) {
                    Some(wait) => Err(wait),
                    None => Ok(lane.leave(now, tokens)),
                }
            };
            match wait {
                Ok(number) => {
                    return Ok(Turn {
                        lanes: self,
                        server: server.base_url.clone(),
                        number,
                        waited,
                    });
                }
                Err(wait) => waited += pause(wait, context)?,
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

impl Turn<'_> {
    /// Gives back what was reserved and not taken.
    pub(super) fn took(&self, tokens: u64) {
        if let Some(lane) = self.lanes.lanes().get_mut(&self.server) {
            lane.took(self.number, tokens);
        }
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
                lane.leave(now, 10);
                lane.running = 0;
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
    fn what_a_reply_did_not_take_of_its_reservation_is_for_others() {
        let limits = Limits {
            tpm: Some(100),
            ..Limits::default()
        };
        let now = Instant::now();
        let mut lane = Lane::default();
        assert_eq!(lane.wait(now, &limits, 90), None);
        let number = lane.leave(now, 90);
        assert_eq!(lane.wait(now, &limits, 90), Some(LOOK), "it may give back");
        lane.took(number, 20);
        assert_eq!(lane.wait(now, &limits, 90), Some(LOOK));
        assert_eq!(lane.wait(now, &limits, 80), None);
        lane.running = 0;
        assert_eq!(lane.wait(now, &limits, 90), Some(MINUTE), "nobody will");
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
