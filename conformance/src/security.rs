//! Authentication and encryption. See `requirements/security.toml`.

use kconform_scenario::Scenario;

mod login;
mod sasl_before;
mod sasl_handshake;
mod sasl_plain;
mod sasl_scram;
mod sasl_sessions;
mod tls;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    sasl_before::SCENARIOS,
    sasl_handshake::SCENARIOS,
    sasl_plain::SCENARIOS,
    sasl_scram::SCENARIOS,
    sasl_sessions::SCENARIOS,
    tls::SCENARIOS,
];
