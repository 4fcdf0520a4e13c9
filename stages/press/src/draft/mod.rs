//! Reading a draft: Markdown with references, to a tree with resolved numbers, or to all problems at once.

pub(crate) mod captions;
pub(crate) mod inline;
pub(crate) mod mask;
pub(crate) mod matter;
pub(crate) mod place;
pub(crate) mod placeholder;
pub(crate) mod read;
pub(crate) mod source;
pub(crate) mod tree;
pub(crate) mod words;
