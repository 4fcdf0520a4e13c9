//! One value for equal neighbours: what thousands of stages have in common is in memory once.

use std::sync::Arc;

/// Hands out what it handed out before, where that is equal.
#[derive(Debug)]
pub(super) struct Same<T>(Option<Arc<T>>);

impl<T> Default for Same<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Same<T> {
    /// Whether this is what was handed out before; it is from now on.
    pub(super) fn again(&mut self, own: &Arc<T>) -> bool {
        let again = self.0.as_ref().is_some_and(|last| Arc::ptr_eq(last, own));
        self.0 = Some(Arc::clone(own));
        again
    }

    /// What was handed out before.
    pub(super) fn last(&self) -> Option<Arc<T>> {
        self.0.clone()
    }
}

impl<T: PartialEq> Same<T> {
    /// The value, in one piece of memory with an equal one before it.
    pub(super) fn of(&mut self, value: T) -> Arc<T> {
        if let Some(last) = self.0.as_ref().filter(|last| ***last == value) {
            return Arc::clone(last);
        }
        let own = Arc::new(value);
        self.0 = Some(Arc::clone(&own));
        own
    }
}
