//! From flags and files to a target.

use kconform_harness::settings::Address;
use kconform_harness::{Target, fingerprint};
use kconform_scenario::Reference;
use kconform_scenario::wire::Dial;

use crate::args::Conform;
use crate::trouble::Trouble;

/// The target that the flags describe.
pub(crate) fn target(args: &Conform) -> Result<Target, Trouble> {
    let bootstrap = args.reach.bootstrap.iter().map(|address| dial(address));
    let mut target = Target::at(bootstrap.collect::<Result<_, _>>()?);
    target.disruptive = args.manner.allow_disruptive;
    target.reference = args.manner.reference;
    Ok(target)
}

/// A plain way to an address.
pub(crate) fn dial(address: &str) -> Result<Dial, Trouble> {
    let Address { host, port } =
        address.parse().map_err(|error| Trouble::Usage(format!("{error}")))?;
    Ok(Dial::plain(host, port))
}

/// Whether we know what this release line does.
pub(crate) fn known_reference(reference: Reference) -> Result<(), Trouble> {
    if fingerprint::release(reference).is_some() {
        return Ok(());
    }
    let known: Vec<String> =
        fingerprint::releases().iter().map(|release| release.reference.to_string()).collect();
    Err(Trouble::Usage(format!(
        "Apache Kafka {reference} is not a reference that kconform knows; there are {}",
        known.join(", ")
    )))
}
