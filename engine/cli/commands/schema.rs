//! `kyo schema`

use kyobashi_science::Providers;

use crate::exit::{self, Code, Stopped};
use crate::talk;
use crate::workspace::Catalogue;

pub(super) fn schema() -> Result<Code, Stopped> {
    let catalogue = Catalogue::new(Providers::default());
    let types: Vec<&str> = catalogue.signatures.keys().map(String::as_str).collect();
    let schema = crate::schema::schema(&types);
    talk::data(&serde_json::to_string_pretty(&schema).map_err(Stopped::fault)?)?;
    Ok(exit::DONE)
}
