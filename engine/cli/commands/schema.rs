//! `kyo schema`

use kyobashi_science::Providers;

use crate::exit::{self, Code, Stopped};
use crate::talk;
use crate::workspace::Catalogue;

pub(super) fn schema() -> Result<Code, Stopped> {
    talk::data(&text()?)?;
    Ok(exit::DONE)
}

/// The schema with every stage type of this program.
pub(super) fn text() -> Result<String, Stopped> {
    let catalogue = Catalogue::new(Providers::default());
    let types: Vec<&str> = catalogue.signatures.keys().map(String::as_str).collect();
    serde_json::to_string_pretty(&crate::schema::schema(&types)).map_err(Stopped::fault)
}
