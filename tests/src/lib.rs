//! Tests of the suite.
