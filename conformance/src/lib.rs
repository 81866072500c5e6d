//! The suite.

pub mod catalogue;
