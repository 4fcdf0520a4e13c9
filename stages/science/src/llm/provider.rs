//! Who serves models.
#[derive(Clone, Debug, Default)]
pub struct Providers {}
