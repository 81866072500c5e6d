//! Commands for the developers of kconform, behind the hidden `kconform dev`.

pub(crate) mod catalogue;
pub(crate) mod complaint;
pub(crate) mod tidy;
