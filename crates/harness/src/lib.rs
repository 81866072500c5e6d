//! Probe, plan, run and record conformance cases.
//!
//! [`probe`] asks the target what it is; [`plan`] multiplies scenarios into cases and decides which of them it can be
//! asked; [`run()`] runs them on libtest-mimic, plays each back at once, and keeps their records.

mod cleanup;
mod done;
mod entry;
mod evidence;
mod execute;
pub mod fingerprint;
mod litter;
mod liveness;
pub mod mutation;
mod nodes;
pub mod plan;
mod pool;
mod probe;
pub mod recording;
mod refusal;
mod replay;
mod run;
pub mod settings;
mod sink;
mod suite;
mod target;
mod undo_security;

pub use cleanup::{Cleaned, clean};
pub use entry::{Barred, try_each};
pub use execute::DEADLINE;
pub use nodes::{Commands, Hook};
pub use probe::{Probed, Unreachable, probe};
pub use replay::{Played, ReplayOptions, replay};
pub use run::{Done, Options, run, wanted};
pub use sink::Watch;
pub use suite::{Row, Suite};
pub use target::Target;
