//! `kyo lsp`

use crate::exit::{self, Code, Stopped};

pub(super) fn lsp() -> Result<Code, Stopped> {
    crate::lsp::serve().map(|()| exit::DONE).map_err(|error| {
        Stopped::wrong(format!("the editor and `kyo lsp` lost each other: {error}"))
    })
}
