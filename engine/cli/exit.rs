//! Exit codes, and what ends a command early.

use std::fmt;
use std::io::ErrorKind;
use std::process::ExitCode;

use kyobashi_cache::StoreError;

use crate::arguments::Global;
use crate::talk;

/// An exit code of `kyo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(u8);

macro_rules! codes {
    ($(#[doc = $doc:literal] $name:ident = $code:literal;)*) => {
        $(#[doc = $doc] pub(crate) const $name: Code = Code($code);)*

        /// What each code means, for `kyo --help` and the book.
        pub(crate) const HELP: &str = concat!("Exit codes:", $("\n  ", $code, " ", $doc),*);
    };
}

codes! {
    /// Everything asked for was done.
    DONE = 0;
    /// A stage failed, or `kyo verify` left faults; what was done is kept.
    STAGE_FAILED = 1;
    /// Wrong use of the command, or a wrong pipeline.
    WRONG_USE = 2;
    /// A budget was used up; what was done is kept.
    OUT_OF_BUDGET = 3;
    /// Our fault.
    OUR_FAULT = 70;
    /// Stopped by the user; what was done is kept.
    INTERRUPTED = 130;
}

/// `kyo verify` left faults in the store.
pub(crate) const FAULTS_LEFT: Code = STAGE_FAILED;

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.0)
    }
}

/// What ends a command early.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) code: Code,
    /// Lower-case fragment; empty when everything was said already.
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// The store may only be read: a reader goes on.
    pub(crate) read_only: bool,
}

impl Stopped {
    /// The user can mend it.
    pub(crate) fn wrong(message: impl fmt::Display) -> Self {
        Self {
            code: WRONG_USE,
            message: message.to_string(),
            help: None,
            read_only: false,
        }
    }

    /// The store cannot be written.
    pub(crate) fn read_only(message: impl fmt::Display) -> Self {
        Self {
            code: STAGE_FAILED,
            read_only: true,
            ..Self::wrong(message)
        }
    }

    /// We or the machine are at fault.
    pub(crate) fn fault(message: impl fmt::Display) -> Self {
        Self {
            code: OUR_FAULT,
            message: message.to_string(),
            help: None,
            read_only: false,
        }
    }

    /// The problems were shown already.
    pub(crate) fn shown(code: Code) -> Self {
        Self {
            code,
            message: String::new(),
            help: None,
            read_only: false,
        }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// Says it, and gives the code to leave with.
    pub(crate) fn report(&self, global: &Global) -> Code {
        if !self.message.is_empty() {
            talk::error(global, &self.message, self.help.as_deref());
        }
        self.code
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        let read_only = match &error {
            StoreError::ReadOnly { .. } => true,
            StoreError::Io { source, .. } => source.kind() == ErrorKind::PermissionDenied,
            _ => false,
        };
        Self {
            code: STAGE_FAILED,
            message: error.to_string(),
            help: error.help().map(str::to_owned),
            read_only,
        }
    }
}

impl From<kyobashi_stage::Failure> for Stopped {
    fn from(failure: kyobashi_stage::Failure) -> Self {
        Self {
            code: WRONG_USE,
            message: failure.message,
            help: failure.help,
            read_only: false,
        }
    }
}

impl From<std::io::Error> for Stopped {
    fn from(error: std::io::Error) -> Self {
        // Whoever reads our output may stop reading; that is no fault.
        if error.kind() == ErrorKind::BrokenPipe {
            Self::shown(DONE)
        } else {
            Self::fault(error)
        }
    }
}
